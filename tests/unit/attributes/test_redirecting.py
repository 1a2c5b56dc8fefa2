"""Answering with another place instead of asking the service."""

import pytest

from kfambassador.envoy.protos import MessageToDict
from tests.unit.attributes.messages import route_of


def test_a_mapping_asks_its_service_unless_somebody_says_otherwise() -> None:
    assert route_of(path_redirect="/n", redirect_response_code=302).WhichOneof("action") == "route"


@pytest.mark.parametrize(
    ("attributes", "expected"),
    [
        ({}, {}),
        ({"service": "https://example.com"}, {"https_redirect": True}),
        ({"service": "example.com:8080"}, {"port_redirect": 8080}),
        ({"service": "https://example.com:8443"}, {"https_redirect": True, "port_redirect": 8443}),
        ({"path_redirect": "/n"}, {"path_redirect": "/n"}),
        ({"prefix_redirect": "/n"}, {"prefix_rewrite": "/n"}),
        (
            {"regex_redirect": {"pattern": "a", "substitution": "b"}},
            {"regex_rewrite": {"pattern": {"regex": "a"}, "substitution": "b"}},
        ),
        (
            {"path_redirect": "/n", "prefix_redirect": "/o", "regex_redirect": {"pattern": "a", "substitution": "b"}},
            {"path_redirect": "/n"},
        ),
        (
            {"prefix_redirect": "/o", "regex_redirect": {"pattern": "a", "substitution": "b"}},
            {"prefix_rewrite": "/o"},
        ),
        ({"redirect_response_code": 301}, {}),
        ({"redirect_response_code": 302}, {"response_code": "FOUND"}),
        ({"redirect_response_code": 303}, {"response_code": "SEE_OTHER"}),
        ({"redirect_response_code": 307}, {"response_code": "TEMPORARY_REDIRECT"}),
        ({"redirect_response_code": 308}, {"response_code": "PERMANENT_REDIRECT"}),
    ],
)
def test_where_clients_are_sent(attributes: dict[str, object], expected: dict[str, object]) -> None:
    message = route_of(**{"service": "example.com", "host_redirect": True, **attributes})
    described = MessageToDict(message.redirect, preserving_proto_field_name=True)
    assert described == {"host_redirect": "example.com", **expected}
