"""The effective split of a model's requests, as the gateway serves it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import overload

from kfambassador.sdk.faces.figures import show_shares
from kfambassador.sdk.publishing.publication import Publication
from kfambassador.sdk.publishing.variants import name_mapping
from kfambassador.sdk.views import Route
from kfambassador.tables import write_table


@dataclass(frozen=True, slots=True)
class Share:
    """One variant's part in the requests.

    Attributes:
        variant: Its name.
        service: Where it is.
        percent: How much of the requests it answers, or gets copies of.
        is_copy: Whether it gets copies only.
    """

    variant: str
    service: str
    percent: int
    is_copy: bool = False

    def __str__(self) -> str:
        return f"copy of {self.percent}%" if self.is_copy else f"{self.percent}%"


class Shares(Sequence[Share]):
    """Who gets how much of a model's requests; printed, it is a table.

    Example:
        >>> shares = Shares([Share("stable", "mnist:8501", 90), Share("canary", "mnist-v2:8501", 10)])
        >>> print(shares)
        VARIANT  SERVICE        SHARE
        stable   mnist:8501     90%
        canary   mnist-v2:8501  10%
        >>> shares["canary"], shares.get("v3")
        (10, 0)
    """

    def __init__(self, shares: Iterable[Share]) -> None:
        self._shares = tuple(shares)

    @overload
    def __getitem__(self, index: int) -> Share: ...
    @overload
    def __getitem__(self, index: slice) -> "Shares": ...
    @overload
    def __getitem__(self, index: str) -> int: ...
    def __getitem__(self, index: int | slice | str) -> "Share | Shares | int":
        if isinstance(index, str):
            found = [share.percent for share in self._shares if share.variant == index]
            if not found:
                raise KeyError(index)
            return found[0]
        return Shares(self._shares[index]) if isinstance(index, slice) else self._shares[index]

    def get(self, variant: str) -> int:
        """A variant's percentage, 0 when there is none of that name."""
        return next((share.percent for share in self._shares if share.variant == variant), 0)

    def __len__(self) -> int:
        return len(self._shares)

    def __repr__(self) -> str:
        rows = [(share.variant, share.service, str(share)) for share in self._shares]
        return write_table(("VARIANT", "SERVICE", "SHARE"), rows) if rows else "no shares: nothing of it is served"

    def _repr_html_(self) -> str:
        return show_shares(self)


def read_shares(publication: Publication, route: Route | None) -> Shares:
    """Read the effective shares out of the route that takes a publication's requests."""
    if route is None:
        return Shares(())
    served = {split.mapping: (split, False) for split in route.splits}
    served |= {shadow.mapping: (shadow, True) for shadow in route.shadows}
    shares = []
    for variant in publication.variants:
        routes = publication.server_of(variant.name).routes(publication.name, publication.base)
        names = [f"{publication.namespace}/{name_mapping(each.name, variant.name)}" for each in routes]
        for split, is_copy in (served[name] for name in names if name in served):
            shares.append(Share(variant.name, split.service, split.share, is_copy))
    return Shares(shares)
