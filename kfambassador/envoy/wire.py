"""Joining messages from pieces that are serialized already.

In protobuf's encoding a repeated field is its entries one after another, each with its tag and length, so a table of
ten thousand routes can be joined from remembered bytes far faster than it can be built. (Protocol Buffers, "Encoding".)
"""

from collections.abc import Iterable

from kfambassador.envoy.protos import Message

_LENGTH_DELIMITED = 2
_CONTINUE = 0x80


def field_tag(message: type[Message], field: str) -> bytes:
    r"""The tag that stands before each value of a message, string or bytes field.

    Example:
        >>> from kfambassador.envoy.protos import RouteList
        >>> field_tag(RouteList, "routes")
        b'\n'
    """
    number: int = message.DESCRIPTOR.fields_by_name[field].number
    return _varint(number << 3 | _LENGTH_DELIMITED)


def write_field(tag: bytes, body: bytes) -> bytes:
    """Write one value of a field: its tag, its length, and itself."""
    return b"".join((tag, _varint(len(body)), body))


def write_fields(tag: bytes, bodies: Iterable[bytes]) -> bytes:
    """Write every value of a repeated field."""
    return b"".join(write_field(tag, body) for body in bodies)


def _varint(number: int) -> bytes:
    """Seven bits a byte, lowest first, the high bit set on all but the last."""
    encoded = bytearray()
    while number >= _CONTINUE:
        encoded.append(number % _CONTINUE | _CONTINUE)
        number //= _CONTINUE
    encoded.append(number)
    return bytes(encoded)
