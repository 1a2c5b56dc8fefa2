"""Metadata: the rules every object's name, labels and annotations keep. Pure."""

import re
from collections.abc import Iterator
from enum import Enum
from typing import Final

from kfambassador.local.kube.documents import Document, metadata_of, name_of
from kfambassador.local.kube.faults import Fault, FieldFault

#: The most bytes all annotations of an object may have together.
ANNOTATION_LIMIT: Final = 256 * 1024

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
    if sum(len(key.encode()) + len(value.encode()) for key, value in annotations.items()) > ANNOTATION_LIMIT:
        yield FieldFault(Fault.TOO_LONG, "metadata.annotations", f"may not be more than {ANNOTATION_LIMIT} bytes")


def _check_label(key: str, value: str) -> Iterator[FieldFault]:
    name = key.rpartition("/")[2]
    if not _QUALIFIED.fullmatch(key) or len(name) > _LABEL_LENGTH:
        yield FieldFault(Fault.INVALID, "metadata.labels", _QUALIFIED_RULE, key)
    if len(value) > _LABEL_LENGTH:
        yield FieldFault(Fault.INVALID, "metadata.labels", f"must be no more than {_LABEL_LENGTH} characters", value)
    elif not _LABEL_VALUE.fullmatch(value):
        yield FieldFault(Fault.INVALID, "metadata.labels", _LABEL_RULE, value)


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
