"""What Kubernetes Events say of an object's problems. Pure.

Events of core/v1: every release has them, ``kubectl describe`` reads them, and those of events.k8s.io are the same
objects. An Event is named after what it says, so the same is never told twice, whoever tells it: a controller that
starts again, or another replica, meets the name and leaves it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Final, NamedTuple

from kfambassador.controller.reporting.words import camel_case, cut, word
from kfambassador.kube.kinds import EVENT
from kfambassador.kube.objects import Manifest
from kfambassador.names import CONFIG_ANNOTATION, FIELD_MANAGER
from kfambassador.problems import ObjectKey, Problem, Severity, find_field

WARNING: Final = "Warning"
NORMAL: Final = "Normal"

#: Of one object no more problems are told at a time; the last one says how many there are besides.
MOST: Final = 10

# What Kubernetes takes as the longest note of an Event.
_LONGEST: Final = 1024
_LONGEST_NAME: Final = 200
_TOP: Final = frozenset({"apiVersion", "kind", "metadata", "spec"})
_REST: Final = "MoreProblems"
_MENDED: Final = "ConfigurationMended"
# Pods take their time, and nothing written is at fault.
_PASSING: Final = "no-endpoints"


@dataclass(frozen=True, slots=True)
class Subject:
    """The object an Event is about, as it was seen.

    Attributes:
        key: Which object.
        api_version: Its apiVersion.
        uid: Its uid: an object of the same name that is made later is another one.
        version: Its resourceVersion.
    """

    key: ObjectKey
    api_version: str
    uid: str
    version: str


class Remark(NamedTuple):
    """What is to be told of an object.

    Attributes:
        kind: ``Warning`` or ``Normal``.
        reason: The problem's code as Kubernetes writes reasons.
        message: The document, the field, what is wrong with it and what to do.
        field: Where in the object, as Kubernetes writes it.
    """

    kind: str
    reason: str
    message: str
    field: str


def remark(problems: Iterable[Problem]) -> tuple[Remark, ...]:
    """Say what is to be told of one object's problems, errors first.

    What several documents have in common is told once. Notices are not told: nothing is wrong there.

    Example:
        >>> from kfambassador.problems import Origin
        >>> origin = Origin(ObjectKey("Service", "team", "iris"), document=2)
        >>> [told] = remark([Problem("wrong-type", "expected a number", origin, path="timeout_ms")])
        >>> print(told.reason, "|", told.message)
        WrongType | annotation document 2: timeout_ms: expected a number
        >>> print(told.field)
        metadata.annotations['getambassador.io/config']
    """
    alike: dict[Problem, list[int]] = {}
    for problem in problems:
        if problem.severity is not Severity.NOTICE and problem.code != _PASSING:
            documents = alike.setdefault(problem.of_object(), [])
            documents += [problem.origin.document] if problem.origin.document is not None else []
    ordered = sorted(alike.items(), key=lambda item: item[0].severity is not Severity.ERROR)
    told = [_remark(problem, sorted(set(documents))) for problem, documents in ordered]
    if len(told) <= MOST:
        return tuple(told)
    rest = f"and {len(told) - MOST + 1} more problems; kfambassador problems, or the read API, tells them all"
    return (*told[: MOST - 1], Remark(WARNING, _REST, rest, ""))


def _remark(problem: Problem, documents: Sequence[int]) -> Remark:
    place = "".join(f"{_place(documents)}: " if documents else "")
    field = f"metadata.annotations['{CONFIG_ANNOTATION}']" if documents else _field(problem)
    return Remark(WARNING, camel_case(problem.code), cut(f"{place}{word(problem)}", _LONGEST), field)


def _place(documents: Sequence[int]) -> str:
    *most, last = documents
    return f"annotation documents {', '.join(map(str, most))} and {last}" if most else f"annotation document {last}"


def _field(problem: Problem) -> str:
    path = problem.path
    if "/" in path:
        return f"metadata.annotations['{path}']"
    # Some faults are of the object, and some of the mapping in its spec.
    return path if find_field(path) in _TOP else f"spec.{path}" if path else "spec"


#: What is told once of an object that Warnings were written about, when nothing is wrong with it any more.
MENDED: Final = Remark(NORMAL, _MENDED, "nothing is wrong any more: what it says is served", "")


def name_event(subject: Subject, told: Remark) -> str:
    """Name an Event after what it says, and of which object."""
    digest = blake2b("\0".join((subject.uid, *told)).encode(), digest_size=8).hexdigest()
    return f"{subject.key.name[:_LONGEST_NAME].rstrip('-.')}.{digest}"


def write_event(subject: Subject, told: Remark, *, identity: str, now: str) -> Manifest:
    """Write an Event.

    Args:
        subject: The object.
        told: What is told of it.
        identity: Which replica tells it.
        now: The time as Kubernetes writes it.
    """
    involved = {
        "apiVersion": subject.api_version,
        "kind": subject.key.kind,
        "namespace": subject.key.namespace,
        "name": subject.key.name,
        "uid": subject.uid,
        "resourceVersion": subject.version,
    }
    return {
        "apiVersion": EVENT.api_version,
        "kind": EVENT.kind,
        "metadata": {"name": name_event(subject, told), "namespace": subject.key.namespace},
        "involvedObject": involved | ({"fieldPath": told.field} if told.field else {}),
        "type": told.kind,
        "reason": told.reason,
        "message": told.message,
        "source": {"component": FIELD_MANAGER},
        "reportingComponent": FIELD_MANAGER,
        "reportingInstance": identity,
        "firstTimestamp": now,
        "lastTimestamp": now,
        "count": 1,
    }
