"""What was published and serves nothing any more: found, told, and taken away."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, overload

from kfambassador.kube.kinds import SERVICE
from kfambassador.problems import ObjectKey
from kfambassador.resources.expiry import read_moment
from kfambassador.resources.objects import object_key
from kfambassador.sdk.access import Access
from kfambassador.sdk.faces.figures import show_rows
from kfambassador.sdk.publishing.objects import delete_publication, list_leftovers, list_publications
from kfambassador.sdk.publishing.owners import who_am_i
from kfambassador.sdk.publishing.publication import read_publication
from kfambassador.tables import write_table

_HEADINGS: Final = ("OBJECT", "OWNER", "REASON")
_EMPTY: Final = "nothing is left over"


@dataclass(frozen=True, slots=True)
class Leftover:
    """One thing that serves nothing any more.

    Attributes:
        object: Which object.
        reason: Why it serves nothing.
        exposure: The exposure that is over; "" where it belongs to none any more.
        owner: Who published it; "" when that is not known.
    """

    object: ObjectKey
    reason: str
    exposure: str = ""
    owner: str = ""


class Leftovers(Sequence[Leftover]):
    """What serves nothing any more; printed, it is a table.

    Example:
        >>> Leftovers([Leftover(ObjectKey("Service", "team", "mnist"), "it expired", "mnist", "ada")])
        OBJECT              OWNER  REASON
        Service team/mnist  ada    it expired
    """

    def __init__(self, found: Iterable[Leftover], access: Access | None = None) -> None:
        self._found = tuple(found)
        self._access = access

    @overload
    def __getitem__(self, index: int) -> Leftover: ...
    @overload
    def __getitem__(self, index: slice) -> "Leftovers": ...
    def __getitem__(self, index: int | slice) -> "Leftover | Leftovers":
        return Leftovers(self._found[index], self._access) if isinstance(index, slice) else self._found[index]

    def __len__(self) -> int:
        return len(self._found)

    def delete(self, *, everybodys: bool = False) -> int:
        """Take away what still serves nothing, and give how many there were.

        Of somebody else's annotated Service only our part goes.

        Args:
            everybodys: Take away what other people published as well.
        """
        if self._access is None:
            return 0
        # What was published again since it was found is none any more.
        still = {
            left for space in {left.object.namespace for left in self._found} for left in _find(self._access, space)
        }
        mine = {"", who_am_i(self._access.client, self._access.place)}
        gone = [left for left in self._found if left in still and (everybodys or left.owner in mine)]
        for left in gone:
            if left.exposure:
                delete_publication(self._access.client, left.object.namespace, left.exposure)
            else:
                self._access.client.delete(SERVICE, left.object.name, namespace=left.object.namespace)
        return len(gone)

    def __repr__(self) -> str:
        return write_table(_HEADINGS, self._rows()) if self._found else _EMPTY

    def _repr_html_(self) -> str:
        return show_rows("Leftovers", _HEADINGS, self._rows(), empty=_EMPTY)

    def _rows(self) -> list[tuple[str, ...]]:
        return [(str(left.object), left.owner, left.reason) for left in self._found]


def find_leftovers(access: Access, namespace: str | None) -> Leftovers:
    """Find what serves nothing any more, in a namespace or (None) in all."""
    return Leftovers(_find(access, namespace), access)


def _find(access: Access, namespace: str | None) -> list[Leftover]:
    now = datetime.now(UTC)
    expired = [
        Leftover(publication.carrier, f"it expired at {publication.expires_at}", publication.name, publication.owner)
        for publication, _ in list_publications(access.client, namespace)
        if _is_over(publication.expires_at, now)
    ]
    orphans = [
        Leftover(object_key(manifest), reason, owner=read_publication(manifest).owner)
        for manifest, reason in list_leftovers(access.client, namespace)
    ]
    return [*expired, *orphans]


def _is_over(moment: str, now: datetime) -> bool:
    # What cannot be read never ends; the gateway tells of it.
    at = read_moment(moment)
    return at is not None and at <= now
