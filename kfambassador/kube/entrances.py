"""The ways into one Kubernetes API: where it is, what connections to it trust, and what says who asks."""

import re
from dataclasses import dataclass, field
from typing import Final, NamedTuple, Protocol

import urllib3

from kfambassador.names import DEFAULT_NAMESPACE

# As many as the official package keeps on a machine with two processors.
_KEPT: Final = 10


class Entrance(Protocol):
    """A way into one Kubernetes API."""

    @property
    def url(self) -> str:
        """Its address, without a slash at the end."""

    def open(self) -> urllib3.PoolManager:
        """Give connections to it that nobody else has."""

    def show(self) -> dict[str, str]:
        """Give the headers that say who asks, renewed when they are old; none where a certificate does.

        A renewal may read files, run a plugin and log in: any error may come out of it.
        """


class Entered(NamedTuple):
    """An entrance, and the namespace where objects live that do not say."""

    entrance: Entrance
    namespace: str = DEFAULT_NAMESPACE


@dataclass(frozen=True, slots=True)
class TokenEntrance:
    """An address and a bearer token, without any proxy.

    Attributes:
        url: The address.
        token: The token.
        authority: The certificates of the authorities to trust, in PEM; None trusts those the system trusts.

    Example:
        >>> TokenEntrance("http://127.0.0.1:8001", "secret").show()
        {'authorization': 'Bearer secret'}
    """

    url: str
    token: str = field(repr=False)
    authority: str | None = field(default=None, repr=False)

    def open(self) -> urllib3.PoolManager:
        """Give connections to it that nobody else has."""
        return urllib3.PoolManager(maxsize=_KEPT, ca_cert_data=self.authority)

    def show(self) -> dict[str, str]:
        """Give the header with the token."""
        return {"authorization": f"Bearer {self.token}"}


def hide_credentials(url: str) -> str:
    """Give an address without the user and the password it may hold.

    Example:
        >>> hide_credentials("https://ana:secret@cluster:6443")
        'https://cluster:6443'
    """
    return re.sub("//[^/]*@", "//", url)
