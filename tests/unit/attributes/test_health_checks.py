"""Asking endpoints whether they are well."""

import pytest
from pydantic import ValidationError

from kfambassador.problems import Severity
from kfambassador.resources.documents import Value
from kfambassador.resources.mapping import Mapping
from kfambassador.resources.validation import describe_refusals
from kfambassador.resources.versions import read_resource
from tests.builders import mapping
from tests.unit.attributes.messages import cluster_of

HTTP: dict[str, Value] = {"health_check": {"http": {"path": "/healthy"}}}
GRPC: dict[str, Value] = {"health_check": {"grpc": {"upstream_name": "a.Service", "authority": "a.example"}}}


def written(**attributes: Value) -> Value:
    """A mapping as a document."""
    identity: dict[str, Value] = {"apiVersion": "ambassador/v1", "kind": "Mapping", "name": "m"}
    return {**identity, "prefix": "/m/", "service": "m", **attributes}


def test_what_is_left_out_is_ambassadors_default() -> None:
    (check,) = cluster_of(health_checks=[HTTP]).health_checks
    assert (check.timeout.ToMilliseconds(), check.interval.ToMilliseconds()) == (3000, 5000)
    assert (check.unhealthy_threshold.value, check.healthy_threshold.value) == (2, 1)
    assert (check.http_health_check.path, check.http_health_check.host) == ("/healthy", "")
    assert not check.http_health_check.expected_statuses


def test_all_that_a_get_may_be() -> None:
    asks = {
        "path": "/healthy?deep=1",
        "hostname": "a.example",
        "add_request_headers": {"x-a": "100%", "x-b": {"value": "b", "append": False}},
        "remove_request_headers": ["x-c", "x-d"],
        "expected_statuses": [{"min": 200, "max": 204}, {"min": 418, "max": 418}],
    }
    (check,) = cluster_of(health_checks=[{**HTTP, "health_check": {"http": asks}, "timeout": "1m"}]).health_checks
    http = check.http_health_check
    assert check.timeout.ToMilliseconds() == 60_000
    assert (http.path, http.host) == ("/healthy?deep=1", "a.example")
    added = [(each.header.key, each.header.value, each.append_action) for each in http.request_headers_to_add]
    assert added == [("x-a", "100%%", 0), ("x-b", "b", 2)]
    assert list(http.request_headers_to_remove) == ["x-c", "x-d"]
    assert [(each.start, each.end) for each in http.expected_statuses] == [(200, 205), (418, 419)]


def test_grpc_is_asked_where_it_is_spoken() -> None:
    (check,) = cluster_of(grpc=True, health_checks=[GRPC]).health_checks
    assert (check.grpc_health_check.service_name, check.grpc_health_check.authority) == ("a.Service", "a.example")


def test_grpc_is_not_asked_where_envoy_would_refuse_the_cluster() -> None:
    (check,) = cluster_of(health_checks=[GRPC, HTTP]).health_checks
    assert check.http_health_check.path == "/healthy"


@pytest.mark.parametrize(
    ("entry", "path", "message"),
    [
        ({}, "", "health_check is missing, and it is required"),
        ({"health_check": {}}, ".health_check", "expected either http or grpc, got {}"),
        (
            {"health_check": {"http": {"path": "/"}, "grpc": {"upstream_name": "a"}}},
            ".health_check",
            "expected either http or grpc, got {'http'",
        ),
        ({**HTTP, "interval": "0s"}, ".interval", "expected a duration of an hour at most, such as 3s, 500ms or 1m30s"),
        ({**HTTP, "timeout": "61m"}, ".timeout", "expected a duration of an hour at most, such as"),
        ({**HTTP, "timeout": 3}, ".timeout", "expected text, got 3. Put it in quotes"),
        ({**HTTP, "healthy_threshold": 0}, ".healthy_threshold", "expected at least 1, got 0"),
        (
            {"health_check": {"http": {"path": "healthy"}}},
            ".health_check.http.path",
            "expected a path: a slash first, and no space or hash, got 'healthy'",
        ),
        (
            {"health_check": {"http": {"path": "/a\n"}}},
            ".health_check.http.path",
            "expected text without control characters, got '/a\\n'",
        ),
        (
            {"health_check": {"http": {"path": "/", "expected_statuses": [{"min": 200, "max": 199}]}}},
            ".health_check.http.expected_statuses[0]",
            "expected min that is not over max, got ",
        ),
        (
            {"health_check": {"http": {"path": "/", "expected_statuses": [{"min": 99, "max": 600}]}}},
            ".health_check.http.expected_statuses[0].min",
            "expected at least 100, got 99",
        ),
        (
            {"health_check": {"http": {"path": "/", "add_request_headers": {"Host": "a"}}}},
            ".health_check.http.add_request_headers.Host",
            "expected a header other than host, which is set with hostname, got 'Host'",
        ),
        (
            {"health_check": {"http": {"path": "/", "add_request_headers": {"Kubeflow_UserID": "a"}}}},
            ".health_check.http.add_request_headers.Kubeflow_UserID",
            "expected a header that does not say who the user is, got 'Kubeflow_UserID'",
        ),
        (
            {"health_check": {"http": {"path": "/", "remove_request_headers": [":path"]}}},
            ".health_check.http.remove_request_headers[0]",
            "expected a name that HTTP takes for a header or cookie, got ':path'",
        ),
    ],
)
def test_a_bad_entry_is_told_of_where_it_stands(entry: dict[str, object], path: str, message: str) -> None:
    with pytest.raises(ValidationError) as refused:
        mapping(health_checks=[HTTP, entry])
    fault = describe_refusals(refused.value, {"health_checks": [HTTP, entry]})[0]
    assert fault.path == f"health_checks[1]{path}"
    assert fault.message.startswith(message)


def test_a_bad_entry_is_left_out_and_the_others_hold() -> None:
    read = read_resource(written(health_checks=[{}, HTTP, {**HTTP, "timeout": "never"}]))
    assert isinstance(read.resource, Mapping)
    assert read.resource.health_checks == mapping(health_checks=[HTTP]).health_checks
    assert [(fault.path, fault.severity) for fault in read.faults] == [
        ("health_checks[0]", Severity.WARNING),
        ("health_checks[2].timeout", Severity.WARNING),
    ]
    assert all(fault.message.endswith("; this entry is left out") for fault in read.faults)


def test_a_mapping_that_is_bad_elsewhere_is_refused_all_the_same() -> None:
    read = read_resource(written(prefix="", health_checks=[{}]))
    assert read.resource is None
    assert {fault.severity for fault in read.faults} == {Severity.ERROR}


def test_what_is_no_list_at_all_refuses_the_mapping() -> None:
    assert read_resource(written(health_checks=5)).resource is None


def test_a_single_question_needs_no_list() -> None:
    assert mapping(health_checks=HTTP) == mapping(health_checks=[HTTP])


def test_one_question_is_asked_because_envoy_refuses_several() -> None:
    (check,) = cluster_of(grpc=True, health_checks=[GRPC, HTTP]).health_checks
    assert check.HasField("grpc_health_check")


@pytest.mark.parametrize("value", ["x" * 16385, "%" * 8193, "é" * 8193])
def test_a_header_that_is_longer_than_envoy_takes_is_refused(value: str) -> None:
    asks: dict[str, Value] = {"health_check": {"http": {"path": "/", "add_request_headers": {"x-a": value}}}}
    [fault] = read_resource(written(health_checks=[asks])).faults
    assert "text of 16384 bytes at most" in fault.message
