"""Ports of this machine: free, taken, and not ours."""

import socket
import sys

import pytest

from kfambassador.errors import ConfigurationError, PortInUse
from kfambassador.local.models import ModelServer
from kfambassador.local.ports import check_port, reserved_port
from tests.ports import free_port


def test_ports_said_to_be_free_can_be_had() -> None:
    port = free_port()
    check_port("127.0.0.1", port)
    with socket.create_server(("127.0.0.1", port)):
        pass


def test_a_taken_port_is_named_with_the_way_out() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(PortInUse, match=f"Port {port} on 127.0.0.1 .* --http-port N; 0 takes any"):
            check_port("127.0.0.1", port)
    check_port("127.0.0.1", port)


def test_a_server_whose_port_is_taken_names_its_own_option() -> None:
    with ModelServer() as first, pytest.raises(PortInUse, match=f"Port {first.port} .* with --port N"):
        ModelServer(port=first.port).start()


def test_a_reserved_port_is_had_by_its_server_again_and_again() -> None:
    with reserved_port() as port:
        for _ in range(2):
            with socket.create_server(("127.0.0.1", port)), pytest.raises(PortInUse, match=str(port)):
                check_port("127.0.0.1", port)


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere a port cannot be kept")
def test_a_reserved_port_is_given_to_nobody_else() -> None:
    with reserved_port() as port, socket.socket() as other, pytest.raises(OSError, match="in use"):
        other.bind(("127.0.0.1", port))
    check_port("127.0.0.1", port)


def test_a_port_in_use_cannot_be_reserved() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(PortInUse, match=f"Port {port} on 127.0.0.1 .* --http-port N"), reserved_port(port=port):
            pass


@pytest.mark.parametrize(("address", "word"), [("192.0.2.1", "assign"), ("::2", "assign")])
def test_an_address_that_is_not_ours_is_an_error(address: str, word: str) -> None:
    with pytest.raises(ConfigurationError, match=word):
        check_port(address, 0)
