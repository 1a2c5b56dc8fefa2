"""The guard: whom a request comes from, and whether they may ask for it."""

import time
from dataclasses import dataclass

from kfambassador.local.kube.access.authentication import Authentication, BadToken
from kfambassador.local.kube.access.authorization import AlwaysAllow, Authorizer, RoleBasedAccess, demand
from kfambassador.local.kube.access.impersonation import Headers, impersonate
from kfambassador.local.kube.access.signing import TokenKey
from kfambassador.local.kube.access.token_requests import SHORTEST, TokenRequests
from kfambassador.local.kube.documents.identity import User
from kfambassador.local.kube.kinds import status
from kfambassador.local.kube.kinds.rules import Asked
from kfambassador.local.kube.store.storage import Store


@dataclass(frozen=True, slots=True)
class Caller:
    """Whom a request comes from.

    Attributes:
        user: Who it is.
        authorizer: Decides what they may do.
    """

    user: User
    authorizer: Authorizer

    def demand(self, asked: Asked) -> None:
        """See to it that the caller may do something.

        Raises:
            StatusError: When they may not.
        """
        demand(self.authorizer, self.user, asked)


class Guard:
    """Knows callers and decides what they may do.

    Nobody is anonymous: who shows no token is refused, as by a cluster started with ``--anonymous-auth=false``.

    Args:
        store: Where ServiceAccounts and roles are.
        token: The administrator's token.
        key: Signs the tokens of ServiceAccounts.
        has_roles: Whether roles decide; otherwise everybody who is known may do everything.
        shortest_token: The shortest a ServiceAccount's token may live, in seconds.
    """

    def __init__(
        self, store: Store, *, token: str, key: TokenKey, has_roles: bool = False, shortest_token: float = SHORTEST
    ) -> None:
        self.authentication = Authentication(store, administrator_token=token, key=key, clock=time.time)
        self.authorizer: Authorizer = RoleBasedAccess(store) if has_roles else AlwaysAllow()
        self.token_requests = TokenRequests(store, self.authentication, shortest=shortest_token)

    def identify(self, headers: Headers) -> Caller:
        """Find whom a request comes from, or whom it asks to be taken for.

        Args:
            headers: The request's headers, by their names in lower case.

        Raises:
            StatusError: When nobody known has sent it, or it asks to be taken for somebody it may not.
        """
        try:
            found = self.authentication.identify(_read_token(next(iter(headers.get("authorization", ())), "")))
        except BadToken as error:
            raise status.unauthorized() from error
        caller = Caller(found.user, self.authorizer)
        other = impersonate(headers, caller.demand)
        return Caller(other, self.authorizer) if other else caller


def _read_token(authorization: str) -> str:
    scheme, _, credentials = authorization.partition(" ")
    return credentials.strip() if scheme.lower() == "bearer" else ""
