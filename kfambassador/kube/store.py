"""What the cluster is known to hold: news in, a ResourceSet out. Each object is read once a resourceVersion."""

import logging
from collections.abc import Collection, Iterable
from dataclasses import replace
from datetime import datetime
from itertools import chain
from typing import NamedTuple

from kfambassador.kube.kinds import Kind
from kfambassador.kube.objects import EventType, Manifest
from kfambassador.kube.reflector import Changed, Listed, Lost, News
from kfambassador.problems import Fault, ObjectKey, Origin
from kfambassador.resources.meta import ResourceSet
from kfambassador.resources.objects import Contribution, join_contributions, object_key, read_contribution

_log = logging.getLogger(__name__)


class Renewal(NamedTuple):
    """An object that was seen again, saying what it said before.

    Attributes:
        read: The resourceVersion its configuration was read at.
        newest: The resourceVersion it has now, with another status, perhaps, or other labels.
    """

    read: str
    newest: str


class Store:
    """Keeps what each object contributes. Belongs to one thread.

    Args:
        kinds: The kinds that are followed.
        optional: Those of them that may be forbidden to the gateway; what can never be listed is not waited for.

    Attributes:
        lost: For each kind that cannot be followed at present, why. What was known of it stays.
        renewed: The objects that were seen again and say what they said; nothing need be compiled for that.
    """

    def __init__(self, kinds: Iterable[Kind], *, optional: Collection[Kind] = ()) -> None:
        self.lost: dict[Kind, str] = {}
        self.renewed: dict[ObjectKey, Renewal] = {}
        self._known: dict[Kind, dict[ObjectKey, Contribution] | None] = dict.fromkeys(kinds)
        self._optional = frozenset(optional)
        self._forbidden: set[Kind] = set()

    @property
    def is_complete(self) -> bool:
        """Whether every kind was listed once. Before that nothing may be served: half a list is an outage."""
        return not self.unlisted

    @property
    def unlisted(self) -> tuple[Kind, ...]:
        """The kinds not yet listed that are waited for."""
        waived = self._optional & self._forbidden
        return tuple(kind for kind, known in self._known.items() if known is None and kind not in waived)

    @property
    def counts(self) -> dict[Kind, int]:
        """How many objects of each kind are known; of a kind that was never listed none."""
        return {kind: len(known or ()) for kind, known in self._known.items()}

    def find(self, key: ObjectKey) -> Contribution | None:
        """What one object contributes; None where no such object is known."""
        held = (known.get(key) for kind, known in self._known.items() if kind.kind == key.kind and known is not None)
        return next((each for each in held if each is not None), None)

    def apply(self, news: News) -> bool:
        """Take in what happened.

        Returns:
            Whether it could matter for routes, or for what is told about them.
        """
        if isinstance(news, Lost):
            return self._lose(news)
        self.lost.pop(news.kind, None)
        self._forbidden.discard(news.kind)
        if isinstance(news, Listed):
            return self._replace(news.kind, news.items)
        return self._change(news)

    def resources(self, *, generation: int, now: datetime | None = None) -> ResourceSet:
        """Join everything that is known; see :func:`~kfambassador.resources.objects.join_contributions`."""
        known = (contributions.values() for contributions in self._known.values() if contributions is not None)
        return join_contributions(chain.from_iterable(known), generation=generation, now=now)

    def _lose(self, news: Lost) -> bool:
        was_complete = self.is_complete
        self.lost[news.kind] = news.error
        if news.is_forbidden:
            self._forbidden.add(news.kind)
        return self.is_complete and not was_complete

    def _replace(self, kind: Kind, items: Iterable[Manifest]) -> bool:
        listed_before = self._known[kind]
        before = listed_before or {}
        known: dict[ObjectKey, Contribution] = {}
        matters = listed_before is None
        for manifest in items:
            matters |= self._take(known, before, _typed(kind, manifest))
        for gone in before.keys() - known.keys():
            self.renewed.pop(gone, None)
            matters = True
        self._known[kind] = known
        return matters

    def _change(self, news: Changed) -> bool:
        known = self._known[news.kind]
        if known is None or news.event.type is EventType.BOOKMARK:
            return False
        manifest = _typed(news.kind, news.event.manifest)
        if news.event.type is EventType.DELETED:
            key = object_key(manifest)
            self.renewed.pop(key, None)
            return known.pop(key, None) is not None
        return self._take(known, known, manifest)

    def _take(
        self, known: dict[ObjectKey, Contribution], before: dict[ObjectKey, Contribution], manifest: Manifest
    ) -> bool:
        """Read an object into what is known; say whether it matters."""
        key = object_key(manifest)
        old = before.get(key)
        new = _read(manifest, old)
        if old is not None and _says_the_same(old, new):
            known[key] = old
            if new.configures:
                self.renewed[key] = Renewal(old.origin.resource_version, new.origin.resource_version)
            return False
        known[key] = new
        self.renewed.pop(key, None)
        return True


def _read(manifest: Manifest, before: Contribution | None) -> Contribution:
    """Read an object. A fault of our own in reading one must not cost the whole listing it came in."""
    try:
        return read_contribution(manifest, before=before)
    except Exception:  # noqa: BLE001 - whatever it is, the others hold
        key = object_key(manifest)
        _log.exception("%s could not be read", key)
        origin = Origin(key, resource_version=str(manifest["metadata"].get("resourceVersion", "")))
        message = "it could not be read, for a fault of the gateway's own; what was read of it before stays"
        problem = Fault("unreadable", message).at(origin)
        kept = before or Contribution(origin)
        told = replace(kept.configuration, problems=(problem,))
        return replace(kept, origin=origin, configuration=told, configures=True)


def _says_the_same(old: Contribution, new: Contribution) -> bool:
    """Tell whether two versions of an object come to the same; what was kept is the very same object."""
    configures_alike = old.configuration is new.configuration if new.configures else not old.configures
    return (
        configures_alike
        and old.configures == new.configures
        and old.expiry == new.expiry
        and old.service is new.service
        and old.endpoints is new.endpoints
        and old.secret is new.secret
    )


def _typed(kind: Kind, manifest: Manifest) -> Manifest:
    # The items of a list do not say what they are; the list does.
    return {**manifest, "apiVersion": kind.api_version, "kind": kind.kind}
