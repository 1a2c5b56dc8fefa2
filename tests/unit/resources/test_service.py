"""What a Service says of who may point at it and where it is reached."""

import pytest

from kfambassador.names import ALLOWED_NAMESPACES_ANNOTATION
from kfambassador.resources.service import read_service


@pytest.mark.parametrize(
    ("written", "allowed"),
    [
        ("team", {"team"}),
        (" team ,other,", {"team", "other"}),
        ("*", {"*"}),
        ("", set()),
        (",", set()),
        (7, set()),
        (None, set()),
    ],
)
def test_the_namespaces_a_service_allows(written: object, allowed: set[str]) -> None:
    annotations = {ALLOWED_NAMESPACES_ANNOTATION: written, "other": "x"}
    assert read_service({"metadata": {"annotations": annotations}}).allowed_namespaces == allowed


def test_a_service_that_says_nothing_allows_nobody() -> None:
    assert read_service({"metadata": {"name": "m"}}).allowed_namespaces == frozenset()


@pytest.mark.parametrize(
    ("spec", "addresses"),
    [
        ({"clusterIPs": ["10.0.0.1", "fd00::1"], "clusterIP": "10.0.0.1"}, ("10.0.0.1", "fd00::1")),
        ({"clusterIP": "10.0.0.1"}, ("10.0.0.1",)),
        ({"clusterIP": "None", "clusterIPs": ["None"]}, ()),
        ({"clusterIP": ""}, ()),
        ({"clusterIPs": "10.0.0.1"}, ()),
        ({"clusterIPs": [7]}, ()),
        ({}, ()),
    ],
)
def test_the_addresses_of_a_service(spec: dict[str, object], addresses: tuple[str, ...]) -> None:
    assert read_service({"spec": spec}).cluster_ips == addresses
