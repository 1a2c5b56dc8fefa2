"""How services fare, by what Envoy counted of their requests. Pure."""

from collections import Counter
from collections.abc import Mapping as Dict
from dataclasses import dataclass, field
from typing import Final

from kfambassador.controller.overview import Seen
from kfambassador.routing.describe import Json
from kfambassador.routing.model import Route

#: The colours of success rates, from the worst to the best, then what had no requests.
COLOURS: Final = ("red", "yellow", "green", "unknown")


@dataclass(frozen=True, slots=True)
class Fare:
    """How a service, or the worst of a route's services, fares.

    Attributes:
        colour: One of :data:`COLOURS`.
        rate: Its success rate in percent, in words.
        requests: How many requests it had since Envoy began to count.
        errors: How many of them it answered with 5xx, or not at all.
        refused: How many of them it answered with 4xx.
        distrust: Why its certificate was not believed; "" when it was, or had none.
    """

    colour: str = "unknown"
    rate: str = "no requests"
    requests: int = 0
    errors: int = 0
    refused: int = 0
    distrust: str = ""


#: Of what is not counted.
_UNTOLD: Final = Fare(rate="not counted")
#: Of what is counted together with requests that are none of the reader's business.
_SHARED: Final = Fare(rate="not told")


@dataclass(frozen=True, slots=True)
class Fares:
    """How everything fares at one moment.

    Attributes:
        seen: What there is.
    """

    seen: Seen
    _known: dict[str, Fare] = field(default_factory=dict, repr=False)
    _users: Counter[str] = field(default_factory=Counter, repr=False)

    def of(self, cluster: str) -> Fare:
        """How a cluster fares; a redirect, which has none, is not counted."""
        if not cluster or self.seen.envoy.error:
            return _UNTOLD
        found = self._known.get(cluster)
        if found is None:
            found = self._known[cluster] = read_fare(self.seen.traffic(cluster))
        return found

    def is_shared(self, cluster: str) -> bool:
        """Tell whether requests of several mappings are counted as a cluster's."""
        if not self._users:
            receivers = (split for route in self.seen.routes for split in route.receivers)
            self._users.update(split.cluster for split in receivers if split.cluster)
        return self._users[cluster] > 1

    def of_route(self, route: Route) -> Fare:
        """How the worst of its services fares, copies aside: nobody sees their answers."""
        fares = [self.of(split.cluster) for split in route.splits]
        return min(fares, key=lambda fare: COLOURS.index(fare.colour), default=_UNTOLD)


def read_fare(told: Dict[str, Json]) -> Fare:
    """Read what :func:`~kfambassador.controller.envoy_view.describe_traffic` describes.

    Example:
        >>> from kfambassador.controller.envoy_view import describe_traffic
        >>> fare = read_fare(describe_traffic({"upstream_rq_completed": 8, "upstream_rq_5xx": 1}))
        >>> fare.colour, fare.rate, fare.errors
        ('yellow', '87.5%', 1)
    """
    if told.get("shared"):
        return _SHARED
    rate = told.get("success_rate")
    return Fare(
        colour=str(told.get("health")),
        rate="no requests" if not isinstance(rate, float | int) else f"{rate:g}%",
        requests=_count(told.get("requests")),
        errors=_count(told.get("server_errors")),
        refused=_count(told.get("client_errors")),
        distrust=str(told.get("tls", "")),
    )


def _count(value: Json) -> int:
    return value if isinstance(value, int) else 0
