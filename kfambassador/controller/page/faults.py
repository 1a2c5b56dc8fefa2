"""The page of everything that is wrong, sorted by what is to be done about it. Pure."""

from collections import Counter
from collections.abc import Callable, Collection
from collections.abc import Mapping as Dict
from dataclasses import dataclass
from typing import Final, NamedTuple

from kfambassador.controller.page.listing import Cut, cut_page, read_page
from kfambassador.controller.state import Work
from kfambassador.problems import ObjectKey, Problem, Severity
from kfambassador.resources.secrecy import hide_message

_QUARANTINED: Final = "envoy-rejected"


class Sort(NamedTuple):
    """Problems of one sort.

    Attributes:
        key: What it is called in addresses.
        title: What it is called on the page.
        advice: What is to be done about them.
        holds: Tells whether a problem is of it; of several the first counts.
    """

    key: str
    title: str
    advice: str
    holds: Callable[[Problem], bool]


#: All sorts, the most pressing first.
SORTS: Final = (
    Sort(
        "quarantined",
        "Held back",
        "Envoy refuses these; they are left out until their text changes, and everybody else's routes are served.",
        lambda problem: problem.code == _QUARANTINED,
    ),
    Sort(
        "conflicts",
        "Conflicts",
        "Two want the same: a name, a path, or a route to themselves. The older one has it.",
        lambda problem: problem.is_conflict,
    ),
    Sort(
        "errors",
        "Errors",
        "These are left out; everybody else's routes are served.",
        lambda problem: problem.severity is Severity.ERROR,
    ),
    Sort(
        "warnings",
        "Warnings",
        "These are served, perhaps not as meant.",
        lambda problem: problem.severity is Severity.WARNING,
    ),
    Sort("notices", "Notices", "Worth knowing; nothing is wrong with the routes.", lambda _problem: True),
)


@dataclass(frozen=True, slots=True)
class Faults:
    """What is wrong.

    Attributes:
        cut: The problems of this page, each with its sort.
        counts: How many there are of each sort, by its key, whatever was asked for.
        total: How many there are in all.
        words: What they are looked for by.
        sort: Which sort is asked for; "" is all.
        waiting: Objects that wait until it is found out what Envoy refuses.
    """

    cut: Cut[tuple[Sort, Problem]]
    counts: Dict[str, int]
    total: int
    words: str
    sort: str
    waiting: tuple[ObjectKey, ...]

    @property
    def query(self) -> dict[str, str]:
        """What was asked for, as an address's query without the page."""
        return {"q": self.words, "sort": self.sort}


def list_faults(work: Work, query: Dict[str, str]) -> Faults:
    """List what is wrong."""
    words, asked = query.get("q", "").strip(), query.get("sort", "")
    asked = asked if any(sort.key == asked for sort in SORTS) else ""
    problems = work.compiled.problems
    sorted_out = sorted(((_sort(problem), problem) for problem in problems), key=lambda pair: SORTS.index(pair[0]))
    wanted = words.lower().split()
    found = [
        (sort, problem) for sort, problem in sorted_out if (not asked or sort.key == asked) and _holds(problem, wanted)
    ]
    waiting = tuple(sorted(key for key in work.undecided if key in work.resources.sources))
    cut = cut_page(found, read_page(query))
    return Faults(cut, count_sorts(work), len(problems), words, asked, waiting)


def _holds(problem: Problem, words: Collection[str]) -> bool:
    """Tell whether a problem has all words, in what is shown of it."""
    shown = f"{problem.code} {problem.path} {hide_message(problem.message, problem.path)} {problem.origin}".lower()
    return all(word in shown for word in words)


def count_sorts(work: Work) -> dict[str, int]:
    """Count the problems of each sort, by its key."""
    counts = Counter(_sort(problem).key for problem in work.compiled.problems)
    return {sort.key: counts[sort.key] for sort in SORTS}


def _sort(problem: Problem) -> Sort:
    return next(sort for sort in SORTS if sort.holds(problem))
