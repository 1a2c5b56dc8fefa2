"""Protobuf: what kubectl's ``create`` and other Go clients send for the built-in kinds. Pure.

Only the wire format is read, by the numbers in the tables of :mod:`.messages`. The API answers in JSON, which nearly
all of these clients accept; for others there is :mod:`.protobuf_writing`.
"""

import base64
import json
import struct
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Final

from kfambassador.local.kube.documents.document import Document, Json
from kfambassador.local.kube.schemas.messages import Field, find_message, has_message, name_message

#: What every Kubernetes protobuf body begins with.
MAGIC: Final = b"k8s\x00"
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_DEEPEST: Final = 50  # no message nests as deep as half of this
#: When protobuf's times begin.
EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)

_Raw = int | bytes


class BadProtobuf(ValueError):
    """A body that cannot be read; the message says why."""


def read_protobuf(body: bytes) -> Document:
    """Read an object.

    Raises:
        BadProtobuf: When the body is malformed, or of a kind that is not read in protobuf.
    """
    if not body.startswith(MAGIC):
        raise BadProtobuf("the body does not begin as Kubernetes' protobuf does")
    envelope = dict(_split(body[len(MAGIC) :]))
    identity = dict(_split(_bytes(envelope.get(1, b""))))
    version, kind = _text(identity.get(1, b"")), _text(identity.get(2, b""))
    group, _, number = version.rpartition("/")
    # Options are part of every group.
    name = f"meta.v1.{kind}" if has_message(f"meta.v1.{kind}") else name_message(group, number, kind)
    if not has_message(name):
        message = f"objects of kind {kind!r} in {version!r} are read as JSON or YAML only, not as protobuf"
        raise BadProtobuf(message)
    return {"apiVersion": version, "kind": kind} | _read_message(_bytes(envelope.get(2, b"")), name, 0)


@cache
def _fields_of(name: str) -> Mapping[int, Field]:
    return {field.number: field for field in find_message(name).own_fields}


def _read_message(body: bytes, name: str, depth: int) -> Document:
    if depth > _DEEPEST:
        raise BadProtobuf("the body nests too deep")
    fields = _fields_of(name)
    document: Document = {}
    for number, raw in _split(body):
        field = fields.get(number)
        if field is None:
            continue
        if field.is_map:
            document.setdefault(field.name, {}).update(_read_entry(raw, field, depth))
        elif field.is_list:
            document.setdefault(field.name, []).append(_read_value(raw, field, depth))
        elif "inline" in field.facts:
            document |= _read_message(_bytes(raw), field.type, depth + 1)
        elif (value := _read_value(raw, field, depth)) is not None and (field.is_optional or not _is_zero(value)):
            document[field.name] = value
    return document


def _is_zero(value: Json) -> bool:
    return value in ("", 0, False, {})


def _read_value(raw: _Raw, field: Field, depth: int) -> Json:
    if field.is_message:
        return _read_message(_bytes(raw), field.type, depth + 1)
    return _READERS[field.type](raw)


def _read_entry(raw: _Raw, field: Field, depth: int) -> Document:
    entry = dict(_split(_bytes(raw)))
    return {_text(entry.get(1, b"")): _read_value(entry.get(2, b""), field, depth)}


def _split(body: bytes) -> Iterator[tuple[int, _Raw]]:
    position = 0
    while position < len(body):
        key, position = _read_varint(body, position)
        number, wire = key >> 3, key & 7
        if wire == _VARINT:
            value, position = _read_varint(body, position)
            yield number, value
            continue
        if wire == _BYTES:
            length, position = _read_varint(body, position)
        elif wire in {_FIXED32, _FIXED64}:
            length = 4 if wire == _FIXED32 else 8
        else:
            message = f"the wire type {wire} does not exist"
            raise BadProtobuf(message)
        if position + length > len(body):
            raise BadProtobuf("the body ends in the middle of a field")
        yield number, body[position : position + length]
        position += length


def _read_varint(body: bytes, position: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 70, 7):
        if position >= len(body):
            break
        byte = body[position]
        position += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:  # noqa: PLR2004 - the bit that says there is more
            return value, position
    raise BadProtobuf("a number does not end")


def _bytes(raw: _Raw) -> bytes:
    if isinstance(raw, int):
        raise BadProtobuf("a number stands where a text belongs")
    return raw


def _text(raw: _Raw) -> str:
    return _bytes(raw).decode()


def _base64(raw: _Raw) -> str:
    return base64.b64encode(_bytes(raw)).decode()


def _number(raw: _Raw) -> int:
    if not isinstance(raw, int):
        raise BadProtobuf("a text stands where a number belongs")
    return raw if raw < 1 << 63 else raw - (1 << 64)


def _double(raw: _Raw) -> float:
    if len(_bytes(raw)) != struct.calcsize("<d"):
        raise BadProtobuf("a number has the wrong size")
    value: float = struct.unpack("<d", _bytes(raw))[0]
    return value


def _number_or_text(raw: _Raw) -> Json:
    # Its type, and the value as a number and as a text, of which the type says which one counts.
    value = dict(_split(_bytes(raw)))
    return _text(value.get(3, b"")) if value.get(1) else _number(value.get(2, 0))


def _first_text(raw: _Raw) -> str:
    return _text(dict(_split(_bytes(raw))).get(1, b""))


def _time(raw: _Raw, *, digits: str = "") -> Json:
    parts = dict(_split(_bytes(raw)))
    if not parts:
        return None
    try:
        time = EPOCH + timedelta(seconds=_number(parts.get(1, 0)), microseconds=_number(parts.get(2, 0)) // 1000)
    except OverflowError as error:
        raise BadProtobuf("a time is out of range") from error
    return time.strftime(f"%Y-%m-%dT%H:%M:%S{digits}Z")


def _json(raw: _Raw) -> Json:
    text = _first_text(raw)
    try:
        value: Json = json.loads(text or "null")
    except (ValueError, RecursionError) as error:
        raise BadProtobuf("a part in JSON cannot be read") from error
    return value


def _schema(_raw: _Raw) -> Json:
    raise BadProtobuf("schemas are read as JSON or YAML only, not as protobuf")


def _texts(raw: _Raw) -> Json:
    return [_text(value) for number, value in _split(_bytes(raw)) if number == 1]


_READERS: Final[dict[str, Callable[[_Raw], Json]]] = {
    "string": _text,
    "bytes": _base64,
    "int32": _number,
    "int64": _number,
    "bool": lambda raw: bool(_number(raw)),
    "double": _double,
    "intstr": _number_or_text,
    "quantity": _first_text,
    "time": _time,
    "microtime": lambda raw: _time(raw, digits=".%f"),
    "duration": lambda raw: f"{_number(dict(_split(_bytes(raw))).get(1, 0)) / 1e9:g}s",
    "raw": _json,
    "schema": _schema,
    "strings": _texts,
}
