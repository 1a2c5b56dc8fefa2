"""What the cluster is known to hold: news in, a ResourceSet out. Each object is read once a resourceVersion."""

from collections.abc import Iterable
from itertools import chain

from kfambassador.kube.kinds import Kind
from kfambassador.kube.objects import Event, EventType, Manifest
from kfambassador.kube.reflector import Changed, Listed, Lost, News
from kfambassador.problems import ObjectKey
from kfambassador.resources.meta import ResourceSet
from kfambassador.resources.objects import Contribution, join_contributions, object_key, read_contribution


class Store:
    """Keeps what each object contributes. Belongs to one thread.

    Args:
        kinds: The kinds that are followed.

    Attributes:
        lost: For each kind that cannot be followed at present, why. What was known of it stays.
    """

    def __init__(self, kinds: Iterable[Kind]) -> None:
        self.lost: dict[Kind, str] = {}
        self._known: dict[Kind, dict[ObjectKey, Contribution] | None] = dict.fromkeys(kinds)

    @property
    def is_complete(self) -> bool:
        """Whether every kind was listed once. Before that nothing may be served: half a list is an outage."""
        return all(known is not None for known in self._known.values())

    @property
    def unlisted(self) -> tuple[Kind, ...]:
        """The kinds not yet listed."""
        return tuple(kind for kind, known in self._known.items() if known is None)

    def apply(self, news: News) -> bool:
        """Take in what happened.

        Returns:
            Whether it could matter for routes, or for what is told about them.
        """
        if isinstance(news, Lost):
            self.lost[news.kind] = news.error
            return False
        self.lost.pop(news.kind, None)
        if isinstance(news, Listed):
            return self._replace(news.kind, news.items)
        return self._change(news)

    def resources(self, *, generation: int) -> ResourceSet:
        """Join everything that is known."""
        known = (contributions.values() for contributions in self._known.values() if contributions is not None)
        return join_contributions(chain.from_iterable(known), generation=generation)

    def _replace(self, kind: Kind, items: Iterable[Manifest]) -> bool:
        before = self._known[kind]
        now: dict[ObjectKey, Contribution] = {}
        for manifest in items:
            typed = _typed(kind, manifest)
            key = object_key(typed)
            now[key] = read_contribution(typed, before=(before or {}).get(key))
        self._known[kind] = now
        return before is None or before != now

    def _change(self, news: Changed) -> bool:
        known = self._known[news.kind]
        if known is None or news.event.type is EventType.BOOKMARK:
            return False
        return _apply_event(known, news.kind, news.event)


def _apply_event(known: dict[ObjectKey, Contribution], kind: Kind, event: Event) -> bool:
    manifest = _typed(kind, event.manifest)
    key = object_key(manifest)
    before = known.get(key)
    if event.type is EventType.DELETED:
        return known.pop(key, None) is not None
    now = known[key] = read_contribution(manifest, before=before)
    return before is None or now.configures or before.configures or _routed(before) != _routed(now)


def _routed(contribution: Contribution) -> tuple[object, object]:
    return contribution.service, contribution.endpoints


def _typed(kind: Kind, manifest: Manifest) -> Manifest:
    # The items of a list do not say what they are; the list does.
    return {**manifest, "apiVersion": kind.api_version, "kind": kind.kind}
