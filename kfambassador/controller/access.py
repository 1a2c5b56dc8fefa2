"""Who may ask the read API what: anybody, who knows its token, or whom a cluster lets read Mappings."""

import hmac
from collections.abc import Collection
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import Final, Protocol

from kfambassador.controller.sight import OWNER, Sight

UNAUTHORIZED: Final = 401
FORBIDDEN: Final = 403
UNAVAILABLE: Final = 503


class Refused(Exception):
    """Somebody is not answered.

    Attributes:
        status: The HTTP status to say it with.
    """

    def __init__(self, status: int, words: str) -> None:
        self.status = status
        super().__init__(words)


class Guard(Protocol):
    """Decides who may ask."""

    async def admit(self, token: str, among: Collection[str], *, needed: Collection[str] = ()) -> Sight:
        """Say what somebody may see.

        Args:
            token: The bearer token they gave; "" when they gave none.
            among: The namespaces their question is about; of others nothing need be found out.
            needed: Those of them without which it cannot be answered.

        Raises:
            Refused: They may not ask, or it cannot be found out whether they may.
        """
        ...

    def close(self) -> None:
        """Let go of what it holds."""
        ...


class OpenGuard:
    """Lets everybody see all: for an address that only one person can reach."""

    async def admit(self, token: str, among: Collection[str], *, needed: Collection[str] = ()) -> Sight:
        """Let them in; see :meth:`Guard.admit`."""
        del token, among, needed
        return OWNER

    def close(self) -> None:
        """Do nothing."""


@dataclass(frozen=True, slots=True)
class TokenGuard:
    """Lets those see all who know one token.

    Attributes:
        token: The token.
    """

    token: str = field(repr=False)

    async def admit(self, token: str, among: Collection[str], *, needed: Collection[str] = ()) -> Sight:
        """Compare tokens; see :meth:`Guard.admit`."""
        del among, needed
        if not hmac.compare_digest(token.encode(errors="surrogateescape"), self.token.encode()):
            raise Refused(UNAUTHORIZED, "the bearer token is missing or wrong")
        return OWNER

    def close(self) -> None:
        """Do nothing."""


def read_token(header: str) -> str:
    """Read the bearer token of an ``Authorization`` header; "" when there is none.

    Example:
        >>> read_token("Bearer abc"), read_token("bearer  abc "), read_token("Basic abc"), read_token("")
        ('abc', 'abc', '', '')
    """
    scheme, _, token = header.strip().partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def is_loopback(host: str) -> bool:
    """Tell whether only this machine reaches what listens there.

    Example:
        >>> is_loopback("127.0.0.1"), is_loopback("localhost"), is_loopback("::1"), is_loopback("0.0.0.0")
        (True, True, True, False)
        >>> is_loopback(""), is_loopback("gateway.example")
        (False, False)
    """
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
