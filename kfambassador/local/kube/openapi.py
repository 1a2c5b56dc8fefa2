"""OpenAPI: the schemas of what is served, as clients read them to explain and to validate. Pure."""

import hashlib
from typing import Final

from kfambassador.local.kube.catalog import Catalog
from kfambassador.local.kube.discovery import VERSION
from kfambassador.local.kube.documents import Document, encode
from kfambassador.local.kube.kinds import Kind

#: What Go clients ask for under ``/openapi/v2``; they look there only for kinds that OpenAPI v3 does not have.
PROTOBUF_V2: Final = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf"
#: A document without a schema: ``swagger: "2.0"``.
EMPTY_V2: Final = b"\x0a\x032.0"

_PARAMETERS = ("dryRun", "fieldManager", "fieldValidation", "pretty")


def list_paths(catalog: Catalog) -> Document:
    """The answer under ``/openapi/v3``: where the document of each group and version is."""
    paths: Document = {}
    for path in sorted({kind.path for kind in catalog}):
        digest = hashlib.sha256(encode(describe(catalog, path))).hexdigest()[:32]
        paths[path[1:]] = {"serverRelativeURL": f"/openapi/v3{path}?hash={digest}"}
    return {"paths": paths}


def describe(catalog: Catalog, path: str) -> Document:
    """The OpenAPI v3 document of the group and version under a path."""
    kinds = [kind for kind in catalog if kind.path == path]
    return {
        "openapi": "3.0.0",
        "info": {"title": "Kubernetes", "version": VERSION["gitVersion"]},
        "paths": {where: item for kind in kinds for where, item in _paths(kind).items()},
        "components": {"schemas": {_name(kind): _schema(kind) for kind in kinds}},
    }


def describe_v2(catalog: Catalog) -> Document:
    """The OpenAPI v2 document of everything, for older clients."""
    return {
        "swagger": "2.0",
        "info": {"title": "Kubernetes", "version": VERSION["gitVersion"]},
        "paths": {},
        "definitions": {_name(kind): _schema(kind) for kind in catalog},
    }


def _name(kind: Kind) -> str:
    domain = ".".join(reversed((kind.group or "core.api.k8s.io").split(".")))
    return f"{domain}.{kind.version}.{kind.name}"


def _identity(kind: Kind) -> Document:
    return {"group": kind.group, "version": kind.version, "kind": kind.name}


def _schema(kind: Kind) -> Document:
    return kind.openapi | {"x-kubernetes-group-version-kind": [_identity(kind)]}


def _paths(kind: Kind) -> Document:
    base = f"{kind.path}/namespaces/{{namespace}}/{kind.plural}" if kind.namespaced else f"{kind.path}/{kind.plural}"
    reference = {"$ref": f"#/components/schemas/{_name(kind)}"}
    content = {"content": {"application/json": {"schema": reference}}}
    parameters = [{"name": name, "in": "query", "schema": {"type": "string"}} for name in _PARAMETERS]

    def operation(action: str, *, writes: bool) -> Document:
        identity = {"x-kubernetes-action": action, "x-kubernetes-group-version-kind": _identity(kind)}
        answer = {"responses": {"200": {"description": "OK"} | content}}
        return identity | answer | ({"parameters": parameters, "requestBody": content} if writes else {})

    if kind.is_question:
        return {base: {"post": operation("post", writes=True)}}
    return {
        base: {"get": operation("list", writes=False), "post": operation("post", writes=True)},
        f"{base}/{{name}}": {
            "get": operation("get", writes=False),
            "put": operation("put", writes=True),
            "patch": operation("patch", writes=True),
            "delete": operation("delete", writes=False),
        },
    }
