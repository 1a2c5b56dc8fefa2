"""What a route browser shows, as plain data: a row for each route, and what is live of it. Pure."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from kfambassador.problems import Problem, Severity
from kfambassador.routing import describe
from kfambassador.routing.describe import Json
from kfambassador.sdk.traffic.statistics import Statistics
from kfambassador.sdk.views import Generation, Route, Split

#: Something that a route browser is told.
Event: TypeAlias = dict[str, Json]

#: Where something was written: the object, and which document of its annotation.
Place: TypeAlias = tuple[str, int | None]

#: From what is worst to what is best; a row has the worst.
STATES: Final = ("rejected", "conflict", "warned", "pending", "serving")


@dataclass
class TableBuilder:
    """Builds the table of a route browser, and remembers which rows Envoy has yet to acknowledge.

    Attributes:
        gateway: What is told of the gateway itself.
        knows_envoy: Whether it is ever told what Envoy has acknowledged; nothing is called pending where it is not.
    """

    gateway: Mapping[str, Json]
    knows_envoy: bool = True
    _known: dict[str, Json] | None = None
    _changed: dict[str, int] = field(default_factory=dict)

    def build(self, routes: Sequence[Route], problems: Sequence[Problem], generation: Generation) -> Event:
        """Build the whole table.

        Args:
            routes: In the order they are evaluated.
            problems: Everything that is wrong.
            generation: Which table they were read from.
        """
        by_place = _group(problems)
        rows = [_write_route(route, by_place, problems) for route in routes]
        shown = {_place_of(split) for route in routes for split in route.receivers}
        rows += [_write_left(place, numbers, problems) for place, numbers in by_place.items() if place not in shown]
        _name_apart(rows)
        if self.knows_envoy:
            self._mark_pending(rows, generation)
        return {
            "kind": "table",
            "generation": generation.generation,
            "served": generation.served,
            "routes": [*rows],
            "problems": [describe_problem(problem) for problem in problems],
            "gateway": dict(self.gateway),
        }

    def _mark_pending(self, rows: Iterable[dict[str, Json]], generation: Generation) -> None:
        known: dict[str, Json] = {}
        changed: dict[str, int] = {}
        for row in rows:
            name = str(row["id"])
            known[name] = row["splits"]
            # Of the first table it is not known what of it is new.
            is_same = self._known is None or self._known.get(name) == row["splits"]
            changed[name] = self._changed.get(name, 0) if is_same else generation.generation
            is_late = generation.served is None or changed[name] > generation.served
            if is_late and row["state"] == "serving":
                row["state"] = "pending"
        self._known, self._changed = known, changed


def build_figures(window: Statistics, *, seconds: float) -> Event:
    """What was counted of each mapping's requests in a window; what had none is left out.

    Args:
        window: The counts.
        seconds: How long it was.
    """
    figures: dict[str, Json] = {}
    for row in window:
        if not row.requests or row.hidden:
            continue
        p99 = row.p99_ms
        told: list[Json] = [
            round(row.requests / seconds, 3) if seconds else 0.0,
            round(row.error_rate, 4),
            None if p99 is None else round(p99, 2),
            len(row.mappings) + len(row.shared_with) - 1,
        ]
        figures |= dict.fromkeys(row.mappings, told)
    return {"kind": "figures", "at": window.at, "seconds": seconds, "figures": figures}


def describe_problem(problem: Problem) -> dict[str, Json]:
    """Describe a problem as the read API does, and whether it is a conflict."""
    described = describe.describe_problem(problem)
    # What a gateway serves comes from objects, never from a file.
    del described["file"]
    return {**described, "conflict": problem.is_conflict}


def _name_apart(rows: Iterable[dict[str, Json]]) -> None:
    """Number rows that ask for the same in words, such as with and without regard to case."""
    times: Counter[str] = Counter()
    for row in rows:
        name = str(row["id"])
        times[name] += 1
        if times[name] > 1:
            row["id"] = f"{name} #{times[name]}"


def _group(problems: Sequence[Problem]) -> dict[Place, list[int]]:
    """The problems of each place, by their numbers."""
    grouped: dict[Place, list[int]] = defaultdict(list)
    for number, problem in enumerate(problems):
        origin = problem.origin
        grouped[origin.object_name, origin.document].append(number)
    return grouped


def _place_of(split: Split) -> Place:
    return split.object, split.document


def _write_route(route: Route, by_place: Mapping[Place, list[int]], problems: Sequence[Problem]) -> dict[str, Json]:
    parts = [*((split, False) for split in route.splits), *((shadow, True) for shadow in route.shadows)]
    numbers = list(dict.fromkeys(n for split, _ in parts for n in by_place.get(_place_of(split), ())))
    method, path, conditions = route.method, route.path, route.conditions
    return {
        "id": " ".join(part for part in (method, path, conditions, str(route.precedence or "")) if part),
        "method": method,
        "path": path,
        "conditions": conditions,
        "precedence": route.precedence,
        "namespace": route.splits[0].mapping.partition("/")[0] if route.splits else "",
        "state": _judge([problems[number] for number in numbers], served=True),
        "splits": [_write_split(split, copy=copy) for split, copy in parts],
        "problems": [*numbers],
    }


def _write_split(split: Split, *, copy: bool) -> dict[str, Json]:
    return {
        "mapping": split.mapping,
        "service": split.place,
        "rewrite": split.path,
        "share": split.share,
        "copy": copy,
        "object": split.object,
        "document": split.document,
        "line": split.line,
    }


def _write_left(place: Place, numbers: list[int], problems: Sequence[Problem]) -> dict[str, Json]:
    """A row for what has problems and is in no route."""
    name, document = place
    first = problems[numbers[0]]
    key = first.origin.object
    split: dict[str, Json] = {"mapping": "", "service": "", "rewrite": "", "share": 0, "copy": False}
    return {
        "id": f"! {name} {document or ''}",
        "method": "",
        "path": "",
        "conditions": "",
        "precedence": 0,
        "namespace": key.namespace if key else "",
        "state": _judge([problems[number] for number in numbers], served=False),
        "splits": [{**split, "object": name, "document": document, "line": first.origin.line}],
        "problems": [*numbers],
    }


def _judge(problems: Sequence[Problem], *, served: bool) -> str:
    if not served and any(problem.severity is Severity.ERROR for problem in problems):
        return "rejected"
    if any(problem.is_conflict for problem in problems):
        return "conflict"
    return "warned" if problems else "serving"
