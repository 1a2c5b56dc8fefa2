"""Definitions: the kinds that CustomResourceDefinitions make. Pure."""

from collections.abc import Iterator
from dataclasses import replace

from kfambassador.local.kube import jsonpath
from kfambassador.local.kube.documents import Document, metadata_of, name_of
from kfambassador.local.kube.faults import Fault, FieldFault
from kfambassador.local.kube.kinds import Admitted, Column, Index, Kind
from kfambassador.local.kube.schema import STRING, check_schema
from kfambassador.local.kube.shapes import METADATA


def admit_definition(definition: Document, before: Document | None, _index: Index) -> Admitted:
    """Fill in a definition's names and status: what it defines is served at once."""
    spec: Document = definition["spec"]
    faults = tuple(_check(definition, spec, before))
    if faults:
        return Admitted(definition, faults)
    kind = spec["names"]["kind"]
    names = {"singular": kind.lower(), "listKind": f"{kind}List"} | spec["names"]
    stored = ((before or {}).get("status") or {}).get("storedVersions") or []
    now_stored = next(version["name"] for version in spec["versions"] if version["storage"])
    status = {
        "conditions": [
            _condition(definition, "NamesAccepted", "NoConflicts", "no conflicts found"),
            _condition(definition, "Established", "InitialNamesAccepted", "the initial names have been accepted"),
        ],
        "acceptedNames": names,
        "storedVersions": list(dict.fromkeys([*stored, now_stored])),
    }
    filled = {"conversion": {"strategy": "None"}} | spec | {"names": names}
    return Admitted(definition | {"spec": filled, "status": status})


def _condition(definition: Document, sort: str, reason: str, message: str) -> Document:
    time = metadata_of(definition).get("creationTimestamp")
    return {"type": sort, "status": "True", "reason": reason, "message": message, "lastTransitionTime": time}


def _check(definition: Document, spec: Document, before: Document | None) -> Iterator[FieldFault]:
    wanted = f"{spec['names']['plural']}.{spec['group']}"
    if name_of(definition) != wanted:
        yield FieldFault(
            Fault.INVALID, "metadata.name", 'must be spec.names.plural+"."+spec.group', name_of(definition)
        )
    if before and before["spec"]["scope"] != spec["scope"]:
        yield FieldFault(Fault.INVALID, "spec.scope", "field is immutable", spec["scope"])
    stored = [version["name"] for version in spec["versions"] if version["storage"]]
    if len(stored) != 1:
        rule = "must have exactly one version marked as storage version"
        yield FieldFault(Fault.INVALID, "spec.versions", rule, [*stored])
    for place, version in enumerate(spec["versions"]):
        field = f"spec.versions[{place}].schema.openAPIV3Schema"
        schema = (version.get("schema") or {}).get("openAPIV3Schema")
        if schema is None:
            yield FieldFault(Fault.REQUIRED, field, "schemas are required")
        else:
            yield from (replace(fault, field=field + fault.field) for fault in check_schema(schema))


def list_kinds(definition: Document) -> list[Kind]:
    """The kinds a definition makes: one for each version it serves."""
    spec = definition["spec"]
    names = spec["names"]
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
            columns=tuple(_column(column) for column in version.get("additionalPrinterColumns") or ()),
            has_status="status" in (version.get("subresources") or {}),
            counts_generation=True,
            is_custom=True,
            stored_version=stored,
            warning=_warn(spec["group"], version, names["kind"]),
        )
        for version in spec["versions"]
        if version["served"]
    ]


def _warn(group: str, version: Document, kind: str) -> str:
    """What Kubernetes says of a deprecated version, unless its definition has other words."""
    if not version.get("deprecated"):
        return ""
    return str(version.get("deprecationWarning") or f"{group}/{version['name']} {kind} is deprecated")


def _complete(schema: Document) -> Document:
    own = {"apiVersion": STRING, "kind": STRING, "metadata": METADATA}
    return schema | {"type": "object", "properties": (schema.get("properties") or {}) | own}


def _column(column: Document) -> Column:
    path = column["jsonPath"]

    def show(document: Document) -> object:
        found = jsonpath.find(document, path)
        return ",".join(map(str, found)) if len(found) > 1 else next(iter(found), None)

    return Column(
        column["name"],
        show,
        type=column["type"],
        priority=column.get("priority", 0),
        description=column.get("description", ""),
    )
