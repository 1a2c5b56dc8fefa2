"""Finding what Envoy refuses, and keeping only that back.

Envoy refuses a whole table for one route in it and does not say which. So the mappings it has not yet accepted are
suspects; half of them are withheld at a time until a refused table holds a single suspect. That one is held back, with
Envoy's words, until its text changes. Everybody else's routes are served all along.

What speaks for everybody (a Module, a TLSContext, an AuthService, a Secret) is a suspect too once it changes, and the
first. It is never left out, because a gateway without its AuthService is an open door: what Envoy accepted last is
served in its place. Before anything was accepted there is no such thing, and then Envoy keeps what it holds.
"""

from collections.abc import Iterator, Sequence
from collections.abc import Mapping as Dict
from typing import NamedTuple

from kfambassador.problems import Fault, ObjectKey, Origin, Problem
from kfambassador.resources.meta import ResourceSet, SourcedMapping, SourcedResource
from kfambassador.resources.secret import Secret, SecretKey

_LONGEST_REASON = 500


class Common(NamedTuple):
    """What speaks for everybody.

    Attributes:
        shared: What gateway owners say.
        secrets: The Secrets that may be read.
    """

    shared: tuple[SourcedResource, ...] = ()
    secrets: Dict[SecretKey, Secret] = {}

    @classmethod
    def of(cls, known: ResourceSet) -> "Common":
        """Take it from all that is known."""
        return cls(known.shared, known.secrets)

    def parts(self) -> dict[int, SourcedResource | Secret]:
        """Everything in it, by identity: what was edited is another."""
        everything: list[SourcedResource | Secret] = [*self.shared, *self.secrets.values()]
        return {id(each): each for each in everything}

    def says(self, other: "Common") -> bool:
        """Tell whether it says the very same."""
        return self.parts().keys() == other.parts().keys()

    def changes(self, before: "Common") -> tuple[Origin, ...]:
        """Give the places of what is new in it, in order; none where something was only taken away."""
        known = before.parts()
        places = (_place(each) for key, each in self.parts().items() if key not in known)
        return tuple(sorted(places, key=str))


class Served(NamedTuple):
    """What a table was made from, as far as anybody can be to blame for it."""

    mappings: tuple[SourcedMapping, ...] = ()
    common: Common = Common()


class Quarantine:
    """What is held back. A mapping is known by identity: edited, it is another and gets another chance.

    Attributes:
        problems: One for each that is held back for good, in Envoy's words, and for what nobody is to blame for.
    """

    def __init__(self) -> None:
        self.problems: tuple[Problem, ...] = ()
        self._trusted: dict[int, SourcedMapping] = {}
        self._convicted: dict[int, tuple[SourcedMapping, Problem]] = {}
        # What a search has yet to look at; the culprit is known to be in the last group once the rest was accepted.
        self._withheld: list[list[SourcedMapping]] = []
        self._accepted: Common | None = None
        self._held: Common | None = None
        self._told: tuple[Problem, ...] = ()
        self._unexplained = ""

    @property
    def withheld(self) -> tuple[SourcedMapping, ...]:
        """The mappings that wait for a search to end."""
        return tuple(mapping for group in self._withheld for mapping in group)

    def admit(self, mappings: Sequence[SourcedMapping], common: Common) -> Served:
        """Give what may be served now, and forget what is gone.

        Args:
            mappings: Every mapping there is.
            common: What speaks for everybody.
        """
        if self._held is not None and not self._held.says(common):
            # Edited, it gets another chance, and so does whatever was held back beside it.
            self._held, self._told, self._withheld = None, (), []
        present = {id(mapping) for mapping in mappings}
        self._convicted = {key: entry for key, entry in self._convicted.items() if key in present}
        groups = ([each for each in group if id(each) in present] for group in self._withheld)
        self._withheld = [group for group in groups if group]
        self.problems = (*(problem for _, problem in self._convicted.values()), *self._told)
        held = self._convicted.keys() | {id(each) for each in self.withheld}
        admitted = tuple(each for each in mappings if id(each) not in held) if held else tuple(mappings)
        return Served(admitted, common if self._held is None or self._accepted is None else self._accepted)

    def accept(self, served: Served) -> bool:
        """Envoy accepted the table of this.

        Returns:
            Whether something that was withheld is released, so that a new table is due.
        """
        self._trusted = {id(mapping): mapping for mapping in served.mappings}
        self._accepted = served.common
        if self._withheld:
            self._release_half(self._withheld.pop())
            return True
        if self._held is not None and not self._told:
            # Mappings were in the way: what speaks for everybody is tried again, and now alone.
            self._held = None
            return True
        if self._held is None and self._told:
            self._unexplained, self._told = "", ()
            return True
        return False

    def refuse(self, served: Served, words: str) -> bool:
        """Envoy refused the table of this.

        Args:
            served: What was in it.
            words: What Envoy said.

        Returns:
            Whether a new table is due, or something new to be told.
        """
        if self._unexplained == find_reason(words):
            return False
        suspects = [mapping for mapping in served.mappings if id(mapping) not in self._trusted]
        if self._accepted is not None and not served.common.says(self._accepted):
            self._held = served.common
            self._told = () if suspects else tuple(self._blame(served.common, self._accepted, words))
        elif len(suspects) == 1 and self._is_proven(served.common):
            self._convict(suspects[0], words)
            # Nothing is known of the others any more: all get their chance at once.
            self._withheld = []
        elif suspects:
            self._release_half(suspects)
        else:
            return self._give_up(served.common, words)
        return True

    def _is_proven(self, common: Common) -> bool:
        """Whether what speaks for everybody is beyond suspicion, because Envoy accepted it or there is nothing."""
        return self._accepted is not None or not common.parts()

    def _give_up(self, common: Common, words: str) -> bool:
        """Tell of a refusal that no mapping can explain. Envoy keeps what it holds."""
        before, self._told = self._told, tuple(self._blame(common, self._accepted or Common(), words))
        if self._is_proven(common):
            # What comes later is not to blame for it either.
            self._unexplained = find_reason(words)
        else:
            self._held = common
        return before != self._told

    def _blame(self, common: Common, before: Common, words: str) -> Iterator[Problem]:
        message = (
            f"Envoy refuses what speaks for everybody: {find_reason(words)}. What it accepted before stays served "
            "until this is mended"
        )
        for place in common.changes(before) or (Origin(),):
            yield Fault("envoy-rejected", message).at(place)

    def _release_half(self, suspects: list[SourcedMapping]) -> None:
        # The last one goes too where it may be innocent.
        most = (len(suspects) + 1) // 2 if len(suspects) > 1 or self._accepted is not None else 0
        later = suspects[most:]
        if later:
            self._withheld.append(later)

    def _convict(self, mapping: SourcedMapping, words: str) -> None:
        message = (
            f"Envoy refuses it: {find_reason(words)}. It is held back until its text changes; all others are served"
        )
        problem = Fault("envoy-rejected", message).at(mapping.origin)
        self._convicted[id(mapping)] = (mapping, problem)


def _place(part: SourcedResource | Secret) -> Origin:
    return part.origin if isinstance(part, SourcedResource) else Origin(ObjectKey("Secret", *part.key))


def find_reason(words: str) -> str:
    """Give Envoy's reason for a refusal, without the copy of the refused message it may put before."""
    reason = words.strip().splitlines()[-1].lstrip("}: ") if words.strip() else "no reason given"
    return reason[-_LONGEST_REASON:]
