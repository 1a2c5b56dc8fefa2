"""Who else holds a match in a namespace, and which of two who came at the same time withdraws."""

import itertools
from collections.abc import Iterator
from typing import Any

import pytest

from kfambassador.kube.client import KubeClient
from kfambassador.kube.kinds import SERVICE
from kfambassador.local.definitions import read_definitions
from kfambassador.local.kube.server import KubeServer
from kfambassador.names import (
    CONFIG_ANNOTATION,
    EXPIRES_ANNOTATION,
    EXPOSURE_LABEL,
    MANAGED_BY,
    MANAGED_BY_LABEL,
    OWNER_ANNOTATION,
)
from kfambassador.problems import ObjectKey, Origin
from kfambassador.resources.documents import write_documents
from kfambassador.resources.mapping import Mapping
from kfambassador.resources.meta import SourcedMapping
from kfambassador.sdk.publishing.annotations import put_documents
from kfambassador.sdk.publishing.claims import Holder, find_holder, find_race, is_younger
from kfambassador.sdk.publishing.publication import Publication
from kfambassador.sdk.publishing.variants import Variant
from kfambassador.sdk.servers.http import HTTPServer
from tests.unit.kube.scripted_api import TOKEN, listing, refusal, scripted_api

Written = dict[str, Any]

_numbers = itertools.count()


@pytest.fixture(scope="module")
def client() -> Iterator[KubeClient]:
    with (
        KubeServer(furniture=read_definitions()) as server,
        KubeClient.connect(server.url, token=server.token, authority=server.authority) as client,
    ):
        yield client


@pytest.fixture
def team(client: KubeClient) -> str:
    """Return a namespace of the test's own."""
    name = f"team-{next(_numbers)}"
    client.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
    return name


def mapping(name: str = "x", prefix: str = "/models/mnist/", **attributes: Any) -> Written:
    written: Written = {"apiVersion": "getambassador.io/v2", "kind": "Mapping", "name": name, "prefix": prefix}
    return written | {"service": name} | attributes


def service(
    name: str, namespace: str, text: str, *, labels: Written | None = None, owner: str = "", version: str = ""
) -> Written:
    annotations = {CONFIG_ANNOTATION: text} | ({OWNER_ANNOTATION: owner} if owner else {})
    metadata: Written = {"name": name, "namespace": namespace, "labels": labels or {}, "annotations": annotations}
    metadata |= {"resourceVersion": version} if version else {}
    return {"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": {"ports": [{"port": 80}]}}


def ours(name: str) -> Written:
    return {MANAGED_BY_LABEL: MANAGED_BY, EXPOSURE_LABEL: name}


def publication(namespace: str, *mappings: Written, name: str = "mnist") -> Publication:
    plain = [{key: value for key, value in each.items() if key not in {"apiVersion", "kind"}} for each in mappings]
    return Publication(
        name=name,
        namespace=namespace,
        server=HTTPServer(),
        base="/models/mnist/",
        variants=(Variant(service="mnist"),),
        carrier=ObjectKey("Service", namespace, name),
        mappings=tuple(map(Mapping.model_validate, plain or [mapping("mnist")])),
    )


def holder(client: KubeClient, namespace: str, *mappings: Written) -> Holder | None:
    return find_holder(client, publication(namespace, *(mappings or [mapping("mnist")])))


def publish(client: KubeClient, namespace: str, *mappings: Written, name: str = "y", owner: str = "alice") -> None:
    client.create(service(name, namespace, write_documents(*mappings), owner=owner))


def test_in_an_empty_namespace_nobody_holds_anything(client: KubeClient, team: str) -> None:
    assert holder(client, team) is None


def test_who_holds_a_prefix_is_told_with_its_owner(client: KubeClient, team: str) -> None:
    publish(client, team, mapping("other", "/other/"), mapping("x"))
    found = holder(client, team)
    assert str(found) == (
        f"the prefix /models/mnist/ is held by mapping x of Service {team}/y (it was published by alice); publish "
        "under another prefix, or ask there"
    )


@pytest.mark.parametrize(
    "text",
    [
        r'{"apiVersion":"getambassador.io/v2","kind":"Mapping","name":"x","prefix":"\/models\/mnist\/","service":"x"}',
        '{apiVersion: ambassador/v1, kind: Mapping, name: x, service: x, "prefix":/models/mnist/}',
        "apiVersion: ambassador/v1\nkind: Mapping\nname: x\nservice: x\nprefix: >-\n  /models/mnist/\n",
        r'{apiVersion: ambassador/v1, kind: Mapping, name: "\x6dnist", service: x, prefix: /other/}',
    ],
)
def test_a_claim_counts_however_it_is_written(client: KubeClient, team: str, text: str) -> None:
    client.create(service("theirs", team, text))
    assert find_holder(client, publication(team, mapping("mnist"))) is not None


@pytest.mark.parametrize(
    ("mine", "theirs"),
    [
        ({"method": "POST"}, {"method": "POST"}),
        ({"host": "A.com:80"}, {"hostname": "a.com"}),
        ({"headers": {"X-A": "1"}}, {"headers": {"x-a": "1"}}),
        ({"precedence": 3}, {"precedence": 3}),
        ({"prefix_exact": True}, {"prefix_exact": True, "weight": 10}),
        ({}, {"shadow": True}),
        ({}, {"ambassador_id": ["inner", "default"]}),
    ],
)
def test_the_same_conditions_are_the_same_route(client: KubeClient, team: str, mine: Written, theirs: Written) -> None:
    publish(client, team, mapping("x", **theirs))
    found = holder(client, team, mapping("mnist", **mine))
    assert found is not None
    assert found.mapping == "x"


@pytest.mark.parametrize(
    "theirs",
    [
        {"method": "POST"},
        {"host": "a.com"},
        {"headers": {"x-a": "1"}},
        {"precedence": 3},
        {"prefix_exact": True},
        {"prefix": "/models/mnist2/"},
        {"case_sensitive": False},
        {"query_parameters": {"a": "1"}},
        {"ambassador_id": ["inner"]},
    ],
)
def test_another_condition_is_another_route(client: KubeClient, team: str, theirs: Written) -> None:
    publish(client, team, mapping("x", **theirs))
    assert holder(client, team) is None


def test_conditions_are_told(client: KubeClient, team: str) -> None:
    said: Written = {"method": "POST", "host": "a.com", "headers": {"x-b": "1"}}
    publish(client, team, mapping("x", **said))
    assert "/models/mnist/ with method POST and host a.com and headers x-b is held" in str(
        holder(client, team, mapping("mnist", **said))
    )


def test_a_name_is_held_as_well(client: KubeClient, team: str) -> None:
    publish(client, team, mapping("mnist", "/elsewhere/"))
    found = holder(client, team)
    assert str(found).startswith(f"the name mnist is held by mapping mnist of Service {team}/y (")
    assert found is not None
    assert found.by_name


def test_a_custom_resource_holds_as_well(client: KubeClient, team: str) -> None:
    metadata = {"name": "by-hand", "namespace": team}
    spec = {"hostname": "*", "prefix": "/models/mnist/", "service": "x"}
    client.create({"apiVersion": "getambassador.io/v3alpha1", "kind": "Mapping", "metadata": metadata, "spec": spec})
    found = holder(client, team)
    assert found is not None
    assert found.object == ObjectKey("Mapping", team, "by-hand")


def test_other_namespaces_are_not_asked(client: KubeClient, team: str) -> None:
    client.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": f"{team}-b"}})
    publish(client, f"{team}-b", mapping("x"))
    assert holder(client, team) is None


def test_what_the_exposure_itself_wrote_is_not_in_its_way(client: KubeClient, team: str) -> None:
    client.create(service("mnist", team, write_documents(mapping("mnist")), labels=ours("mnist")))
    assert holder(client, team) is None
    assert holder(client, team, mapping("another", "/new/")) is None


def test_in_a_shared_annotation_only_the_others_documents_are_others(client: KubeClient, team: str) -> None:
    text = put_documents(write_documents(mapping("theirs", "/theirs/")), [mapping("mnist")], exposure="mnist")
    client.create(service("model", team, text, labels={EXPOSURE_LABEL: "mnist"}))
    assert holder(client, team) is None
    found = holder(client, team, mapping("mnist", "/theirs/"))
    assert found is not None
    assert found.mapping == "theirs"


def test_what_has_expired_holds_nothing(client: KubeClient, team: str) -> None:
    manifest = service("y", team, write_documents(mapping("x")), labels=ours("y"))
    for moment, is_held in (("2000-01-01T00:00:00Z", False), ("9999-01-01T00:00:00Z", True)):
        manifest["metadata"]["annotations"][EXPIRES_ANNOTATION] = moment
        client.apply(manifest)
        assert (holder(client, team) is not None) == is_held


def test_who_joined_a_match_that_was_held_already_meant_to(client: KubeClient, team: str) -> None:
    client.create(service("mnist", team, write_documents(mapping("mnist")), labels=ours("mnist")))
    publish(client, team, mapping("canary", weight=10))
    assert holder(client, team) is None


def test_what_may_not_be_listed_is_passed_over() -> None:
    text = write_documents(mapping("x"))
    script = [listing(service("y", "team", text)), refusal(403, "Forbidden"), refusal(404, "NotFound")]
    with scripted_api(*script) as api, KubeClient.connect(api.url, token=TOKEN) as client:
        found = holder(client, "team")
        assert len(api.requests()) == 3
    assert found is not None
    assert found.object.name == "y"


def test_of_two_who_come_at_once_the_later_withdraws(client: KubeClient, team: str) -> None:
    for name in ("b", "a"):  # the names say nothing of who came first
        client.create(service(name, team, write_documents(mapping(name)), labels=ours(name), owner=f"{name}'s"))
    first, second = (publication(team, mapping(name), name=name) for name in ("b", "a"))
    assert find_race(client, first) is None
    lost = find_race(client, second)
    assert lost is not None
    assert (lost.object.name, lost.owner) == ("b", "it belongs to 'b', published by b's")


def test_an_old_service_annotated_today_came_today(client: KubeClient, team: str) -> None:
    client.create(service("old", team, "# nothing yet\n"))
    client.create(service("new", team, write_documents(mapping("new")), labels=ours("new")))
    text = put_documents("# nothing yet\n", [mapping("old")], exposure="old")
    client.patch(SERVICE, "old", {"metadata": {"annotations": {CONFIG_ANNOTATION: text}}}, namespace=team)
    assert find_race(client, publication(team, mapping("new"), name="new")) is None
    lost = find_race(client, publication(team, mapping("old"), name="old"))
    assert lost is not None
    assert lost.object.name == "new"


def claim(name: str, version: str, created: str) -> SourcedMapping:
    origin = Origin(ObjectKey("Service", "team", name), resource_version=version)
    return SourcedMapping(Mapping(name="m", prefix="/m/", service="m"), origin, namespace="team", created=created)


def test_of_any_two_claims_exactly_one_is_younger() -> None:
    days = ("2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z")
    claims = [claim(name, version, day) for name in "ab" for version in ("9", "10", "x") for day in days]
    for one, other in itertools.permutations(claims, 2):
        if one.origin.object != other.origin.object:
            assert is_younger(one, other) != is_younger(other, one)


def test_where_versions_are_no_numbers_age_and_then_the_name_count() -> None:
    assert is_younger(claim("a", "x", "2026-01-02T00:00:00Z"), claim("b", "y", "2026-01-01T00:00:00Z"))
    assert is_younger(claim("b", "x", ""), claim("a", "y", ""))
