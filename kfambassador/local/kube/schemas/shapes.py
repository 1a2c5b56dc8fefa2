"""Shapes: the schemas of the built-in kinds, made from the tables of their messages. Pure."""

from dataclasses import replace
from functools import cache
from typing import Final

from kfambassador.local.kube.documents.document import Document
from kfambassador.local.kube.schemas.decoding import MICRO_TIME, TIME
from kfambassador.local.kube.schemas.messages import Field, find_message
from kfambassador.local.kube.schemas.schema import BOOLEAN, STRING, Schema, array, open_record, read_schema, record

_OPEN: Final = open_record()
_STRINGS: Final = array(STRING)

#: What a value of each simple type looks like. A text in base64 is looked at by admission, which keeps secrets quiet.
_SIMPLE: Final[dict[str, Document]] = {
    "string": STRING,
    "bool": BOOLEAN,
    "int32": {"type": "integer", "format": "int32"},
    "int64": {"type": "integer", "format": "int64"},
    "double": {"type": "number", "format": "double"},
    "bytes": STRING,
    "time": {"type": "string", "format": TIME},
    "microtime": {"type": "string", "format": MICRO_TIME},
    "duration": STRING,
    "intstr": {"x-kubernetes-int-or-string": True},
    "quantity": {"format": "quantity"},
    "strings": _STRINGS,
    "raw": _OPEN,
    "schema": _OPEN,
}


@cache
def read_shape(name: str) -> Schema:
    """The schema of a built-in kind, by the full name of its message.

    Example:
        >>> read_shape("core.v1.Service").properties["spec"].properties["ports"].keys
        ('port', 'protocol')
    """
    shape, text = _read_message(name, is_status=False), read_schema(STRING)
    return replace(shape, properties={"apiVersion": text, "kind": text, **shape.properties})


@cache
def _read_message(name: str, *, is_status: bool) -> Schema:
    message = find_message(name)
    fields = tuple(message.fields())
    properties = {field.name: _read_field(field, is_status=is_status or field.name == "status") for field in fields}
    # A status is believed as it comes: it has neither defaults nor fields that must be there.
    return Schema(
        type="object",
        properties=properties,
        required=() if is_status else tuple(field.name for field in fields if field.is_required),
        is_atomic=message.is_atomic,
        is_native=True,
        has_defaults=any(child.default is not None or child.has_defaults for child in properties.values()),
    )


def _read_field(field: Field, *, is_status: bool) -> Schema:
    one = _read_message(field.type, is_status=is_status) if field.is_message else read_schema(_SIMPLE[field.type])
    merging = read_schema(describe_merging(field))
    if field.is_list:
        twins = is_status or "twins" in field.facts
        merged = replace(merging, type="array", items=one, has_defaults=one.has_defaults)
        return replace(merged, is_native=True, allows_twins=twins)
    if field.is_map:
        return replace(merging, type="object", values=one, has_defaults=one.has_defaults)
    is_atomic = one.is_atomic and "granular" not in field.facts
    return replace(one, is_atomic=is_atomic, enum=merging.enum, default=None if is_status else merging.default)


def describe_merging(field: Field) -> Document:
    """What a field says beside its type, in OpenAPI: how it merges, its default and the values there are.

    Example:
        >>> fields = {field.name: field for field in find_message("core.v1.PodSpec").fields()}
        >>> describe_merging(fields["imagePullSecrets"])["x-kubernetes-patch-merge-key"]
        'name'
    """
    facts, said = field.facts, Document()
    if field.is_list:
        keys = facts.get("map", "").split(",") if "map" in facts else []
        said["x-kubernetes-list-type"] = "map" if keys else "set" if "set" in facts else "atomic"
        if keys:
            said["x-kubernetes-list-map-keys"] = keys
    elif "atomic" in facts:
        said["x-kubernetes-map-type"] = "atomic"
    key, _, more = facts.get("merge", "").partition(",")
    if key:
        said["x-kubernetes-patch-merge-key"] = key
    strategies = [word for word in ("merge", "retainKeys", "replace") if word in facts or word == more]
    if strategies:
        said["x-kubernetes-patch-strategy"] = ",".join(strategies)
    if "enum" in facts:
        said["enum"] = facts["enum"].split("|")
    return said if field.default is None else said | {"default": field.default}


def write_shape(name: str) -> Document:
    """The schema of a message in OpenAPI, with all that is below it."""
    message = find_message(name)
    fields = tuple(message.fields())
    schema = record({field.name: _write_field(field) for field in fields})
    required = [field.name for field in fields if field.is_required]
    atomic: Document = {"x-kubernetes-map-type": "atomic"} if message.is_atomic else {}
    return schema | atomic | ({"required": required} if required else {})


def _write_field(field: Field) -> Document:
    one = write_shape(field.type) if field.is_message else _SIMPLE[field.type]
    if field.is_list:
        one = {"type": "array", "items": one}
    elif field.is_map:
        one = {"type": "object", "additionalProperties": one}
    return one | describe_merging(field)


#: The schema of every object's metadata.
METADATA: Final = write_shape("meta.v1.ObjectMeta")
