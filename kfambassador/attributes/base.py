"""What every family of attributes is, and what its hook may patch."""

from enum import StrEnum
from typing import TYPE_CHECKING, ClassVar, Protocol

from pydantic import BaseModel, ConfigDict

if TYPE_CHECKING:
    from kfambassador.envoy.protos import Cluster, Route


class Scope(StrEnum):
    """Where a family's attributes act."""

    #: On the request's way to its cluster; members of a canary keep their own.
    ROUTE = "route"
    #: On the connections to the service; part of the cluster's identity, so two values make two clusters.
    CLUSTER = "cluster"


class RouteDraft(Protocol):
    """An Envoy route that hooks patch before it is sealed."""

    @property
    def message(self) -> "Route":
        """The message itself; its match and cluster are already set."""
        ...


class ClusterDraft(Protocol):
    """An Envoy cluster that hooks patch before it is sealed."""

    @property
    def message(self) -> "Cluster":
        """The message itself; its name, type and endpoints are already set."""
        ...


class Attributes(BaseModel):
    """A family of attributes: the fields that belong together and what they do to Envoy's messages.

    Values are checked strictly: YAML reads ``on`` as a boolean, and a boolean is no method.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    scope: ClassVar[Scope] = Scope.ROUTE

    def on_route(self, draft: RouteDraft) -> None:
        """Patch the route; called with this family's fields only in sight."""

    def on_cluster(self, draft: ClusterDraft) -> None:
        """Patch the cluster; called with this family's fields only in sight."""
