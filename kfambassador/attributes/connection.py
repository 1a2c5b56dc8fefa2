"""How Envoy connects to the service."""

from typing import Annotated, ClassVar

from pydantic import Field

from kfambassador.attributes.base import Attributes, ClusterDraft, Scope

#: What Ambassador waits for a connection when nothing is said.
DEFAULT_CONNECT_TIMEOUT_MS = 3000

#: An hour; no connection is worth waiting for longer.
LONGEST_CONNECT_MS = 3600 * 1000


class Connection(Attributes, frozen=True):
    """How Envoy connects to the service, in milliseconds."""

    scope: ClassVar[Scope] = Scope.CLUSTER

    connect_timeout_ms: Annotated[
        int | None, Field(gt=0, le=LONGEST_CONNECT_MS, description="Until a connection stands; 3000 when absent.")
    ] = None

    def on_cluster(self, draft: ClusterDraft) -> None:
        """Set the connect timeout."""
        timeout = DEFAULT_CONNECT_TIMEOUT_MS if self.connect_timeout_ms is None else self.connect_timeout_ms
        draft.message.connect_timeout.FromMilliseconds(timeout)
