"""Kinds that only ``ambassador/v0`` had: limits written once and named by mappings."""

from typing import Annotated, ClassVar

from pydantic import Field

from kfambassador.attributes import circuit_breaking as limits
from kfambassador.attributes.outlier_detection import OutlierLimits
from kfambassador.resources.gateway import GatewayResource

_Limit = Annotated[int | None, Field(ge=0, le=2**32 - 1)]


class CircuitBreaker(GatewayResource, frozen=True):
    """Limits that a mapping of v0 names in ``circuit_breaker``. Each is 1024 when absent, retries 3."""

    noun: ClassVar[str] = "a CircuitBreaker"

    max_connections: _Limit = None
    max_requests: _Limit = None
    max_pending: _Limit = None
    max_retries: _Limit = None

    def as_limits(self) -> tuple[limits.CircuitBreaker, ...]:
        """Say it in the words of a mapping's ``circuit_breakers``.

        Example:
            >>> CircuitBreaker(name="small", max_pending=5).as_limits()[0].max_pending_requests
            5
        """
        return (
            limits.CircuitBreaker(
                max_connections=self.max_connections,
                max_pending_requests=self.max_pending,
                max_requests=self.max_requests,
                max_retries=self.max_retries,
            ),
        )


class OutlierDetection(GatewayResource, frozen=True):
    """When a mapping of v0 that names this in ``outlier_detection`` stops using an endpoint for a while."""

    noun: ClassVar[str] = "an OutlierDetection"

    consecutive_5xx: Annotated[int | None, Field(ge=1, le=2**32 - 1)] = None
    max_ejection: Annotated[int | None, Field(ge=0, le=100)] = None
    interval_ms: Annotated[int | None, Field(ge=1, le=3_600_000)] = None

    def as_limits(self) -> OutlierLimits:
        """Say it in the words of a mapping's ``outlier_detection``.

        Example:
            >>> OutlierDetection(name="strict", consecutive_5xx=1).as_limits().consecutive_5xx
            1
        """
        return OutlierLimits.model_validate(self.model_dump(include=set(OutlierLimits.model_fields), exclude_none=True))
