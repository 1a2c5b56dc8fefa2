"""Which of the service's connection limits a request counts against."""

from typing import Annotated, Literal

from pydantic import Field

from kfambassador.attributes.base import Attributes, RouteDraft

# Envoy's RoutingPriority, by number, because attribute files import no protobuf.
_HIGH = 1


class Priority(Attributes, frozen=True):
    """Which of the service's connection limits a request counts against (Ambassador, "priority")."""

    priority: Annotated[
        Literal["default", "high"] | None,
        Field(description="default or high: the limits of that priority in circuit_breakers; default when absent."),
    ] = None

    def on_route(self, draft: RouteDraft) -> None:
        """Set the priority."""
        if self.priority == "high":
            draft.action.priority = _HIGH
