"""What happened since the controller started: the little of it that somebody who looks wants to know."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, NamedTuple

_MOST_KEPT: Final = 50


class Refusal(NamedTuple):
    """An update that an Envoy refused.

    Attributes:
        at: When, in seconds of the controller's clock.
        generation: Which generation.
        node: Which Envoy.
        words: What it said.
    """

    at: float
    generation: int
    node: str
    words: str


@dataclass(slots=True)
class History:
    """What happened, with the newest refusals last.

    Attributes:
        clock: Seconds that never go back.
        started: When the controller was made.
        compiled: When the newest generation was compiled; None before the first.
        refusals: The updates that were refused, those of long ago left out.
    """

    clock: Callable[[], float]
    started: float = field(init=False)
    compiled: float | None = None
    refusals: deque[Refusal] = field(default_factory=lambda: deque(maxlen=_MOST_KEPT))

    def __post_init__(self) -> None:
        self.started = self.clock()

    def note_compiled(self) -> None:
        """A generation was compiled."""
        self.compiled = self.clock()

    def note_refusal(self, *, generation: int, node: str, words: str) -> None:
        """An Envoy refused an update."""
        self.refusals.append(Refusal(self.clock(), generation, node, words))

    def age(self, at: float | None) -> float | None:
        """How many seconds ago something was; None when it never was."""
        return None if at is None else round(self.clock() - at, 3)
