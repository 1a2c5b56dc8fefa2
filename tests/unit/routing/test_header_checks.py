"""What is wrong with the headers a mapping adds and takes out."""

import pytest

from kfambassador.problems import Severity
from tests.unit.routing.faults import faults

GATEWAYS = ["Host", "content-length", "Transfer-Encoding", "connection", "upgrade"]
USERS_AND_ENVOYS = ["Kubeflow-UserID", "kubeflow-groups", "Kubeflow_userid", "X-Envoy-Retry-On"]


@pytest.mark.parametrize("field", ["add_request_headers", "add_response_headers"])
@pytest.mark.parametrize("name", [*GATEWAYS, *USERS_AND_ENVOYS])
def test_what_nobody_may_set(field: str, name: str) -> None:
    (fault,) = faults(**{field: {name: "x"}})
    assert (fault.code, fault.path, fault.severity) == ("protected-header", f"{field}.{name}", Severity.ERROR)
    assert fault.message.startswith(f"a mapping may not set {name}: ")


@pytest.mark.parametrize("name", [*GATEWAYS, *USERS_AND_ENVOYS])
def test_what_nobody_may_take_out_of_a_request(name: str) -> None:
    (fault,) = faults(remove_request_headers=["x", name])
    assert (fault.code, fault.path) == ("protected-header", "remove_request_headers[1]")
    assert fault.message.startswith(f"a mapping may not take out {name}: ")


@pytest.mark.parametrize("name", GATEWAYS)
def test_what_nobody_may_take_out_of_an_answer(name: str) -> None:
    assert [fault.code for fault in faults(remove_response_headers=[name])] == ["protected-header"]


def test_what_the_gateway_says_of_itself_may_be_kept_from_clients() -> None:
    assert not faults(remove_response_headers=["x-envoy-upstream-service-time", "server", "kubeflow-userid"])


@pytest.mark.parametrize("field", ["remove_request_headers", "remove_response_headers"])
@pytest.mark.parametrize("name", ["", "a b", ":path", "x\n"])
def test_what_is_no_header(field: str, name: str) -> None:
    assert [fault.code for fault in faults(**{field: [name]})] == ["bad-header"]


@pytest.mark.parametrize(
    ("attributes", "message"),
    [
        ({"add_response_headers": {"x" * 16_385: "1"}}, "is 16,385 bytes; at most 16,384 are taken"),
        ({"add_response_headers": {"x": {"value": "%" * 8_193}}}, "is 16,386 bytes; at most 16,384 are taken"),
        ({"add_response_headers": {f"x-{n}": "1" for n in range(1001)}}, "1,001 headers; at most 1,000 are added"),
        (
            {"add_request_headers": {f"x-{n}": "1" for n in range(1000)}, "add_linkerd_headers": True},
            "1,001 headers; at most 1,000 are added",
        ),
    ],
)
def test_what_is_more_than_envoy_takes(attributes: dict[str, object], message: str) -> None:
    (fault,) = faults(**attributes)
    assert fault.message.endswith(message)


def test_an_operator_is_told_to_be_text() -> None:
    (fault,) = faults(add_response_headers={"x": {"value": "%ENVIRONMENT(HOME)%"}})
    assert (fault.code, fault.severity) == ("header-operator", Severity.WARNING)
