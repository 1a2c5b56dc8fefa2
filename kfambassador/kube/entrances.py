"""The ways into one Kubernetes API: where it is, what connections to it trust, and what says who asks."""

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
    """An address and a bearer token, without any proxy; what the system trusts is trusted.

    Example:
        >>> TokenEntrance("http://127.0.0.1:8001", "secret").show()
        {'authorization': 'Bearer secret'}
    """

    url: str
    token: str = field(repr=False)

    def open(self) -> urllib3.PoolManager:
        """Give connections to it that nobody else has."""
        return urllib3.PoolManager(maxsize=_KEPT)

    def show(self) -> dict[str, str]:
        """Give the header with the token."""
        return {"authorization": f"Bearer {self.token}"}
