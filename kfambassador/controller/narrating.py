"""The log of a controller's work: a line for each generation, one for each problem that came or went, and what is lost.

What was written by tenants is told without what may be a secret of theirs.
"""

import logging
from collections.abc import Iterable
from dataclasses import replace
from typing import Final, NamedTuple

from kfambassador.controller.logs import FIELDS
from kfambassador.controller.observing import Observer
from kfambassador.controller.state import Work
from kfambassador.envoy.snapshot import EARLIER
from kfambassador.kube.kinds import Kind
from kfambassador.kube.reflector import Listed, Lost, News
from kfambassador.problems import Origin, Problem, Severity
from kfambassador.resources.secrecy import hide_message
from kfambassador.routing.describe import Json
from kfambassador.xds.session import NodeStatus

_log = logging.getLogger(__name__)

#: Problems told one by one for each generation, and causes named; of more only the number is told.
MOST_PROBLEMS: Final = 20
MOST_CAUSES: Final = 5

# Endpoints are watched apart from their Service, and pods take their time: no fault of what anybody wrote.
_COMES_AND_GOES: Final = "no-endpoints"


class Change(NamedTuple):
    """What is another than in the generation before.

    Attributes:
        new: Problems that were not there.
        gone: Problems that are no longer there.
    """

    new: tuple[Problem, ...]
    gone: tuple[Problem, ...]


class Narrator(Observer):
    """Logs what a controller does."""

    def __init__(self) -> None:
        self._lost: dict[Kind, str] = {}

    def see(self, news: News) -> None:
        """Log that a kind cannot be followed, and that it can be again; see :meth:`Observer.see`."""
        plural = news.kind.plural
        if isinstance(news, Lost):
            level = logging.DEBUG if self._lost.get(news.kind) == news.error else logging.WARNING
            self._lost[news.kind] = news.error
            _log.log(level, "%s cannot be followed: %s", plural, news.error, extra={FIELDS: {"resource": plural}})
        elif isinstance(news, Listed) and self._lost.pop(news.kind, None) is not None:
            _log.info("%s are followed again", plural, extra={FIELDS: {"resource": plural}})

    def note_status(self, status: NodeStatus) -> None:
        """Log that an Envoy refuses what an earlier run kept; see :meth:`Observer.note_status`."""
        rejection = status.rejection
        if rejection is not None and rejection.generation == EARLIER:
            _log.error("Envoy %s refuses what an earlier run kept: %s", status.node_id, rejection.message)

    def note_compiled(self, before: Work, now: Work, *, seconds: float) -> None:
        """Log a generation; see :meth:`Observer.note_compiled`."""
        change = compare(before, now)
        fields = describe_generation(now, change) | {"seconds": round(seconds, 6)}
        _log.info("%s", tell_generation(now, change, seconds=seconds), extra={FIELDS: fields})
        for problem in change.new[:MOST_PROBLEMS]:
            passing = problem.severity is Severity.NOTICE or problem.code == _COMES_AND_GOES
            _tell(problem, now, logging.INFO if passing else logging.WARNING, "")
        for problem in change.gone[:MOST_PROBLEMS]:
            _tell(problem, now, logging.INFO, "gone: ")
        more = len(change.new) - MOST_PROBLEMS
        if more > 0:
            words = "%d more problems; the read API has them all"
            _log.warning(words, more, extra={FIELDS: {"generation": now.generation}})


def compare(before: Work, now: Work) -> Change:
    """Find the problems that came and went; an edit that leaves one as it was brings nothing new."""
    old, new = before.compiled.problems, now.compiled.problems
    # Most are the very same objects as before, and comparing those costs the same however many there are.
    kept = frozenset(map(id, old)) & frozenset(map(id, new))
    fresh = [problem for problem in new if id(problem) not in kept]
    left = [problem for problem in old if id(problem) not in kept]
    return Change(tuple(_without(fresh, left)), tuple(_without(left, fresh)))


def _without(these: Iterable[Problem], those: Iterable[Problem]) -> list[Problem]:
    told = frozenset(map(str, those))
    return [problem for problem in these if str(problem) not in told]


def tell_generation(work: Work, change: Change, *, seconds: float) -> str:
    """Say in a line what a generation is.

    Example:
        >>> tell_generation(Work(), Change((), ()), seconds=0.004)
        'Generation 0: 0 routes, 0 clusters, made in 0.004 s'
    """
    table = work.compiled.table
    parts = [f"{_count_routes(work)} routes, {len(table.clusters)} clusters, made in {seconds:.3f} s"]
    if work.causes:
        named = ", ".join(map(str, work.causes[:MOST_CAUSES]))
        more = len(work.causes) - MOST_CAUSES
        parts.append(f"{named} and {more} more" if more > 0 else named)
    if change.new or change.gone:
        parts.append(f"problems: {len(change.new)} new, {len(change.gone)} gone")
    return f"Generation {work.generation}: {'; '.join(parts)}"


def describe_generation(work: Work, change: Change) -> dict[str, Json]:
    """Describe a generation for programs."""
    causes: list[Json] = [str(cause) for cause in work.causes[:MOST_PROBLEMS]]
    return {
        "generation": work.generation,
        "routes": _count_routes(work),
        "clusters": len(work.compiled.table.clusters),
        "causes": causes,
        "problems": len(work.compiled.problems),
        "new_problems": len(change.new),
        "gone_problems": len(change.gone),
    }


def describe_origin(problem: Problem) -> dict[str, Json]:
    """Describe where a problem stands, in parts.

    Example:
        >>> from kfambassador.problems import ObjectKey, Origin
        >>> origin = Origin(ObjectKey("Service", "default", "mnist"), document=2)
        >>> describe_origin(Problem("wrong-type", "expected text", origin, path="prefix"))
        {'kind': 'Service', 'namespace': 'default', 'name': 'mnist', 'document': 2, 'field': 'prefix'}
    """
    origin = problem.origin
    kind, namespace, name = origin.object or ("", "", "")
    return {"kind": kind, "namespace": namespace, "name": name, "document": origin.document, "field": problem.path}


def _count_routes(work: Work) -> int:
    return sum(len(host.routes) for host in work.compiled.table.virtual_hosts)


def _tell(problem: Problem, work: Work, level: int, beginning: str) -> None:
    told = replace(problem, message=hide_message(problem.message, problem.path))
    words = str(told) if problem.origin != Origin() else f"{told.severity}: {told.message}"
    fields: dict[str, Json] = {
        "generation": work.generation,
        "code": problem.code,
        "severity": problem.severity.value,
        "origin": describe_origin(problem),
    }
    _log.log(level, "%s%s", beginning, words, extra={FIELDS: fields})
