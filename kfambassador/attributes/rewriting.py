"""What the service sees instead of the path and host that were asked for."""

from typing import Annotated

from pydantic import Field

from kfambassador.attributes.base import Attributes, RouteDraft


class Rewriting(Attributes, frozen=True):
    """What the service sees instead of the path and host that were asked for."""

    rewrite: Annotated[
        str | None,
        Field(
            description='Replaces the matched prefix; / when absent, and "" leaves the path as it is. '
            "With prefix_regex or prefix_exact it replaces the whole path.",
        ),
    ] = None
    host_rewrite: Annotated[str | None, Field(min_length=1, description="The Host header the service sees.")] = None
    auto_host_rewrite: Annotated[
        bool, Field(description="Make the Host header the DNS name the service was found by.")
    ] = False

    def on_route(self, draft: RouteDraft) -> None:
        """Set the rewrites; Envoy replaces what was matched, which is the whole path for an expression."""
        action = draft.message.route
        action.prefix_rewrite = "/" if self.rewrite is None else self.rewrite
        if self.host_rewrite is not None:
            action.host_rewrite_literal = self.host_rewrite
        elif self.auto_host_rewrite:
            action.auto_host_rewrite.value = True
