"""Protobuf writing: built-in objects, lists of them and Statuses for whoever reads nothing else. Pure.

By the numbers in the tables of :mod:`.messages`, as :mod:`.protobuf` reads them.
"""

import base64
import json
import struct
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from functools import cache
from typing import Final

from kfambassador.local.kube.documents.document import Document, Json
from kfambassador.local.kube.schemas.messages import Field, find_message, has_message, name_message
from kfambassador.local.kube.schemas.protobuf import EPOCH, MAGIC

_VARINT, _FIXED64, _BYTES = 0, 1, 2
_NANOSECONDS: Final = 1_000_000_000


def write_protobuf(body: bytes) -> bytes:
    r"""Write JSON of an object of a built-in kind, of a list of them or of a Status in protobuf.

    Raises:
        KeyError: When there is no message for it.

    Example:
        >>> write_protobuf(b'{"apiVersion": "v1", "kind": "Status", "code": 404}')
        b'k8s\x00\n\x0c\n\x02v1\x12\x06Status\x12\x030\x94\x03'
    """
    return _write_envelope(json.loads(body))


def write_protobuf_events(lines: bytes) -> bytes:
    """Write lines of a watch in protobuf: each event behind its length."""
    return b"".join(_write_event(json.loads(line)) for line in lines.splitlines())


def _write_event(event: Document) -> bytes:
    raw = _lay(1, _write_envelope(event["object"]))
    written = _lay(1, event["type"].encode()) + _lay(2, raw)
    return struct.pack(">I", len(written)) + written


def _write_envelope(document: Document) -> bytes:
    version, kind = str(document.get("apiVersion") or "v1"), str(document["kind"])
    identity = _lay(1, version.encode()) + _lay(2, kind.encode())
    return MAGIC + _lay(1, identity) + _lay(2, _write_whole(document, version, kind))


def _write_whole(document: Document, version: str, kind: str) -> bytes:
    group, _, number = version.rpartition("/")
    # What the server says of itself is part of every group.
    name = f"meta.v1.{kind}" if has_message(f"meta.v1.{kind}") else name_message(group, number, kind)
    if has_message(name):
        return _write_message(document, name)
    one = name.removesuffix("List")
    items = b"".join(_lay(2, _write_message(item, one)) for item in document["items"])
    return _lay(1, _write_message(document.get("metadata") or {}, "meta.v1.ListMeta")) + items


@cache
def _fields_of(name: str) -> Mapping[str, Field]:
    return {field.name: field for field in find_message(name).own_fields if "inline" not in field.facts}


@cache
def _inlined_of(name: str) -> tuple[Field, ...]:
    return tuple(field for field in find_message(name).own_fields if "inline" in field.facts)


def _write_message(document: Document, name: str) -> bytes:
    fields = _fields_of(name)
    own = b"".join(
        part
        for key, value in document.items()
        if value is not None and (field := fields.get(key))
        for part in _write_field(field, value)
    )
    return own + b"".join(_lay(field.number, _write_message(document, field.type)) for field in _inlined_of(name))


def _write_field(field: Field, value: Json) -> Iterator[bytes]:
    if field.is_map and isinstance(value, dict):
        for key, child in value.items():
            yield _lay(field.number, _lay(1, key.encode()) + _write_value(2, field, child))
    elif field.is_list and isinstance(value, list):
        for item in value:
            yield _write_value(field.number, field, item)
    else:
        yield _write_value(field.number, field, value)


def _write_value(number: int, field: Field, value: Json) -> bytes:
    if field.is_message:
        return _lay(number, _write_message(value if isinstance(value, dict) else {}, field.type))
    return _WRITERS[field.type](number, value)


def _lay(number: int, content: bytes) -> bytes:
    return _varint(number << 3 | _BYTES) + _varint(len(content)) + content


def _varint(value: int) -> bytes:
    value &= (1 << 64) - 1
    written = bytearray()
    while value > 0x7F:  # noqa: PLR2004 - as many bits as a byte has beside the one that says there is more
        written.append(value & 0x7F | 0x80)
        value >>= 7
    written.append(value)
    return bytes(written)


def _whole(number: int, value: Json) -> bytes:
    return _varint(number << 3 | _VARINT) + _varint(int(value) if isinstance(value, int | float) else 0)


def _text(number: int, value: Json) -> bytes:
    return _lay(number, str(value).encode())


def _double(number: int, value: Json) -> bytes:
    return _varint(number << 3 | _FIXED64) + struct.pack("<d", float(value) if isinstance(value, int | float) else 0.0)


def _number_or_text(number: int, value: Json) -> bytes:
    # Its type, and the value as a number or as a text.
    return _lay(number, _whole(1, 1) + _text(3, value) if isinstance(value, str) else _whole(1, 0) + _whole(2, value))


def _time(number: int, value: Json) -> bytes:
    since = datetime.fromisoformat(str(value)) - EPOCH
    whole = since.days * 86400 + since.seconds
    return _lay(number, _whole(1, whole) + (_whole(2, since.microseconds * 1000) if since.microseconds else b""))


def _duration(number: int, value: Json) -> bytes:
    seconds = float(str(value).removesuffix("s") or 0)
    return _lay(number, _whole(1, round(seconds * _NANOSECONDS)))


def _texts(number: int, value: Json) -> bytes:
    return _lay(number, b"".join(_text(1, each) for each in value) if isinstance(value, list) else b"")


_WRITERS: Final[dict[str, Callable[[int, Json], bytes]]] = {
    "string": _text,
    "bytes": lambda number, value: _lay(number, base64.b64decode(str(value))),
    "int32": _whole,
    "int64": _whole,
    "bool": _whole,
    "double": _double,
    "intstr": _number_or_text,
    "quantity": lambda number, value: _lay(number, _text(1, value)),
    "time": _time,
    "microtime": _time,
    "duration": _duration,
    "raw": lambda number, value: _lay(number, _lay(1, json.dumps(value, separators=(",", ":")).encode())),
    "strings": _texts,
}
