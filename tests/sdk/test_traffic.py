"""Who gets a model's requests, in whichever cluster: canaries, promotion, roll-back, shadows."""

import json

import pytest

import kfambassador as kfa
from tests.e2e.gateway import until
from tests.sdk.team import PORT, Team

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("sdk-contract")]

HALF_PLUS_TWO, HALF_PLUS_THREE = [2.5], [3.5]


@pytest.fixture
def mnist(team: Team) -> kfa.Exposure:
    """A model, and a newer version beside it that nothing leads to yet."""
    team.deploy("v1")
    team.deploy("v2", bias=3.0)
    exposure = team.expose("mnist", service=f"v1:{PORT}")
    # Pods have to start before a canary is waited for.
    with team.expose("warm", service=f"v2:{PORT}"):
        return exposure


def test_a_canary_gets_its_share(mnist: kfa.Exposure) -> None:
    shares = mnist.canary(f"v2:{PORT}", weight=30)
    assert [(share.variant, share.percent) for share in shares] == [("stable", 70), ("canary", 30)]
    assert repr(mnist.split()) == repr(shares)
    assert mnist.predict([1.0], variant="canary").values == HALF_PLUS_THREE
    assert mnist.predict([1.0], variant="stable").values == HALF_PLUS_TWO
    seen = {str(mnist.predict([1.0]).values) for _ in range(100)}
    assert seen == {str(HALF_PLUS_TWO), str(HALF_PLUS_THREE)}


def test_none_and_all_are_exact(mnist: kfa.Exposure) -> None:
    mnist.canary(f"v2:{PORT}", weight=0)
    assert [mnist.predict([1.0]).values for _ in range(30)] == [HALF_PLUS_TWO] * 30
    assert mnist.predict([1.0], variant="canary").values == HALF_PLUS_THREE
    assert mnist.canary(weight=100)["canary"] == 100
    assert [mnist.predict([1.0]).values for _ in range(30)] == [HALF_PLUS_THREE] * 30
    assert mnist.predict([1.0], variant="stable").values == HALF_PLUS_TWO


def test_a_canary_is_promoted_and_taken_back(team: Team, mnist: kfa.Exposure) -> None:
    mnist.canary(f"v2:{PORT}", weight=10)
    assert [(share.variant, share.service) for share in mnist.promote()] == [("stable", f"v2.{team.namespace}:{PORT}")]
    assert mnist.predict([1.0]).values == HALF_PLUS_THREE
    assert mnist.rollback()["stable"] == 100
    assert mnist.predict([1.0]).values == HALF_PLUS_TWO
    with pytest.raises(kfa.MappingRejected, match="nothing to go back to"):
        mnist.rollback()


def test_a_canary_is_taken_back(mnist: kfa.Exposure) -> None:
    mnist.canary(f"v2:{PORT}", weight=100)
    mnist.rollback()
    assert mnist.predict([1.0]).values == HALF_PLUS_TWO
    with pytest.raises(kfa.ConfigurationError, match="has no variant 'canary'"):
        mnist.predict([1.0], variant="canary")


def test_several_variants_share(mnist: kfa.Exposure) -> None:
    mnist.canary(f"v2:{PORT}", weight=20)
    shares = mnist.canary(f"v1:{PORT}", weight=30, variant="blue")
    assert [(share.variant, share.percent) for share in shares] == [("stable", 50), ("canary", 20), ("blue", 30)]
    with pytest.raises(kfa.MappingRejected, match="sum to 110 percent"):
        mnist.canary(weight=90, variant="blue")
    assert mnist.split()["blue"] == 30
    with pytest.raises(kfa.MappingRejected, match="'green' is no variant"):
        mnist.promote("green")
    assert mnist.promote("canary").get("blue") == 30


def test_a_canary_outlasts_publishing_again(team: Team, gateway: kfa.Gateway, mnist: kfa.Exposure) -> None:
    mnist.canary(f"v2:{PORT}", weight=30)
    again = team.expose("mnist", service=f"v1:{PORT}", timeout_ms=7000)
    assert again.split()["canary"] == 30
    found = gateway.get_exposure("mnist")
    assert found.split()["canary"] == 30
    assert found.predict([1.0], variant="canary").values == HALF_PLUS_THREE


def test_a_deployment_is_a_canary(team: Team, mnist: kfa.Exposure) -> None:
    mnist.canary("deployment/v2", weight=50)
    assert mnist.predict([1.0], variant="canary").values == HALF_PLUS_THREE
    assert set(team.services()) == {"v1", "v2", "mnist", "mnist-to-v2"}
    mnist.rollback()
    assert set(team.services()) == {"v1", "v2", "mnist"}
    mnist.canary("deployment/v2", weight=50)
    mnist.promote()
    mnist.delete()
    assert set(team.services()) == {"v1", "v2"}


def test_a_shadow_gets_copies_and_answers_nobody(team: Team, mnist: kfa.Exposure) -> None:
    lab = team.expose("lab", service=f"v2:{PORT}", server=kfa.HTTPServer())

    def count() -> int:
        return int(json.loads(lab.test(path=f"{team.path('lab')}seen").answer.body)["seen"])

    shares = mnist.shadow(f"v2:{PORT}")
    assert [str(share) for share in shares] == ["100%", "copy of 100%"]
    assert [mnist.predict([1.0]).values for _ in range(20)] == [HALF_PLUS_TWO] * 20
    # Copies are sent beside the requests: the last ones may be on their way.
    until(lambda: count() == 20)
    assert [share.variant for share in mnist.shadow(None)] == ["stable"]
    mnist.predict([1.0])
    assert count() == 20


def test_requests_are_counted_by_variant(mnist: kfa.Exposure) -> None:
    mnist.canary(f"v2:{PORT}", weight=50)
    before = mnist.statistics(variant="canary")
    for _ in range(7):
        mnist.predict([1.0], variant="canary")
    after = mnist.statistics(variant="canary").since(before).total
    assert (after.requests, after.server_errors) == (7, 0)
