"""OpenAPI: the schemas of what is served, as clients read them to explain and to validate. Pure."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import Final

from kfambassador.local.kube.discovery.resources import VERSION
from kfambassador.local.kube.documents.document import Document, encode
from kfambassador.local.kube.kinds.kind import Kind
from kfambassador.local.kube.kinds.operations import describe_paths
from kfambassador.local.kube.registry.catalog import Catalog
from kfambassador.local.kube.schemas.messages import Field, Message, find_message
from kfambassador.local.kube.schemas.shapes import describe_merging

#: What Go clients ask for under ``/openapi/v2``: older ones first of all, newer ones when they are told to.
PROTOBUF_V2: Final = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf"

_META: Final = "io.k8s.apimachinery.pkg.apis.meta.v1"
_EXTENSIONS: Final = "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1"
#: What the names of schemas begin with, for the packages where it is not what it is elsewhere.
_PREFIXES: Final = {"meta.v1": _META, "apiextensions.v1": _EXTENSIONS}
_STRING: Final[Document] = {"type": "string"}
#: The simple types that have no name of their own in OpenAPI.
_UNNAMED: Final[dict[str, Document]] = {
    "string": _STRING,
    "bool": {"type": "boolean"},
    "int32": {"type": "integer", "format": "int32"},
    "int64": {"type": "integer", "format": "int64"},
    "double": {"type": "number", "format": "double"},
    "bytes": {"type": "string", "format": "byte"},
    "strings": {"type": "array", "items": _STRING},
}
#: The simple types that have one: the name and the schema.
_NAMED: Final[dict[str, tuple[str, Document]]] = {
    "time": (f"{_META}.Time", {"type": "string", "format": "date-time"}),
    "microtime": (f"{_META}.MicroTime", {"type": "string", "format": "date-time"}),
    "duration": (f"{_META}.Duration", _STRING),
    "schema": (f"{_EXTENSIONS}.JSONSchemaProps", {"type": "object", "description": "A schema in OpenAPI v3."}),
    "raw": ("io.k8s.apimachinery.pkg.runtime.RawExtension", {"type": "object"}),
    "quantity": ("io.k8s.apimachinery.pkg.api.resource.Quantity", _STRING),
    "intstr": ("io.k8s.apimachinery.pkg.util.intstr.IntOrString", {"type": "string", "format": "int-or-string"}),
}
_METADATA: Final = "meta.v1.ObjectMeta"
_LIST_METADATA: Final = f"{_META}.ListMeta"
_IDENTITY: Final[Document] = {
    "apiVersion": _STRING | {"description": "The version of the API the object is written in."},
    "kind": _STRING | {"description": "What kind of object it is."},
}
#: What the parts are that nearly every kind has.
_PARTS: Final = {
    "metadata": "The object's name, where it is, its labels, and what the server keeps of it.",
    "spec": "What is wanted.",
    "status": "How it is; written by whoever looks after it.",
}


@dataclass(frozen=True, slots=True)
class _Dialect:
    """How one version of OpenAPI refers to a schema."""

    prefix: str
    wraps: bool

    def refer(self, name: str, **beside: object) -> Document:
        """Refer to a schema; OpenAPI v3 takes nothing beside a reference, and has it wrapped instead."""
        reference: Document = {"$ref": f"{self.prefix}{name}"}
        if not beside or not self.wraps:
            return reference | beside
        return {"allOf": [reference], **beside}


_V3: Final = _Dialect("#/components/schemas/", wraps=True)
_V2: Final = _Dialect("#/definitions/", wraps=False)


def list_paths(catalog: Catalog) -> Document:
    """The answer under ``/openapi/v3``: where the document of each group and version is."""
    paths: Document = {}
    for path in sorted({kind.path for kind in catalog}):
        hashed = digest(encode(describe(catalog, path)))
        paths[path[1:]] = {"serverRelativeURL": f"/openapi/v3{path}?hash={hashed}"}
    return {"paths": paths}


def digest(document: bytes) -> str:
    """What changes in the address of a document when the document does."""
    return hashlib.sha256(document).hexdigest()[:32]


def describe(catalog: Catalog, path: str) -> Document:
    """The OpenAPI v3 document of the group and version under a path."""
    kinds = [kind for kind in catalog if kind.path == path]
    return {
        "openapi": "3.0.0",
        "info": {"title": "Kubernetes", "version": VERSION["gitVersion"]},
        "paths": {where: item for kind in kinds for where, item in describe_paths(kind, _refer_to(kind)).items()},
        "components": {"schemas": _describe_all(kinds, _V3)},
    }


def describe_v2(catalog: Catalog) -> Document:
    """The OpenAPI v2 document of everything, for older clients."""
    return {
        "swagger": "2.0",
        "info": {"title": "Kubernetes", "version": VERSION["gitVersion"]},
        "paths": {},
        "definitions": _describe_all(catalog, _V2),
    }


def _describe_all(kinds: Iterable[Kind], dialect: _Dialect) -> Document:
    schemas: Document = {}
    for kind in kinds:
        if kind.openapi is None:
            schemas |= _list_schemas(kind.message, dialect)
        else:
            schemas |= _list_schemas(_METADATA, dialect) | {_name(kind): _complete(kind.openapi, dialect)}
        identity = {"x-kubernetes-group-version-kind": [_identity(kind)]}
        schemas[_name(kind)] = schemas[_name(kind)] | identity
        if not kind.is_question:
            schemas[f"{_name(kind)}List"] = _describe_list(kind, dialect)
    schemas[_LIST_METADATA] = {
        "type": "object",
        "description": "What is said of a list as a whole.",
        "properties": {"resourceVersion": _STRING, "continue": _STRING, "remainingItemCount": _UNNAMED["int64"]},
    }
    return dict(sorted(schemas.items()))


def _complete(schema: Document, dialect: _Dialect) -> Document:
    # Definitions do not describe what every object has.
    metadata = dialect.refer(_name_message(_METADATA), description=_PARTS["metadata"])
    return schema | {"properties": schema.get("properties", {}) | _IDENTITY | {"metadata": metadata}}


def _name(kind: Kind) -> str:
    if kind.openapi is None:
        return _name_message(kind.message)
    return f"{'.'.join(reversed(kind.group.split('.')))}.{kind.version}.{kind.name}"


def _name_message(message: str) -> str:
    package, _, name = message.rpartition(".")
    return f"{_PREFIXES.get(package, f'io.k8s.api.{package}')}.{name}"


def _identity(kind: Kind) -> Document:
    return {"group": kind.group, "version": kind.version, "kind": kind.name}


def _refer_to(kind: Kind) -> Document:
    return _V3.refer(_name(kind))


def _describe_list(kind: Kind, dialect: _Dialect) -> Document:
    return {
        "type": "object",
        "description": f"A list of objects of kind {kind.name}.",
        "required": ["items"],
        "properties": _IDENTITY
        | {
            "items": {"type": "array", "items": dialect.refer(_name(kind))},
            "metadata": dialect.refer(_LIST_METADATA),
        },
        "x-kubernetes-group-version-kind": [_identity(kind) | {"kind": f"{kind.name}List"}],
    }


@cache
def _list_schemas(root: str, dialect: _Dialect) -> Document:
    """The schema of the message of a kind or of metadata, and those of all it refers to."""
    schemas: Document = {}
    rest = [root]
    while rest:
        name = rest.pop()
        if _name_message(name) in schemas:
            continue
        message = find_message(name)
        fields = tuple(message.fields())
        is_kind = name == root and name != _METADATA
        schemas[_name_message(name)] = _describe_message(message, fields, dialect, is_kind=is_kind)
        rest += [field.type for field in fields if field.is_message]
        schemas |= dict(_NAMED[field.type] for field in fields if field.type in _NAMED)
    return schemas


def _describe_message(message: Message, fields: Iterable[Field], dialect: _Dialect, *, is_kind: bool) -> Document:
    parts = _PARTS if is_kind else {}
    properties = {field.name: _describe_field(field, dialect, parts.get(field.name, "")) for field in fields}
    required = [field.name for field in fields if field.is_documented_required]
    described: Document = {"type": "object", "properties": (_IDENTITY if is_kind else {}) | properties}
    if message.description:
        described["description"] = message.description
    if required:
        described["required"] = required
    return described | ({"x-kubernetes-map-type": "atomic"} if message.is_atomic else {})


def _describe_field(field: Field, dialect: _Dialect, otherwise: str) -> Document:
    said = field.description or otherwise
    beside: Document = {"description": said} if said else {}
    beside |= describe_merging(field)
    if field.is_list:
        return {"type": "array", "items": _describe_type(field, dialect)} | beside
    if field.is_map:
        return {"type": "object", "additionalProperties": _describe_type(field, dialect)} | beside
    return _describe_type(field, dialect, **beside)


def _describe_type(field: Field, dialect: _Dialect, **beside: object) -> Document:
    if field.is_message:
        return dialect.refer(_name_message(field.type), **beside)
    if field.type in _NAMED:
        return dialect.refer(_NAMED[field.type][0], **beside)
    return _UNNAMED[field.type] | beside
