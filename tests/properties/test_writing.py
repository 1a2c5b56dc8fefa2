"""What is written as a custom resource is read back as it was, in the words of every version."""

from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from kfambassador.envoy.listeners import ListenerSettings
from kfambassador.envoy.translate import translate
from kfambassador.problems import ObjectKey, Origin, Severity
from kfambassador.resources.crd import CUSTOM_KINDS
from kfambassador.resources.documents import FILE_LIMITS, read_documents, write_documents
from kfambassador.resources.gateway import GatewayResource
from kfambassador.resources.mapping import Mapping
from kfambassador.resources.meta import ResourceSet, SourcedMapping
from kfambassador.resources.versions import read_resource
from kfambassador.resources.writing import Version, make_name, write_resource
from kfambassador.routing.compile import compile_routes
from kfambassador.routing.policy import TenancyPolicy
from tests.golden.cases import find_cases
from tests.properties.mappings import mapping_attributes

BODY = {"max_bytes": 7, "allow_partial": True}
# Every value of every attribute that a golden input writes; a new attribute joins by having its case.
WRITTEN = [
    {name: value}
    for case in find_cases()
    for sourced in case.read().mappings
    for name, value in sourced.mapping.model_dump(exclude_unset=True).items()
    if name not in {"name", "service", "prefix", "prefix_regex"}
]
SHARED: list[dict[str, Any]] = [
    {"kind": "Module", "name": "ambassador", "config": {"cluster_request_timeout_ms": 1000, "enable_grpc_web": False}},
    {"kind": "TLSContext", "name": "upstream", "ca_secret": "authorities", "alpn_protocols": "h2,http/1.1"},
    {"kind": "KubernetesServiceResolver", "name": "dns"},
    {"kind": "KubernetesEndpointResolver", "name": "slices", "ambassador_id": ["inner"]},
    {"kind": "ConsulResolver", "name": "consul", "address": "consul:8500", "datacenter": "dc1"},
    {"kind": "AuthService", "name": "auth", "auth_service": "auth:80", "include_body": BODY},
]
#: What one version spells in another attribute or form than the other.
RESPELLED = {
    Version.V2: {"host", "hostname", "host_regex", "labels", "cors"},
    Version.V3ALPHA1: {
        "host", "hostname", "host_regex", "headers", "query_parameters", "add_request_headers", "add_response_headers",
        "labels", "cors", "tls", "service",
    },
}  # fmt: skip


@st.composite
def mappings(draw: st.DrawFn) -> Mapping:
    """A mapping with some attributes of every family."""
    attributes: dict[str, Any] = {"name": draw(st.text(min_size=1, max_size=8)), **draw(mapping_attributes())}
    attributes["service"] = draw(st.sampled_from(["", "http://", "https://", "HTTPS://"])) + attributes["service"]
    attributes["tls"] = draw(st.sampled_from([True, False, "context", None]))
    for more in draw(st.lists(st.sampled_from(WRITTEN), max_size=6)):
        attributes |= more
    try:
        return Mapping.model_validate({name: value for name, value in attributes.items() if value is not None})
    except ValidationError:
        assume(False)
        raise


def read_back(manifest: dict[str, object]) -> tuple[Mapping, list[Severity]]:
    """Read a manifest from its YAML."""
    [document] = read_documents(write_documents(manifest), FILE_LIMITS)
    read = read_resource(document.value)
    assert isinstance(read.resource, Mapping), read.faults
    return read.resource, [fault.severity for fault in read.faults]


def protect_by_scheme(mapping: Mapping) -> Mapping:
    """Say by the service's scheme what a boolean says of TLS, as v3alpha1 has it."""
    if not isinstance(mapping.tls, bool):
        return mapping
    fields = {name: getattr(mapping, name) for name in mapping.model_fields_set - {"tls"}}
    if mapping.tls:
        fields["service"] = "https://" + mapping.service.rpartition("://")[2]
    return Mapping.model_validate(fields)


def routes(mapping: Mapping) -> object:
    """All that Envoy is told of a mapping alone, as bytes."""
    sourced = SourcedMapping(mapping, Origin(ObjectKey("Mapping", "team", "m")), namespace="team")
    table = compile_routes(ResourceSet(mappings=(sourced,)), TenancyPolicy.laptop()).table
    return translate(table, ListenerSettings()).resources


@settings(deadline=None, suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow])
@given(mappings(), st.sampled_from(Version))
def test_what_is_written_is_read_back(mapping: Mapping, version: Version) -> None:
    written = write_resource(mapping, namespace="team", version=version)
    assert written.manifest is not None
    read, told = read_back(written.manifest)
    assert told == []
    assert read.name == make_name(mapping.name)
    renamed = mapping.model_copy(update={"name": read.name})
    same = Mapping.model_fields.keys() - RESPELLED[version]
    assert {name: getattr(read, name) for name in same} == {name: getattr(renamed, name) for name in same}
    # Silence and saying what would hold anyway are not the same: a Module's default stands in for silence.
    assert read.model_fields_set & same == renamed.model_fields_set & same
    if not written.faults or all(fault.severity is Severity.NOTICE for fault in written.faults):
        assert routes(read) == routes(protect_by_scheme(renamed) if version is Version.V3ALPHA1 else renamed)
    again = write_resource(read, namespace="team", version=version)
    assert again.manifest == written.manifest


@settings(deadline=None)
@given(st.text(min_size=1, max_size=300), st.text(min_size=1, max_size=300))
def test_names_that_differ_stay_apart(one: str, other: str) -> None:
    assume(one != other)
    assert make_name(one) != make_name(other)
    assert make_name(make_name(one)) == make_name(one)
    assert len(make_name(one)) <= 253


@pytest.mark.parametrize("version", Version)
@pytest.mark.parametrize("written", SHARED, ids=lambda written: written["kind"])
def test_what_speaks_for_everybody_is_read_back(written: dict[str, Any], version: Version) -> None:
    resource = read_resource({"apiVersion": "ambassador/v1", **written}).resource
    assert isinstance(resource, GatewayResource)
    manifest = write_resource(resource, version=version).manifest
    assert manifest is not None
    read = read_resource(manifest)  # type: ignore[arg-type] # it is JSON
    assert (read.resource, read.faults) == (resource, ())


def test_every_kind_that_is_a_custom_resource_was_tried() -> None:
    assert {written["kind"] for written in SHARED} == CUSTOM_KINDS.keys() - {"Mapping"}
