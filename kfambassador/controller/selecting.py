"""Which objects a gateway listens to that follows only what has certain labels.

A Service without them is still there to be pointed at; only what it says is not heard. What stands in the gateway's own
namespace is always heard: an AuthService whose label was forgotten must not leave a door open.
"""

from collections.abc import Mapping as Dict
from dataclasses import dataclass, replace

from kfambassador.kube.kinds import INGRESS, MAPPING, SERVICE, Kind
from kfambassador.kube.objects import Manifest
from kfambassador.kube.reflector import Changed, Listed, News
from kfambassador.kube.selectors import Selector
from kfambassador.names import CONFIG_ANNOTATION
from kfambassador.resources.fields import as_object, as_text
from kfambassador.routing.policy import TenancyPolicy

#: Kinds that say something in an annotation, and are of use without it.
_CARRIERS = (SERVICE, INGRESS)


@dataclass(frozen=True, slots=True)
class Selection:
    """Takes out of news what is not to be heard.

    Attributes:
        selector: The labels of what is heard.
        policy: Says which namespace is the gateway's own.
    """

    selector: Selector
    policy: TenancyPolicy

    def query(self, kind: Kind) -> str | None:
        """Give the selector by which the cluster itself leaves objects of a kind out; None leaves none out.

        Example:
            >>> selection = Selection(Selector.read("team=vision"), TenancyPolicy())
            >>> selection.query(MAPPING), selection.query(SERVICE)
            ('team=vision', None)
        """
        return self.selector.text or None if kind == MAPPING else None

    def hear(self, news: News) -> News:
        """Give news without what is not to be heard in it; the very same news where that is nothing."""
        if not self.selector.requirements or news.kind not in _CARRIERS:
            return news
        if isinstance(news, Listed):
            return replace(news, items=tuple(map(self._hear, news.items)))
        if isinstance(news, Changed):
            return replace(news, event=replace(news.event, manifest=self._hear(news.event.manifest)))
        return news

    def _hear(self, manifest: Manifest) -> Manifest:
        metadata = as_object(manifest.get("metadata"))
        annotations = as_object(metadata.get("annotations"))
        if CONFIG_ANNOTATION not in annotations or self._is_heard(metadata):
            return manifest
        left = {name: value for name, value in annotations.items() if name != CONFIG_ANNOTATION}
        return {**manifest, "metadata": {**metadata, "annotations": left}}

    def _is_heard(self, metadata: Dict[str, object]) -> bool:
        is_home = self.policy.is_home(as_text(metadata.get("namespace")))
        return is_home or self.selector.admits(as_object(metadata.get("labels")))
