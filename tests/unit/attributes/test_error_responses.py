"""Bodies of the gateway's own instead of those of errors."""

from typing import Any

import pytest

from kfambassador.attributes.error_responses import FILTER, escape_body
from kfambassador.envoy.protos import CustomResponse, LocalResponsePolicy, MessageToDict
from tests.unit.attributes.messages import route_of


def bodies_of(*overrides: dict[str, object], **attributes: object) -> dict[str, dict[str, Any]]:
    """What is answered for each status."""
    message = route_of(error_response_overrides=overrides, **attributes)
    if FILTER not in message.typed_per_filter_config:
        return {}
    response, policy = CustomResponse(), LocalResponsePolicy()
    assert message.typed_per_filter_config[FILTER].Unpack(response)
    found = {}
    for status, match in response.custom_response_matcher.matcher_tree.exact_match_map.map.items():
        assert match.action.typed_config.Unpack(policy)
        found[status] = MessageToDict(policy, preserving_proto_field_name=True)
    return found


def override(status: int, **body: object) -> dict[str, object]:
    return {"on_status_code": status, "body": body}


def test_errors_stay_as_they_are_unless_somebody_says_otherwise() -> None:
    assert bodies_of() == {}


@pytest.mark.parametrize(
    ("body", "form", "media_type"),
    [
        ({"text_format": "no"}, {"text_format_source": {"inline_string": "no"}}, "text/plain"),
        (
            {"text_format": "<p>", "content_type": "text/html"},
            {"text_format_source": {"inline_string": "<p>"}},
            "text/html",
        ),
        ({"json_format": {"a": "100%", "b": True}}, {"json_format": {"a": "100%%", "b": True}}, "application/json"),
        ({"text_format": "", "json_format": None}, {"text_format_source": {"inline_string": ""}}, "text/plain"),
    ],
)
def test_a_body_and_its_kind(body: dict[str, object], form: dict[str, Any], media_type: str) -> None:
    answered = bodies_of(override(503, **body))["503"]
    assert answered["body_format"] == form
    (header,) = answered["response_headers_to_add"]
    assert header == {
        "header": {"key": "content-type", "value": media_type},
        "append_action": "OVERWRITE_IF_EXISTS_OR_ADD",
    }


def test_the_first_of_two_counts() -> None:
    answered = bodies_of(override(503, text_format="one"), override(503, text_format="two"))
    assert answered["503"]["body_format"]["text_format_source"]["inline_string"] == "one"


def test_a_body_that_is_not_served_leaves_the_others() -> None:
    file = override(500, text_format_source={"filename": "/etc/passwd"})
    assert bodies_of(file) == {}
    assert bodies_of(file, override(503, text_format="no")).keys() == {"503"}


def test_errors_that_are_to_stay_as_they_are() -> None:
    assert bodies_of(override(503, text_format="no"), bypass_error_response_overrides=True) == {}


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("100%", "100%%"),
        ("100%%", "100%%"),
        ("%RESPONSE_CODE%", "%RESPONSE_CODE%"),
        ("%%RESPONSE_CODE%%", "%%RESPONSE_CODE%%"),
        ("%RESPONSE_CODE% %", "%RESPONSE_CODE% %%"),
        ("%REQ(x-request-id)%", "%REQ(x-request-id)%"),
        ("%REQ(authorization)%", "%%REQ(authorization)%%"),
        ("%ENVIRONMENT(HOME)%", "%%ENVIRONMENT(HOME)%%"),
        ("%RESPONSE_CODE", "%%RESPONSE_CODE"),
    ],
)
def test_only_harmless_operators_are_expanded(written: str, expected: str) -> None:
    assert escape_body(written) == expected
