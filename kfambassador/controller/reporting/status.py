"""What a Mapping's status says: whether it is served, and in words what is wrong with it. Pure.

Besides ``state`` and ``reason``, which Ambassador has, there are conditions as Kubernetes has them. Each is always
there, so that ``kubectl wait`` can be asked for either outcome.
"""

import sys
from collections.abc import Mapping as Dict
from collections.abc import Sequence
from typing import Final, NamedTuple

from kfambassador.controller.reporting.words import camel_case, cut, word
from kfambassador.controller.state import SourceState, SourceStatus
from kfambassador.problems import Problem, Severity
from kfambassador.resources.fields import as_objects, as_text

RUNNING: Final = "Running"
INACTIVE: Final = "Inactive"

#: It is accepted and programmed: what ``kubectl wait --for=condition=Ready`` asks for.
READY: Final = "Ready"
#: Nothing in it keeps it from being served.
ACCEPTED: Final = "Accepted"
#: Every Envoy of the replica that writes has it in force.
PROGRAMMED: Final = "Programmed"
#: Somebody else has what it wants: a name, a path, or a route to itself.
CONFLICTED: Final = "Conflicted"
#: Envoy refused it, and it is held back so that all others are served.
QUARANTINED: Final = "Quarantined"

CONDITIONS: Final = (READY, ACCEPTED, PROGRAMMED, CONFLICTED, QUARANTINED)

# What another gateway is to say.
_NOT_OURS = "other-gateway"
_REFUSED = "envoy-rejected"
# Pods take their time: a status that follows them would be written again and again, and nothing written is at fault.
_PASSING = "no-endpoints"
_LONGEST_REASON = 2000
_TRUE: Final = "True"
_FALSE: Final = "False"
_NOT_YET: Final = "no Envoy of the gateway has acknowledged it yet"


class Condition(NamedTuple):
    """One thing that is true of a Mapping or not.

    Attributes:
        type: Which.
        status: ``True`` or ``False``.
        reason: Why, in one word for programs.
        message: Why, for a person; "" when there is nothing to say.
    """

    type: str
    status: str
    reason: str
    message: str = ""


class Verdict(NamedTuple):
    """What became of a Mapping.

    Attributes:
        state: ``Running`` or ``Inactive`` (Ambassador, "MappingStatus"); "" while it is not decided.
        reason: What is wrong, in words; "" when nothing is.
        conditions: The same as conditions, in the order of :data:`CONDITIONS`.
    """

    state: str
    reason: str
    conditions: tuple[Condition, ...]

    @property
    def code(self) -> str:
        """What became of it in one word for programs."""
        return self.conditions[0].reason


class Stated(NamedTuple):
    """A condition as a status has it.

    Attributes:
        condition: What it says.
        generation: Which spec was judged.
        since: When its status changed last.
    """

    condition: Condition
    generation: int
    since: str


class Statement(NamedTuple):
    """What a status says, as far as it is ours to say; kept for every Mapping, so it is small."""

    state: str = ""
    reason: str = ""
    stated: tuple[Stated, ...] = ()

    @property
    def generation(self) -> int:
        """The newest spec anything was said of; 0 where nothing was."""
        return max((each.generation for each in self.stated), default=0)


def judge(source: SourceStatus) -> Verdict | None:
    """Say what became of a Mapping; None when it does not exist, or when it is another gateway's to say.

    Example:
        >>> from kfambassador.problems import ObjectKey
        >>> verdict = judge(SourceStatus(ObjectKey("Mapping", "team", "m"), "7", SourceState.SERVING))
        >>> verdict.state, [(each.type, each.status) for each in verdict.conditions][:3]
        ('Running', [('Ready', 'True'), ('Accepted', 'True'), ('Programmed', 'True')])
    """
    if source.state is SourceState.UNKNOWN or any(problem.code == _NOT_OURS for problem in source.problems):
        return None
    told = [each for each in source.problems if each.severity is not Severity.NOTICE and each.code != _PASSING]
    told.sort(key=lambda problem: problem.severity is not Severity.ERROR)
    reason, more = _join(told), (_judge_conflict(told), _judge_quarantine(told))
    if source.state is SourceState.REJECTED:
        code = camel_case(told[0].code)
        programmed = Condition(PROGRAMMED, _FALSE, "NotAccepted", "what is not accepted is not given to Envoy")
        refused = (Condition(READY, _FALSE, code, reason), Condition(ACCEPTED, _FALSE, code, reason))
        return Verdict(INACTIVE, reason, (*refused, programmed, *more))
    accepted = Condition(ACCEPTED, _TRUE, "Accepted", reason)
    if source.state is SourceState.PENDING:
        pending = (
            Condition(READY, _FALSE, "Pending", _NOT_YET),
            accepted,
            Condition(PROGRAMMED, _FALSE, "Pending", _NOT_YET),
        )
        return Verdict("", _NOT_YET, (*pending, *more))
    served = (Condition(READY, _TRUE, "Served", reason), accepted, Condition(PROGRAMMED, _TRUE, "Programmed"))
    return Verdict(RUNNING, reason, (*served, *more))


def _judge_conflict(told: Sequence[Problem]) -> Condition:
    found = [problem for problem in told if problem.is_conflict]
    if not found:
        return Condition(CONFLICTED, _FALSE, "NoConflict")
    return Condition(CONFLICTED, _TRUE, camel_case(found[0].code), _join(found))


def _judge_quarantine(told: Sequence[Problem]) -> Condition:
    found = [problem for problem in told if problem.code == _REFUSED]
    if not found:
        return Condition(QUARANTINED, _FALSE, "NotQuarantined")
    return Condition(QUARANTINED, _TRUE, camel_case(_REFUSED), _join(found))


def _join(problems: Sequence[Problem]) -> str:
    return cut("; ".join(dict.fromkeys(map(word, problems))), _LONGEST_REASON)


def read_statement(status: Dict[str, object]) -> Statement:
    """Read what a status says."""
    by_type = {as_text(each.get("type")): each for each in as_objects(status.get("conditions"))}
    stated = tuple(_read(by_type[name]) for name in CONDITIONS if name in by_type)
    return Statement(_known(status.get("state")), _known(status.get("reason")), stated)


def _read(condition: Dict[str, object]) -> Stated:
    generation = condition.get("observedGeneration")
    texts = (_known(condition.get(name)) for name in ("type", "status", "reason", "message"))
    since = as_text(condition.get("lastTransitionTime"))
    return Stated(Condition(*texts), generation if isinstance(generation, int) else 0, since)


def _known(value: object) -> str:
    # Ten thousand statuses say the same few things.
    return sys.intern(as_text(value))


def write_status(verdict: Verdict, *, generation: int, before: Statement, now: str) -> dict[str, object]:
    """Write a status.

    Args:
        verdict: What became of the Mapping.
        generation: The ``metadata.generation`` of the object that was judged.
        before: What its status says: a condition whose status stays has its time.
        now: The time as Kubernetes writes it.
    """
    since = {each.condition.type: each for each in before.stated}
    conditions = [_write(each, generation, since.get(each.type), now) for each in verdict.conditions]
    return {"state": verdict.state, "reason": verdict.reason, "conditions": conditions}


def _write(condition: Condition, generation: int, before: Stated | None, now: str) -> dict[str, object]:
    stays = before is not None and before.condition.status == condition.status and before.since
    return {
        **condition._asdict(),
        "observedGeneration": generation,
        "lastTransitionTime": before.since if before is not None and stays else now,
    }


def says(statement: Statement, verdict: Verdict, *, generation: int) -> bool:
    """Tell whether a status says this already."""
    return (
        (statement.state, statement.reason) == (verdict.state, verdict.reason)
        and len(statement.stated) == len(verdict.conditions)
        and all(
            stated.condition == condition and stated.generation == generation
            for stated, condition in zip(statement.stated, verdict.conditions, strict=True)
        )
    )
