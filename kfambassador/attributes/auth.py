"""What the gateway's authorization service is asked, or that it is not."""

from collections.abc import Mapping as Dict
from typing import Annotated

from pydantic import Field

from kfambassador.attributes.base import Attributes, RouteDraft

FILTER = "envoy.filters.http.ext_authz"


class Auth(Attributes, frozen=True):
    """What the gateway's authorization service is asked, or that it is not (Ambassador, "AuthService").

    Without an AuthService both have no effect. A redirect is answered without asking.
    """

    bypass_auth: Annotated[bool, Field(description="Serve requests without asking the authorization service.")] = False
    auth_context_extensions: Annotated[
        Dict[str, str], Field(description="Words of the mapping's own that the authorization service is told.")
    ] = {}

    def on_route(self, draft: RouteDraft) -> None:
        """Switch the filter off, or tell it the words."""
        if self.bypass_auth or draft.message.HasField("redirect"):
            draft.per_filter(FILTER, disabled=True)
        elif self.auth_context_extensions:
            draft.per_filter(FILTER, check_settings={"context_extensions": dict(self.auth_context_extensions)})
