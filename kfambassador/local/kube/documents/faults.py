"""Faults: what is wrong with a field, in Kubernetes' own words."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum

from kfambassador.local.kube.documents.document import Json


class Fault(Enum):
    """The kinds of fault; the value is the reason a Status carries and the words a person reads."""

    REQUIRED = ("FieldValueRequired", "Required value")
    INVALID = ("FieldValueInvalid", "Invalid value")
    WRONG_TYPE = ("FieldValueTypeInvalid", "Invalid value")
    UNSUPPORTED = ("FieldValueNotSupported", "Unsupported value")
    NOT_FOUND = ("FieldValueNotFound", "Not found")
    DUPLICATE = ("FieldValueDuplicate", "Duplicate value")
    FORBIDDEN = ("FieldValueForbidden", "Forbidden")
    TOO_LONG = ("FieldValueTooLong", "Too long")
    TOO_MANY = ("FieldValueTooMany", "Too many")

    @property
    def reason(self) -> str:
        """The reason a Status carries."""
        return self.value[0]

    @property
    def words(self) -> str:
        """What a person reads."""
        return self.value[1]


@dataclass(frozen=True, slots=True)
class FieldFault:
    """One fault of one field.

    Attributes:
        fault: What kind of fault.
        field: The field's path, as ``spec.ports[0].port``.
        detail: The rule, "" when the kind of fault says it all.
        value: The value at fault; not shown where a value is missing or forbidden.
    """

    fault: Fault
    field: str
    detail: str = ""
    value: Json = None

    def __str__(self) -> str:
        return f"{self.field}: {self.message}"

    @property
    def message(self) -> str:
        """The fault without its place.

        Example:
            >>> FieldFault(Fault.INVALID, "spec.port", "must be between 1 and 65535, inclusive", 0).message
            'Invalid value: 0: must be between 1 and 65535, inclusive'
        """
        shown = [] if self.fault in {Fault.REQUIRED, Fault.FORBIDDEN, Fault.TOO_LONG} else [json.dumps(self.value)]
        return ": ".join([self.fault.words, *shown, *([self.detail] if self.detail else [])])


def unsupported(field: str, value: Json, supported: "list[str] | tuple[str, ...]") -> FieldFault:
    """A value that is not one of the few allowed."""
    listed = ", ".join(json.dumps(choice) for choice in supported)
    return FieldFault(Fault.UNSUPPORTED, field, f"supported values: {listed}", value)


def list_new(found: Iterable[FieldFault], known: Iterable[FieldFault]) -> tuple[FieldFault, ...]:
    """The faults that were not there before: what an older server let in can still be changed elsewhere."""
    old = list(known)
    return tuple(fault for fault in found if fault not in old)
