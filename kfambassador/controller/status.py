"""What a Mapping's status says: whether it is served, and in words what is wrong with it. Pure."""

from collections.abc import Iterable
from collections.abc import Mapping as Dict
from dataclasses import dataclass
from typing import Final

from kfambassador.controller.state import SourceState, SourceStatus
from kfambassador.problems import Problem, Severity
from kfambassador.resources.fields import as_object, as_objects

RUNNING: Final = "Running"
INACTIVE: Final = "Inactive"

#: The condition that ``kubectl wait --for=condition=Ready`` asks for.
READY: Final = "Ready"

# What another gateway is to say.
_NOT_OURS = "other-gateway"
# Pods take their time: a status that follows them would be written again and again, and nothing written is at fault.
_PASSING = "no-endpoints"
_LONGEST_REASON = 2000


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of a Mapping.

    Attributes:
        state: ``Running`` or ``Inactive`` (Ambassador, "MappingStatus").
        reason: What is wrong, in words; "" when nothing is.
        code: The same in one word for programs.
    """

    state: str
    reason: str = ""
    code: str = "Served"


_SERVED: Final = Verdict(RUNNING)


def judge(source: SourceStatus) -> Verdict | None:
    """Say what became of a Mapping; None when nothing is decided, or when it is another gateway's to say.

    Example:
        >>> from kfambassador.problems import ObjectKey
        >>> judge(SourceStatus(ObjectKey("Mapping", "team", "m"), "7", SourceState.SERVING))
        Verdict(state='Running', reason='', code='Served')
    """
    if source.state not in {SourceState.SERVING, SourceState.REJECTED}:
        return None
    if not source.problems and source.state is SourceState.SERVING:
        return _SERVED
    if any(problem.code == _NOT_OURS for problem in source.problems):
        return None
    told = [each for each in source.problems if each.severity is not Severity.NOTICE and each.code != _PASSING]
    told.sort(key=lambda problem: problem.severity is not Severity.ERROR)
    reason = _cut("; ".join(dict.fromkeys(_word(problem) for problem in told)))
    if source.state is SourceState.SERVING:
        return Verdict(RUNNING, reason)
    return Verdict(INACTIVE, reason, _camel_case(told[0].code))


def _word(problem: Problem) -> str:
    # Who may read a Mapping need not be allowed to see other namespaces.
    problem = problem.told_to(lambda _namespace: False)
    return f"{problem.path}: {problem.message}" if problem.path else problem.message


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST_REASON else f"{text[: _LONGEST_REASON - 3]}..."


def _camel_case(code: str) -> str:
    return "".join(part.capitalize() for part in code.split("-"))


def write_status(verdict: Verdict, *, generation: int, before: Dict[str, object], now: str) -> dict[str, object]:
    """Write a status.

    Args:
        verdict: What became of the Mapping.
        generation: The ``metadata.generation`` of the object that was judged.
        before: The status it has; conditions of others are kept.
        now: The time as Kubernetes writes it.
    """
    known = as_objects(before.get("conditions"))
    status = "True" if verdict.state == RUNNING else "False"
    old = _find_ready(known)
    since = old.get("lastTransitionTime") if old.get("status") == status else None
    condition: dict[str, object] = {
        "type": READY,
        "status": status,
        "reason": verdict.code,
        "message": verdict.reason,
        "observedGeneration": generation,
        "lastTransitionTime": since or now,
    }
    others = [each for each in known if each.get("type") != READY]
    return {"state": verdict.state, "reason": verdict.reason, "conditions": [*others, condition]}


def says(status: Dict[str, object], verdict: Verdict, *, generation: int) -> bool:
    """Tell whether a status says this already."""
    wanted = write_status(verdict, generation=generation, before=status, now="")
    return all(status.get(key) == value for key, value in wanted.items() if key != "conditions") and (
        _find_ready(as_objects(wanted["conditions"])) == _find_ready(as_objects(status.get("conditions")))
    )


def _find_ready(conditions: Iterable[Dict[str, object]]) -> Dict[str, object]:
    return next((as_object(each) for each in conditions if each.get("type") == READY), {})
