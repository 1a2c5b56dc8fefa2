"""Finding a cluster's gateway: its Service by label, the addresses that Service has, and the read API beside it."""

from collections.abc import Iterator
from collections.abc import Mapping as Dict
from dataclasses import dataclass
from typing import Final, NamedTuple

from kfambassador.errors import ConfigurationError, Forbidden, NotFound
from kfambassador.kube.client import KubeClient, Manifest
from kfambassador.kube.kinds import SERVICE
from kfambassador.kube.permissions import advise, read_denial
from kfambassador.names import GATEWAY_LABELS, INSTALL_NAMESPACE, READ_API_LABELS, READ_API_PORT
from kfambassador.resources.fields import as_object, as_objects, as_text

#: The environment variable that says in which namespace the gateway is.
NAMESPACE_VARIABLE: Final = "KFAMBASSADOR_NAMESPACE"
#: The environment variable that says where the gateway is.
URL_VARIABLE: Final = "KFAMBASSADOR_URL"

_USUAL_PORTS: Final = {"http": 80, "https": 443}
_TLS: Final = "https"


class Port(NamedTuple):
    """A port of a Service.

    Attributes:
        service: The Service.
        manifest: The port, as the Service has it.
    """

    service: Manifest
    manifest: Manifest

    @property
    def scheme(self) -> str:
        """``https`` when the port's name or its ``appProtocol`` says so, else ``http``."""
        said = as_text(self.manifest.get("appProtocol")) or as_text(self.manifest.get("name"))
        return _TLS if said.lower().partition("-")[0] == _TLS else "http"

    @property
    def number(self) -> int:
        """The port's number."""
        return int(self.manifest["port"])

    @property
    def place(self) -> str:
        """Which Service it is of, in words."""
        return _tell(self.service)

    @property
    def internal_url(self) -> str:
        """Its address inside the cluster."""
        metadata = self.service["metadata"]
        return _write_url(self.scheme, f"{metadata['name']}.{metadata['namespace']}", self.number)

    @property
    def external_url(self) -> str:
        """Its address outside the cluster, as a load balancer gives it; "" when there is none."""
        balancer = as_object(as_object(self.service.get("status")).get("loadBalancer"))
        for ingress in as_objects(balancer.get("ingress")):
            if host := as_text(ingress.get("hostname")) or as_text(ingress.get("ip")):
                return _write_url(self.scheme, host, self.number)
        return ""


@dataclass(frozen=True, slots=True)
class FoundGateway:
    """A gateway that was found.

    Attributes:
        service: Its Service.
        is_named: Whether somebody said in which namespace it is, or it is where gateways usually are. Anybody may put
            such labels on a Service of theirs, so what is only found shows nobody's credentials to it.
    """

    service: Manifest
    is_named: bool

    @property
    def namespace(self) -> str:
        """Its namespace."""
        return str(self.service["metadata"]["namespace"])

    @property
    def place(self) -> str:
        """Which Service it is, in words."""
        return _tell(self.service)

    def choose_port(self, *, outside: bool) -> Port | None:
        """Choose the port that takes requests: outside one with TLS before others, inside one without."""
        ports = (port for port in _list_ports(self.service) if not _is_read_api(port))
        return min(ports, key=lambda port: (port.scheme == _TLS) != outside, default=None)


def find_gateway(client: KubeClient, environ: Dict[str, str]) -> FoundGateway:
    """Find the gateway's Service.

    It is looked for in the namespace that ``KFAMBASSADOR_NAMESPACE`` names; else in ``kfambassador``, and then in all,
    where one may.

    Raises:
        ConfigurationError: There is none, there are several, or one may not look; the message says what to set.
    """
    if named := environ.get(NAMESPACE_VARIABLE):
        return FoundGateway(_take_one(_list_named(client, named), where=f"namespace {named!r}"), is_named=True)
    denied: Forbidden | None = None
    try:
        usual = _list(client, INSTALL_NAMESPACE)
    except NotFound:
        usual = ()
    except Forbidden as error:
        usual, denied = (), error
    if usual:
        return FoundGateway(_take_one(usual, where=f"namespace {INSTALL_NAMESPACE!r}"), is_named=True)
    try:
        everywhere = _list(client, None)
    except Forbidden as error:
        raise ConfigurationError(
            f"The gateway was looked for by its Service ({_select(GATEWAY_LABELS)}): in namespace "
            f"{INSTALL_NAMESPACE!r} there is none you may see, and in all namespaces you may not look. "
            f"{_WAYS_OUT} {_explain(denied or error)}"
        ) from error
    return FoundGateway(_take_one(everywhere, where="any namespace"), is_named=False)


def find_read_api(client: KubeClient, gateway: FoundGateway) -> Port | None:
    """Find the read API: the port ``diagnostics`` of the gateway's Service, or of one beside it; None without one.

    Raises:
        ApiError: One may not look beside it.
    """
    beside = client.list(SERVICE, namespace=gateway.namespace, label_selector=_select(READ_API_LABELS)).items
    named = (port for each in (gateway.service, *beside) for port in _list_ports(each) if _is_read_api(port))
    return next(named, None) or next((port for each in beside for port in _list_ports(each)), None)


_WAYS_OUT: Final = (
    f"Set {NAMESPACE_VARIABLE} to the gateway's namespace, or {URL_VARIABLE} to its address, or give connect(url=...)."
)


def _list(client: KubeClient, namespace: str | None) -> tuple[Manifest, ...]:
    return client.list(SERVICE, namespace=namespace, label_selector=_select(GATEWAY_LABELS)).items


def _list_named(client: KubeClient, namespace: str) -> tuple[Manifest, ...]:
    try:
        return _list(client, namespace)
    except Forbidden as error:
        raise ConfigurationError(
            f"The gateway cannot be looked for in namespace {namespace!r}, which {NAMESPACE_VARIABLE} names. "
            f"{_explain(error)}"
        ) from error


def _explain(error: Forbidden) -> str:
    """Say which role of the gateway's namespace is missing; a refusal for another reason says it itself."""
    denial = read_denial(str(error))
    return advise(denial, at_gateway=True) if denial else str(error)


def _take_one(found: tuple[Manifest, ...], *, where: str) -> Manifest:
    if len(found) == 1:
        return found[0]
    labels = _select(GATEWAY_LABELS)
    if not found:
        raise ConfigurationError(f"No gateway was found: no Service with {labels} in {where}. {_WAYS_OUT}")
    names = ", ".join(f"{each['metadata']['namespace']}/{each['metadata']['name']}" for each in found)
    raise ConfigurationError(f"There are {len(found)} gateways: Services with {labels} are {names}. {_WAYS_OUT}")


def _tell(service: Manifest) -> str:
    return f"Service {service['metadata']['name']} in namespace {service['metadata']['namespace']}"


def _select(labels: Dict[str, str]) -> str:
    return ",".join(f"{name}={value}" for name, value in labels.items())


def _list_ports(service: Manifest) -> Iterator[Port]:
    for port in as_objects(as_object(service.get("spec")).get("ports")):
        # Neither UDP (HTTP/3) nor SCTP is spoken here.
        if port.get("protocol", "TCP") == "TCP":
            yield Port(service, dict(port))


def _is_read_api(port: Port) -> bool:
    return port.manifest.get("name") == READ_API_PORT


def _write_url(scheme: str, host: str, number: int) -> str:
    bracketed = f"[{host}]" if ":" in host else host
    return f"{scheme}://{bracketed}" if number == _USUAL_PORTS[scheme] else f"{scheme}://{bracketed}:{number}"
