"""Headers added to and taken from requests and answers."""

import pytest

from tests.unit.attributes.messages import route_of

APPEND_OR_ADD, OVERWRITE_OR_ADD = 0, 2


@pytest.mark.parametrize("field", ["add_request_headers", "add_response_headers"])
@pytest.mark.parametrize(
    ("given", "value", "action"),
    [
        ("a text", "a text", APPEND_OR_ADD),
        ("100%", "100%%", APPEND_OR_ADD),
        ("%REQ(authorization)%", "%%REQ(authorization)%%", APPEND_OR_ADD),
        (True, "true", APPEND_OR_ADD),
        (False, "false", APPEND_OR_ADD),
        ({"value": "v"}, "v", APPEND_OR_ADD),
        ({"value": "v", "append": True}, "v", APPEND_OR_ADD),
        ({"value": "%", "append": False}, "%%", OVERWRITE_OR_ADD),
    ],
)
def test_every_form_of_a_header(field: str, given: object, value: str, action: int) -> None:
    message = route_of(**{field: {"x-h": given}})
    (option,) = message.request_headers_to_add if "request" in field else message.response_headers_to_add
    assert (option.header.key, option.header.value, option.append_action) == ("x-h", value, action)


@pytest.mark.parametrize("given", ["x-a, x-b", ["x-a", "x-b"]])
def test_headers_are_taken_out_by_text_or_list(given: object) -> None:
    message = route_of(remove_request_headers=given, remove_response_headers=given)
    assert list(message.request_headers_to_remove) == ["x-a", "x-b"]
    assert list(message.response_headers_to_remove) == ["x-a", "x-b"]


@pytest.mark.parametrize(("service", "value"), [("m", "m.default:80"), ("[fd00::1]:81", "[fd00::1]:81")])
def test_linkerd_is_told_where_requests_go(service: str, value: str) -> None:
    (option,) = route_of(service=service, add_linkerd_headers=True).request_headers_to_add
    assert (option.header.key, option.header.value) == ("l5d-dst-override", value)
    assert option.append_action == OVERWRITE_OR_ADD


def test_linkerd_is_told_nothing_unless_somebody_says_so() -> None:
    assert not route_of().request_headers_to_add
    assert not route_of(add_linkerd_headers=False).request_headers_to_add
