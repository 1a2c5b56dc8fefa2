"""Why the next generation is compiled: what the cluster said since the last one was begun, and what else happened."""

from typing import Final

from kfambassador.controller.state import Cause
from kfambassador.kube.reflector import Changed, Listed, News
from kfambassador.resources.objects import object_key

#: So many are remembered for one generation: nobody reads more, and a first list has thousands.
MOST: Final = 1_000

#: The time of something has come, or the day's time was set.
EXPIRED: Final = Cause("something expired")
#: Something beside the cluster has something to say, such as what the gateway may not do.
NOTICED: Final = Cause("something was noticed")
#: What Envoy refused is looked for, or was found.
REFUSED: Final = Cause("Envoy refused a generation")
ACCEPTED: Final = Cause("Envoy accepted a part of what it refused")


class Causes:
    """Collects causes until a generation is begun, each once.

    Example:
        >>> causes = Causes()
        >>> causes.note(EXPIRED), causes.note(EXPIRED)
        (None, None)
        >>> [str(cause) for cause in causes.take()], causes.take()
        (['something expired'], ())
    """

    def __init__(self) -> None:
        self._noted: dict[Cause, None] = {}

    def note(self, cause: Cause) -> None:
        """Note one; beyond :data:`MOST` none are."""
        if len(self._noted) < MOST:
            self._noted[cause] = None

    def take(self) -> tuple[Cause, ...]:
        """Give those noted, and begin anew."""
        noted, self._noted = tuple(self._noted), {}
        return noted


def find_cause(news: News) -> Cause:
    """Say in short what the cluster said."""
    if isinstance(news, Changed):
        key = object_key({**news.event.manifest, "kind": news.kind.kind})
        return Cause(news.event.type.value.lower(), *key)
    return Cause("listed" if isinstance(news, Listed) else "passed over", news.kind.kind)
