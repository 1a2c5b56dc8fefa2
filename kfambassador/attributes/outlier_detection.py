"""When an endpoint that fails is left alone for a while."""

from typing import Annotated, ClassVar

from pydantic import Field

from kfambassador.attributes.base import Attributes, ClusterDraft, Part, Scope

#: What an OutlierDetection of v0 says where it says nothing.
DEFAULT_CONSECUTIVE_5XX = 5
DEFAULT_MAX_EJECTION = 100
DEFAULT_INTERVAL_MS = 3000

_HOUR_MS = 3600 * 1000


class OutlierLimits(Part):
    """When an endpoint that fails is left alone for a while."""

    consecutive_5xx: Annotated[
        int, Field(ge=1, le=2**32 - 1, description="After so many answers of 500 and above in a row.")
    ] = DEFAULT_CONSECUTIVE_5XX
    max_ejection: Annotated[
        int, Field(ge=0, le=100, description="The most endpoints that are left alone at once, in percent.")
    ] = DEFAULT_MAX_EJECTION
    interval_ms: Annotated[
        int, Field(ge=1, le=_HOUR_MS, description="Milliseconds between two looks at who may come back.")
    ] = DEFAULT_INTERVAL_MS


class OutlierDetection(Attributes, frozen=True):
    """When an endpoint that fails is left alone for a while (Ambassador 0.40, "OutlierDetection")."""

    scope: ClassVar[Scope] = Scope.CLUSTER

    outlier_detection: Annotated[
        OutlierLimits | str | None,
        Field(
            description="Leave endpoints alone that fail: {consecutive_5xx, max_ejection, interval_ms}, 5, 100 percent "
            "and 3000 when absent; or in v0 the name of an OutlierDetection."
        ),
    ] = None

    def on_cluster(self, draft: ClusterDraft) -> None:
        """Set the limits. Limits by name are replaced by what it names before."""
        limits = self.outlier_detection
        if not isinstance(limits, OutlierLimits):
            return
        detection = draft.message.outlier_detection
        detection.consecutive_5xx.value = limits.consecutive_5xx
        detection.max_ejection_percent.value = limits.max_ejection
        detection.interval.FromMilliseconds(limits.interval_ms)
