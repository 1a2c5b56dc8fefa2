"""Whose a canary is: of two who shift one model at the same time the second is told, and changes nothing. Pure."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from kfambassador.errors import Conflict
from kfambassador.sdk.publishing.planning import Plan
from kfambassador.sdk.publishing.publication import Publication
from kfambassador.sdk.publishing.variants import Variant


class CanaryTaken(Conflict):
    """A claimed canary is not the claimant's to change: there is another, another run shifts it, or it was taken away.

    Attributes:
        found: The canary that is there; None where there is none any more.
        is_same: Whether it is the server that was claimed, which another run is shifting.
    """

    def __init__(self, publication: Publication, claim: "Claim", found: Variant | None) -> None:
        self.found = found
        self.is_same = found is not None and found.service == claim.service
        gone = f"{claim.variant} {claim.service} is gone; somebody took it back, or promoted it"
        words = describe(found) if found else gone
        place = f"{publication.name} stays as it is in namespace {publication.namespace}"
        super().__init__(f"{place}: {words}", status=409, reason="Conflict")


@dataclass(frozen=True, slots=True)
class Claim:
    """A canary that whoever holds this changes, and no other.

    Attributes:
        variant: What it is called.
        service: Where it is, as a variant says it.
        run: For which run; None asks for none: whichever run it is of, it is changed, and stays of that.
        is_held: Whether it was there after the last change, and only somebody else can have taken it away since.
    """

    variant: str
    service: str
    run: str | None = None
    is_held: bool = False

    def hold(self, publication: Publication) -> "Claim":
        """Remember whether the canary is there after a change."""
        return replace(self, is_held=publication.find(self.variant) is not None)

    def guard(self, change: Callable[[Publication], Plan], *, shifting: bool) -> Callable[[Publication], Plan]:
        """Let a change be made where the canary is ours or nobody's, and write on it whose it is.

        Args:
            change: The change, of the publication as it is found.
            shifting: Whether the run goes on after it.

        Returns:
            The same; it raises :class:`CanaryTaken` where the canary is another's.
        """

        def act(known: Publication) -> Plan:
            self._check(known)
            plan = change(known)
            return replace(plan, publication=self._sign(plan.publication, shifting=shifting))

        return act

    def _check(self, known: Publication) -> None:
        found = known.find(self.variant)
        if found is None:
            is_ours = not self.is_held
        else:
            is_others = found.shifting and self.run is not None and found.run != self.run
            is_ours = found.service == self.service and not is_others
        if not is_ours:
            raise CanaryTaken(known, self, found)

    def _sign(self, publication: Publication, *, shifting: bool) -> Publication:
        # The mappings say nothing of it, and stay as they are.
        if self.run is None:
            return publication
        said = {"run": self.run, "shifting": shifting}
        signed = (each.model_copy(update=said) if each.name == self.variant else each for each in publication.variants)
        return replace(publication, variants=tuple(signed))


def describe(variant: Variant) -> str:
    """Say what a variant has, and whose it is.

    Example:
        >>> describe(Variant(name="canary", service="m2.team:80", weight=20, by="ana", run="7", shifting=True))
        'canary is m2.team:80 with 20 % of the requests; ana put it there, and run 7 is shifting it'
    """
    words = f"{variant.name} is {variant.service} with {variant.weight or 0} % of the requests"
    whose = [f"{variant.by} put it there"] if variant.by else []
    if variant.run:
        whose.append(f"run {variant.run} is shifting it" if variant.shifting else f"it is of run {variant.run}")
    elif variant.shifting:
        whose.append("somebody is shifting it")
    return f"{words}; {', and '.join(whose)}" if whose else words
