"""Answering with another place instead of asking the service."""

from typing import Annotated, Literal

from pydantic import Field

from kfambassador.attributes.base import Attributes, PathSubstitution, RouteDraft

#: What Ambassador answers when no code is said: moved permanently.
DEFAULT_REDIRECT_CODE = 301

# Envoy's RedirectResponseCode, by number, because attribute files import no protobuf.
_CODES = {301: 0, 302: 1, 303: 2, 307: 3, 308: 4}
# A port that goes without saying.
_DEFAULT_PORTS = {False: 80, True: 443}


class Redirecting(Attributes, frozen=True):
    r"""Answering with another place instead of asking the service (Ambassador, "Redirects").

    ``service`` is then where clients are sent: its host, its port where one is written, and https where it says so.
    """

    host_redirect: Annotated[
        bool, Field(description="Send clients to the host that service names, instead of asking it.")
    ] = False
    path_redirect: Annotated[
        str | None, Field(min_length=1, description="The whole path clients are sent to. Needs host_redirect.")
    ] = None
    prefix_redirect: Annotated[
        str | None, Field(min_length=1, description="Replaces the matched prefix in it. Needs host_redirect.")
    ] = None
    regex_redirect: Annotated[
        PathSubstitution | None,
        Field(description="Replaces what an expression finds in the path: {pattern, substitution}."),
    ] = None
    redirect_response_code: Annotated[
        Literal[301, 302, 303, 307, 308] | None,
        Field(description="The status: 301, 302, 303, 307 or 308; 301 when absent."),
    ] = None

    def on_route(self, draft: RouteDraft) -> None:
        """Make the route a redirect. A whole path counts before a prefix, and a prefix before an expression."""
        if not self.host_redirect:
            return
        redirect = draft.message.redirect
        redirect.host_redirect = draft.service.host
        redirect.response_code = _CODES[self.redirect_response_code or DEFAULT_REDIRECT_CODE]
        if draft.service.tls:
            redirect.https_redirect = True
        if draft.service.port != _DEFAULT_PORTS[draft.service.tls]:
            redirect.port_redirect = draft.service.port
        if self.path_redirect is not None:
            redirect.path_redirect = self.path_redirect
        elif self.prefix_redirect is not None:
            redirect.prefix_rewrite = self.prefix_redirect
        elif self.regex_redirect is not None:
            redirect.regex_rewrite.pattern.regex = self.regex_redirect.pattern
            redirect.regex_rewrite.substitution = self.regex_redirect.substitution
