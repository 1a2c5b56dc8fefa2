"""The routing table: what is decided, before it is said in Envoy's words.

Plain immutable data. A route carries its mappings whole: the compiler understands what shapes the table (match,
precedence, weight, service), and everything else passes through unread, which keeps an attribute a one-file change.
"""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

from kfambassador.problems import Origin, Problem
from kfambassador.resources.auth_service import AuthService
from kfambassador.resources.mapping import Mapping
from kfambassador.resources.module import NO_MODULE, Module
from kfambassador.resources.service import ServiceKey


class PathKind(StrEnum):
    """How a path is compared."""

    PREFIX = "prefix"
    EXACT = "exact"
    REGEX = "regex"


class PathMatch(NamedTuple):
    """A condition on the path, without its query.

    Attributes:
        kind: How it is compared; an expression must match the whole path.
        text: The prefix, the path or the expression, as it was written.
        case_sensitive: Whether upper and lower case differ; has no bearing on an expression.
    """

    kind: PathKind
    text: str
    case_sensitive: bool = True


class ValueKind(StrEnum):
    """How a header or query parameter is compared."""

    EXACT = "exact"
    PRESENT = "present"
    PREFIX = "prefix"
    SUFFIX = "suffix"
    REGEX = "regex"


class ValueMatch(NamedTuple):
    """A condition on one header or query parameter.

    Attributes:
        name: The header's name in lower case (``:method`` and ``:authority`` are headers here, as in Ambassador), or
            the parameter's.
        kind: How the value is compared; an expression must match the whole value.
        value: What it is compared with; "" when only presence counts.
    """

    name: str
    kind: ValueKind
    value: str = ""


class Match(NamedTuple):
    """Which requests a route takes: all conditions must hold."""

    path: PathMatch
    headers: tuple[ValueMatch, ...] = ()
    query_parameters: tuple[ValueMatch, ...] = ()


class Target(NamedTuple):
    """Where a mapping's service points, once its text is understood.

    Attributes:
        host: A host name in lower case, qualified with a namespace where it needs one, or an IP address.
        port: The port clients of the service use.
        tls: Whether it was written with ``https://``.
    """

    host: str
    port: int
    tls: bool = False

    def service_key(self) -> ServiceKey | None:
        """The Service of the cluster this would be, if there is one by that name.

        Example:
            >>> Target("test.kubeflow.svc.cluster.local", 80).service_key()
            ServiceKey(namespace='kubeflow', name='test')
        """
        host = self.host.rstrip(".").removesuffix(".cluster.local").removesuffix(".svc")
        name, dot, namespace = host.partition(".")
        return ServiceKey(namespace, name) if dot and name and namespace and "." not in namespace else None

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


class Endpoint(NamedTuple):
    """One address that answers for a cluster."""

    address: str
    port: int

    def __str__(self) -> str:
        return f"[{self.address}]:{self.port}" if ":" in self.address else f"{self.address}:{self.port}"


class Discovery(StrEnum):
    """How a cluster's endpoints are found."""

    #: From the EndpointSlices of a Service of the cluster.
    ENDPOINTS = "endpoints"
    #: By asking DNS, again and again.
    DNS = "dns"
    #: They are the address that was written.
    ADDRESS = "address"


@dataclass(frozen=True, slots=True)
class Pem:
    """Certificates or a key in PEM: their text, or the file on Envoy's machine that holds it. Never shown."""

    text: str = field(default="", repr=False)
    file: str = ""


@dataclass(frozen=True, slots=True)
class Certificate:
    """Who Envoy is to a service that asks."""

    chain: Pem
    key: Pem


@dataclass(frozen=True, slots=True)
class UpstreamTls:
    """How connections to a service are protected.

    Attributes:
        context: The TLSContext's name; "" when only ``https://`` or ``tls: true`` asked for it.
        sni: The server name that is asked for; "" for an address.
        verified_names: The names, or the address, of which the service's certificate must be for one.
        is_address: Whether it is an IP address.
        authorities: Whose certificates are believed; None verifies nothing, by the platform owner's explicit word.
        revoked: Which of their certificates are no longer believed.
        certificate: Envoy's own certificate, if it shows one.
        min_version: ``v1.0`` to ``v1.3``; "" leaves it to Envoy.
        max_version: The same.
        cipher_suites: In OpenSSL's names; none leaves it to Envoy.
        ecdh_curves: The same.
        alpn_protocols: What Envoy offers to speak; none leaves it to Envoy.
    """

    context: str = ""
    sni: str = ""
    verified_names: tuple[str, ...] = ()
    is_address: bool = False
    authorities: Pem | None = None
    revoked: Pem | None = None
    certificate: Certificate | None = None
    min_version: str = ""
    max_version: str = ""
    cipher_suites: tuple[str, ...] = ()
    ecdh_curves: tuple[str, ...] = ()
    alpn_protocols: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Cluster:
    """A service Envoy connects to.

    Attributes:
        name: Made from the target and every cluster-scoped attribute, so two settings never share a cluster.
        target: Where the mapping pointed.
        discovery: How the endpoints are found.
        endpoints: Where Envoy connects to; for DNS the one name to look up.
        settings: A mapping whose cluster-scoped attributes are this cluster's.
        tls: How its connections are protected; None leaves them in clear.
    """

    name: str
    target: Target
    discovery: Discovery
    endpoints: tuple[Endpoint, ...]
    settings: Mapping
    tls: UpstreamTls | None = None


@dataclass(frozen=True, slots=True)
class Split:
    """One mapping's part in a route.

    Attributes:
        mapping: What holds for it: what was written, and the gateway's defaults where nothing was. Its rewrites,
            timeouts and headers are its own.
        origin: Where it was written.
        namespace: The namespace it belongs to.
        target: Where its service text points.
        cluster: The name of the cluster it goes to; "" for a redirect.
        share: Its effective share of the route's requests, in percent. The shares of a route sum to 100; a shadow's is
            how many of them it gets a copy of.
    """

    mapping: Mapping
    origin: Origin
    namespace: str
    target: Target
    cluster: str
    share: int


@dataclass(frozen=True, slots=True)
class Route:
    """Requests that match go to one of the splits.

    Attributes:
        match: Which requests.
        precedence: Evaluated before routes of lower precedence.
        splits: Who gets them; more than one is a canary.
        shadows: Who gets copies, and whose answers nobody sees.
    """

    match: Match
    precedence: int
    splits: tuple[Split, ...]
    shadows: tuple[Split, ...] = ()

    @property
    def receivers(self) -> tuple[Split, ...]:
        """Everybody who gets requests of it: those who answer, and those who get copies."""
        return (*self.splits, *self.shadows)


@dataclass(frozen=True, slots=True)
class VirtualHost:
    """Routes for a set of host names.

    Attributes:
        name: Unique in the table.
        domains: Host names; ``*`` is any.
        routes: In the order they are evaluated; the first that matches wins.
    """

    name: str
    domains: tuple[str, ...]
    routes: tuple[Route, ...]


@dataclass(frozen=True, slots=True)
class Authorization:
    """Whom Envoy asks whether a request may pass.

    Attributes:
        service: How it is asked.
        cluster: The name of its cluster.
    """

    service: AuthService
    cluster: str


@dataclass(frozen=True, slots=True)
class RoutingTable:
    """Everything Envoy is to do, before it is said in Envoy's words.

    Attributes:
        virtual_hosts: The routes by host.
        clusters: Every cluster that a route names, sorted by name.
        module: What holds for the listener and for all routes.
        authorization: Whom Envoy asks whether a request may pass; None asks nobody.
        generation: The generation of the resources it was compiled from.
    """

    virtual_hosts: tuple[VirtualHost, ...] = ()
    clusters: tuple[Cluster, ...] = ()
    module: Module = NO_MODULE
    authorization: Authorization | None = None
    generation: int = 0

    def routes(self) -> tuple[Route, ...]:
        """All routes in evaluation order, host by host."""
        return tuple(route for host in self.virtual_hosts for route in host.routes)


@dataclass(frozen=True, slots=True)
class Compiled:
    """What a compilation gives: the table, and the problems of everything that was read."""

    table: RoutingTable
    problems: tuple[Problem, ...]
