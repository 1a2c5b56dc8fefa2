"""Definitions: CustomResourceDefinitions, and the kinds they make."""

import json
from collections.abc import Callable, Iterator
from typing import Any, Final

from kfambassador.local.kube.documents.document import Document, Json
from kfambassador.local.kube.documents.faults import Fault, FieldFault
from kfambassador.local.kube.kinds.columns import NAME
from kfambassador.local.kube.kinds.kind import SCALE, Admitted, Column, Index, Kind, Scaling
from kfambassador.local.kube.registry.acceptance import is_established, settle
from kfambassador.local.kube.registry.definition_rules import check_definition
from kfambassador.local.kube.schemas import jsonpath
from kfambassador.local.kube.schemas.keywords import EMBEDDED, LAWS, children_of, find_unknown, tidy
from kfambassador.local.kube.schemas.schema import STRING, read_schema
from kfambassador.local.kube.schemas.shapes import METADATA
from kfambassador.local.kube.schemas.structural import list_nodes
from kfambassador.local.kube.schemas.validations import why_unknown

_AGE: Final = {
    "name": "Age",
    "type": "date",
    "jsonPath": ".metadata.creationTimestamp",
    "description": "How long ago the object was created.",
}
_UNASKED: Final = "conversion webhooks are not called here: an object is shown in every version as it is stored"


def admit_definition(definition: Document, before: Document | None, index: Index) -> Admitted:
    """Fill in a definition's names and status: what it defines is served at once."""
    spec, unknown = _tidy_schemas(definition["spec"])
    kind = spec["names"]["kind"]
    names = {"singular": kind.lower(), "listKind": f"{kind}List"} | spec["names"]
    filled = definition | {"spec": {"conversion": {"strategy": "None"}} | spec | {"names": names}}
    if faults := tuple(check_definition(filled, before)):
        return Admitted(filled, faults)
    filled |= {"status": settle(filled, before, index)}
    return Admitted(
        filled, tuple(_check_stored(filled, before)), unknown=unknown, warnings=tuple(_warnings(filled, before))
    )


def _tidy_schemas(spec: Document) -> tuple[Document, tuple[str, ...]]:
    versions: list[Document] = []
    unknown: list[str] = []
    for place, version in enumerate(spec["versions"]):
        schema = (version.get("schema") or {}).get("openAPIV3Schema")
        if schema is None:
            versions.append(version)
            continue
        unknown += find_unknown(schema, f"spec.versions[{place}].schema.openAPIV3Schema")
        versions.append(version | {"schema": {"openAPIV3Schema": tidy(schema)}})
    return spec | {"versions": versions}, tuple(unknown)


def _check_stored(definition: Document, before: Document | None) -> list[FieldFault]:
    if before is None or definition["spec"] == before["spec"]:
        return []
    known = {version["name"] for version in definition["spec"]["versions"]}
    rule = (
        "missing from spec.versions; {0} was previously a storage version, and must remain in spec.versions until a"
        " storage migration ensures no data remains persisted in {0} and removes {0} from status.storedVersions"
    )
    return [
        FieldFault(Fault.INVALID, f"status.storedVersions[{place}]", rule.format(name), name)
        for place, name in enumerate(definition["status"]["storedVersions"])
        if name not in known
    ]


def _warnings(definition: Document, before: Document | None) -> Iterator[str]:
    spec = definition["spec"]
    if before and before["spec"] == spec:
        return
    if spec["conversion"].get("strategy") == "Webhook":
        yield _UNASKED
    for number, version in enumerate(spec["versions"]):
        for node in list_nodes(version["schema"]["openAPIV3Schema"]):
            if not node.source.get(LAWS):
                continue  # to read every node with all below it takes long for a definition of half a megabyte
            schema = read_schema(node.source)
            for place, rule in enumerate(schema.laws):
                if reason := why_unknown(rule, schema):
                    field = f"spec.versions[{number}].schema.openAPIV3Schema{node.path}.{LAWS}[{place}]"
                    yield f"{field}: this rule is not evaluated here: {reason}"


def list_kinds(definition: Document) -> list[Kind]:
    """The kinds a definition makes: one for each version it serves, and none while its names are not free."""
    if not is_established(definition):
        return []
    spec = definition["spec"]
    names = definition["status"]["acceptedNames"]
    stored = next(version["name"] for version in spec["versions"] if version["storage"])
    return [
        Kind(
            group=spec["group"],
            version=version["name"],
            name=names["kind"],
            plural=names["plural"],
            singular=names["singular"],
            openapi=_complete(version["schema"]["openAPIV3Schema"]),
            namespaced=spec["scope"] == "Namespaced",
            short_names=tuple(names.get("shortNames") or ()),
            categories=tuple(names.get("categories") or ()),
            whole_table=(NAME, *map(_column, version.get("additionalPrinterColumns") or (_AGE,))),
            has_status="status" in (version.get("subresources") or {}),
            counts_generation=True,
            is_custom=True,
            stored_version=stored,
            warning=_warn(spec["group"], version, names["kind"]),
            selectable_fields=tuple(each["jsonPath"][1:] for each in version.get("selectableFields") or ()),
            **_scale(version),
        )
        for version in spec["versions"]
        if version["served"]
    ]


def _warn(group: str, version: Document, kind: str) -> str:
    """What Kubernetes says of a deprecated version, unless its definition has other words."""
    if not version.get("deprecated"):
        return ""
    return str(version.get("deprecationWarning") or f"{group}/{version['name']} {kind} is deprecated")


def _scale(version: Document) -> dict[str, Any]:
    if not (scale := (version.get("subresources") or {}).get("scale")):
        return {}
    fields = ("specReplicasPath", "statusReplicasPath", "labelSelectorPath")
    spec, status, selector = (tuple(scale.get(field, "").split(".")[1:]) for field in fields)
    return {"subresources": (SCALE,), "scaling": Scaling(spec, status, selector)}


def _complete(schema: Document) -> Document:
    own = {"apiVersion": STRING, "kind": STRING, "metadata": METADATA}
    whole = _embed(schema)
    return whole | {"type": "object", "properties": (whole.get("properties") or {}) | own}


def _embed(schema: Document) -> Document:
    """The same schema in which every object embedded is one: with an ``apiVersion``, a ``kind`` and metadata."""
    if not any(True for _ in children_of(schema, "")):
        return schema if not schema.get(EMBEDDED) else _with_identity(schema)
    changed = dict(schema)
    for keyword in ("items", "additionalProperties"):
        if isinstance(schema.get(keyword), dict):
            changed[keyword] = _embed(schema[keyword])
    if "properties" in schema:
        changed["properties"] = {name: _embed(child) for name, child in schema["properties"].items()}
    return _with_identity(changed) if schema.get(EMBEDDED) else changed


def _with_identity(schema: Document) -> Document:
    own = {"apiVersion": STRING, "kind": STRING, "metadata": METADATA}
    return schema | {"properties": (schema.get("properties") or {}) | own}


def _column(column: Document) -> Column:
    path, sort = column["jsonPath"], column["type"]

    def show(document: Document) -> Json:
        found = jsonpath.find(document, path)
        return _CELLS[sort](found[0]) if found else None

    return Column(
        column["name"],
        show,
        type=sort,
        format=column.get("format", ""),
        priority=column.get("priority", 0),
        description=column.get("description") or f"Custom resource definition column (in JSONPath format): {path}",
    )


def _as_text(value: Json) -> str:
    if value is None:
        return "<no value>"
    return value if isinstance(value, str) else json.dumps(value, separators=(",", ":"))


def _as_whole(value: Json) -> Json:
    return int(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _as_number(value: Json) -> Json:
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


# What a value becomes in a column of a type; one of another type is left out.
_CELLS: Final[dict[str, Callable[[Json], Json]]] = {
    "string": _as_text,
    "integer": _as_whole,
    "number": _as_number,
    "boolean": lambda value: value if isinstance(value, bool) else None,
    "date": lambda value: value if isinstance(value, str) else None,
}
