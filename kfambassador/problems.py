"""Faults in somebody's configuration, as data: what is wrong, where it stands, and what to do about it.

A problem is never raised and never stops anybody else's route. Where an SDK call cannot go on because of problems, it
raises :class:`kfambassador.errors.MappingRejected` that carries them.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from difflib import get_close_matches
from enum import StrEnum
from typing import Final, NamedTuple

from kfambassador.displays import find_display

#: What becomes of two that want the same: a name, a path, or a route to themselves.
CONFLICTS: Final = frozenset({"duplicate-name", "conflicting-route", "conflicting-redirect", "second-shadow"})


class Severity(StrEnum):
    """What a problem does to the object it stands in."""

    #: The mapping is left out; everybody else's is served.
    ERROR = "error"
    #: The mapping is served, perhaps not as meant.
    WARNING = "warning"
    #: Worth knowing; nothing is wrong with the routes.
    NOTICE = "notice"


class ObjectKey(NamedTuple):
    """Which Kubernetes object: its kind, namespace and name.

    Example:
        >>> print(ObjectKey("Service", "kubeflow", "test"))
        Service kubeflow/test
    """

    kind: str
    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.kind} {self.namespace}/{self.name}" if self.namespace else f"{self.kind} {self.name}"


@dataclass(frozen=True, slots=True)
class Origin:
    """Where something was written.

    Attributes:
        object: The Kubernetes object that carries it; None for text that belongs to no object.
        resource_version: The object's resourceVersion when it was read; "" when it came from a file.
        document: Which YAML document of the annotation, counted from 1; None when it is the object itself.
        line: The line the document starts at in its text, counted from 1.
        file: The file it was read from; "" when it came from a cluster.

    Example:
        >>> print(Origin(ObjectKey("Service", "kubeflow", "test"), document=2))
        Service kubeflow/test, annotation document 2
    """

    object: ObjectKey | None = None
    resource_version: str = ""
    document: int | None = None
    line: int | None = None
    file: str = ""

    @property
    def object_name(self) -> str:
        """The object in words; "" when there is none."""
        return str(self.object) if self.object else ""

    def __str__(self) -> str:
        return self.tell() if self.document is None else self.tell(self.document)

    def tell(self, *documents: int) -> str:
        """Say it in words, of these documents.

        Example:
            >>> Origin(ObjectKey("Service", "kubeflow", "test")).tell(1, 2, 4)
            'Service kubeflow/test, annotation documents 1, 2 and 4'
        """
        kind = "annotation " if self.object else ""
        *most, last = documents or (0,)
        told = f"documents {', '.join(map(str, most))} and {last}" if most else f"document {last}"
        parts = (self.file, self.object_name, f"{kind}{told}" if documents else "")
        return ", ".join(part for part in parts if part) or "the text"


class Veil(NamedTuple):
    """What is told in a message's place to those who may not see a namespace it tells of.

    Attributes:
        namespace: That namespace, another than the one whose fault it is.
        message: The same without a word of what is in there.
    """

    namespace: str
    message: str


@dataclass(frozen=True, slots=True)
class Fault:
    """A problem whose place is not yet known to the function that found it; see :class:`Problem` for the fields."""

    code: str
    message: str
    path: str = ""
    severity: Severity = Severity.ERROR
    veil: Veil | None = None

    def at(self, origin: Origin) -> "Problem":
        """Say where the fault stands."""
        return Problem(
            code=self.code, message=self.message, origin=origin, path=self.path, severity=self.severity, veil=self.veil
        )


@dataclass(frozen=True, slots=True)
class Problem:
    """A fault and its place.

    Attributes:
        code: A stable word for programs, such as ``unknown-attribute`` or ``envoy-rejected``.
        message: For a person: the value, the rule and what to do.
        origin: Where it was written.
        path: The field, such as ``cors.origins[2]``; "" for the whole document.
        severity: What becomes of the mapping.
        veil: What is told instead to those who may not see the other namespace the message tells of; None where it
            tells of none.

    Example:
        >>> origin = Origin(ObjectKey("Service", "kubeflow", "test"), document=1)
        >>> print(Problem("wrong-type", "expected true or false, got 'maybe'", origin, path="prefix_regex"))
        error: prefix_regex: expected true or false, got 'maybe' (Service kubeflow/test, annotation document 1)
    """

    code: str
    message: str
    origin: Origin
    path: str = ""
    severity: Severity = Severity.ERROR
    veil: Veil | None = None

    @property
    def is_conflict(self) -> bool:
        """Whether somebody else wants the same: a name, a path, or a route to themselves."""
        return self.code in CONFLICTS

    def __str__(self) -> str:
        return self.tell() if self.origin.document is None else self.tell(self.origin.document)

    def _repr_html_(self) -> str | None:
        draw = find_display("problems")
        return draw([self]) if draw else None

    def tell(self, *documents: int) -> str:
        """Say it in words, of these documents."""
        place = f"{self.path}: " if self.path else ""
        return f"{self.severity}: {place}{self.message} ({self.origin.tell(*documents)})"

    def told_to(self, sees: Callable[[str], bool]) -> "Problem":
        """The same as it may be told to somebody.

        Args:
            sees: Whether that somebody may see a namespace.

        Example:
            >>> veil = Veil("other", "it belongs to another namespace")
            >>> problem = Problem("conflicting-route", "it belongs to mapping m of other", Origin(), veil=veil)
            >>> problem.told_to(lambda namespace: namespace == "team").message
            'it belongs to another namespace'
        """
        if self.veil is None or sees(self.veil.namespace):
            return self
        return replace(self, message=self.veil.message, veil=None)

    def of_object(self) -> "Problem":
        """The same of the whole object, to be told once for all its documents."""
        return replace(self, origin=replace(self.origin, document=None, line=None))


def has_errors(problems: Iterable[Problem]) -> bool:
    """Tell whether any of the problems keeps a mapping from being served."""
    return any(problem.severity is Severity.ERROR for problem in problems)


def find_field(path: str) -> str:
    """Give the field at the beginning of a fault's path.

    Example:
        >>> find_field("cors.origins[2]"), find_field("health_checks[0].timeout"), find_field("")
        ('cors', 'health_checks', '')
    """
    return path.partition(".")[0].partition("[")[0]


def suggest(word: str, known: Iterable[str]) -> str:
    """End a sentence with the nearest known word, or with nothing when none is near.

    Example:
        >>> suggest("timeout", ["timeout_ms", "prefix"])
        '; did you mean timeout_ms?'
        >>> suggest("zzz", ["timeout_ms"])
        ''
    """
    near = get_close_matches(word, list(known), n=1, cutoff=0.6)
    return f"; did you mean {near[0]}?" if near else ""
