"""The gateway as its users see it: connect, publish, look, take down."""

import os
import sys
from collections.abc import Mapping as Dict
from types import TracebackType
from typing import TYPE_CHECKING, Final, Self, Unpack

from kfambassador.errors import ConfigurationError, NotFound
from kfambassador.kube.client import KubeClient
from kfambassador.problems import Problem
from kfambassador.sdk.attributes import MappingAttributes
from kfambassador.sdk.exposure import Exposure
from kfambassador.sdk.http import HttpClient
from kfambassador.sdk.objects import apply_plan, list_publications
from kfambassador.sdk.publication import build_plan
from kfambassador.sdk.reading import ReadApi
from kfambassador.sdk.servers import ModelServer, TFServing
from kfambassador.sdk.targets import InCluster, Kubeconfig, Local, Target, choose_target
from kfambassador.sdk.views import Explanation, RouteList
from kfambassador.sdk.waiting import Access, take_down

if TYPE_CHECKING:
    from kfambassador.local.endpoint import GatewayEndpoint

#: Environment variables that say where the gateway of a cluster is, when the caller does not.
URL_VARIABLE: Final = "KFAMBASSADOR_URL"
DIAGNOSTICS_URL_VARIABLE: Final = "KFAMBASSADOR_DIAGNOSTICS_URL"
DIAGNOSTICS_TOKEN_VARIABLE: Final = "KFAMBASSADOR_DIAGNOSTICS_TOKEN"  # noqa: S105 - the variable's name, not a token

_TFSERVING: Final = TFServing()


def connect(
    target: Target | str | None = None,
    *,
    url: str | None = None,
    diagnostics_url: str | None = None,
    diagnostics_token: str | None = None,
    quiet: bool = False,
) -> "Gateway":
    """Connect to a gateway: this machine's, or a cluster's.

    Args:
        target: ``"local"``, ``"in-cluster"``, the name of a kubeconfig context, or a
            :class:`~kfambassador.sdk.targets.Local`, :class:`~kfambassador.sdk.targets.Kubeconfig` or
            :class:`~kfambassador.sdk.targets.InCluster`. None means what ``KFAMBASSADOR_TARGET`` says; else the
            cluster when this runs in one; else this machine, whose gateway is started when there is none. A kubeconfig
            that merely lies about is never used.
        url: A cluster's gateway as callers reach it; None means ``KFAMBASSADOR_URL``.
        diagnostics_url: The read API of its controller; None means ``KFAMBASSADOR_DIAGNOSTICS_URL``.
        diagnostics_token: The token of that; None means ``KFAMBASSADOR_DIAGNOSTICS_TOKEN``, or none.
        quiet: Do not say on standard error which gateway it is.

    Raises:
        ConfigurationError: There is no such context, or it is not known where the cluster's gateway is.
        NoGateway: The gateway of this machine could not be started.
    """
    chosen = choose_target(target, os.environ)
    if isinstance(chosen, Local):
        gateway = _connect_here(quiet=quiet)
    else:
        gateway = _connect_cluster(
            chosen,
            url=url,
            diagnostics_url=diagnostics_url,
            token=diagnostics_token or os.environ.get(DIAGNOSTICS_TOKEN_VARIABLE),
        )
    if not quiet:
        _say(f"{gateway.place}: gateway at {gateway.url}")
    return gateway


class Gateway:
    """A gateway: publish models and look at what it serves. A context manager that closes its connections.

    Made by :func:`connect`.

    Args:
        access: The ways to it.
        place: Whose gateway it is.
    """

    def __init__(self, access: Access, *, place: Target) -> None:
        self._access = access
        self.place = place

    @classmethod
    def at(cls, endpoint: "GatewayEndpoint") -> Self:
        """Connect to a gateway of this machine whose endpoint is known, such as a LocalStack's."""
        access = Access(
            client=KubeClient.connect(endpoint.api_url, token=endpoint.api_token),
            reader=ReadApi(endpoint.diagnostics_url, HttpClient(token=endpoint.diagnostics_token, direct=True)),
            http=HttpClient(direct=True),
            url=endpoint.url,
        )
        return cls(access, place=Local())

    @property
    def url(self) -> str:
        """Where models answer, without a slash at the end."""
        return self._access.url

    @property
    def namespace(self) -> str:
        """Where models are published when nothing is said."""
        return self._access.client.default_namespace

    @property
    def client(self) -> KubeClient:
        """The Kubernetes API the gateway follows, for whoever wants to look or to do more."""
        return self._access.client

    def expose(
        self,
        name: str,
        *,
        service: str | int | None = None,
        server: ModelServer = _TFSERVING,
        namespace: str | None = None,
        wait: float | None = 10.0,
        object_labels: Dict[str, str] | None = None,
        **attributes: Unpack[MappingAttributes],
    ) -> Exposure:
        """Publish a model, and return when it answers through the gateway.

        Publishing the same name again changes what was published; nothing is lost on the way.

        Args:
            name: The name to publish by; it also names the Kubernetes Service.
            service: Where the model server is: ``host:port`` or a port of this machine (``"127.0.0.1:8501"``,
                ``8501``), a Service of the cluster (``"mnist"``, ``"mnist.team:8501"``) or a DNS name. Without a port
                the server's usual one counts. None means the Service that has the model's name. What speaks TLS
                (``"https://localhost:8443"``) needs a certificate for the name as it is written here.
            server: What kind of server it is; it knows the paths.
            namespace: Where to publish; None means the gateway's usual namespace.
            wait: Seconds to wait until it answers; None does not wait.
            object_labels: Labels for the Kubernetes objects, besides the usual ones. (A mapping's ``labels`` speak to a
                rate limit service.)
            **attributes: What every mapping of the model says; ``prefix`` is the public path, and all others are those
                of :class:`~kfambassador.resources.mapping.Mapping`.

        Raises:
            MappingRejected: Something of it is at fault, or somebody else holds the name.
            NotServed: It did not answer in time; the message says which step is missing. What was applied stays, and
                is served once nothing is missing.
            ApiError: The Kubernetes API refused.

        Example::

            mnist = gateway.expose("mnist", service="127.0.0.1:8501", timeout_ms=60_000)
            mnist.predict([[0.1, 0.2]]).values
        """
        plan = build_plan(
            name,
            service=service,
            server=server,
            namespace=namespace or self.namespace,
            attributes={**attributes},
            labels=object_labels or {},
            reaches_here=isinstance(self.place, Local),
        )
        version = apply_plan(self._access.client, plan)
        exposure = Exposure(self._access, plan.publication, version=version)
        return exposure if wait is None else exposure.wait(wait)

    def exposures(self, *, namespace: str | None = None) -> list[Exposure]:
        """Everything published from Python or the command line in a namespace."""
        found = list_publications(self._access.client, namespace or self.namespace)
        return [Exposure(self._access, publication, version=version) for publication, version in found]

    def get(self, name: str, *, namespace: str | None = None) -> Exposure:
        """Take up what was published by a name, perhaps by another process.

        Raises:
            NotFound: Nothing is published by that name.
        """
        namespace = namespace or self.namespace
        for publication, version in list_publications(self._access.client, namespace, name=name):
            return Exposure(self._access, publication, version=version)
        raise self._miss(name, namespace)

    def delete(self, name: str, *, namespace: str | None = None, wait: float = 5.0) -> None:
        """Take down what was published by a name, and return when its routes are gone.

        Args:
            name: The name it was published by.
            namespace: Where; None means the gateway's own default namespace.
            wait: Seconds to wait for the routes to go; 0 returns at once.

        Raises:
            NotFound: Nothing is published by that name.
        """
        namespace = namespace or self.namespace
        if not take_down(self._access, namespace, name, timeout=wait):
            raise self._miss(name, namespace)

    def routes(self) -> RouteList:
        """Every route the gateway serves, in the order they are evaluated; printed, it is a table."""
        return RouteList(self._access.reader.routes())

    def explain(
        self, method: str, url: str, headers: Dict[str, str] | None = None, *, ask_envoy: bool = False
    ) -> Explanation:
        """Tell which route takes a request, and why the others do not; nothing is sent to any model.

        Args:
            method: Such as ``POST``.
            url: A whole URL, or only its path and query.
            headers: Request headers.
            ask_envoy: Ask Envoy itself as well; the answer's ``envoy`` tells what it says and whether both agree.

        Raises:
            NoGateway: The gateway, or its Envoy, does not answer.
        """
        return self._access.reader.explain(method, url, headers or {}, ask_envoy=ask_envoy)

    def problems(self) -> tuple[Problem, ...]:
        """Everything the gateway has to say about anybody's configuration."""
        return tuple(problem.as_problem() for problem in self._access.reader.problems())

    def close(self) -> None:
        """Close the connections; what is published stays."""
        self._access.client.close()
        self._access.http.close()
        self._access.reader.http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<Gateway {self.url} of {self.place}>"

    def _miss(self, name: str, namespace: str) -> NotFound:
        known = ", ".join(exposure.name for exposure in self.exposures(namespace=namespace))
        others = f"; published there: {known}" if known else ", nor by any other name"
        return NotFound(
            f"Nothing is published as {name!r} in namespace {namespace!r}{others}.",
            status=404,
            reason="NotFound",
        )


def _connect_here(*, quiet: bool) -> Gateway:
    from kfambassador.local.daemon import ensure_gateway, hold_lease

    endpoint = ensure_gateway(progress=None if quiet else _say)
    hold_lease()
    return Gateway.at(endpoint)


def _connect_cluster(
    place: Kubeconfig | InCluster, *, url: str | None, diagnostics_url: str | None, token: str | None
) -> Gateway:
    # The cluster first: where there is no such context, nobody needs to be asked for addresses.
    if isinstance(place, InCluster):
        client = KubeClient.in_cluster()
    else:
        client = KubeClient.from_kubeconfig(context=place.context, path=place.path)
    try:
        base = _require(url, URL_VARIABLE, place=place)
        diagnostics = _require(diagnostics_url, DIAGNOSTICS_URL_VARIABLE, place=place)
    except ConfigurationError:
        client.close()
        raise
    reader = ReadApi(diagnostics.rstrip("/"), HttpClient(token=token))
    return Gateway(Access(client, reader, HttpClient(), base.rstrip("/")), place=place)


def _require(given: str | None, variable: str, *, place: Target) -> str:
    value = given or os.environ.get(variable)
    if not value:
        argument = variable.removeprefix("KFAMBASSADOR_").lower()
        raise ConfigurationError(
            f"It is not known where the gateway of {place} is: set {variable}, or give connect({argument}=...)."
        )
    return value


def _say(words: str) -> None:
    sys.stderr.write(f"kfambassador: {words}\n")
