"""Finding the mapping that Envoy refuses, and keeping only that one back.

Envoy refuses a whole table for one route in it and does not say which. So the mappings it has not yet accepted are
suspects; half of them are withheld at a time until a refused table holds a single suspect. That one is held back, with
Envoy's words, until its text changes. Everybody else's routes are served all along.
"""

from collections.abc import Iterable, Sequence

from kfambassador.problems import Fault, Problem
from kfambassador.resources.meta import SourcedMapping


class Quarantine:
    """Which mappings are held back. A mapping is known by identity: edited, it is another and gets another chance.

    Attributes:
        problems: One for each mapping held back for good, in Envoy's words.
    """

    def __init__(self) -> None:
        self.problems: tuple[Problem, ...] = ()
        self._trusted: dict[int, SourcedMapping] = {}
        self._convicted: dict[int, tuple[SourcedMapping, Problem]] = {}
        self._withheld: dict[int, SourcedMapping] = {}

    @property
    def is_searching(self) -> bool:
        """Whether some mappings are withheld only until the culprit is found."""
        return bool(self._withheld)

    def is_withheld(self, mapping: SourcedMapping) -> bool:
        """Whether a mapping waits for the search to end."""
        return id(mapping) in self._withheld

    def admit(self, mappings: Sequence[SourcedMapping]) -> tuple[SourcedMapping, ...]:
        """Give the mappings that may be served now, and forget those that are gone."""
        present = {id(mapping) for mapping in mappings}
        self._convicted = {key: entry for key, entry in self._convicted.items() if key in present}
        self._withheld = {key: mapping for key, mapping in self._withheld.items() if key in present}
        self.problems = tuple(problem for _, problem in self._convicted.values())
        if not self._convicted and not self._withheld:
            return tuple(mappings)
        return tuple(each for each in mappings if id(each) not in self._convicted and id(each) not in self._withheld)

    def accept(self, served: Iterable[SourcedMapping]) -> bool:
        """Envoy accepted a table with these mappings.

        Returns:
            Whether withheld mappings were released, so that a new table is due.
        """
        self._trusted = {id(mapping): mapping for mapping in served}
        if not self._withheld:
            return False
        # Somewhere among the withheld is the culprit: let half of them in, or the last one.
        waiting = list(self._withheld.values())
        self._withhold(waiting[(len(waiting) + 1) // 2 :])
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
        if not suspects:
            return False
        if len(suspects) == 1:
            self._convict(suspects[0], words)
            self._withhold([])
        else:
            self._withhold([*suspects[(len(suspects) + 1) // 2 :], *self._withheld.values()])
        return True

    def _convict(self, mapping: SourcedMapping, words: str) -> None:
        message = f"Envoy refuses it: {words}. It is held back until its text changes; all other routes are served"
        problem = Fault("envoy-rejected", message).at(mapping.origin)
        self._convicted[id(mapping)] = (mapping, problem)

    def _withhold(self, mappings: Iterable[SourcedMapping]) -> None:
        self._withheld = {id(mapping): mapping for mapping in mappings}
