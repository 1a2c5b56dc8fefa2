"""The way to a cluster's gateway and to its read API: an address, a tunnel, or nobody but oneself."""

from collections.abc import Callable
from collections.abc import Mapping as Dict
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from kfambassador.errors import ApiError, ConfigurationError, Forbidden, NoGateway
from kfambassador.kube.client import KubeClient
from kfambassador.kube.permissions import advise, read_denial
from kfambassador.sdk.calling.credentials import BearerToken, Credentials
from kfambassador.sdk.calling.http import HttpClient
from kfambassador.sdk.reaching.discovery import (
    NAMESPACE_VARIABLE,
    URL_VARIABLE,
    FoundGateway,
    Port,
    find_gateway,
    find_read_api,
)
from kfambassador.sdk.reaching.reading import ReadApi

if TYPE_CHECKING:
    from kfambassador.sdk.reaching.reading import Reader


@dataclass(frozen=True, slots=True)
class Said:
    """What the caller said; "" is nothing.

    Attributes:
        url: Where the gateway is.
        diagnostics_url: Where its read API is.
        diagnostics_token: The token of that.
    """

    url: str = ""
    diagnostics_url: str = ""
    diagnostics_token: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Way:
    """The way to a gateway.

    Attributes:
        url: Its address, without a slash at the end.
        internal_url: Its address inside the cluster; "" when that is not known.
        reader: What tells what it serves.
        is_direct: Whether a proxy of the environment has no part in it: it is a tunnel, or inside the cluster.
    """

    url: str
    internal_url: str
    reader: "Reader"
    is_direct: bool = False


class KubernetesToken(Credentials):
    """The token by which a Kubernetes API knows its caller, renewed when it is old.

    Args:
        client: A client of that API, which must have a token.
    """

    def __init__(self, client: KubeClient) -> None:
        self._client = client

    def headers(self) -> dict[str, str]:
        """The header with the token; none where there is no token any more."""
        token = self._client.bearer_token()
        return {} if token is None else {"Authorization": f"Bearer {token}"}

    def curl_words(self) -> list[str]:
        """The header with ``$TOKEN``."""
        return ["-H", '"Authorization: Bearer $TOKEN"']


class Reach:
    """Finds the way to the gateway of one cluster, and keeps its tunnels open.

    Args:
        client: The cluster.
        environ: The environment.
        is_inside: Whether this runs in the cluster.
        tell: Told, in words, of every way that is not the plain one.
    """

    def __init__(
        self, client: KubeClient, environ: Dict[str, str], *, is_inside: bool, tell: Callable[[str], None]
    ) -> None:
        self._client = client
        self._environ = environ
        self._is_inside = is_inside
        self._tell = tell
        self._parts = ExitStack()

    def close(self) -> None:
        """Close the tunnels and the connections to the read API; may be called twice."""
        self._parts.close()

    def find(self, said: Said) -> Way:
        """Find the way.

        Raises:
            ConfigurationError: It cannot be found; the message says what to set.
            NoGateway: The gateway has no ready pod.
            ApiError: The Kubernetes API refuses the tunnel.
        """
        if said.url and said.diagnostics_url:
            return Way(said.url.rstrip("/"), "", self._read_at(said))
        try:
            gateway = find_gateway(self._client, self._environ)
        except (ApiError, ConfigurationError) as error:
            if not said.url:
                raise
            return Way(said.url.rstrip("/"), "", self._read_own(str(error), gateway_namespace=None))
        url = said.url.rstrip("/") or self._find_url(gateway)
        inside = gateway.choose_port(outside=False)
        reader = self._read_at(said) if said.diagnostics_url else self._read(gateway)
        outside = gateway.choose_port(outside=True)
        is_direct = not said.url and (self._is_inside or outside is None or not outside.external_url)
        return Way(url, inside.internal_url if inside else "", reader, is_direct)

    def _find_url(self, gateway: FoundGateway) -> str:
        inside, outside = gateway.choose_port(outside=False), gateway.choose_port(outside=True)
        if inside is None or outside is None:
            raise ConfigurationError(
                f"{gateway.place} has no port for requests: set {URL_VARIABLE}, or give connect(url=...)."
            )
        if self._is_inside:
            return inside.internal_url
        # A certificate is for the gateway's name, and a tunnel has none: it leads to the port without TLS.
        return outside.external_url or self._open_tunnel(inside, say=True)

    def _open_tunnel(self, port: Port, *, say: bool) -> str:
        from kfambassador.kube.tunnel import Tunnel

        try:
            tunnel = Tunnel(self._client, port.service, port.manifest, tell=self._tell)
        except Forbidden as error:
            denial = read_denial(str(error))
            advice = advise(denial, at_gateway=True) if denial else str(error)
            message = f"No tunnel leads to {port.place}, which has no address outside the cluster. {advice}"
            raise Forbidden(message, status=error.status, reason=error.reason) from error
        self._parts.enter_context(tunnel)
        if say:
            self._tell(f"through a tunnel to pod {tunnel.pod}, since {port.place} has no address outside the cluster")
        return f"{port.scheme}://{tunnel.address}"

    def _read_at(self, said: Said) -> ReadApi:
        token = BearerToken(said.diagnostics_token) if said.diagnostics_token else None
        http = self._parts.enter_context(HttpClient(credentials=token))
        return ReadApi(said.diagnostics_url.rstrip("/"), http)

    def _read(self, gateway: FoundGateway) -> "Reader":
        """Read what the gateway's read API says; where it cannot be asked, compile the table here, and say so."""
        try:
            return self._ask(gateway)
        except (ApiError, ConfigurationError) as error:
            return self._read_own(str(error), gateway_namespace=gateway.namespace)

    def _ask(self, gateway: FoundGateway) -> ReadApi:
        port = find_read_api(self._client, gateway)
        if port is None:
            raise NoGateway("no Service has a port for it")
        if not gateway.is_named:
            raise NoGateway(
                f"your Kubernetes token is shown to a gateway only where you say so: set {NAMESPACE_VARIABLE} to "
                f"{gateway.namespace!r} if that is yours"
            )
        if self._client.bearer_token() is None:
            raise NoGateway("you are known to Kubernetes by a certificate, and it asks for a token")
        # Outside the cluster a token goes through TLS only.
        external = port.external_url if port.scheme == "https" and not self._is_inside else ""
        url = external or (port.internal_url if self._is_inside else self._open_tunnel(port, say=False))
        http = HttpClient(credentials=KubernetesToken(self._client), origin=url, direct=not external)
        reader = ReadApi(url, self._parts.enter_context(http), self._client.default_namespace)
        reader.greet()
        return reader

    def _read_own(self, reason: str, *, gateway_namespace: str | None) -> "Reader":
        # Compiling takes most of the package; whoever can ask need not load it.
        from kfambassador.routing.policy import GATEWAY_NAMESPACE, TenancyPolicy
        from kfambassador.sdk.reaching.own_reading import OwnReading

        self._tell(f"routes are compiled here from what you may read, since the read API cannot be asked: {reason}")
        policy = TenancyPolicy(gateway_namespace=gateway_namespace or GATEWAY_NAMESPACE)
        return OwnReading(self._client, policy, reason=reason.rstrip("."))
