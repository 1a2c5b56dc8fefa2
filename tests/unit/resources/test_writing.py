"""How one version's words become another's (Ambassador, conversion between versions)."""

from typing import Any

import pytest

from kfambassador.resources.mapping import Mapping
from kfambassador.resources.versions import read_resource
from kfambassador.resources.writing import Version, make_name, write_resource

Fields = dict[str, Any]
OLD = {"prefix": "/m/", "service": "m"}


def write(version: Version, **attributes: Any) -> tuple[Fields, list[str]]:
    """The spec that is written of attributes, without what all have, and the codes of what is told."""
    resource = read_resource({"apiVersion": "ambassador/v1", "kind": "Mapping", "name": "m", **OLD, **attributes})
    assert isinstance(resource.resource, Mapping), resource.faults
    written = write_resource(resource.resource, version=version)
    assert written.manifest is not None
    spec = written.manifest["spec"]
    assert isinstance(spec, dict)
    same = {**OLD, **({"hostname": "*"} if version is Version.V3ALPHA1 else {})}
    return {name: value for name, value in spec.items() if same.get(name) != value}, [
        fault.code for fault in written.faults
    ]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, {}),
        ({"host": "*.a.com"}, {"hostname": "*.a.com"}),
        ({"host": "a", "hostname": "b"}, {"hostname": "b"}),
        ({"host": "a.*", "host_regex": True}, {"host": "a.*", "host_regex": True}),
        ({"add_request_headers": {"x": "1", "y": {"value": "2", "append": False}}},
         {"add_request_headers": {"x": {"value": "1"}, "y": {"value": "2", "append": False}}}),
        ({"headers": {"x": True, "y": "1", "z": False}},
         {"headers": {"y": "1"}, "regex_headers": {"x": ".*"}, "v2BoolHeaders": ["x"]}),
        ({"query_parameters": {"q": True}, "regex_query_parameters": {"r": "a"}},
         {"regex_query_parameters": {"r": "a", "q": ".*"}, "v2BoolQueryParameters": ["q"]}),
        ({"headers": {"z": False}}, {}),
        ({"tls": True}, {"service": "https://m"}),
        ({"tls": True, "service": "HTTP://x:1"}, {"service": "https://x:1"}),
        ({"tls": False}, {}),
        ({"tls": False, "service": "https://x"}, {"service": "https://x"}),
        ({"service": "https://m", "v2ExplicitTLS": {"tls": "bool:true", "serviceScheme": ""}},
         {"service": "https://m"}),
        ({"tls": "context"}, {"tls": "context"}),
        ({"cors": {"origins": "https://a.com, https://b.com", "max_age": 60}},
         {"cors": {"origins": ["https://a.com", "https://b.com"], "max_age": "60"}}),
        ({"retry_policy": {"retry_on": "5xx"}}, {"retry_policy": {"retry_on": "5xx"}}),
        ({"ambassador_id": "inner"}, {"ambassador_id": ["inner"]}),
        ({"labels": {"d": [{"g": ["source_cluster", "word", {"k": {"header": "h", "omit_if_not_present": True}}]}]}},
         {"labels": {"d": [{"g": [
             {"source_cluster": {"key": "source_cluster"}},
             {"generic_key": {"value": "word"}},
             {"request_headers": {"key": "k", "header_name": "h", "omit_if_not_present": True}},
         ]}]}}),
    ],
)  # fmt: skip
def test_in_the_words_of_v3alpha1(given: Fields, expected: Fields) -> None:
    assert write(Version.V3ALPHA1, **given) == (expected, [])


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"hostname": "a.com"}, {"host": "a.com"}),
        ({"hostname": "*"}, {}),
        ({"host": "a.*", "host_regex": True}, {"host": "a.*", "host_regex": True}),
        ({"regex_headers": {"x": ".*", "y": "b"}, "v2BoolHeaders": ["x"]},
         {"regex_headers": {"y": "b"}, "headers": {"x": True}}),
        ({"service": "https://m", "v2ExplicitTLS": {"tls": "bool:true", "serviceScheme": ""}}, {"tls": True}),
        ({"labels": {"d": [{"g": [{"source_cluster": {}}, {"generic_key": {"value": "word"}}]}]}},
         {"labels": {"d": [{"g": ["source_cluster", {"generic_key": "word"}]}]}}),
        ({"labels": {"d": [{"g": [{"request_headers": {"key": "k", "header_name": "h"}}]}]}},
         {"labels": {"d": [{"g": [{"k": {"header": "h"}}]}]}}),
        ({"labels": {"d": [{"g": [{"generic_key": {"key": "k", "value": "v"}}]}]}},
         {"labels": {"d": [{"g": [{"generic_key": {"key": "k", "value": "v"}}]}]}}),
    ],
)  # fmt: skip
def test_in_the_words_of_v2(given: Fields, expected: Fields) -> None:
    assert write(Version.V2, **given) == (expected, [])


def test_what_has_no_words_is_told() -> None:
    spec, told = write(Version.V3ALPHA1, headers={"x": True}, regex_headers={"x": "a"})
    assert (spec, told) == ({"regex_headers": {"x": "a"}}, ["not-expressed"])
    spec, told = write(Version.V2, rate_limits=[{"descriptor": "d"}])
    assert (spec, told) == ({"rate_limits": [{"descriptor": "d"}]}, ["kept-as-is"])


@pytest.mark.parametrize(
    "helpers",
    [
        {"v2BoolHeaders": ["x"], "regex_headers": {"x": "a"}},
        {"v2BoolHeaders": [["x"]]},
        {"v2BoolHeaders": "x"},
        {"v2ExplicitTLS": {"tls": ["bool:true"]}},
        {"v2ExplicitTLS": {"tls": "bool:true"}, "tls": "context"},
        {"v2ExplicitTLS": []},
    ],
)
def test_a_helper_that_fits_nothing_is_told_and_does_nothing(helpers: Fields) -> None:
    read = read_resource({"apiVersion": "getambassador.io/v3alpha1", "kind": "Mapping", "name": "m", **OLD, **helpers})
    assert isinstance(read.resource, Mapping)
    assert [fault.code for fault in read.faults] == ["no-effect"]


def test_objects_that_ambassador_stored_in_another_version_are_read() -> None:
    marked: Fields = {"v3StatsName": "stats", "ambassador_id": ["--apiVersion-v3alpha1-only--default", "inner"]}
    read = read_resource({"apiVersion": "getambassador.io/v3alpha1", "kind": "Mapping", "name": "m", **OLD, **marked})
    assert isinstance(read.resource, Mapping)
    assert (read.resource.stats_name, read.resource.ambassador_id) == ("stats", ("default", "inner"))
    both = {**marked, "stats_name": "own"}
    read = read_resource({"apiVersion": "getambassador.io/v3alpha1", "kind": "Mapping", "name": "m", **OLD, **both})
    assert isinstance(read.resource, Mapping)
    assert read.resource.stats_name == "own"


def test_names() -> None:
    assert make_name("a.b-c.1") == "a.b-c.1"
    made = [make_name(name) for name in ("a_b", "a-b", "A-b", "a.-b", "-", "ä" * 300, ".", "a" * 254)]
    assert made[1] == "a-b"
    assert len(set(made)) == len(made)
    assert made[4].startswith("x-")
    assert all(len(name) <= 253 for name in made)
