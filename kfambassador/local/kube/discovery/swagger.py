"""Swagger: the OpenAPI v2 document in protobuf, the only form in which Go clients read it. Pure.

Only what they read of it is written: names, types, references, descriptions and Kubernetes' own extensions.
"""

import json
from collections.abc import Iterable
from typing import Final

from kfambassador.local.kube.documents.document import Document, Json

# The numbers of the fields, in the messages of OpenAPI v2.
_SWAGGER, _INFO, _PATHS, _DEFINITIONS = 1, 2, 8, 9
_TITLE, _VERSION = 1, 2
_REFERENCE, _FORMAT, _DESCRIPTION, _REQUIRED = 1, 2, 4, 19
_ADDITIONAL, _TYPE, _ITEMS, _PROPERTIES, _EXTENSION = 21, 22, 23, 25, 31
_YAML: Final = 2
_MORE: Final = 0x80  # the bit of a byte that says another one follows


def write_swagger(document: Document) -> bytes:
    """Write an OpenAPI v2 document.

    Example:
        >>> write_swagger({"swagger": "2.0", "info": {"title": "", "version": ""}, "definitions": {}})[2:5]
        b'2.0'
    """
    info = document["info"]
    named = (_name(name, _schema(schema)) for name, schema in document["definitions"].items())
    return b"".join(
        (
            _field(_SWAGGER, document["swagger"].encode()),
            _field(_INFO, _field(_TITLE, info["title"].encode()) + _field(_VERSION, info["version"].encode())),
            _field(_PATHS, b""),
            _field(_DEFINITIONS, _repeat(1, named)),
        )
    )


def _schema(schema: Document) -> bytes:
    parts = [
        _field(number, schema[keyword].encode())
        for keyword, number in (("$ref", _REFERENCE), ("format", _FORMAT), ("description", _DESCRIPTION))
        if schema.get(keyword)
    ]
    parts.append(_repeat(_REQUIRED, (name.encode() for name in schema.get("required") or ())))
    if isinstance(more := schema.get("additionalProperties"), dict):
        parts.append(_field(_ADDITIONAL, _field(1, _schema(more))))
    if schema.get("type"):
        parts.append(_field(_TYPE, _field(1, schema["type"].encode())))
    if isinstance(items := schema.get("items"), dict):
        parts.append(_field(_ITEMS, _field(1, _schema(items))))
    if properties := schema.get("properties"):
        named = (_name(name, _schema(child)) for name, child in properties.items())
        parts.append(_field(_PROPERTIES, _repeat(1, named)))
    own = ((word, value) for word, value in schema.items() if word.startswith("x-"))
    parts.append(_repeat(_EXTENSION, (_name(word, _any(value)) for word, value in own)))
    return b"".join(parts)


def _any(value: Json) -> bytes:
    # JSON is YAML, too.
    return _field(_YAML, json.dumps(value).encode())


def _name(name: str, value: bytes) -> bytes:
    return _field(1, name.encode()) + _field(2, value)


def _repeat(number: int, values: Iterable[bytes]) -> bytes:
    return b"".join(_field(number, value) for value in values)


def _field(number: int, value: bytes) -> bytes:
    return _varint(number << 3 | 2) + _varint(len(value)) + value


def _varint(value: int) -> bytes:
    written = bytearray()
    while value >= _MORE:
        written.append(value & (_MORE - 1) | _MORE)
        value >>= 7
    return bytes([*written, value])
