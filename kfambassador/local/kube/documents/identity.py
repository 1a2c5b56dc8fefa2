"""Identity: who asks. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

from kfambassador.local.kube.documents.document import Document

#: The group that may do everything, whatever the roles say (Kubernetes, "Default roles and role bindings").
MASTERS: Final = "system:masters"
#: The group of everybody who has shown who they are.
AUTHENTICATED: Final = "system:authenticated"
#: The group of all ServiceAccounts; with a colon and a namespace, of those in it.
SERVICE_ACCOUNTS: Final = "system:serviceaccounts"

_ACCOUNT_PREFIX: Final = "system:serviceaccount:"


@dataclass(frozen=True, slots=True)
class User:
    """Somebody who asks.

    Attributes:
        name: The user's name.
        groups: The groups the user is in.
        uid: What tells two users of one name apart, "" where there is nothing.
        extra: What else is known, by name.
    """

    name: str
    groups: tuple[str, ...] = ()
    uid: str = ""
    extra: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: MappingProxyType({}))

    def document(self) -> Document:
        """The user as reviews tell it.

        Example:
            >>> User("jane", ("team",)).document()
            {'username': 'jane', 'groups': ['team']}
        """
        told: Document = {"username": self.name, "uid": self.uid, "groups": list(self.groups)}
        told["extra"] = {name: list(values) for name, values in self.extra.items()}
        return {name: value for name, value in told.items() if value}


#: Whoever holds the server's own token.
ADMINISTRATOR: Final = User("kubernetes-admin", (MASTERS, AUTHENTICATED))


def account_name(namespace: str, name: str) -> str:
    """The user name of a ServiceAccount.

    Example:
        >>> account_name("team", "notebook")
        'system:serviceaccount:team:notebook'
    """
    return f"{_ACCOUNT_PREFIX}{namespace}:{name}"


def split_account_name(user: str) -> tuple[str, str] | None:
    """The namespace and name of the ServiceAccount a user name means; None when it means none.

    Example:
        >>> split_account_name("system:serviceaccount:team:notebook")
        ('team', 'notebook')
    """
    namespace, _, name = user.removeprefix(_ACCOUNT_PREFIX).partition(":")
    return (namespace, name) if user.startswith(_ACCOUNT_PREFIX) and namespace and name else None


def account_groups(namespace: str) -> tuple[str, ...]:
    """The groups of a namespace's ServiceAccounts.

    Example:
        >>> account_groups("team")
        ('system:serviceaccounts', 'system:serviceaccounts:team', 'system:authenticated')
    """
    return (SERVICE_ACCOUNTS, f"{SERVICE_ACCOUNTS}:{namespace}", AUTHENTICATED)
