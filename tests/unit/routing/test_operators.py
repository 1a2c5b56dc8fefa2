"""Envoy's operators in headers: only those the platform's owner allows are expanded."""

from typing import Any

import pytest

from kfambassador.envoy.protos import RouteList
from kfambassador.envoy.routes import build_routes
from kfambassador.routing.compile import compile_routes
from kfambassador.routing.operators import expand_operators
from kfambassador.routing.policy import TenancyPolicy
from tests.builders import mapping, resource_set, sourced

ALLOWED = frozenset({"PROTOCOL", "REQ"})


@pytest.mark.parametrize(
    ("written", "sent"),
    [
        ("%PROTOCOL%", "%PROTOCOL%"),
        ("100% %PROTOCOL%", "100%% %PROTOCOL%"),
        ("%REQ(x-team):20% of %REQ(x-b)%", "%REQ(x-team):20% of %REQ(x-b)%"),
        ("%ENVIRONMENT(HOME)%", "%%ENVIRONMENT(HOME)%%"),
        ("%ENVIRONMENT(HOME)% %PROTOCOL%", "%%ENVIRONMENT(HOME)%% %PROTOCOL%"),
        ("%PROTOCOL", "%%PROTOCOL"),
        ("%protocol%", "%%protocol%%"),
        ("%PROTOCOLS%", "%%PROTOCOLS%%"),
    ],
)
@pytest.mark.parametrize("field", ["add_request_headers", "add_response_headers"])
def test_what_is_allowed_is_expanded_and_all_else_is_text(field: str, written: str, sent: str) -> None:
    policy = TenancyPolicy(header_operators=ALLOWED)
    attributes: dict[str, Any] = {field: {"x": written}}
    compiled = compile_routes(resource_set(sourced(**attributes)), policy)
    (route,) = compiled.table.routes()
    (message,) = RouteList.FromString(build_routes(route)).routes
    (option,) = message.request_headers_to_add if field == "add_request_headers" else message.response_headers_to_add
    assert option.header.value == sent


def test_how_a_header_joins_others_stays() -> None:
    written = mapping(add_request_headers={"x": {"value": "%PROTOCOL%", "append": False}})
    (header,) = expand_operators(written, ALLOWED).add_request_headers.values()
    assert header.append is False  # type: ignore[union-attr]


def test_a_mapping_without_operators_stays_the_same_object() -> None:
    written = mapping(add_request_headers={"x": "100%", "y": True})
    assert expand_operators(written, ALLOWED) is written


def test_nobody_is_told_of_an_operator_that_is_expanded() -> None:
    resources = resource_set(sourced(add_request_headers={"x": "%PROTOCOL%"}))
    compiled = compile_routes(resources, TenancyPolicy.laptop())
    assert [problem.code for problem in compiled.problems if "operator" in problem.code] == ["header-operator"]
    allowing = TenancyPolicy(header_operators=ALLOWED, references=False, gateway_namespace=None)
    compiled = compile_routes(resources, allowing)
    assert [problem.code for problem in compiled.problems if "operator" in problem.code] == []
