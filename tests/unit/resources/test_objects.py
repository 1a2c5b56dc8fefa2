"""Kubernetes objects, each read into what it contributes."""

import pytest

from kfambassador.problems import ObjectKey
from kfambassador.resources.endpoints import EndpointPort, read_endpoint_slice
from kfambassador.resources.objects import join_contributions, read_contribution
from kfambassador.resources.service import Service, ServiceKey, ServicePort, read_service
from tests.builders import Manifest, document, resource_set, service, slice_

UNPLACED = ServiceKey("default", "m")


def custom_resource(kind: str = "Mapping", version: str = "getambassador.io/v2", **spec: object) -> Manifest:
    metadata = {"name": "m", "namespace": "team", "resourceVersion": "9", "creationTimestamp": "2026-01-01T00:00:00Z"}
    return {
        "apiVersion": version,
        "kind": kind,
        "metadata": metadata,
        "spec": {"prefix": "/m/", "service": "m", **spec},
    }


def test_a_service_with_an_annotation_is_both() -> None:
    contribution = read_contribution(service("m", "team", document("a"), document("b"), version="7"))
    assert contribution.service == Service(ServiceKey("team", "m"), (ServicePort(80, ""),))
    assert [sourced.mapping.name for sourced in contribution.configuration.mappings] == ["a", "b"]
    assert {sourced.namespace for sourced in contribution.configuration.mappings} == {"team"}
    assert contribution.origin.resource_version == "7"
    assert contribution.configures


def test_a_service_without_an_annotation_configures_nothing() -> None:
    contribution = read_contribution(service("m"))
    assert not contribution.configures
    assert contribution.service is not None


def test_an_annotation_counts_on_any_kind() -> None:
    ingress = service("m", "team", document("a")) | {"kind": "Ingress", "apiVersion": "networking.k8s.io/v1"}
    (sourced,) = read_contribution(ingress).configuration.mappings
    assert sourced.origin.object == ObjectKey("Ingress", "team", "m")


def test_a_custom_resource_is_a_mapping() -> None:
    (sourced,) = read_contribution(custom_resource(method="POST")).configuration.mappings
    assert (sourced.mapping.name, sourced.mapping.method, sourced.namespace) == ("m", "POST", "team")
    assert sourced.created == "2026-01-01T00:00:00Z"
    assert str(sourced.origin) == "Mapping team/m"


@pytest.mark.parametrize(
    ("manifest", "code"),
    [
        (custom_resource(weight=900), "out-of-range"),
        (custom_resource("Host"), "kind-not-served"),
        (custom_resource(version="getambassador.io/v9"), "unknown-version"),
    ],
)
def test_a_custom_resource_at_fault_is_told_of(manifest: Manifest, code: str) -> None:
    contribution = read_contribution(manifest)
    assert [problem.code for problem in contribution.configuration.problems] == [code]
    assert contribution.configures


def test_where_nothing_changed_the_very_same_objects_are_kept() -> None:
    before = read_contribution(service("m", "team", document("a"), version="1"))
    again = read_contribution(service("m", "team", document("a"), version="2"), before=before)
    assert again.configuration is before.configuration
    assert again.service is before.service
    assert again.origin.resource_version == "2"
    slice_before = read_contribution(slice_("m", "team", "10.0.0.1"))
    assert read_contribution(slice_("m", "team", "10.0.0.1"), before=slice_before).endpoints is slice_before.endpoints


def test_what_changed_is_read_anew() -> None:
    before = read_contribution(service("m", "team", document("a")))
    again = read_contribution(service("m", "team", document("b"), ports=(81,)), before=before)
    assert [sourced.mapping.name for sourced in again.configuration.mappings] == ["b"]
    assert again.service == Service(ServiceKey("team", "m"), (ServicePort(81, ""),))


def test_contributions_are_joined() -> None:
    resources = resource_set(
        service("m", "team", document("a"), document("b", weight=900), version="7"),
        service("n", "team", version="8"),
        slice_("m", "team", "10.0.0.1", suffix="1"),
        slice_("m", "team", "10.0.0.2", suffix="2"),
        generation=3,
    )
    assert [sourced.mapping.name for sourced in resources.mappings] == ["a"]
    assert [problem.code for problem in resources.problems] == ["out-of-range"]
    assert resources.sources == {ObjectKey("Service", "team", "m"): "7"}
    assert set(resources.services) == {("team", "m"), ("team", "n")}
    assert [each.name for each in resources.endpoints[ServiceKey("team", "m")]] == ["m-1", "m-2"]
    assert resources.generation == 3


def test_nothing_is_joined_into_nothing() -> None:
    assert join_contributions([]) == resource_set()


@pytest.mark.parametrize(
    ("manifest", "expected"),
    [
        (
            service("m", "team", ports=(80, 8501)),
            Service(ServiceKey("team", "m"), (ServicePort(80, ""), ServicePort(8501, ""))),
        ),
        (service("m", "team", ports=(("http", 80),)), Service(ServiceKey("team", "m"), (ServicePort(80, "http"),))),
        (
            service("m", "team", ports=(), external_name="example.org"),
            Service(ServiceKey("team", "m"), (), "example.org"),
        ),
        ({"metadata": {"name": "m"}}, Service(UNPLACED)),
        ({"metadata": {"name": "m"}, "spec": {"externalName": "x.org"}}, Service(UNPLACED)),
        (
            {"metadata": {"name": "m"}, "spec": {"ports": [{"port": 53, "protocol": "UDP"}]}},
            Service(UNPLACED),
        ),
        ({"metadata": {"name": "m"}, "spec": {"ports": [{"port": "80"}, 7]}}, Service(UNPLACED)),
        ({"metadata": {"name": "m"}, "spec": {"ports": "80"}}, Service(UNPLACED)),
        ({}, Service(ServiceKey("default", ""))),
    ],
)
def test_a_service_is_read(manifest: Manifest, expected: Service) -> None:
    assert read_service(manifest) == expected


def test_a_slice_is_read() -> None:
    read = read_endpoint_slice(slice_("m", "team", "10.0.0.1", "10.0.0.2", ports=(("http", 8080), ("grpc", 9000))))
    assert read is not None
    assert read.service == ServiceKey("team", "m")
    assert read.ports == (EndpointPort("http", 8080), EndpointPort("grpc", 9000))
    assert read.addresses == ("10.0.0.1", "10.0.0.2")


@pytest.mark.parametrize(
    ("change", "addresses", "ports"),
    [
        ({}, ("10.0.0.1",), (80,)),
        ({"endpoints": [{"addresses": ["10.0.0.1"]}]}, ("10.0.0.1",), (80,)),
        ({"endpoints": [{"addresses": ["10.0.0.1"], "conditions": {}}]}, ("10.0.0.1",), (80,)),
        ({"endpoints": [{"addresses": ["10.0.0.1"], "conditions": {"ready": False}}]}, (), (80,)),
        ({"endpoints": [{"addresses": None}, 7, {}]}, (), (80,)),
        ({"endpoints": None}, (), (80,)),
        ({"addressType": "IPv6", "endpoints": [{"addresses": ["fd00::1"]}]}, ("fd00::1",), (80,)),
        ({"endpoints": [{"addresses": ["10.0.0.1", "10.0.0.999", "a b", ""]}]}, ("10.0.0.1",), (80,)),
        ({"addressType": "FQDN", "endpoints": [{"addresses": ["example.org"]}]}, (), (80,)),
        ({"ports": [{"port": 53, "protocol": "UDP"}]}, ("10.0.0.1",), ()),
        ({"ports": [{"port": None}, {"name": "any"}]}, ("10.0.0.1",), ()),
        ({"ports": [{"port": -1}, {"port": 0}, {"port": 65536}]}, ("10.0.0.1",), ()),
        ({"ports": None}, ("10.0.0.1",), ()),
    ],
)
def test_only_what_can_be_connected_to_counts(
    change: Manifest, addresses: tuple[str, ...], ports: tuple[int, ...]
) -> None:
    read = read_endpoint_slice(slice_("m", "team", "10.0.0.1") | change)
    assert read is not None
    assert read.addresses == addresses
    assert tuple(port.port for port in read.ports) == ports


def test_a_slice_of_no_service_is_no_slice() -> None:
    assert read_endpoint_slice({"metadata": {"name": "alone"}}) is None


@pytest.mark.parametrize("kind", ["EndpointSlice", "Secret", "Mapping", "Deployment"])
def test_only_services_and_ingresses_carry_configuration(kind: str) -> None:
    carrier = {**service("m", "team", document("hidden")), "kind": kind}
    if kind == "Mapping":
        carrier |= {"apiVersion": "getambassador.io/v2", "spec": {"prefix": "/own/", "service": "m"}}
    names = [each.mapping.prefix for each in read_contribution(carrier).configuration.mappings]
    assert names == (["/own/"] if kind == "Mapping" else [])
