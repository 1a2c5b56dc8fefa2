"""Does the suite notice when an attribute stops working? ``python -m tests.behaviour.mutations [NAME ...]``.

Each attribute in turn is set back to its default on every mapping, and each option in every Module; and each family's
hook is taken away. Then the cases that name the attribute, the option, or one of the family's are played. A mutation is
caught when one of them fails. Exit 1 when something is not caught.
"""

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

from kfambassador.attributes.base import Attributes
from kfambassador.resources.mapping import Mapping
from kfambassador.resources.meta import ResourceSet, SourcedMapping, SourcedResource
from kfambassador.resources.module import Module
from tests.behaviour.casefile import Case, all_cases
from tests.behaviour.coverage import options
from tests.behaviour.pipeline import Change, unchanged
from tests.behaviour.world import World, world

#: What a required attribute becomes; None is what cannot be taken away.
_REQUIRED: dict[str, str] = {"prefix": "/nowhere/", "service": "nowhere"}

#: Attributes that have no effect of their own on requests, with the reason; they are not mutated.
WITHOUT_EFFECT: dict[str, str] = {"name": "it is the mapping's identity"}

#: Seconds an expectation may take to come true here: a mutation that is caught fails all the way.
_PATIENCE = 3.0


@dataclass(frozen=True, slots=True)
class Mutation:
    """Something that is taken away.

    Attributes:
        name: An attribute, or a family and its hook.
        features: The cases that name one of these must notice.
        change: What is done to what was read.
        family: Whose hook is taken away, and which.
    """

    name: str
    features: frozenset[str]
    change: Change = unchanged
    family: tuple[type[Attributes], str] | None = None


def mutations() -> Iterator[Mutation]:
    """Every mutation: of each family's hooks, and of each attribute."""
    for family in Mapping.families():
        for hook in ("on_route", "on_cluster"):
            if hook in vars(family):
                yield Mutation(f"{family.__name__}.{hook}", frozenset(family.model_fields), family=(family, hook))
    for name in Mapping.model_fields:
        if name not in WITHOUT_EFFECT:
            yield Mutation(name, frozenset({name}), change=_without(name))
    for name in options():
        yield Mutation(name, frozenset({name}), change=_without_option(name.removeprefix("module.")))


def _without_option(name: str) -> Change:
    default = Module.model_fields[name].get_default(call_default_factory=True)

    def forget(sourced: SourcedResource) -> SourcedResource:
        if not isinstance(sourced.resource, Module):
            return sourced
        return replace(sourced, resource=sourced.resource.model_copy(update={name: default}))

    def change(resources: ResourceSet) -> ResourceSet:
        return replace(resources, shared=tuple(forget(each) for each in resources.shared))

    return change


def _without(name: str) -> Change:
    default = _REQUIRED.get(name, Mapping.model_fields[name].get_default(call_default_factory=True))

    def forget(sourced: SourcedMapping) -> SourcedMapping:
        if "behaviour-marks" in sourced.mapping.name:
            return sourced
        return replace(sourced, mapping=sourced.mapping.model_copy(update={name: default}))

    def change(resources: ResourceSet) -> ResourceSet:
        return replace(resources, mappings=tuple(forget(each) for each in resources.mappings))

    return change


@contextmanager
def applied(mutation: Mutation) -> Iterator[None]:
    """Take the hook away while the block runs, if the mutation is one of a hook."""
    if mutation.family is None:
        yield
        return
    family, hook = mutation.family
    kept: Callable[..., None] = vars(family)[hook]
    setattr(family, hook, lambda *_: None)
    try:
        yield
    finally:
        setattr(family, hook, kept)


def count_noticing(mutation: Mutation, cases: Sequence[Case], played: World) -> int:
    """How many cases fail with the mutation."""
    noticed = 0
    with applied(mutation):
        for case in cases:
            try:
                noticed += bool(played.play(case, change=mutation.change))
            except Exception as error:  # noqa: BLE001 - whatever breaks was noticed
                noticed += 1
                sys.stderr.write(f"  {mutation.name}: {case.name}: {type(error).__name__} {error}"[:160] + "\n")
    return noticed


def main(names: Sequence[str]) -> int:
    """Try the mutations named, or all; print a table; give the exit code."""
    cases = list(all_cases().values())
    missed = []
    with world() as played:
        played.patience = _PATIENCE
        for mutation in mutations():
            if names and mutation.name not in names:
                continue
            naming = [case for case in cases if mutation.features & set(case.features)]
            noticed = count_noticing(mutation, naming, played)
            if not noticed:
                missed.append(mutation.name)
            verdict = f"caught by {noticed} of {len(naming)} cases" if noticed else f"NOT CAUGHT by {len(naming)} cases"
            sys.stdout.write(f"{mutation.name:40} {verdict}\n")
            sys.stdout.flush()
    sys.stdout.write(f"{len(missed)} not caught: {', '.join(missed)}\n" if missed else "all caught\n")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
