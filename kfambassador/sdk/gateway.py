"""The gateway as its users see it: connect, publish, look, take down."""

from collections.abc import Callable, Sequence
from collections.abc import Mapping as Dict
from datetime import timedelta
from types import TracebackType
from typing import TYPE_CHECKING, Final, Self, Unpack

from kfambassador.displays import find_display
from kfambassador.errors import ConfigurationError, NotFound, NotServed
from kfambassador.kube.client import KubeClient
from kfambassador.routing.texts import TOKEN
from kfambassador.sdk.access import Access
from kfambassador.sdk.attributes import ExposeArguments, MappingAttributes
from kfambassador.sdk.calling.calls import Call, RouteTest
from kfambassador.sdk.calling.credentials import BearerToken, Credentials
from kfambassador.sdk.calling.http import HttpClient
from kfambassador.sdk.exposure import Exposure
from kfambassador.sdk.faces.states import show_gateway
from kfambassador.sdk.model import ANSWER_TIMEOUT
from kfambassador.sdk.problem_views import ProblemList
from kfambassador.sdk.publishing.difference import Difference
from kfambassador.sdk.publishing.leftovers import Leftovers, find_leftovers
from kfambassador.sdk.publishing.objects import check_name, list_publications, preview
from kfambassador.sdk.publishing.publish import prepare, publish
from kfambassador.sdk.reaching.reading import ReadApi
from kfambassador.sdk.readiness.status import ExposureStatus, Phase
from kfambassador.sdk.readiness.waiting import check_times, take_down
from kfambassador.sdk.servers.base import ModelServer
from kfambassador.sdk.signatures import spell_out
from kfambassador.sdk.targets import Target
from kfambassador.sdk.traffic.statistics import Statistics
from kfambassador.sdk.trying import try_out
from kfambassador.sdk.views import Explanation, Generation, RouteList

if TYPE_CHECKING:
    from kfambassador.local.endpoint import GatewayEndpoint

#: The namespace that means all of them.
EVERYWHERE: Final = "*"


class Gateway:
    """A gateway: publish models and look at what it serves. A context manager that closes its connections.

    Made by :func:`~kfambassador.sdk.connecting.connect`.

    Args:
        access: The ways to it.
    """

    def __init__(self, access: Access) -> None:
        self._access = access

    @classmethod
    def at(cls, endpoint: "GatewayEndpoint", *, credentials: Credentials | None = None, quiet: bool = False) -> Self:
        """Connect to a gateway of this machine whose endpoint is known, such as a LocalStack's."""
        token = BearerToken(endpoint.diagnostics_token)
        access = Access(
            client=KubeClient.connect(endpoint.api_url, token=endpoint.api_token, authority=endpoint.api_authority),
            reader=ReadApi(endpoint.diagnostics_url, HttpClient(credentials=token, direct=True)),
            http=HttpClient(credentials=credentials, origin=endpoint.url, direct=True),
            url=endpoint.url,
            quiet=quiet,
        )
        return cls(access)

    @property
    def place(self) -> Target:
        """Whose gateway it is."""
        return self._access.place

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

    @spell_out
    def expose(
        self,
        name: str,
        *,
        service: str | int | None = None,
        server: ModelServer | None = None,
        namespace: str | None = None,
        wait: bool = True,
        timeout: float | None = None,
        ttl: float | timedelta | None = None,
        take_over: bool = False,
        object_labels: Dict[str, str] | None = None,
        **attributes: Unpack[MappingAttributes],
    ) -> Exposure:
        """Publish a model, and return when it answers through the gateway.

        Publishing the same name again changes what was published; canaries and shadows stay, and nothing is lost on
        the way.

        Args:
            name: The name to publish by; it also names the Kubernetes Service.
            service: Where the model server is: ``host:port`` or a port of this machine (``"127.0.0.1:8501"``,
                ``8501``), a Service of the cluster (``"mnist"``, ``"mnist.team:8501"``), a URL or a DNS name; or an
                object as kubectl writes it: ``"deployment/mnist"`` (a Service is made before it),
                ``"inferenceservice/iris"``, ``"service/mnist"`` (that Service itself is annotated). Without a port the
                server's usual one counts. None means the Service that has the model's name. What speaks TLS
                (``"https://localhost:8443"``) needs a certificate for the name as it is written here.
            server: What kind of server it is; it knows the paths. None means what an InferenceService says, what it was
                when it was published before, or else :class:`~kfambassador.sdk.servers.tfserving.TFServing`.
            namespace: Where to publish; None means the gateway's usual namespace.
            wait: Whether to wait until it answers.
            timeout: Seconds to wait; None means 10 on this machine and 300 for a cluster, where pods have to start.
            ttl: For how long it is served, in seconds or as a timedelta; None is for ever. Publishing again renews it.
            take_over: Replace what another person published by this name, and what somebody applied from a file.
            object_labels: Labels for the Kubernetes objects, besides the usual ones. (A mapping's ``labels`` speak to a
                rate limit service.)
            **attributes: What every mapping of the model says; ``prefix`` is the public path, and all others are those
                of :class:`~kfambassador.resources.mapping.Mapping`.

        Raises:
            MappingRejected: Something of it is at fault, or somebody else holds the name or the path.
            NotServed: It did not answer in time; the message says which step is missing and what the likely cause is.
                What was applied stays, and is served once nothing is missing.
            ApiError: The Kubernetes API refused.

        Example::

            mnist = gateway.expose("mnist", service="127.0.0.1:8501", timeout_ms=60_000)
            mnist.predict([[0.1, 0.2]]).values
        """
        if timeout is not None:
            check_times(timeout)  # before anything is applied
        arguments: ExposeArguments = {
            **attributes,
            "service": service,
            "server": server,
            "namespace": namespace,
            "ttl": ttl,
            "object_labels": object_labels,
        }
        published = publish(self._access, name, arguments, take_over=take_over)
        exposure = Exposure(self._access, published.publication, version=published.version)
        try:
            return exposure.wait(timeout) if wait else exposure
        except NotServed as error:
            stays = (
                f"{name} stays published, and answers once nothing is missing; delete_exposure({name!r}) takes it away"
            )
            words = filter(None, (str(error), published.doubt, stays, published.tell_way_back()))
            raise NotServed("\n  ".join(words), stage=error.stage) from None

    @spell_out
    def diff(self, name: str, **arguments: Unpack[ExposeArguments]) -> Difference:
        """Say what :meth:`expose` with the same arguments would change, and change nothing.

        Returns:
            What would change: true when anything would; printed in words, and as YAML by its ``yaml``.

        Raises:
            MappingRejected: Something of it is at fault, or somebody else holds the name.
        """
        plan, *_ = prepare(self._access, name, arguments)
        return Difference.between(*preview(self._access.client, plan.publication))

    def list_exposures(self, *, namespace: str | None = None) -> list[Exposure]:
        """Everything published from Python or the command line in a namespace; ``"*"`` means in all."""
        found = list_publications(self._access.client, self._choose(namespace))
        return [Exposure(self._access, publication, version=version) for publication, version in found]

    def get_exposure(self, name: str, *, namespace: str | None = None) -> Exposure:
        """Take up what was published by a name, perhaps by another process.

        Raises:
            NotFound: Nothing is published by that name.
        """
        namespace = namespace or self.namespace
        for publication, version in list_publications(self._access.client, namespace, name=check_name(name)):
            return Exposure(self._access, publication, version=version)
        raise self._miss(name, namespace)

    def wait_for_exposure_status(
        self,
        name: str,
        status: Phase | str | set[Phase] = Phase.ANSWERING,
        *,
        namespace: str | None = None,
        timeout: float = 600.0,
        polling_interval: float = 2.0,
        callbacks: Sequence[Callable[[ExposureStatus], None]] = (),
    ) -> Exposure:
        """Wait until what was published by a name has come this far.

        Args:
            name: The name.
            status: A phase, or several of which one is enough.
            namespace: Where; None means the gateway's usual namespace.
            timeout: Seconds.
            polling_interval: The longest pause between two looks, in seconds.
            callbacks: Told each new status.

        Raises:
            NotFound: Nothing is published by that name.
            NotServed: Time is up.
            MappingRejected: The gateway left a mapping out, and that was not waited for.
        """
        exposure = self.get_exposure(name, namespace=namespace)
        exposure.wait_for_status(status, timeout=timeout, polling_interval=polling_interval, callbacks=callbacks)
        return exposure

    def delete_exposure(self, name: str, *, namespace: str | None = None, wait: float = 5.0) -> None:
        """Take down what was published by a name, and return when its routes are gone.

        Args:
            name: The name it was published by.
            namespace: Where; None means the gateway's usual namespace.
            wait: Seconds to wait for the routes to go; 0 returns at once.

        Raises:
            NotFound: Nothing is published by that name.
        """
        namespace = namespace or self.namespace
        if not take_down(self._access, namespace, name, timeout=wait):
            raise self._miss(name, namespace)

    def leftovers(self, *, namespace: str | None = None) -> Leftovers:
        """What serves nothing any more: expired exposures, and Services that an interrupted call left.

        Args:
            namespace: Where; None means the gateway's usual namespace, ``"*"`` all.

        Returns:
            What was found; its ``delete()`` takes it away. Nothing but what was published from here is ever listed.
        """
        return find_leftovers(self._access, self._choose(namespace))

    def routes(self) -> RouteList:
        """Every route the gateway serves, in the order they are evaluated; printed, it is a table."""
        return RouteList(self._access.reader.routes())

    def statistics(self, *, used_only: bool = False) -> Statistics:
        """What Envoy counts of every mapping's requests; printed, it is a table.

        Args:
            used_only: Leave out what had no requests.
        """
        return self._access.reader.statistics(used_only=used_only)

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

    def test(
        self,
        method: str,
        path: str,
        *,
        headers: Dict[str, str] | None = None,
        body: object = None,
        expect: int = 200,
        timeout: float = ANSWER_TIMEOUT,
    ) -> RouteTest:
        """Send one request through the gateway, to anybody's route, and tell what became of it.

        A wrong status raises nothing, redirects are not followed, and nothing is sent twice.

        Args:
            method: Such as ``POST``.
            path: Path and query, beginning with a slash.
            headers: Request headers.
            body: Bytes and text are sent as they are, anything else as JSON; None sends none.
            expect: The status that counts as passed.
            timeout: Seconds after which it is given up. An answer that goes on for longer, or for more than 10 MB, is
                cut.

        Raises:
            ConfigurationError: The path does not begin with a slash, or the method is none.
            RouteFailed: There was no answer at all.

        Example::

            gateway.test("GET", "/models/mnist/", headers={"x-team": "a"}).status
        """
        return try_out(self._access, _call(method, path, headers, body), expect=expect, timeout=timeout)

    def curl(self, method: str, path: str, *, headers: Dict[str, str] | None = None, body: object = None) -> str:
        """The same request as a line for a shell; credentials stand in it as variables of the shell, never themselves.

        Args:
            method: Such as ``POST``.
            path: Path and query, beginning with a slash.
            headers: Request headers.
            body: As for :meth:`test`.

        Raises:
            ConfigurationError: The path does not begin with a slash, or the method is none.
        """
        return _call(method, path, headers, body).curl(self.url, self._access.http.credentials)

    def await_change(self, known: Generation | None = None, *, wait: float = 30.0) -> Generation:
        """Wait until the gateway serves something else than what is known.

        Args:
            known: What it answered the last time; None is answered at once.
            wait: Seconds to wait at most; 30 are granted.

        Raises:
            NoGateway: The gateway does not answer.
        """
        return self._access.reader.await_change(known, wait=wait)

    def problems(self) -> ProblemList:
        """Everything the gateway has to say about anybody's configuration."""
        return ProblemList(problem.as_problem() for problem in self._access.reader.problems())

    def close(self) -> None:
        """Close the connections; what is published stays."""
        self._access.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<Gateway {self.url} of {self.place}>"

    def _repr_html_(self) -> str:
        return show_gateway(self.url, place=str(self.place), namespace=self.namespace, reader=self._access.reader.place)

    def _repr_mimebundle_(self, **_wanted: object) -> object:
        """The route browser, where there is one to show it; None leaves it to the other forms."""
        draw = find_display("gateway")
        return draw(self) if draw else None

    def _choose(self, namespace: str | None) -> str | None:
        """The namespace that is meant; None is all."""
        return None if namespace == EVERYWHERE else namespace or self.namespace

    def _miss(self, name: str, namespace: str) -> NotFound:
        known = ", ".join(exposure.name for exposure in self.list_exposures(namespace=namespace))
        others = f"; published there: {known}" if known else ", nor by any other name"
        return NotFound(
            f"Nothing is published as {name!r} in namespace {namespace!r}{others}.",
            status=404,
            reason="NotFound",
        )


def _call(method: str, path: str, headers: Dict[str, str] | None, body: object) -> Call:
    if not path.startswith("/"):
        raise ConfigurationError(f"The path {path!r} does not begin with a slash: give all of it after the host.")
    if not TOKEN.fullmatch(method):
        raise ConfigurationError(f"The method {method!r} is none: give one word, such as GET or POST.")
    return Call(method.upper(), path, {**(headers or {})}, body=body)
