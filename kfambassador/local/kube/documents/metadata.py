"""Metadata: the rules every object's name, labels and annotations keep. Pure."""

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from enum import Enum
from typing import Final

from kfambassador.local.kube.documents.document import Document, are_same, metadata_of, name_of, without
from kfambassador.local.kube.documents.faults import Fault, FieldFault

#: The most bytes all annotations of an object may have together.
ANNOTATION_LIMIT: Final = 256 * 1024

_FINALIZERS: Final = ("foregroundDeletion", "kubernetes", "orphan")
_OMITTED: Final = frozenset({"annotations", "finalizers", "labels", "managedFields", "ownerReferences"})

_LABEL_VALUE: Final = re.compile(r"(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?")
_QUALIFIED: Final = re.compile(
    r"([a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*/)?"
    r"([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]"
)
_LABEL_LENGTH: Final = 63


class NameRule(Enum):
    """What a name may look like: its pattern, its greatest length, and the rule in words."""

    SUBDOMAIN = (
        r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*",
        253,
        (
            "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must"
            " start and end with an alphanumeric character"
        ),
        "example.com",
    )
    LABEL = (
        r"[a-z0-9]([-a-z0-9]*[a-z0-9])?",
        63,
        (
            "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and"
            " end with an alphanumeric character"
        ),
        "my-name",
    )
    PATH = (
        r"(?!\.\.?$)[^/%]+",
        253,
        "may not be '.' or '..' and may not contain '/' or '%'",
        "system:view",
    )
    SERVICE = (
        r"[a-z]([-a-z0-9]*[a-z0-9])?",
        63,
        (
            "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic"
            " character, and end with an alphanumeric character"
        ),
        "my-name",
    )

    def find_fault(self, name: str, field: str) -> FieldFault | None:
        """What is wrong with a name, None when nothing is.

        Example:
            >>> NameRule.SERVICE.find_fault("web", "metadata.name") is None
            True
        """
        pattern, length, words, example = self.value
        if len(name) > length:
            return FieldFault(Fault.INVALID, field, f"must be no more than {length} characters", name)
        if re.fullmatch(pattern, name):
            return None
        rule = f"{words} (e.g. '{example}', regex used for validation is '{pattern}')"
        return FieldFault(Fault.INVALID, field, rule, name)


def count_generation(document: Document, before: Document | None) -> int:
    """The generation of an object: it counts the changes of everything but metadata and status.

    Example:
        >>> old = {"metadata": {"generation": 3}, "spec": {"replicas": 1}}
        >>> count_generation(old | {"status": {}}, old), count_generation(old | {"spec": {}}, old)
        (3, 4)
    """
    if before is None:
        return 1
    beside = ("metadata", "status", "apiVersion")
    is_changed = not are_same(without(document, *beside), without(before, *beside))
    return int(metadata_of(before).get("generation", 1)) + is_changed


def check_metadata(document: Document, rule: NameRule) -> Iterator[FieldFault]:
    """Find what is wrong with an object's metadata."""
    name = name_of(document)
    fault = rule.find_fault(name, "metadata.name") if name else _NAME_MISSING
    if fault:
        yield fault
    metadata = metadata_of(document)
    for key, value in (metadata.get("labels") or {}).items():
        yield from _check_label(key, value)
    annotations: dict[str, str] = metadata.get("annotations") or {}
    for key in annotations:
        if not _QUALIFIED.fullmatch(key.lower()):
            yield FieldFault(Fault.INVALID, "metadata.annotations", _QUALIFIED_RULE, key)
    if (
        sum(
            len(key.encode(errors="replace")) + len(value.encode(errors="replace"))
            for key, value in annotations.items()
        )
        > ANNOTATION_LIMIT
    ):
        yield FieldFault(Fault.TOO_LONG, "metadata.annotations", f"may not be more than {ANNOTATION_LIMIT} bytes")
    yield from _check_references(metadata.get("ownerReferences") or [])
    for name in metadata.get("finalizers") or ():
        yield from check_qualified(name, "metadata.finalizers")


def check_change(document: Document, before: Document) -> Iterator[FieldFault]:
    """Find what is wrong with a change of an object's metadata."""
    if "deletionTimestamp" not in metadata_of(before):
        return
    old, new = (metadata_of(each).get("finalizers") or () for each in (before, document))
    if added := sorted(set(new) - set(old)):
        shown = "[]string{" + ", ".join(json.dumps(each) for each in added) + "}"
        rule = f"no new finalizers can be added if the object is being deleted, found new finalizers {shown}"
        yield FieldFault(Fault.FORBIDDEN, "metadata.finalizers", rule)


def check_finalizers(document: Document, before: Document | None) -> Iterator[FieldFault]:
    """Find finalizers of a built-in object that are neither Kubernetes' own nor named after who handles them."""
    held = metadata_of(before).get("finalizers") or () if before else ()
    for place, name in enumerate(metadata_of(document).get("finalizers") or ()):
        if "/" not in name and name not in (*_FINALIZERS, *held):
            rule = "name is neither a standard finalizer name nor is it fully qualified"
            yield FieldFault(Fault.INVALID, f"metadata.finalizers[{place}]", rule, name)


def tidy(document: Document) -> Document:
    """The same object without what is empty in its metadata: labels that are none are not there.

    Example:
        >>> tidy({"metadata": {"name": "a", "labels": {}, "finalizers": []}})
        {'metadata': {'name': 'a'}}
    """
    metadata = document.get("metadata")
    if not isinstance(metadata, dict) or not any(metadata.get(field) in ({}, []) for field in _OMITTED):
        return document
    kept = {field: value for field, value in metadata.items() if field not in _OMITTED or value not in ({}, [])}
    return document | {"metadata": kept}


def _check_references(references: list[Document]) -> Iterator[FieldFault]:
    for place, reference in enumerate(references):
        for field, rule in (("apiVersion", "version must not be empty"), ("kind", ""), ("name", ""), ("uid", "")):
            if not reference.get(field):
                path = f"metadata.ownerReferences[{place}].{field}"
                yield FieldFault(Fault.INVALID, path, rule or f"{field} must not be empty", reference.get(field, ""))
    if sum(1 for reference in references if reference.get("controller")) > 1:
        rule = "Only one reference can have Controller set to true"
        yield FieldFault(Fault.INVALID, "metadata.ownerReferences", rule, [*references])


def _check_label(key: str, value: str) -> Iterator[FieldFault]:
    yield from check_qualified(key, "metadata.labels")
    yield from check_label_value(value, "metadata.labels")


def check_label_value(value: str, path: str) -> Iterator[FieldFault]:
    """Find what is wrong with the value of a label."""
    if len(value) > _LABEL_LENGTH:
        yield FieldFault(Fault.INVALID, path, f"must be no more than {_LABEL_LENGTH} characters", value)
    elif not _LABEL_VALUE.fullmatch(value):
        yield FieldFault(Fault.INVALID, path, _LABEL_RULE, value)


def check_labels(labels: Document, path: str) -> Iterator[FieldFault]:
    """Find what is wrong with labels that stand elsewhere than in metadata."""
    for key, value in labels.items():
        yield from (replace(fault, field=path) for fault in _check_label(key, value))


def check_qualified(name: str, path: str) -> Iterator[FieldFault]:
    """Find out whether a name may have a prefix, as the key of a label."""
    if not _QUALIFIED.fullmatch(name) or len(name.rpartition("/")[2]) > _LABEL_LENGTH:
        yield FieldFault(Fault.INVALID, path, _QUALIFIED_RULE, name)


_NAME_MISSING: Final = FieldFault(Fault.REQUIRED, "metadata.name", "name or generateName is required")
_QUALIFIED_RULE: Final = (
    "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric"
    " character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is"
    " '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')"
)
_LABEL_RULE: Final = (
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and"
    " end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is"
    " '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')"
)
