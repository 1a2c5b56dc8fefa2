"""Where a server of the controller's listens, as one text."""

import re
from ipaddress import ip_address
from typing import Final, NamedTuple

_WRITTEN: Final = re.compile(r"^(?:\[(?P<bracketed>[^\[\]]+)\]|(?P<plain>[^:\[\]]+)):(?P<port>[0-9]{1,5})$")
_MOST: Final = 65535


class Address(NamedTuple):
    """An IP address and a port.

    Attributes:
        host: The IP address, or ``localhost``.
        port: The TCP port; 0 takes a free one.
    """

    host: str
    port: int

    @classmethod
    def read(cls, text: str) -> "Address":
        """Read it as it is written: ``127.0.0.1:8877``, and ``[::1]:8877`` in IPv6.

        Raises:
            ValueError: The text is something else; the message says it to a person.

        Example:
            >>> Address.read("[::]:8081")
            Address(host='::', port=8081)
            >>> Address.read("8081")
            Traceback (most recent call last):
            ...
            ValueError: '8081' is no address and port: write it as in 127.0.0.1:8081, or [::1]:8081 in IPv6
        """
        found = _WRITTEN.match(text)
        host = (found["bracketed"] or found["plain"]) if found else ""
        if found is None or int(found["port"]) > _MOST or not _is_host(host, in_brackets=bool(found["bracketed"])):
            raise ValueError(f"{text!r} is no address and port: write it as in 127.0.0.1:8081, or [::1]:8081 in IPv6")
        return cls(host, int(found["port"]))


def check_address(text: str) -> str:
    """Give a text back that is an address.

    Raises:
        ValueError: It is none.

    Example:
        >>> check_address("127.0.0.1:0")
        '127.0.0.1:0'
    """
    Address.read(text)
    return text


def _is_host(text: str, *, in_brackets: bool) -> bool:
    if text == "localhost":
        return not in_brackets
    try:
        return (ip_address(text).version == 6) is in_brackets  # noqa: PLR2004 - the protocol's number
    except ValueError:
        return False
