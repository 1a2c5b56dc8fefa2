"""What the controller knows of its own work: what was compiled, what is served, and what became of each object."""

from collections.abc import Callable
from collections.abc import Mapping as Dict
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import cached_property
from typing import NamedTuple

from kfambassador.controller.provenance import Provenance
from kfambassador.kube.store import Renewal
from kfambassador.problems import ObjectKey, Problem, has_errors
from kfambassador.resources.meta import ResourceSet
from kfambassador.routing.model import Compiled, RoutingTable


class SourceState(StrEnum):
    """How far an object's configuration has come."""

    #: Read, and not yet acknowledged by every Envoy.
    PENDING = "pending"
    #: Acknowledged by every Envoy that is connected.
    SERVING = "serving"
    #: At least one of its mappings is left out; its problems say why.
    REJECTED = "rejected"
    #: No object of that name carries configuration.
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class SourceStatus:
    """One object that carries configuration.

    Attributes:
        key: Which object.
        resource_version: The version that was read, "" when the object is unknown.
        state: How far that version has come.
        is_decided: Whether every Envoy that is connected has acknowledged what became of this version.
        mappings: The mappings it carries that are in the table, as namespace/name.
        problems: What is wrong with it.
    """

    key: ObjectKey
    resource_version: str
    state: SourceState
    is_decided: bool = False
    mappings: tuple[str, ...] = ()
    problems: tuple[Problem, ...] = ()

    def told_to(self, sees: Callable[[str], bool]) -> "SourceStatus":
        """The same in words for somebody; ``sees`` tells whether they may see a namespace."""
        return replace(self, problems=tuple(problem.told_to(sees) for problem in self.problems))


class Cause(NamedTuple):
    """Something because of which a generation was compiled.

    Attributes:
        what: What happened: ``added``, ``modified`` or ``deleted`` of an object, ``listed`` of a whole kind, or what
            else it was, in words.
        kind: The kind of object; "" where it is about none.
        namespace: The object's namespace.
        name: The object's name; "" where it is about the whole kind.
    """

    what: str
    kind: str = ""
    namespace: str = ""
    name: str = ""

    def __str__(self) -> str:
        if not self.kind:
            return self.what
        object_ = str(ObjectKey(self.kind, self.namespace, self.name)) if self.name else self.kind
        return f"{object_} {self.what}"


@dataclass(frozen=True)
class Work:
    """One generation of work: what was known, and what was made of it.

    Attributes:
        resources: All that was known.
        compiled: The table and all problems.
        since: For each source, the generation at which what it comes to now was first compiled.
        undecided: Sources some of whose mappings wait for a search for the culprit of a refusal to end.
        renewed: Sources that were seen again since, saying the same; the store goes on filling it.
        causes: Why it was compiled, in the order in which it happened; of a great many only the first.
        provenance: What tells the mappings of an object; shared by one generation and the next, which differ by little.
    """

    resources: ResourceSet = field(default_factory=ResourceSet)
    compiled: Compiled = field(default_factory=lambda: Compiled(RoutingTable(), ()))
    since: Dict[ObjectKey, int] = field(default_factory=dict)
    undecided: frozenset[ObjectKey] = frozenset()
    renewed: Dict[ObjectKey, Renewal] = field(default_factory=dict)
    causes: tuple[Cause, ...] = ()
    provenance: Provenance = field(default_factory=Provenance, repr=False, compare=False)

    @property
    def generation(self) -> int:
        """The generation; 0 before the first."""
        return self.resources.generation

    def source(self, key: ObjectKey, *, served: int | None) -> SourceStatus:
        """Tell how far one object has come.

        Args:
            key: Which object.
            served: The newest generation that every connected Envoy acknowledged, None when there is none.
        """
        if key not in self.resources.sources:
            return SourceStatus(key, "", SourceState.UNKNOWN, served is not None and served >= self.generation)
        problems = tuple(self._problems_of.get(key, ()))
        mappings = self.provenance.find(self.compiled.table, key)
        is_decided = served is not None and served >= self.since[key] and key not in self.undecided
        if has_errors(problems):
            state = SourceState.REJECTED
        else:
            state = SourceState.SERVING if is_decided else SourceState.PENDING
        return SourceStatus(key, self._newest(key), state, is_decided, mappings, problems)

    def _newest(self, key: ObjectKey) -> str:
        """The newest resourceVersion that is known to say what was compiled."""
        version = self.resources.sources[key]
        renewal = self.renewed.get(key)
        return renewal.newest if renewal is not None and renewal.read == version else version

    # Made when first asked for: most generations are replaced before anybody looks.
    @cached_property
    def _problems_of(self) -> Dict[ObjectKey | None, list[Problem]]:
        found: dict[ObjectKey | None, list[Problem]] = {}
        for problem in self.compiled.problems:
            found.setdefault(problem.origin.object, []).append(problem)
        return found


def follow_sources(before: Work, resources: ResourceSet) -> dict[ObjectKey, int]:
    """Say for each source at which generation what it comes to now was first compiled.

    That changes with its resourceVersion, when its time is up, and while mappings of it are held back.
    """
    known = before.resources.sources
    # Without a new version: what expired, and what a clock that was set back brought to life again.
    unsettled = before.undecided | (before.resources.expired ^ resources.expired)
    return {
        key: before.since[key] if known.get(key) == version and key not in unsettled else resources.generation
        for key, version in resources.sources.items()
    }
