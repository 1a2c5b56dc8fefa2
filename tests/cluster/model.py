"""What a cluster must do with ConfigMaps, in the fewest words: who owns which field, and what a watch sees."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace

Labels = Mapping[str, str]
#: A field that has an owner: ("data", key) or ("labels", key).
Leaf = tuple[str, str]
Owner = tuple[str, str]  # the manager, and whether it applies or updates

#: What all objects hold and nobody ever takes away, so that no map is ever left empty.
ALWAYS: dict[Leaf, str] = {("data", "base"): "here", ("labels", "base"): "here"}

SELECTORS: dict[str, Callable[[Labels], bool]] = {
    "": lambda _: True,
    "colour=red": lambda labels: labels.get("colour") == "red",
    "colour!=red": lambda labels: labels.get("colour") != "red",
    "colour in (red, blue),base": lambda labels: labels.get("colour") in {"red", "blue"},
    "!colour": lambda labels: "colour" not in labels,
}


@dataclass(frozen=True)
class State:
    """An object: its fields, and who owns them."""

    leaves: Mapping[Leaf, str]
    owners: Mapping[Owner, frozenset[Leaf]]
    version: str = ""

    @property
    def labels(self) -> Labels:
        return {name: value for (part, name), value in self.leaves.items() if part == "labels"}

    def is_same(self, other: "State") -> bool:
        """Whether nothing would have to be stored for the other."""
        return (self.leaves, self.owners) == (other.leaves, other.owners)


class Conflict(Exception):
    """An apply would change what others own."""


def write(before: State | None, leaves: Mapping[Leaf, str], manager: str) -> State:
    """What a create, a replace or a patch leaves behind: who changes a field owns it."""
    old = before or State({}, {})
    changed = {leaf for leaf, value in leaves.items() if old.leaves.get(leaf) != value}
    owners = {each: (held - changed) & leaves.keys() for each, held in old.owners.items()}
    owner = (manager, "Update")
    owners[owner] = owners.get(owner, frozenset()) | changed
    return State(dict(leaves), {each: frozenset(held) for each, held in owners.items() if held})


def apply(before: State | None, wanted: Mapping[Leaf, str], manager: str, *, force: bool) -> State:
    """What an apply leaves behind: the manager owns just what it applies.

    Raises:
        Conflict: When others own what would change, and it is not forced.
    """
    owner = (manager, "Apply")
    old = before or State({}, {})
    others = {each: held for each, held in old.owners.items() if each != owner}
    changed = {leaf for leaf, value in wanted.items() if old.leaves.get(leaf) != value}
    if not force and any(held & changed for held in others.values()):
        raise Conflict
    given_up = old.owners.get(owner, frozenset()) - wanted.keys() - frozenset().union(*others.values())
    leaves = {leaf: value for leaf, value in old.leaves.items() if leaf not in given_up} | dict(wanted)
    owners = {each: held - changed for each, held in others.items()} | {owner: frozenset(wanted)}
    return State(leaves, {each: held for each, held in owners.items() if held})


@dataclass
class Model:
    """The ConfigMaps of a namespace, and every change there ever was."""

    objects: dict[str, State] = field(default_factory=dict)
    #: Each change: the object's name, and what it was before and after; None where there was, or is, none.
    log: list[tuple[str, State | None, State | None]] = field(default_factory=list)
    #: Revisions that were seen, each with the number of changes until then and the objects there were.
    moments: list[tuple[str, int, dict[str, State]]] = field(default_factory=list)

    def put(self, name: str, state: State, version: str) -> None:
        """Keep what a write left behind; one that changes nothing is none."""
        before = self.objects.get(name)
        if before and before.is_same(state):
            assert version == before.version, "what changes nothing is stored nowhere"
            return
        after = replace(state, version=version)
        self.objects[name] = after
        self.log.append((name, before, after))
        self.remember(version)

    def drop(self, name: str) -> None:
        self.log.append((name, self.objects.pop(name), None))

    def remember(self, version: str) -> None:
        self.moments.append((version, len(self.log), dict(self.objects)))

    def select(self, selector: str, objects: Mapping[str, State]) -> list[str]:
        """The names of the objects that a selector takes."""
        return sorted(name for name, state in objects.items() if SELECTORS[selector](state.labels))

    def events(self, since: int, selector: str) -> Iterator[tuple[str, str, State]]:
        """What a watch sees that begins after so many changes: the type, the name and the state of each event."""
        takes = SELECTORS[selector]
        for name, before, after in self.log[since:]:
            was = before is not None and takes(before.labels)
            if after is not None and takes(after.labels):
                yield ("MODIFIED" if was else "ADDED"), name, after
            elif was:
                assert before is not None
                # Of what a selector no longer takes the watch is shown the new state, of what is gone the last one.
                yield "DELETED", name, after or before
