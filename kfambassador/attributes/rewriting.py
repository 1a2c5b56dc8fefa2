"""What the service sees instead of the path and host that were asked for."""

from typing import Annotated

from pydantic import Field

from kfambassador.attributes.base import Attributes, PathSubstitution, RouteDraft


class Rewriting(Attributes, frozen=True):
    """What the service sees instead of the path and host that were asked for."""

    rewrite: Annotated[
        str | None,
        Field(
            description='Replaces the matched prefix; / when absent, and "" leaves the path as it is. '
            "With prefix_regex or prefix_exact it replaces the whole path.",
        ),
    ] = None
    regex_rewrite: Annotated[
        PathSubstitution | None,
        Field(description="Replaces what an expression finds in the path: {pattern, substitution}. Beats rewrite."),
    ] = None
    host_rewrite: Annotated[str | None, Field(min_length=1, description="The Host header the service sees.")] = None
    auto_host_rewrite: Annotated[
        bool, Field(description="Make the Host header the name that service holds, with its namespace.")
    ] = False

    def on_route(self, draft: RouteDraft) -> None:
        """Set the rewrites; Envoy replaces what was matched, which is the whole path for an expression."""
        action = draft.action
        if self.regex_rewrite is not None:
            action.regex_rewrite.pattern.regex = self.regex_rewrite.pattern
            action.regex_rewrite.substitution = self.regex_rewrite.substitution
        else:
            action.prefix_rewrite = "/" if self.rewrite is None else self.rewrite
        if self.host_rewrite is not None:
            action.host_rewrite_literal = self.host_rewrite
        elif self.auto_host_rewrite:
            # Said here, because Envoy itself only knows the names of what it found by DNS.
            host = draft.service.host
            action.host_rewrite_literal = f"[{host}]" if ":" in host else host
