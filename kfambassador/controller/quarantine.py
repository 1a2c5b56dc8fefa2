"""Finding the mapping that Envoy refuses, and keeping only that one back.

Envoy refuses a whole table for one route in it and does not say which. So the mappings it has not yet accepted are
suspects; half of them are withheld at a time until a refused table holds a single suspect. That one is held back, with
Envoy's words, until its text changes. Everybody else's routes are served all along.
"""

from collections.abc import Iterable, Sequence

from kfambassador.problems import Fault, Problem
from kfambassador.resources.meta import SourcedMapping

_LONGEST_REASON = 500


class Quarantine:
    """Which mappings are held back. A mapping is known by identity: edited, it is another and gets another chance.

    Attributes:
        problems: One for each mapping held back for good, in Envoy's words.
    """

    def __init__(self) -> None:
        self.problems: tuple[Problem, ...] = ()
        self._trusted: dict[int, SourcedMapping] = {}
        self._convicted: dict[int, tuple[SourcedMapping, Problem]] = {}
        # What a search has yet to look at; the culprit is known to be in the last group once the rest was accepted.
        self._withheld: list[list[SourcedMapping]] = []

    @property
    def withheld(self) -> tuple[SourcedMapping, ...]:
        """The mappings that wait for a search to end."""
        return tuple(mapping for group in self._withheld for mapping in group)

    def admit(self, mappings: Sequence[SourcedMapping]) -> tuple[SourcedMapping, ...]:
        """Give the mappings that may be served now, and forget those that are gone."""
        present = {id(mapping) for mapping in mappings}
        self._convicted = {key: entry for key, entry in self._convicted.items() if key in present}
        groups = ([each for each in group if id(each) in present] for group in self._withheld)
        self._withheld = [group for group in groups if group]
        self.problems = tuple(problem for _, problem in self._convicted.values())
        held = self._convicted.keys() | {id(each) for each in self.withheld}
        return tuple(each for each in mappings if id(each) not in held) if held else tuple(mappings)

    def accept(self, served: Iterable[SourcedMapping]) -> bool:
        """Envoy accepted a table with these mappings.

        Returns:
            Whether withheld mappings were released, so that a new table is due.
        """
        self._trusted = {id(mapping): mapping for mapping in served}
        if not self._withheld:
            return False
        self._release_half(self._withheld.pop())
        return True

    def refuse(self, served: Iterable[SourcedMapping], words: str) -> bool:
        """Envoy refused a table with these mappings.

        Args:
            served: The mappings in it.
            words: What Envoy said.

        Returns:
            Whether a new table is due; False when no mapping can be to blame.
        """
        suspects = [mapping for mapping in served if id(mapping) not in self._trusted]
        if len(suspects) == 1:
            self._convict(suspects[0], words)
            # Nothing is known of the others any more: all get their chance at once.
            self._withheld = []
        else:
            self._release_half(suspects)
        return bool(suspects)

    def _release_half(self, suspects: list[SourcedMapping]) -> None:
        later = suspects[(len(suspects) + 1) // 2 :]
        if later:
            self._withheld.append(later)

    def _convict(self, mapping: SourcedMapping, words: str) -> None:
        message = (
            f"Envoy refuses it: {find_reason(words)}. It is held back until its text changes; all others are served"
        )
        problem = Fault("envoy-rejected", message).at(mapping.origin)
        self._convicted[id(mapping)] = (mapping, problem)


def find_reason(words: str) -> str:
    """Give Envoy's reason for a refusal, without the copy of the refused message it may put before."""
    reason = words.strip().splitlines()[-1].lstrip("}: ") if words.strip() else "no reason given"
    return reason[-_LONGEST_REASON:]
