"""Connections that turn into another protocol."""

import pytest

from tests.unit.attributes.messages import route_of


@pytest.mark.parametrize(
    ("attributes", "expected"),
    [
        ({}, []),
        ({"use_websocket": True}, ["websocket"]),
        ({"use_websocket": False}, []),
        ({"allow_upgrade": "websocket"}, ["websocket"]),
        ({"allow_upgrade": "websocket, spdy/3.1"}, ["websocket", "spdy/3.1"]),
        ({"allow_upgrade": ["spdy/3.1", "websocket"]}, ["spdy/3.1", "websocket"]),
        ({"use_websocket": True, "allow_upgrade": ["WebSocket", "websocket"]}, ["websocket"]),
    ],
)
def test_each_protocol_is_named_once(attributes: dict[str, object], expected: list[str]) -> None:
    assert [each.upgrade_type for each in route_of(**attributes).route.upgrade_configs] == expected
