"""What the connections to the service are called."""

from typing import Annotated, ClassVar

from pydantic import Field

from kfambassador.attributes.base import Attributes, ClusterDraft, Scope


class Naming(Attributes, frozen=True):
    """What the connections to the service are called."""

    scope: ClassVar[Scope] = Scope.CLUSTER

    cluster_tag: Annotated[
        str | None,
        Field(
            description="Keeps this mapping's connections apart from those of mappings to the same service with "
            "another tag or none, and stands in their cluster's name."
        ),
    ] = None
    stats_name: Annotated[
        str | None,
        Field(min_length=1, description="What Envoy's statistics call the cluster, instead of the cluster's own name."),
    ] = None

    def on_cluster(self, draft: ClusterDraft) -> None:
        """Set the name in statistics; the tag is in the cluster's name already."""
        if self.stats_name is not None:
            draft.message.alt_stat_name = self.stats_name
