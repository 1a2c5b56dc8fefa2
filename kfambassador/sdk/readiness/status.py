"""How far a publication has come, as data: a phase, the steps to it, and what is missing. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from kfambassador.problems import Problem, suggest
from kfambassador.sdk.faces.states import show_status


class Phase(StrEnum):
    """How far a publication has come, or why it goes no further."""

    #: Kubernetes holds it; the gateway has not read this version yet.
    APPLIED = "Applied"
    #: The gateway has read it; an Envoy has yet to acknowledge it.
    ACCEPTED = "Accepted"
    #: Every Envoy has it; the model does not answer yet.
    PROGRAMMED = "Programmed"
    #: Its own model answers through the gateway.
    ANSWERING = "Answering"
    #: The gateway leaves at least one of its mappings out.
    REJECTED = "Rejected"
    #: Its time to live is over; it is served no more.
    EXPIRED = "Expired"
    #: The object that carried it is no more, or carries it no more.
    GONE = "Gone"

    @classmethod
    def read(cls, text: str) -> "Phase":
        """Read a phase by its name.

        Raises:
            ValueError: There is none of that name.

        Example:
            >>> Phase.read("Answering")
            <Phase.ANSWERING: 'Answering'>
        """
        try:
            return cls(text)
        except ValueError:
            near = suggest(str(text), [str(phase) for phase in cls])
            known = ", ".join(cls)
            raise ValueError(f"{text!r} is no phase of an exposure; there are {known}{near}") from None

    def reaches(self, wanted: "Phase") -> bool:
        """Tell whether who is here has been there: an exposure that answers was programmed and accepted.

        Example:
            >>> Phase.ANSWERING.reaches(Phase.ACCEPTED), Phase.REJECTED.reaches(Phase.ACCEPTED)
            (True, False)
        """
        if self in FAILURES or wanted in FAILURES:
            return self is wanted
        return _ORDER.index(self) >= _ORDER.index(wanted)


_ORDER: Final = (Phase.APPLIED, Phase.ACCEPTED, Phase.PROGRAMMED, Phase.ANSWERING)

#: What waiting does not mend.
FAILURES: Final = frozenset({Phase.REJECTED, Phase.EXPIRED, Phase.GONE})

#: The steps of a publication, in their order.
STEPS: Final = ("accepted", "programmed", "endpoints", "answering")


@dataclass(frozen=True, slots=True)
class Step:
    """One step on the way to an answer.

    Attributes:
        name: One of ``accepted``, ``programmed``, ``endpoints`` and ``answering``.
        done: Whether it is behind us.
        message: What is missing, or what is to be known about it; "" when there is nothing to say.
    """

    name: str
    done: bool
    message: str = ""


@dataclass(frozen=True, slots=True)
class ExposureStatus:
    """How far one publication has come.

    Attributes:
        name: The name it is published by.
        namespace: Where.
        phase: How far it has come.
        steps: Each step, done or not, in their order.
        message: What is missing, in one sentence; "" when it answers.
        cause: The likely cause and what to do, where it was looked for: one a line; "" otherwise.
        code: The same in one word for programs (``conflict``, ``no-endpoints``, ``denied``, ``unanswered``); "" when
            nothing is missing.
        problems: What the gateway has to say about its mappings.

    Example:
        >>> ExposureStatus("mnist", "team", Phase.ANSWERING)
        <ExposureStatus team/mnist Answering>
        >>> ExposureStatus("mnist", "team", Phase.PROGRAMMED, message="no endpoint is ready")
        <ExposureStatus team/mnist Programmed: no endpoint is ready>
    """

    name: str
    namespace: str
    phase: Phase
    steps: tuple[Step, ...] = ()
    message: str = ""
    cause: str = ""
    code: str = ""
    problems: tuple[Problem, ...] = ()

    @property
    def is_failure(self) -> bool:
        """Whether waiting does not mend it."""
        return self.phase in FAILURES

    @property
    def next_step(self) -> Step | None:
        """The first step that is not done; None when all are."""
        return next((step for step in self.steps if not step.done), None)

    def __bool__(self) -> bool:
        return self.phase is Phase.ANSWERING

    def __repr__(self) -> str:
        missing = self.cause.partition("\n")[0] or self.message.partition("\n")[0]
        said = f": {missing}" if missing and self.phase is not Phase.ANSWERING else ""
        return f"<ExposureStatus {self.namespace}/{self.name} {self.phase}{said}>"

    def _repr_html_(self) -> str:
        return show_status(self)


def build_steps(done: Iterable[str], messages: dict[str, str]) -> tuple[Step, ...]:
    """List all steps: those that are done, and what is to be said of each.

    Example:
        >>> build_steps(["accepted"], {"programmed": "no Envoy is connected"})[1]
        Step(name='programmed', done=False, message='no Envoy is connected')
    """
    behind = frozenset(done)
    return tuple(Step(name, name in behind, messages.get(name, "")) for name in STEPS)
