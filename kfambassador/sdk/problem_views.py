"""What the gateway says of objects and of what is wrong with them, as small immutable objects."""

from enum import StrEnum

from kfambassador.problems import ObjectKey, Origin, Problem, Severity
from kfambassador.sdk.faces.states import show_problems
from kfambassador.sdk.views import View


class SourceState(StrEnum):
    """How far an object's configuration has come; the gateway's own words."""

    PENDING = "pending"
    SERVING = "serving"
    REJECTED = "rejected"
    UNKNOWN = "unknown"


class ProblemView(View, frozen=True):
    """A problem as the gateway tells it; see :class:`~kfambassador.problems.Problem`."""

    severity: Severity
    code: str
    message: str
    path: str = ""
    file: str = ""
    object: str = ""
    document: int | None = None
    line: int | None = None

    def as_problem(self) -> Problem:
        """The same as one of ours."""
        origin = Origin(_read_key(self.object), document=self.document, line=self.line, file=self.file)
        return Problem(self.code, self.message, origin, path=self.path, severity=self.severity)


class ProblemList(tuple[Problem, ...]):
    """Problems; printed, one a line.

    Example:
        >>> ProblemList()
        no problems
    """

    __slots__ = ()

    def __repr__(self) -> str:
        return "\n".join(map(str, self)) if self else "no problems"

    def _repr_html_(self) -> str:
        return show_problems(self)


class Source(View, frozen=True):
    """What became of one object that carries configuration.

    Attributes:
        state: How far it has come.
        resource_version: The version that was read, "" when the object was never seen.
        mappings: Its mappings that are in the table, as namespace/name.
        problems: What is wrong with it.
    """

    state: SourceState
    resource_version: str = ""
    mappings: tuple[str, ...] = ()
    problems: tuple[ProblemView, ...] = ()


def _read_key(text: str) -> ObjectKey | None:
    kind, _, place = text.partition(" ")
    namespace, slash, name = place.rpartition("/")
    return ObjectKey(kind, namespace if slash else "", name) if place else None
