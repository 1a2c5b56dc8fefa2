"""Joining messages from serialized pieces gives what building them whole would."""

import pytest

from kfambassador.envoy.protos import Route, RouteConfiguration, RouteList, VirtualHost
from kfambassador.envoy.wire import field_tag, write_field, write_fields


@pytest.mark.parametrize("size", [0, 1, 127, 128, 16_383, 16_384, 3_000_000])
def test_pieces_of_every_length(size: int) -> None:
    host = VirtualHost(name="x" * size)
    whole = RouteConfiguration(virtual_hosts=[host]).SerializeToString()
    assert write_field(field_tag(RouteConfiguration, "virtual_hosts"), host.SerializeToString()) == whole


def test_many_pieces() -> None:
    routes = [Route(name=str(number)) for number in range(300)]
    pieces = (route.SerializeToString() for route in routes)
    assert write_fields(field_tag(RouteList, "routes"), pieces) == RouteList(routes=routes).SerializeToString()


def test_a_field_with_a_number_over_fifteen_has_a_longer_tag() -> None:
    assert field_tag(VirtualHost, "matcher") == b"\xaa\x01"
