"""What listens on a port of this machine, and what it speaks: asked with a few bytes that every protocol survives."""

import socket
import ssl
from enum import StrEnum
from ipaddress import ip_address
from threading import Thread
from typing import Final

_TIMEOUT: Final = 1.0
_LOOKUP_TIMEOUT: Final = 2.0
# RFC 9113, 3.4: what a client says first, followed by an empty SETTINGS frame; a server answers with one of its own.
_HTTP2_PREFACE: Final = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00"
_SETTINGS: Final = 4
_FRAME_HEAD: Final = 9
# RFC 6761, 6.4: nothing is ever known below it, and a resolver may take its time to say so.
_NEVER: Final = ".invalid"


class Speech(StrEnum):
    """What is spoken on a port."""

    NOTHING = "nothing listens"
    TLS = "TLS"
    HTTP2 = "HTTP/2"
    OTHER = "something else"


def find_speech(host: str, port: int) -> Speech:
    """Find out what is spoken on a port of this machine.

    Args:
        host: A loopback address or ``localhost``.
        port: The port.

    Example:
        >>> from socket import socket
        >>> with socket() as unheard:
        ...     unheard.bind(("127.0.0.1", 0))
        ...     find_speech("127.0.0.1", unheard.getsockname()[1])
        <Speech.NOTHING: 'nothing listens'>
    """
    try:
        with socket.create_connection((host, port), timeout=_TIMEOUT):
            pass
    except OSError:
        return Speech.NOTHING
    if _speaks_tls(host, port):
        return Speech.TLS
    return Speech.HTTP2 if _speaks_http2(host, port) else Speech.OTHER


def is_loopback(host: str) -> bool:
    """Whether a name or address is this machine's own.

    Example:
        >>> is_loopback("localhost"), is_loopback("127.1.2.3"), is_loopback("mnist.team")
        (True, True, False)
    """
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def is_known(host: str) -> bool:
    """Whether DNS knows a name, asked on this machine; true when it does not say in time."""
    if host.rstrip(".").endswith(_NEVER):
        return False
    known: list[bool] = []

    def ask() -> None:
        try:
            known.append(bool(socket.getaddrinfo(host, None)))
        except (OSError, UnicodeError):
            known.append(False)

    # The resolver has a patience of its own that nobody can shorten.
    thread = Thread(target=ask, name="kfa-resolver", daemon=True)
    thread.start()
    thread.join(_LOOKUP_TIMEOUT)
    return all(known)


def _speaks_tls(host: str, port: int) -> bool:
    # Nothing is sent over it: whom it belongs to does not matter here.
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    try:
        with (
            socket.create_connection((host, port), timeout=_TIMEOUT) as plain,
            context.wrap_socket(plain, server_hostname=host),
        ):
            return True
    except ssl.SSLError as error:
        # A server that asks for a certificate refuses us in TLS; one that speaks something else babbles.
        return "ALERT" in str(error).upper()
    except OSError:
        return False


def _speaks_http2(host: str, port: int) -> bool:
    try:
        with socket.create_connection((host, port), timeout=_TIMEOUT) as plain:
            plain.sendall(_HTTP2_PREFACE)
            head = plain.recv(_FRAME_HEAD)
    except OSError:
        return False
    return len(head) == _FRAME_HEAD and head[3] == _SETTINGS
