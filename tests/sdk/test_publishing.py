"""What ``expose`` promises, in whichever cluster: published, changed, taken up again, taken down."""

from typing import Any

import pytest

import kfambassador as kfa
from kfambassador.kube.kinds import SERVICE
from kfambassador.names import CONFIG_ANNOTATION, EXPOSURE_LABEL, OWNER_ANNOTATION
from tests.sdk.team import PORT, Team

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("sdk-contract")]

OTHERS = (
    "# Ours, by hand.\napiVersion: ambassador/v1\nkind:   Mapping\nname: hand\nprefix: /{team}/hand/\nservice: mnist\n"
)


def test_the_service_of_a_models_name_is_published(team: Team) -> None:
    team.deploy("mnist")
    mnist = team.expose("mnist")
    assert mnist.predict([1.0, 2.0]).values == [2.5, 3.0]
    assert mnist.backend == f"mnist.{team.namespace}:{PORT}"
    assert set(team.services()) == {"mnist", "mnist-route"}


def test_a_service_that_is_there_carries_its_mappings_itself(team: Team) -> None:
    team.deploy("mnist", service=False)
    others = OTHERS.format(team=team.namespace)
    team.make_service("mnist", annotations={CONFIG_ANNOTATION: others}, labels={"tier": "models"})
    mnist = team.expose("mnist", service="service/mnist")
    assert mnist.predict([1.0]).values == [2.5]
    metadata = team.read_service("mnist")["metadata"]
    assert metadata["labels"] == {"tier": "models", EXPOSURE_LABEL: "mnist"}
    assert metadata["annotations"][CONFIG_ANNOTATION].startswith(others)
    mnist.delete()
    metadata = team.read_service("mnist")["metadata"]
    assert (metadata["labels"], metadata["annotations"]) == ({"tier": "models"}, {CONFIG_ANNOTATION: others})


def test_a_deployment_gets_a_service(team: Team) -> None:
    team.deploy("half", service=False)
    mnist = team.expose("mnist", service="deployment/half")
    assert mnist.predict([1.0]).values == [2.5]
    services = team.services()
    assert set(services) == {"mnist", "mnist-to-half"}
    assert services["mnist-to-half"]["spec"]["selector"] == {"app": "half"}
    mnist.delete()
    assert team.services() == {}


def test_a_url_is_published(team: Team) -> None:
    team.deploy("half")
    mnist = team.expose("mnist", service=f"http://half.{team.namespace}:{PORT}")
    assert mnist.predict([1.0]).values == [2.5]
    assert mnist.test({"instances": [3.0]}).mapping == f"{team.namespace}/mnist-verbs"


def test_publishing_the_same_again_changes_nothing(team: Team, gateway: kfa.Gateway) -> None:
    team.deploy("half", service=False)
    team.expose("mnist", service="deploy/half")
    before = team.services()
    assert not gateway.diff("mnist", service="deploy/half", prefix=team.path("mnist"))
    team.expose("mnist", service="deploy/half")
    assert team.services() == before


def test_publishing_again_changes_what_is_served(team: Team) -> None:
    team.deploy("half", service=False)
    team.deploy("more", bias=3.0, service=False)
    team.expose("mnist", service="deployment/half")
    mnist = team.expose("mnist", service="deployment/more", prefix=team.path("moved"))
    assert mnist.predict([1.0]).values == [3.5]
    assert mnist.test(path=f"{team.path('mnist')}metadata", expect=404)
    assert set(team.services()) == {"mnist", "mnist-to-more"}


def test_an_exposure_is_taken_up_again(team: Team, gateway: kfa.Gateway) -> None:
    team.deploy("mnist")
    assert gateway.list_exposures() == []
    made = team.expose("mnist", timeout_ms=5000)
    with team.place.connect(team.namespace) as later:
        found = later.get_exposure("mnist")
        assert found.predict([1.0]).values == [2.5]
        assert (found.url, found.server, found.mappings) == (made.url, made.server, made.mappings)
        assert [each.name for each in later.list_exposures()] == ["mnist"]
        assert "mnist" in [each.name for each in later.list_exposures(namespace="*")]
        found.delete()
    with pytest.raises(kfa.NotFound, match="Nothing is published as 'mnist'"):
        gateway.get_exposure("mnist")


def test_what_is_waited_for_is_told_as_it_comes(team: Team, gateway: kfa.Gateway) -> None:
    team.make_service("mnist")
    waiting = team.expose("mnist", wait=False)
    told: list[kfa.ExposureStatus] = []
    waiting.wait_for_status(kfa.Phase.PROGRAMMED, timeout=team.place.patience, callbacks=[told.append])
    status = waiting.status
    assert (status.phase, status.code, bool(status)) == (kfa.Phase.PROGRAMMED, "no-endpoints", False)
    team.deploy("mnist", service=False)
    gateway.wait_for_exposure_status("mnist", timeout=team.place.patience, callbacks=[told.append])
    phases = [each.phase for each in told]
    assert list(dict.fromkeys(phases))[-1] is kfa.Phase.ANSWERING
    assert phases.index(kfa.Phase.APPLIED) < phases.index(kfa.Phase.PROGRAMMED) < phases.index(kfa.Phase.ANSWERING)
    assert waiting.status
    gateway.wait_for_exposure_status("mnist", {kfa.Phase.ACCEPTED, kfa.Phase.REJECTED}, timeout=0.0)


def test_waiting_for_what_cannot_be_is_refused(team: Team, gateway: kfa.Gateway) -> None:
    with pytest.raises(kfa.NotFound, match="Nothing is published as 'mnist'"):
        gateway.wait_for_exposure_status("mnist")
    team.make_service("mnist")
    mnist = team.expose("mnist", wait=False)
    with pytest.raises(ValueError, match="'Redy' is no phase of an exposure; there are Applied"):
        mnist.wait_for_status("Redy")
    mnist.wait_for_status(kfa.Phase.PROGRAMMED, timeout=team.place.patience)
    with pytest.raises(kfa.NotServed, match="but does not answer") as caught:
        mnist.wait(0.0)
    assert caught.value.stage == "answering"


def test_what_is_over_is_listed_and_taken_away(team: Team, gateway: kfa.Gateway) -> None:
    team.deploy("half")
    brief = team.expose("brief", service=f"half:{PORT}", ttl=1.0, wait=False)
    brief.wait_for_status(kfa.Phase.EXPIRED, timeout=team.place.patience)
    kept = team.expose("kept", service=f"half:{PORT}")
    (left,) = gateway.leftovers()
    assert (left.exposure, left.object.name) == ("brief", "brief")
    assert left.reason.startswith("it expired at ")
    assert gateway.leftovers().delete() == 1
    assert list(gateway.leftovers()) == []
    assert set(team.services()) == {"half", "kept"}
    assert kept.predict([1.0]).values == [2.5]


def test_what_others_published_is_listed_and_left_alone(team: Team, gateway: kfa.Gateway) -> None:
    team.make_service("half")
    brief = team.expose("brief", service=f"half:{PORT}", ttl=1.0, wait=False)
    brief.wait_for_status(kfa.Phase.EXPIRED, timeout=team.place.patience)
    theirs = {"metadata": {"annotations": {OWNER_ANNOTATION: "grace"}}}
    gateway.client.patch(SERVICE, "brief", theirs, namespace=team.namespace)
    found = gateway.leftovers()
    assert ([left.owner for left in found], found.delete()) == (["grace"], 0)
    assert found.delete(everybodys=True) == 1
    assert list(gateway.leftovers()) == []


def test_publishing_again_renews_the_time_to_live(team: Team) -> None:
    team.deploy("half")
    brief = team.expose("brief", service=f"half:{PORT}", ttl=1.0, wait=False)
    brief.wait_for_status(kfa.Phase.EXPIRED, timeout=team.place.patience)
    again = team.expose("brief", service=f"half:{PORT}", ttl=3600.0)
    assert again.predict([1.0]).values == [2.5]


def test_what_an_interrupted_call_left_is_listed_and_taken_away(team: Team, gateway: kfa.Gateway) -> None:
    team.deploy("half", service=False)
    team.expose("mnist", service="deployment/half")
    kept = team.expose("kept", service="deployment/half")
    assert list(gateway.leftovers()) == []
    gateway.client.delete(SERVICE, "mnist", namespace=team.namespace)
    (left,) = gateway.leftovers()
    assert (left.object.name, left.exposure) == ("mnist-to-half", "")
    assert gateway.leftovers().delete() == 1
    assert set(team.services()) == {"kept", "kept-to-half"}
    assert kept.predict([1.0]).values == [2.5]


def test_what_is_down_is_gone(team: Team, gateway: kfa.Gateway) -> None:
    team.deploy("mnist")
    with team.expose("mnist") as mnist:
        assert mnist.test()
    assert [route for route in gateway.routes() if team.namespace in str(route)] == []
    assert set(team.services()) == {"mnist"}
    mnist.delete()
    with pytest.raises(kfa.NotFound, match="Nothing is published as 'mnist'"):
        gateway.delete_exposure("mnist")


def test_a_service_of_somebody_elses_is_left_alone(team: Team) -> None:
    team.deploy("half")
    team.make_service("mnist")
    before = team.services()
    with pytest.raises(kfa.MappingRejected, match=r"Service .*/mnist is there already") as caught:
        team.expose("mnist", service=f"half:{PORT}")
    assert [problem.code for problem in caught.value.problems] == ["name-taken"]
    assert team.services() == before


def test_a_service_carries_one_exposure(team: Team) -> None:
    team.deploy("own")
    first = team.expose("first", service="service/own")
    before = team.services()
    with pytest.raises(kfa.MappingRejected, match="carries the mappings of 'first' already") as caught:
        team.expose("second", service="service/own")
    assert [problem.code for problem in caught.value.problems] == ["name-taken"]
    with pytest.raises(kfa.MappingRejected, match="carries the mappings of 'first' already"):
        team.gateway.diff("second", service="service/own")
    assert team.services() == before
    second = team.expose("second", service="own")
    first.delete()
    assert second.predict([1.0]).values == [2.5]
    assert set(team.services()) == {"own", "second"}


def test_a_path_of_somebody_elses_is_left_alone(team: Team) -> None:
    team.deploy("half")
    first = team.expose("first", service=f"half:{PORT}")
    before = team.services()
    with pytest.raises(kfa.MappingRejected, match="is held by mapping first") as caught:
        team.expose("second", service=f"half:{PORT}", prefix=team.path("first"))
    assert [problem.code for problem in caught.value.problems] == ["prefix-taken"]
    assert team.services() == before
    assert [share.percent for share in first.split()] == [100]


def test_what_another_person_published_is_taken_over_only_on_request(team: Team, gateway: kfa.Gateway) -> None:
    team.deploy("half")
    team.deploy("more", bias=3.0)
    said: dict[str, Any] = {"prefix": team.path("mnist"), "timeout": team.place.patience}
    with team.colleague("bob") as bob:
        theirs = bob.expose("mnist", service=f"half:{PORT}", **said)
        name = f"system:serviceaccount:{team.namespace}:bob"
        assert theirs.owner == name
        with pytest.raises(kfa.MappingRejected, match=f"is published by {name} already") as caught:
            team.expose("mnist", service=f"more:{PORT}")
        assert [problem.code for problem in caught.value.problems] == ["name-taken"]
        assert theirs.predict([1.0]).values == [2.5]
        mine = team.expose("mnist", service=f"more:{PORT}", take_over=True)
        assert mine.predict([1.0]).values == [3.5]
        assert gateway.get_exposure("mnist").owner == mine.owner != name
        with pytest.raises(kfa.MappingRejected, match=f"is published by {mine.owner} already"):
            bob.expose("mnist", service=f"half:{PORT}", **said)


def test_a_difference_is_told_and_nothing_is_done(team: Team, gateway: kfa.Gateway) -> None:
    team.deploy("half")
    before = team.services()
    new = gateway.diff("mnist", service=f"half:{PORT}", prefix=team.path("mnist"))
    assert new
    assert team.path("mnist") in new.yaml
    assert team.services() == before
    team.expose("mnist", service=f"half:{PORT}")
    assert not gateway.diff("mnist", service=f"half:{PORT}", prefix=team.path("mnist"))
    changed = gateway.diff("mnist", service=f"half:{PORT}", prefix=team.path("mnist"), timeout_ms=7000)
    assert changed
    assert "7000" in repr(changed)
    assert not gateway.diff("mnist", service=f"half:{PORT}", prefix=team.path("mnist"))


def test_problems_are_told_to_whom_they_concern(team: Team, gateway: kfa.Gateway) -> None:
    team.deploy("half")
    good = team.expose("good", service=f"half:{PORT}")
    bad = team.expose("bad", service="nothing:80", wait=False)
    bad.wait_for_status(kfa.Phase.PROGRAMMED, timeout=team.place.patience)
    assert list(good.problems()) == []
    assert "no-such-service" in [problem.code for problem in bad.problems()]
    assert set(bad.problems()) <= set(gateway.problems())


def test_what_is_wrong_is_said_before_anything_is_applied(team: Team) -> None:
    before = team.services()
    with pytest.raises(kfa.MappingRejected, match="timeout_ms"):
        team.expose("mnist", timeout_ms=-1)
    with pytest.raises(kfa.MappingRejected, match="'Mnist' cannot name a Service"):
        team.expose("Mnist")
    with pytest.raises(kfa.MappingRejected, match="there is no Deployment"):
        team.expose("mnist", service="deployment/mnist")
    with pytest.raises(kfa.MappingRejected, match="which the gateway of a cluster cannot reach"):
        team.expose("mnist", service=PORT)
    assert team.services() == before


def test_who_takes_a_request_is_explained(team: Team, gateway: kfa.Gateway) -> None:
    team.deploy("mnist")
    mnist = team.expose("mnist")
    path = team.path("mnist").rstrip("/")
    assert gateway.explain("POST", path).mappings == (f"{team.namespace}/mnist-predict",)
    asked = gateway.explain("GET", f"{mnist.url}metadata", ask_envoy=True)
    assert asked.envoy is not None
    assert (asked.envoy.agrees, asked.envoy.difference) == (True, "")
    assert gateway.explain("GET", f"/{team.namespace}/nothing").winner is None
    assert mnist.curl().endswith(f" {gateway.url}{path}:predict")
