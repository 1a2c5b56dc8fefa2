"""How much of the service is used at once."""

from typing import Annotated, ClassVar, Literal

from pydantic import BeforeValidator, Field

from kfambassador.attributes.base import Attributes, ClusterDraft, Part, Scope, as_list

# Envoy's RoutingPriority, by number, because attribute files import no protobuf.
_PRIORITIES = {"default": 0, "high": 1}
_LIMITS = ("max_connections", "max_pending_requests", "max_requests", "max_retries")

_Limit = Annotated[int | None, Field(ge=0, le=2**32 - 1)]


class CircuitBreaker(Part):
    """Limits for the requests of one priority. What goes beyond is answered with 503 at once."""

    priority: Annotated[
        Literal["default", "high"], Field(description="Whose limits: default, or those of mappings of priority high.")
    ] = "default"
    max_connections: Annotated[_Limit, Field(description="Connections at once; 1024 when absent.")] = None
    max_pending_requests: Annotated[
        _Limit, Field(description="Requests that wait for a connection; 1024 when absent.")
    ] = None
    max_requests: Annotated[_Limit, Field(description="Requests at once; 1024 when absent.")] = None
    max_retries: Annotated[_Limit, Field(description="Retries at once; 3 when absent.")] = None


class CircuitBreaking(Attributes, frozen=True):
    """How much of the service is used at once (Ambassador, "Circuit breakers")."""

    scope: ClassVar[Scope] = Scope.CLUSTER

    circuit_breakers: Annotated[
        tuple[CircuitBreaker, ...],
        BeforeValidator(as_list),
        Field(
            description="Limits, one entry for each priority: {priority, max_connections, max_pending_requests, "
            "max_requests, max_retries}."
        ),
    ] = ()
    circuit_breaker: Annotated[
        str | None, Field(min_length=1, description="The name of a CircuitBreaker; v0's way to say circuit_breakers.")
    ] = None

    def on_cluster(self, draft: ClusterDraft) -> None:
        """Set the limits. A limit by name is replaced by what it names before."""
        for breaker in self.circuit_breakers:
            threshold = draft.message.circuit_breakers.thresholds.add(priority=_PRIORITIES[breaker.priority])
            for name in _LIMITS:
                limit = getattr(breaker, name)
                if limit is not None:
                    getattr(threshold, name).value = limit
