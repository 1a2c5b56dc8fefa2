"""What is wrong with how a mapping's requests are passed on."""

import pytest

from kfambassador.attributes.retries import RETRY_ON
from kfambassador.problems import Severity
from tests.unit.routing.faults import faults

LABEL = "labels.ambassador[0].g[0]"


def labels(label: object) -> dict[str, object]:
    return {"labels": {"ambassador": [{"g": [label]}]}}


@pytest.mark.parametrize(
    "attributes",
    [
        {"retry_policy": {"retry_on": sorted(RETRY_ON), "retriable_status_codes": [418]}},
        {"allow_upgrade": ["websocket", "spdy/3.1", "HTTP/2.0"]},
        labels({"path": {"header": ":path"}}),
        labels({"destination_cluster": {"key": "where"}}),
        labels({"remote_address": {"key": "remote_address"}}),
        {"rate_limits": [{"descriptor": "d", "headers": ["x-a", ":authority"]}]},
    ],
)
def test_what_is_in_order_is_passed_over(attributes: dict[str, object]) -> None:
    assert not faults(**attributes)


@pytest.mark.parametrize(
    ("attributes", "path", "message"),
    [
        (
            {"retry_policy": {"retry_on": ["5xx", "gateway_error"]}},
            "retry_policy.retry_on",
            "'gateway_error' is nothing Envoy tries again for; did you mean gateway-error?",
        ),
        (
            {"retry_policy": {"retry_on": "always"}},
            "retry_policy.retry_on",
            "'always' is nothing Envoy tries again for; take one of 5xx, cancelled, connect-failure,",
        ),
        ({"allow_upgrade": ["a b"]}, "allow_upgrade[0]", "'a b' is no protocol; write one such as websocket"),
        ({"allow_upgrade": ["a/b/c"]}, "allow_upgrade[0]", "'a/b/c' is no protocol"),
        ({"allow_upgrade": ["websocket", "Connect"]}, "allow_upgrade[1]", "CONNECT would make the gateway a way to"),
        (labels({"k": {"header": "a b"}}), LABEL, "'a b' is no header name"),
        (labels({"request_headers": {"key": "k", "header_name": "a:"}}), LABEL, "'a:' is no header name"),
        ({"rate_limits": [{}, {"headers": ["x", ""]}]}, "rate_limits[1].headers[1]", "'' is no header name"),
    ],
)
def test_what_envoy_would_refuse_or_nobody_meant_is_refused(
    attributes: dict[str, object], path: str, message: str
) -> None:
    (fault,) = faults(**attributes)
    assert (fault.path, fault.severity) == (path, Severity.ERROR)
    assert fault.message.startswith(message)


@pytest.mark.parametrize(
    ("attributes", "path", "severity"),
    [
        (
            {"retry_policy": {"retry_on": "5xx", "retriable_status_codes": [418]}},
            "retry_policy.retriable_status_codes",
            "warning",
        ),
        ({"retry_policy": {"retry_on": "retriable-status-codes"}}, "retry_policy.retry_on", "warning"),
        (labels({"remote_address": {"key": "who"}}), f"{LABEL}.remote_address.key", "notice"),
        (labels({"source_cluster": {"key": "from"}}), f"{LABEL}.source_cluster.key", "notice"),
    ],
)
def test_what_has_no_effect_is_told(attributes: dict[str, object], path: str, severity: str) -> None:
    (fault,) = faults(**attributes)
    assert (fault.code, fault.path, fault.severity.value) == ("no-effect", path, severity)
