"""How long Envoy waits for the service."""

from typing import Annotated

from pydantic import Field

from kfambassador.attributes.base import Attributes, RouteDraft

#: What Ambassador waits when nothing is said.
DEFAULT_TIMEOUT_MS = 3000

#: A year; what is longer is a slip of the pen, and far longer than what Envoy can count.
LONGEST_MS = 365 * 24 * 3600 * 1000


class Timeouts(Attributes, frozen=True):
    """How long Envoy waits for the service, in milliseconds."""

    timeout_ms: Annotated[
        int | None,
        Field(
            ge=0, le=LONGEST_MS, description="The whole request, retries included; 3000 when absent, 0 waits forever."
        ),
    ] = None
    idle_timeout_ms: Annotated[
        int | None,
        Field(
            ge=0,
            le=LONGEST_MS,
            description="Silence on the stream in either direction; 300000 when absent, 0 waits forever.",
        ),
    ] = None

    def on_route(self, draft: RouteDraft) -> None:
        """Set both timeouts."""
        timeout = DEFAULT_TIMEOUT_MS if self.timeout_ms is None else self.timeout_ms
        draft.action.timeout.FromMilliseconds(timeout)
        if self.idle_timeout_ms is not None:
            draft.action.idle_timeout.FromMilliseconds(self.idle_timeout_ms)
