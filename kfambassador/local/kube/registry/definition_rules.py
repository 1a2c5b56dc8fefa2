"""Definition rules: what a CustomResourceDefinition must be like, beside its shape. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Final

from kfambassador.local.kube.documents.document import Document, metadata_of, name_of
from kfambassador.local.kube.documents.faults import Fault, FieldFault, unsupported
from kfambassador.local.kube.documents.metadata import NameRule
from kfambassador.local.kube.schemas.schema_rules import check_schema

#: The annotation by which the community approves of a kind in one of its groups.
APPROVAL: Final = "api-approved.kubernetes.io"
_PROTECTED: Final = ("k8s.io", "kubernetes.io")
_WHY: Final = "see https://github.com/kubernetes/enhancements/pull/1111"
_COLUMN_TYPES: Final = ("boolean", "date", "integer", "number", "string")
_COLUMN_FORMATS: Final = ("byte", "date", "date-time", "double", "float", "int32", "int64", "password")
_SELECTABLE: Final = ("string", "boolean", "integer")
_MOST_SELECTABLE: Final = 8
_LONGEST_WARNING: Final = 256
#: Under which names Kubernetes tells of what is the same in all versions.
_SHARED: Final = {"schema": "validation"}


@dataclass(frozen=True, slots=True)
class Approval:
    """Whether the community approves of a kind in one of its groups.

    Attributes:
        reason: What a condition gives as its reason, "" for a group that is nobody's but the author's.
        message: The same in words.
        is_told: Whether something that can be read was said, be it that there is no approval.
    """

    reason: str = ""
    message: str = ""
    is_told: bool = True

    @property
    def is_given(self) -> bool:
        """Whether there is an approval."""
        return self.reason == "ApprovedAnnotation"


def read_approval(definition: Document) -> Approval:
    """Read what a definition says of the community's approval."""
    group: str = definition["spec"]["group"]
    if not any(group == each or group.endswith(f".{each}") for each in _PROTECTED):
        return Approval()
    said = (metadata_of(definition).get("annotations") or {}).get(APPROVAL, "")
    rule = f'protected groups must have approval annotation "{APPROVAL}"'
    if not said:
        return Approval("MissingAnnotation", f"{rule}, {_WHY}", is_told=False)
    if said.startswith("unapproved"):
        return Approval("UnapprovedAnnotation", f'not approved: "{said}"')
    if said.startswith(("https://", "http://")):
        return Approval("ApprovedAnnotation", f"approved in {said}")
    return Approval(
        "InvalidAnnotation", f'{rule} with either a URL or a reason starting with "unapproved", {_WHY}', is_told=False
    )


def check_definition(definition: Document, before: Document | None) -> Iterator[FieldFault]:
    """Find why Kubernetes would refuse a definition.

    Args:
        definition: The definition, with the names that are filled in.
        before: The definition as it was, None when it is new. What did not change is not judged again.
    """
    spec: Document = definition["spec"]
    names: Document = spec["names"]
    if name_of(definition) != f"{names['plural']}.{spec['group']}":
        rule = 'must be spec.names.plural+"."+spec.group'
        yield FieldFault(Fault.INVALID, "metadata.name", rule, name_of(definition))
    yield from _check_group(spec["group"])
    if before:
        yield from _check_unchanged(spec, before["spec"])
    yield from _check_names(names)
    yield from _check_versions(spec["versions"], before["spec"]["versions"] if before else [])
    yield from _check_conversion(spec.get("conversion") or {})
    if spec.get("preserveUnknownFields") and not (before and before["spec"].get("preserveUnknownFields")):
        rule = "cannot set to true, set x-kubernetes-preserve-unknown-fields to true in spec.versions[*].schema instead"
        yield FieldFault(Fault.INVALID, "spec.preserveUnknownFields", rule, value=True)
    yield from _check_approval(definition, before)


def _check_group(group: str) -> Iterator[FieldFault]:
    if fault := NameRule.SUBDOMAIN.find_fault(group, "spec.group"):
        yield fault
    elif "." not in group:
        yield FieldFault(Fault.INVALID, "spec.group", "should be a domain with at least one dot", group)


def _check_unchanged(spec: Document, before: Document) -> Iterator[FieldFault]:
    for field, new, old in (
        ("spec.scope", spec["scope"], before["scope"]),
        ("spec.names.kind", spec["names"]["kind"], before["names"]["kind"]),
        ("spec.group", spec["group"], before["group"]),
        ("spec.names.plural", spec["names"]["plural"], before["names"]["plural"]),
    ):
        if new != old:
            yield FieldFault(Fault.INVALID, field, "field is immutable", new)


def _check_names(names: Document) -> Iterator[FieldFault]:
    for field in ("plural", "singular"):
        yield from _check_name(names[field], f"spec.names.{field}")
    for field in ("kind", "listKind"):
        if fault := NameRule.SERVICE.find_fault(names[field].lower(), f"spec.names.{field}"):
            detail = f"may have mixed case, but should otherwise match: {fault.detail}"
            yield replace(fault, value=names[field], detail=detail)
    if names["kind"] == names["listKind"]:
        yield FieldFault(
            Fault.INVALID, "spec.names.listKind", "kind and listKind may not be the same", names["listKind"]
        )
    for field in ("shortNames", "categories"):
        for place, name in enumerate(names.get(field) or ()):
            yield from _check_name(name, f"spec.names.{field}[{place}]")


def _check_name(name: str, field: str) -> Iterator[FieldFault]:
    if fault := NameRule.SERVICE.find_fault(name, field):
        yield fault


def _check_versions(versions: list[Document], before: list[Document]) -> Iterator[FieldFault]:
    names = [version["name"] for version in versions]
    for number, version in enumerate(versions):
        yield from _check_name(version["name"], f"spec.versions[{number}].name")
        yield from _check_deprecation(version, f"spec.versions[{number}].deprecationWarning")
        if _schema_of(version) is None:
            field = f"spec.versions[{number}].schema.openAPIV3Schema"
            yield FieldFault(Fault.REQUIRED, field, "schemas are required")
    if len({*names}) != len(names):
        yield FieldFault(Fault.INVALID, "spec.versions", "must contain unique version names", [*names])
    if sum(version["storage"] for version in versions) != 1:
        rule = "must have exactly one version marked as storage version"
        yield FieldFault(Fault.INVALID, "spec.versions", rule, [*names])
    yield from _check_parts(versions, [_schema_of(version) for version in before])


def _check_parts(versions: list[Document], known: list[Document | None]) -> Iterator[FieldFault]:
    for version, place in _told_once(versions, "schema"):
        if (schema := _schema_of(version)) is not None and schema not in known:
            field = f"{place}.openAPIV3Schema"
            yield from (replace(fault, field=field + fault.field) for fault in check_schema(schema))
    for version, place in _told_once(versions, "subresources"):
        yield from _check_scale(version["subresources"].get("scale"), f"{place}.scale")
    for version, place in _told_once(versions, "additionalPrinterColumns"):
        for number, column in enumerate(version["additionalPrinterColumns"]):
            yield from _check_column(column, f"{place}[{number}]")
    for version, place in _told_once(versions, "selectableFields"):
        yield from _check_selectable(version, place)


def _told_once(versions: list[Document], keyword: str) -> Iterator[tuple[Document, str]]:
    """The versions that have a keyword, each with its place; what all have alike stands above them, in one place."""
    if all(version.get(keyword) == versions[0].get(keyword) for version in versions):
        if versions[:1] and versions[0].get(keyword):
            yield versions[0], f"spec.{_SHARED.get(keyword, keyword)}"
        return
    for number, version in enumerate(versions):
        if version.get(keyword):
            yield version, f"spec.versions[{number}].{keyword}"


def _schema_of(version: Document) -> Document | None:
    schema: Document | None = (version.get("schema") or {}).get("openAPIV3Schema")
    return schema


def _check_deprecation(version: Document, field: str) -> Iterator[FieldFault]:
    warning = version.get("deprecationWarning")
    if warning is None:
        return
    rules = {
        "can only be set for deprecated versions": not version.get("deprecated"),
        "must be <= 256 characters long": len(warning) > _LONGEST_WARNING,
        "must not be an empty string": not warning,
        "must only contain printable UTF-8 characters": not warning.isprintable(),
    }
    yield from (FieldFault(Fault.INVALID, field, rule, warning) for rule, is_broken in rules.items() if is_broken)


def _check_scale(scale: Document | None, place: str) -> Iterator[FieldFault]:
    if scale is None:
        return
    for field, roots, demanded in (
        ("specReplicasPath", (".spec.",), True),
        ("statusReplicasPath", (".status.",), True),
        ("labelSelectorPath", (".spec.", ".status."), False),
    ):
        path = scale.get(field) or ""
        if not path and demanded:
            yield FieldFault(Fault.REQUIRED, f"{place}.{field}")
        elif path and not path.startswith("."):
            yield FieldFault(Fault.INVALID, f"{place}.{field}", "must be a simple json path starting with .", path)
        elif path and not path.startswith(roots):
            under = " or ".join(root.rstrip(".") for root in roots)
            either = "either " if len(roots) > 1 else ""
            yield FieldFault(Fault.INVALID, f"{place}.{field}", f"should be a json path under {either}{under}", path)


def _check_column(column: Document, place: str) -> Iterator[FieldFault]:
    if column["type"] not in _COLUMN_TYPES:
        rule = f"must be one of {','.join(_COLUMN_TYPES)}"
        yield FieldFault(Fault.INVALID, f"{place}.type", rule, column["type"])
    if column.get("format") and column["format"] not in _COLUMN_FORMATS:
        rule = f"must be one of {','.join(_COLUMN_FORMATS)}"
        yield FieldFault(Fault.INVALID, f"{place}.format", rule, column["format"])
    if not column["jsonPath"].startswith("."):
        rule = "must be a simple json path starting with ." if column["jsonPath"] else "must not be empty"
        yield FieldFault(Fault.INVALID, f"{place}.JSONPath", rule, column["jsonPath"])


def _check_selectable(version: Document, place: str) -> Iterator[FieldFault]:
    paths: list[str] = [each.get("jsonPath") or "" for each in version["selectableFields"]]
    for number, path in enumerate(paths):
        field = f"{place}[{number}].jsonPath"
        node: Any = _schema_of(version)
        for step in path.split(".")[1:]:
            node = (node.get("properties") or {}).get(step) if isinstance(node, dict) else None
        if not path:
            yield FieldFault(Fault.REQUIRED, field)
        elif path.startswith(".metadata"):
            yield FieldFault(Fault.INVALID, field, "must not point to fields in metadata", path)
        elif not path.startswith(".") or not isinstance(node, dict):
            yield FieldFault(Fault.INVALID, field, "is an invalid path: does not refer to a valid field", path)
        elif node.get("type") not in _SELECTABLE:
            rule = (
                "must point to a field of type string, boolean or integer. Enum string fields and strings with formats"
                " are allowed."
            )
            yield FieldFault(Fault.INVALID, field, rule, path)
        elif path in paths[:number]:
            yield FieldFault(Fault.DUPLICATE, field, "", path)
    if len({*paths}) > _MOST_SELECTABLE:
        yield FieldFault(Fault.TOO_MANY, place, f"must have at most {_MOST_SELECTABLE} items", len({*paths}))


def _check_conversion(conversion: Document) -> Iterator[FieldFault]:
    strategy, webhook = conversion.get("strategy", "None"), conversion.get("webhook") or {}
    config, versions = webhook.get("clientConfig"), webhook.get("conversionReviewVersions") or []
    place = "spec.conversion"
    if strategy not in {"None", "Webhook"}:
        yield unsupported(f"{place}.strategy", strategy, ("None", "Webhook"))
    elif strategy == "Webhook":
        if config is None:
            rule = "required when strategy is set to Webhook"
            yield FieldFault(Fault.REQUIRED, f"{place}.webhookClientConfig", rule)
        elif ("url" in config) == ("service" in config):
            rule = "exactly one of url or service is required"
            yield FieldFault(Fault.REQUIRED, f"{place}.webhookClientConfig", rule)
        if not versions:
            yield FieldFault(Fault.REQUIRED, f"{place}.conversionReviewVersions")
        elif not {"v1", "v1beta1"} & {*versions}:
            rule = "must include at least one of v1, v1beta1"
            yield FieldFault(Fault.INVALID, f"{place}.conversionReviewVersions", rule, versions)
    else:
        rule = "should not be set when strategy is not set to Webhook"
        if config is not None:
            yield FieldFault(Fault.FORBIDDEN, f"{place}.webhookClientConfig", rule)
        if versions:
            yield FieldFault(Fault.FORBIDDEN, f"{place}.conversionReviewVersions", rule)


def _check_approval(definition: Document, before: Document | None) -> Iterator[FieldFault]:
    approval = read_approval(definition)
    if approval.is_told or (before and read_approval(before).reason == approval.reason):
        return
    said = (metadata_of(definition).get("annotations") or {}).get(APPROVAL)
    fault = Fault.INVALID if said else Fault.REQUIRED
    yield FieldFault(fault, f"metadata.annotations[{APPROVAL}]", approval.message, said)
