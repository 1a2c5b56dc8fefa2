import socket

from urllib3.connection import HTTPConnection

from kfambassador.kube.sockets import OpenSockets


def test_a_socket_that_opens_after_the_others_were_shut_is_shut_too() -> None:
    sockets = OpenSockets()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        connection = sockets.track(HTTPConnection)("127.0.0.1", listener.getsockname()[1])
        sockets.shut()
        connection.connect()
        with connection.sock as opened:
            opened.settimeout(5)
            assert opened.recv(1) == b""
