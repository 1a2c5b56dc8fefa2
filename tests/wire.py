"""Protobuf's wire format by hand (Protocol Buffers, "Encoding"), to judge messages without the code that made them."""

import struct
from collections.abc import Iterator

Field = tuple[int, int | bytes]


def read_fields(data: bytes) -> list[Field]:
    """Each field's number and value; fixed-width and length-delimited ones as their bytes."""
    return list(_read_fields(data))


def find(data: bytes, *numbers: int) -> list[int | bytes]:
    """The values of a field, or of one inside others."""
    found: list[int | bytes] = [data]
    for number in numbers:
        found = [
            value for each in found if isinstance(each, bytes) for other, value in read_fields(each) if other == number
        ]
    return found


def find_bytes(data: bytes, *numbers: int) -> bytes:
    """The one value of a field that has bytes; b"" when there is none."""
    found = [value for value in find(data, *numbers) if isinstance(value, bytes)]
    assert len(found) <= 1
    return found[0] if found else b""


def write(*fields: tuple[int, int | bytes | str]) -> bytes:
    """A message of varints and length-delimited fields."""
    return b"".join(_write(number, value) for number, value in fields)


def floats(data: bytes) -> list[float]:
    """A packed field of float32."""
    return list(struct.unpack(f"<{len(data) // 4}f", data))


def _write(number: int, value: int | bytes | str) -> bytes:
    if isinstance(value, int):
        return _varint(number << 3) + _varint(value)
    held = value.encode() if isinstance(value, str) else value
    return _varint(number << 3 | 2) + _varint(len(held)) + held


def _varint(value: int) -> bytes:
    out = b""
    while value > 0x7F:
        out += bytes([value & 0x7F | 0x80])
        value >>= 7
    return out + bytes([value])


def _read_varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        value |= (data[at] & 0x7F) << shift
        shift += 7
        at += 1
        if data[at - 1] < 0x80:
            return value, at


def _read_fields(data: bytes) -> Iterator[Field]:
    at = 0
    while at < len(data):
        key, at = _read_varint(data, at)
        if key & 7 == 0:
            value, at = _read_varint(data, at)
            yield key >> 3, value
            continue
        if key & 7 == 2:
            size, at = _read_varint(data, at)
        else:
            size = {1: 8, 5: 4}[key & 7]
        yield key >> 3, data[at : at + size]
        at += size
