"""The table compiled here is the one the gateway tells of, and what is not in the picture is said."""

from collections.abc import Iterator
from typing import Any

import pytest

from kfambassador.errors import Forbidden, NoGateway
from kfambassador.kube.client import KubeClient, Listing
from kfambassador.kube.kinds import INGRESS, MAPPING, SECRET, Kind
from kfambassador.local.authorities import find_authorities
from kfambassador.local.stack import LocalStack
from kfambassador.names import CONFIG_ANNOTATION, EXPIRES_ANNOTATION
from kfambassador.problems import ObjectKey
from kfambassador.resources.objects import object_key
from kfambassador.routing.policy import TenancyPolicy
from kfambassador.sdk.calling.credentials import BearerToken
from kfambassador.sdk.calling.http import HttpClient
from kfambassador.sdk.problem_views import SourceState
from kfambassador.sdk.reaching.own_reading import OwnReading
from kfambassador.sdk.reaching.reading import ReadApi
from tests.e2e.gateway import until

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("own_reading")]

POLICY = TenancyPolicy.laptop(trusted_ca=find_authorities())
ANNOTATED = """
---
apiVersion: ambassador/v0
kind: Mapping
name: mnist
prefix: /models/mnist/
rewrite: /v1/models/mnist
service: 127.0.0.1:8501
---
apiVersion: ambassador/v0
kind: Mapping
name: mnist-canary
prefix: /models/mnist/
rewrite: /v1/models/mnist
service: 127.0.0.1:8502
weight: 10
"""
HARMED = """
apiVersion: ambassador/v0
kind: Mapping
name: broken
prefix: /broken/
service: "not a service:at all"
"""


def annotated(name: str, text: str, *, namespace: str = "default") -> dict[str, Any]:
    metadata = {"name": name, "namespace": namespace, "annotations": {CONFIG_ANNOTATION: text}}
    return {"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": {"ports": [{"port": 80}]}}


OVER = annotated(
    "over", "{apiVersion: ambassador/v0, kind: Mapping, name: over, prefix: /over/, service: '127.0.0.1:1'}"
)
OVER["metadata"]["annotations"][EXPIRES_ANNOTATION] = "2020-01-01T00:00:00Z"


def mapping(name: str, *, namespace: str = "default", **spec: object) -> dict[str, Any]:
    metadata = {"name": name, "namespace": namespace}
    return {"apiVersion": MAPPING.api_version, "kind": "Mapping", "metadata": metadata, "spec": spec}


OBJECTS = (
    {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "team"}},
    annotated("mnist", ANNOTATED),
    annotated("harmed", HARMED),
    OVER,
    mapping("shadow", prefix="/models/mnist/", service="127.0.0.1:8503", shadow=True, weight=20),
    mapping("regex", prefix="/v[0-9]+/", prefix_regex=True, service="127.0.0.1:8504", method="GET"),
    mapping("host", prefix="/", hostname="models.example.org", service="127.0.0.1:8505", timeout_ms=60_000),
    mapping("away", prefix="/old/", service="example.org", host_redirect=True),
    mapping("taken", namespace="team", prefix="/models/mnist/", service="127.0.0.1:9999"),
)


class Restricted(KubeClient):
    """A client that may list in one namespace only, and no Ingresses at all."""

    may_list_in: tuple[str, ...] = ("default",)

    def list(self, kind: Kind, *, namespace: str | None = None, label_selector: str | None = None) -> Listing:
        if namespace not in self.may_list_in or kind == INGRESS:
            words = f'User "ann" cannot list resource "{kind.plural}" in API group "{kind.group}"'
            raise Forbidden(words, status=403, reason="Forbidden", retry_after=None)
        return super().list(kind, namespace=namespace, label_selector=label_selector)


class Neighbour(Restricted):
    """A client that may list in another namespace than its own as well."""

    may_list_in = ("default", "team")


@pytest.fixture(scope="module")
def client(stack: LocalStack) -> Iterator[KubeClient]:
    with KubeClient.connect(
        stack.endpoint.api_url, token=stack.endpoint.api_token, authority=stack.endpoint.api_authority
    ) as client:
        yield client


@pytest.fixture(scope="module")
def told(stack: LocalStack, client: KubeClient) -> Iterator[ReadApi]:
    """The read API, once it has read every object."""
    with HttpClient(credentials=BearerToken(stack.endpoint.diagnostics_token), direct=True) as http:
        reader = ReadApi(stack.endpoint.diagnostics_url, http)
        for manifest in OBJECTS:
            stored = client.apply(manifest)
            if stored["kind"] != "Namespace":
                version = str(stored["metadata"]["resourceVersion"])
                reader.source(object_key(stored), resource_version=version, wait=20)
        yield reader


@pytest.fixture
def own(client: KubeClient) -> OwnReading:
    return OwnReading(client, POLICY, reason="nobody answers")


@pytest.fixture
def restricted(stack: LocalStack) -> Iterator[OwnReading]:
    with Restricted.connect(
        stack.endpoint.api_url, token=stack.endpoint.api_token, authority=stack.endpoint.api_authority
    ) as client:
        yield OwnReading(client, POLICY, reason="nobody answers")


def test_the_routes_are_the_very_same(told: ReadApi, own: OwnReading) -> None:
    assert len(told.routes()) >= 4
    assert own.routes() == told.routes()
    assert own.routes() == told.routes()  # from what is remembered too


def test_problems_are_the_very_same_but_for_what_is_missing(told: ReadApi, own: OwnReading) -> None:
    missing, *others = own.problems()
    assert (missing.code, missing.message.split()[0]) == ("unread", SECRET.plural)
    assert tuple(others) == told.problems()
    assert {problem.code for problem in others}


@pytest.mark.parametrize(
    ("method", "url"),
    [("POST", "/models/mnist/:predict"), ("GET", "/v1/x"), ("GET", "http://models.example.org/x"), ("GET", "/nothing")],
)
def test_what_becomes_of_a_request_is_the_very_same(told: ReadApi, own: OwnReading, method: str, url: str) -> None:
    assert own.explain(method, url, {}) == told.explain(method, url, {})


@pytest.mark.parametrize(
    ("key", "wait"),
    [
        ("Service default/mnist", 20),
        ("Service default/harmed", 20),
        ("Service default/over", 20),
        ("Mapping team/taken", 20),
        ("Service default/no", 0),  # of what is not there nothing would be decided, however long one waits
    ],
)
def test_how_far_an_object_has_come_is_the_very_same(told: ReadApi, own: OwnReading, key: str, wait: float) -> None:
    kind, _, place = key.partition(" ")
    named = ObjectKey(kind, *place.split("/"))

    def agree() -> bool:
        read = own.source(named)
        return read == told.source(named, resource_version=read.resource_version, wait=wait)

    # The status that the gateway writes changes the object's version between one reading and the other.
    until(agree)


def test_what_may_not_be_read_is_told_as_missing_and_all_else_compiled(restricted: OwnReading) -> None:
    routes = restricted.routes()
    assert {split.mapping for route in routes for split in route.splits} >= {"default/mnist", "default/regex"}
    said = {
        problem.message.split()[0]: problem.message for problem in restricted.problems() if problem.code == "unread"
    }
    assert said["ingresses"].startswith("ingresses are missing from this table: you may not list them")
    assert said["services"].startswith("services are missing from this table: you may list those of default only")


def test_a_namespace_that_is_asked_about_is_looked_into(stack: LocalStack, told: ReadApi) -> None:
    with Neighbour.connect(
        stack.endpoint.api_url, token=stack.endpoint.api_token, authority=stack.endpoint.api_authority
    ) as client:
        own = OwnReading(client, POLICY, reason="nobody answers")
        key = ObjectKey("Mapping", "team", "taken")
        assert str(key) not in {problem.object for problem in own.problems()}
        assert own.source(key).state is told.source(key).state is SourceState.REJECTED


def test_what_is_gone_is_known_to_be_gone(client: KubeClient, own: OwnReading) -> None:
    client.apply(mapping("brief", prefix="/brief/", service="127.0.0.1:1"))
    key = ObjectKey("Mapping", "default", "brief")
    assert own.source(key).state is SourceState.SERVING
    client.delete(MAPPING, "brief")
    assert own.await_absence(key, wait=5)


def test_what_only_the_controller_knows_is_said_to_be_unknown(own: OwnReading) -> None:
    with pytest.raises(NoGateway, match=r"known to the gateway's read API only, .*nobody answers"):
        own.statistics()
    with pytest.raises(NoGateway, match="Envoy itself can only be asked by"):
        own.explain("GET", "/", {}, ask_envoy=True)
