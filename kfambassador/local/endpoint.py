"""How to reach a gateway on this machine."""

from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True)
class GatewayEndpoint:
    """How to reach a running laptop gateway.

    Attributes:
        url: Where models answer.
        api_url: Where its Kubernetes API answers.
        api_token: The bearer token that API asks for.
        api_authority: The certificate that API is to be trusted by, in PEM; no secret.
        diagnostics_url: Where the controller's read API answers.
        diagnostics_token: The bearer token that one asks for.
        pid: The process it runs in.
        started: When it became ready, in seconds since 1970.
        state: The directory that keeps its objects; None when they end with it.

    Example:
        >>> endpoint = GatewayEndpoint(
        ...     url="http://127.0.0.1:8080",
        ...     api_url="https://127.0.0.1:6443",
        ...     api_token="secret",
        ...     api_authority="-----BEGIN CERTIFICATE-----",
        ...     diagnostics_url="http://127.0.0.1:8877",
        ...     diagnostics_token="secret",
        ...     pid=812,
        ...     started=0.0,
        ... )
        >>> endpoint.port, endpoint.api_port, "secret" in repr(endpoint)
        (8080, 6443, False)
    """

    url: str
    api_url: str
    api_token: str = field(repr=False)
    api_authority: str = field(repr=False)
    diagnostics_url: str
    diagnostics_token: str = field(repr=False)
    pid: int
    started: float
    state: Path | None = None

    @property
    def port(self) -> int:
        """The port models answer on."""
        return int(self.url.rpartition(":")[2])

    @property
    def api_port(self) -> int:
        """The port its Kubernetes API answers on."""
        return int(self.api_url.rpartition(":")[2])
