import pytest

from kfambassador.errors import BadRequest
from kfambassador.kube.kinds import (
    CUSTOM_RESOURCE_DEFINITION,
    ENDPOINT_SLICE,
    GATEWAY_KINDS,
    KINDS,
    MAPPING,
    NAMESPACE,
    SERVICE,
    Kind,
    find_kind,
)
from kfambassador.names import AMBASSADOR_GROUP
from kfambassador.resources.crd import CUSTOM_KINDS, SERVED_VERSIONS, STORED_VERSION

OLD_MAPPING = find_kind({"apiVersion": "getambassador.io/v2", "kind": "Mapping"})


@pytest.mark.parametrize(
    ("kind", "namespace", "name", "path"),
    [
        (SERVICE, None, None, "/api/v1/services"),
        (SERVICE, "kubeflow", None, "/api/v1/namespaces/kubeflow/services"),
        (SERVICE, "kubeflow", "mnist", "/api/v1/namespaces/kubeflow/services/mnist"),
        (ENDPOINT_SLICE, "x", "y", "/apis/discovery.k8s.io/v1/namespaces/x/endpointslices/y"),
        (NAMESPACE, "ignored", "kubeflow", "/api/v1/namespaces/kubeflow"),
        (MAPPING, None, None, "/apis/getambassador.io/v3alpha1/mappings"),
        (OLD_MAPPING, "x", "y", "/apis/getambassador.io/v2/namespaces/x/mappings/y"),
        (GATEWAY_KINDS[-1], None, None, "/apis/getambassador.io/v3alpha1/tlscontexts"),
        (SERVICE, "a?b", "c d%", "/api/v1/namespaces/a%3Fb/services/c%20d%25"),
    ],
)
def test_path(kind: Kind, namespace: str | None, name: str | None, path: str) -> None:
    assert kind.path(namespace=namespace, name=name) == path


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "../.."])
def test_a_name_cannot_climb_out_of_its_place_in_the_path(name: str) -> None:
    with pytest.raises(BadRequest, match="cannot be the name"):
        SERVICE.path(namespace="kubeflow", name=name)
    with pytest.raises(BadRequest, match="cannot be the namespace"):
        SERVICE.path(namespace=name)


def test_custom_kinds_are_those_outside_kubernetes_own_groups() -> None:
    assert {kind.group for kind in KINDS if kind.is_custom} == {AMBASSADOR_GROUP}
    assert not any(kind.group == AMBASSADOR_GROUP for kind in KINDS if not kind.is_custom)


def test_every_custom_kind_that_is_defined_is_known_in_every_version() -> None:
    defined = {(kind, f"{AMBASSADOR_GROUP}/{version}") for kind in CUSTOM_KINDS for version in SERVED_VERSIONS}
    assert {(kind.kind, kind.api_version) for kind in KINDS if kind.is_custom} == defined
    assert {kind.kind for kind in (MAPPING, *GATEWAY_KINDS)} == CUSTOM_KINDS.keys()
    assert {kind.version for kind in (MAPPING, *GATEWAY_KINDS)} == {STORED_VERSION}


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_is_found_by_what_its_manifests_say(kind: Kind) -> None:
    assert find_kind({"apiVersion": kind.api_version, "kind": kind.kind}) is kind


@pytest.mark.parametrize("manifest", [{}, {"kind": "Service"}, {"apiVersion": "v2", "kind": "Service"}, {"kind": []}])
def test_an_unknown_kind_is_refused_with_the_known_ones(manifest: dict[str, object]) -> None:
    with pytest.raises(BadRequest, match="v1 Service"):
        find_kind(manifest)


def test_the_version_of_an_api_names_its_group() -> None:
    assert (SERVICE.api_version, CUSTOM_RESOURCE_DEFINITION.api_version) == ("v1", "apiextensions.k8s.io/v1")
