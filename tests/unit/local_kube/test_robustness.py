"""Whatever is sent is stored or refused by a Status; nothing else may come out of the parts behind the web face."""

import copy
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kfambassador.local.kube.answers.tables import write_table
from kfambassador.local.kube.cluster import Cluster, open_cluster
from kfambassador.local.kube.documents.document import Document, Json, encode
from kfambassador.local.kube.kinds.kind import DEFINITIONS
from kfambassador.local.kube.kinds.status import StatusError
from kfambassador.local.kube.requests.options import WriteOptions
from kfambassador.local.kube.writes.writing import Place
from tests.cluster.raw_api import Object, config_map, service

DRY = WriteOptions(manager="me", dry_run=True, force=True)

DEFINITION: Object = {
    "apiVersion": "apiextensions.k8s.io/v1",
    "kind": "CustomResourceDefinition",
    "metadata": {"name": "routes.example.com"},
    "spec": {
        "group": "example.com",
        "scope": "Namespaced",
        "names": {"plural": "routes", "kind": "Route", "shortNames": ["rt"]},
        "versions": [
            {
                "name": "v1",
                "served": True,
                "storage": True,
                "subresources": {"status": {}},
                "additionalPrinterColumns": [{"name": "A", "type": "string", "jsonPath": ".spec.a"}],
                "schema": {
                    "openAPIV3Schema": {
                        "type": "object",
                        "properties": {
                            "spec": {
                                "type": "object",
                                "required": ["a"],
                                "properties": {
                                    "a": {"type": "string", "pattern": "^a", "enum": ["a"], "default": "a"},
                                    "l": {
                                        "type": "array",
                                        "x-kubernetes-list-type": "map",
                                        "x-kubernetes-list-map-keys": ["k"],
                                        "items": {
                                            "type": "object",
                                            "required": ["k"],
                                            "properties": {"k": {"type": "string"}},
                                        },
                                    },
                                },
                            }
                        },
                    }
                },
            }
        ],
    },
}
SLICE: Object = {
    "apiVersion": "discovery.k8s.io/v1",
    "kind": "EndpointSlice",
    "metadata": {"name": "web", "labels": {"kubernetes.io/service-name": "web"}},
    "addressType": "IPv4",
    "endpoints": [{"addresses": ["10.0.0.1"], "conditions": {"ready": True}}],
    "ports": [{"name": "http", "port": 80}],
}
SECRET: Object = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "key"}, "data": {"a": "YQ=="}}
EVENT: Object = {
    "apiVersion": "v1",
    "kind": "Event",
    "metadata": {"name": "happened"},
    "involvedObject": {"kind": "Service", "name": "web"},
    "series": {"count": 1},
}
NODE_PORT = service("web", ownerReferences=[{"apiVersion": "v1", "kind": "X", "name": "x", "uid": "y"}])
NODE_PORT["spec"] |= {"type": "NodePort"}
DEPLOYMENT: Object = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {"name": "web"},
    "spec": {
        "selector": {"matchLabels": {"a": "b"}},
        "strategy": {"rollingUpdate": {"maxSurge": 1}},
        "template": {
            "metadata": {"labels": {"a": "b"}},
            "spec": {
                "serviceAccountName": "s",
                "volumes": [{"name": "v", "secret": {"secretName": "s"}}, {"name": "w"}],
                "containers": [
                    {
                        "name": "main",
                        "image": "img:1",
                        "ports": [{"containerPort": 80}],
                        "env": [{"name": "A", "valueFrom": {"fieldRef": {"fieldPath": "spec.nodeName"}}}],
                        "resources": {"limits": {"cpu": "1"}},
                        "livenessProbe": {"httpGet": {"port": 80}},
                    }
                ],
            },
        },
    },
}
WHOLE = [
    DEFINITION,
    SLICE,
    SECRET,
    EVENT,
    NODE_PORT,
    DEPLOYMENT,
    config_map("a", labels={"a": "b"}, finalizers=["a.b/c"]),
]

junk: st.SearchStrategy[Json] = st.sampled_from(
    [
        None,
        True,
        0,
        -1,
        1 << 40,
        1.5,
        "",
        "x",
        "(",
        "\ud800",
        "é" * 300,
        [],
        [None],
        ["x", "x"],
        [[]],
        {},
        {"a": None},
        {"": {"": []}},
    ]
)


def paths_of(value: Json, here: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """The paths of all values inside a value."""
    children = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, child in children:
        yield (*here, name)
        yield from paths_of(child, (*here, name))


@st.composite
def spoilt(draw: st.DrawFn, whole: list[Object]) -> Document:
    """An object of which a few values were replaced by junk."""
    document = copy.deepcopy(draw(st.sampled_from(whole)))
    for _ in range(draw(st.integers(1, 2))):
        *parents, last = draw(st.sampled_from(sorted(paths_of(document), key=str)))
        inner = document
        for name in parents:
            inner = inner[name]  # type: ignore[index]  # the path was found in this very document
        inner[last] = copy.deepcopy(draw(junk))  # type: ignore[index]  # likewise
    return document


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    """Return a cluster in memory."""
    opened = open_cluster(None)
    yield opened
    opened.store.close()


def place_of(cluster: Cluster, document: Document) -> Place:
    """Where an object belongs; junk goes where Services are."""
    kinds = {kind.name: kind for kind in reversed([*cluster.catalog])}  # of two views of an object, the first
    kind = kinds.get(str(document.get("kind")), kinds["Service"])
    return Place(kind, "default" if kind.namespaced else "")


@given(spoilt(WHOLE))
def test_a_spoilt_object_is_stored_or_refused(cluster: Cluster, document: Document) -> None:
    place = place_of(cluster, document)
    with suppress(StatusError):
        written = cluster.writing.create(place, document, DRY)
        assert encode(written.document)
        assert encode(write_table(place.kind, [written.document], include="Object", now=datetime.now(UTC)))


@given(spoilt(WHOLE))
def test_a_spoilt_configuration_is_applied_or_refused(cluster: Cluster, document: Document) -> None:
    place = replace(place_of(cluster, document), name="applied")
    with suppress(StatusError):
        assert encode(cluster.writing.apply(place, document, DRY).document)


@pytest.fixture(scope="module")
def filled() -> Iterator[Cluster]:
    """Return a cluster that has every object."""
    opened = open_cluster(None)
    for document in WHOLE:
        opened.writing.create(place_of(opened, document), document, WriteOptions())
    yield opened
    opened.store.close()


@given(st.sampled_from(WHOLE), st.data())
def test_a_spoilt_replacement_is_stored_or_refused(filled: Cluster, whole: Document, data: st.DataObject) -> None:
    document = data.draw(spoilt([whole]))
    place = replace(place_of(filled, whole), name=whole["metadata"]["name"])
    with suppress(StatusError):
        assert encode(filled.writing.replace(place, document, DRY).document)
    with suppress(StatusError):
        assert encode(filled.writing.patch(place, lambda live: live | document, DRY).document)


@given(spoilt([DEFINITION]))
def test_a_spoilt_definition_breaks_nothing(document: Document) -> None:
    cluster = open_cluster(None)
    with closing(cluster.store):
        definition = cluster.catalog.served_as(DEFINITIONS)[0]
        with suppress(StatusError):
            cluster.writing.create(Place(definition, ""), document, WriteOptions())
        assert all(kind.schema.properties and encode(kind.openapi) for kind in cluster.catalog)
