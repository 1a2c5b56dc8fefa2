"""Addresses and ports: what a text or number must be to stand for one. Pure."""

import ipaddress
import re
from collections.abc import Iterator
from typing import Final

from kfambassador.local.kube.documents.document import Json
from kfambassador.local.kube.documents.faults import Fault, FieldFault

#: Ports of TCP, UDP and SCTP.
PORTS: Final = range(1, 65536)
PROTOCOLS: Final = ("SCTP", "TCP", "UDP")

_PORT_RULE: Final = "must be between 1 and 65535, inclusive"
_LONGEST_PORT_NAME: Final = 15
_PORT_NAME_RULES: Final = (
    (r"[-a-z0-9]+", "must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)"),
    (r".*[a-z].*", "must contain at least one letter (a-z)"),
    (r"(?!.*--).*", "must not contain consecutive hyphens"),
    (r"(?!-).*(?<!-)", "must not begin or end with a hyphen"),
)
_SPECIAL: Final = (
    (("0.0.0.0/32", "::/128"), "may not be unspecified (0.0.0.0 or ::)"),
    (("127.0.0.0/8", "::1/128"), "may not be in the loopback range (127.0.0.0/8, ::1/128)"),
    (("169.254.0.0/16", "fe80::/10"), "may not be in the link-local range (169.254.0.0/16, fe80::/10)"),
    (("224.0.0.0/24", "ff02::/16"), "may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)"),
)


def read_address(text: Json) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """The address a text stands for, None when it stands for none."""
    try:
        return ipaddress.ip_address(text) if isinstance(text, str) else None
    except ValueError:
        return None


def check_address(text: Json, path: str) -> Iterator[FieldFault]:
    """Find out whether a text is an address of either family."""
    if read_address(text) is None:
        yield FieldFault(Fault.INVALID, path, "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)", text)


def check_common_address(text: Json, path: str, *, loopback: bool = False) -> Iterator[FieldFault]:
    """Find out whether a text is an address that others can be reached at.

    Args:
        text: The text.
        path: Where it stands.
        loopback: Whether an address of this machine alone will do.
    """
    yield from check_address(text, path)
    address = read_address(text)
    for networks, rule in _SPECIAL:
        if loopback and "loopback" in rule:
            continue
        if address and any(address in ipaddress.ip_network(network) for network in networks):
            yield FieldFault(Fault.INVALID, path, rule, text)


def check_port(port: Json, path: str) -> Iterator[FieldFault]:
    """Find out whether a number is a port."""
    if port not in PORTS:
        yield FieldFault(Fault.INVALID, path, _PORT_RULE, port)


def check_port_or_name(port: Json, path: str) -> Iterator[FieldFault]:
    """Find out whether a value is a port or a name of one (RFC 6335, section 5.1).

    Example:
        >>> [str(fault) for fault in check_port_or_name("Web", "targetPort")]
        ['targetPort: Invalid value: "Web": must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)']
    """
    if not isinstance(port, str):
        yield from check_port(port, path)
        return
    if len(port) > _LONGEST_PORT_NAME:
        rule = f"must be no more than {_LONGEST_PORT_NAME} characters"
        yield FieldFault(Fault.INVALID, path, rule, port)
    for pattern, rule in _PORT_NAME_RULES:
        if not re.fullmatch(pattern, port):
            yield FieldFault(Fault.INVALID, path, rule, port)
