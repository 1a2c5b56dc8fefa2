"""A published model as its callers see it: predict, stream, chat, try out."""

from collections.abc import Iterator
from collections.abc import Mapping as Dict
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from kfambassador.errors import ConfigurationError, RouteFailed
from kfambassador.resources.mapping import Mapping
from kfambassador.routing.describe import Json
from kfambassador.sdk.access import Access
from kfambassador.sdk.asking import PREDICT, Asking, Messages, join_path, read_values
from kfambassador.sdk.calling.calls import Call, Prediction, RouteTest
from kfambassador.sdk.calling.streaming import StreamedAnswer
from kfambassador.sdk.publishing.publication import Publication
from kfambassador.sdk.servers.base import ModelServer
from kfambassador.sdk.trying import try_out

if TYPE_CHECKING:
    from kfambassador.sdk.grpc.model import GrpcModel
    from kfambassador.sdk.publishing.variants import Variant

#: Seconds without a byte after which an answer is given up. Envoy's own limit is the mapping's ``timeout_ms``.
ANSWER_TIMEOUT: Final = 330.0


class Model:
    """A published model, for those who call it.

    Args:
        access: The ways to its gateway.
        publication: How it is published.
    """

    def __init__(self, access: Access, publication: Publication) -> None:
        self._access = access
        self._publication = publication
        self._metadata: dict[str, Json] = {}

    @property
    def name(self) -> str:
        """The name it is published by."""
        return self._publication.name

    @property
    def namespace(self) -> str:
        """The namespace it is published in."""
        return self._publication.namespace

    @property
    def server(self) -> ModelServer:
        """What kind of server it is."""
        return self._publication.server

    @property
    def url(self) -> str:
        """Its public address."""
        return f"{self._access.url}{self._publication.base}"

    @property
    def internal_url(self) -> str:
        """Its address inside the cluster; the public one where the gateway has no other."""
        return f"{self._access.internal_url or self._access.url}{self._publication.base}"

    @property
    def variants(self) -> "tuple[Variant, ...]":
        """Who takes part in its traffic, the stable one first, with the weights that were asked for."""
        return self._publication.variants

    @property
    def expires_at(self) -> str:
        """Until when it is served, in RFC 3339; "" for ever."""
        return self._publication.expires_at

    @property
    def backend(self) -> str:
        """Where its requests go, in words."""
        return self._publication.backend

    @property
    def owner(self) -> str:
        """Who published it."""
        return self._publication.owner

    @property
    def mappings(self) -> tuple[Mapping, ...]:
        """Its mappings; the first is named for all."""
        return self._publication.mappings

    def predict(
        self,
        inputs: object,
        *,
        variant: str | None = None,
        headers: Dict[str, str] | None = None,
        timeout: float = ANSWER_TIMEOUT,
        retries: int = 0,
    ) -> Prediction:
        """Ask the model for predictions.

        Args:
            inputs: One input for each prediction wanted: a list, an array of numpy and its like, or what else the
                server takes.
            variant: Ask this variant, ``"canary"`` for one; None leaves it to the split.
            headers: Request headers.
            timeout: Seconds without a byte after which it is given up. Envoy's own limit is the mapping's
                ``timeout_ms``.
            retries: How often it is asked again when the answer is 429, 502, 503 or 504.

        Raises:
            RouteFailed: The answer is no success, or holds no predictions.
            ConfigurationError: There is no such variant, or the server does not predict.
        """
        asking = self._asking(variant, headers)
        body = asking.server.write_request(inputs, asking.metadata)
        answer = asking.ask(asking.find(PREDICT), body, timeout=timeout, retries=retries)
        values, raw = read_values(asking.server, answer)
        return Prediction(values, raw, answer.latency_ms)

    def call(
        self,
        operation: str,
        body: object = None,
        *,
        variant: str | None = None,
        headers: Dict[str, str] | None = None,
        timeout: float = ANSWER_TIMEOUT,
        retries: int = 0,
    ) -> Json:
        """Ask for one of the server's operations, such as ``"classify"`` or ``"status"``; give the answer's JSON.

        Args:
            operation: One of :attr:`operations`.
            body: Sent as JSON; None sends none.
            variant: As for :meth:`predict`.
            headers: Request headers.
            timeout: Seconds without a byte after which it is given up.
            retries: As for :meth:`predict`.

        Raises:
            RouteFailed: The answer is no success, or no JSON.
            ConfigurationError: The server has no such operation; the message lists those it has.
        """
        asking = self._asking(variant, headers)
        return asking.ask(asking.find(operation), body, timeout=timeout, retries=retries).json()

    @property
    def operations(self) -> Dict[str, str]:
        """What the server can be asked for by :meth:`call`, each with what it is."""
        operations = self.server.operations(self._publication.base)
        return {name: operation.summary for name, operation in operations.items()}

    def metadata(self, *, variant: str | None = None) -> Json:
        """What the server says of its model; see :meth:`call`."""
        return self.call("metadata", variant=variant, timeout=30.0)

    def sample(self) -> object:
        """Inputs to try :meth:`predict` with: from the server's own metadata where it offers some."""
        if "metadata" in self.server.operations(self._publication.base):
            found = self.server.read_sample(self.metadata())
            if found is not None:
                return found
        return self.server.sample

    def stream(
        self,
        operation: str = PREDICT,
        body: object = None,
        *,
        variant: str | None = None,
        headers: Dict[str, str] | None = None,
        timeout: float = ANSWER_TIMEOUT,
    ) -> StreamedAnswer:
        """Ask, and take the answer in the pieces it comes in; use it in a ``with`` block.

        Example::

            with llm.stream("chat", {"model": "m", "messages": messages, "stream": True}) as answer:
                for event in answer.events():
                    print(event.data)

        Raises:
            RouteFailed: The answer is no success, or there is none.
            ConfigurationError: The server has no such operation.
        """
        asking = self._asking(variant, headers)
        found = asking.find(operation)
        return asking.open(asking.call(found.method, found.path, body), timeout=timeout)

    def chat(self, messages: Messages, *, model: str | None = None, **options: object) -> str:
        """Ask a language model, and give the text of its answer.

        Args:
            messages: What the user says, or messages as OpenAI's API has them.
            model: The model's name in the server; None means the name it is published by.
            **options: Such as ``temperature=0.2`` and ``max_tokens=100``.

        Raises:
            RouteFailed: The answer is no success.
            ConfigurationError: This server cannot chat.
        """
        return self._asking().chat(messages, model=model, options=options, timeout=ANSWER_TIMEOUT)

    def chat_stream(self, messages: Messages, *, model: str | None = None, **options: object) -> Iterator[str]:
        """The same as :meth:`chat`, in the pieces it comes in."""
        return self._asking().chat_stream(messages, model=model, options=options, timeout=ANSWER_TIMEOUT)

    def open_grpc(self, *, variant: str | None = None) -> "GrpcModel":
        """Open a connection by gRPC, for a TFServing or KServeV2 that was published with its ``grpc_port``.

        Args:
            variant: As for :meth:`predict`.

        Raises:
            ConfigurationError: It was not published with a gRPC port, or there is no such variant.
            MissingExtra: The extra ``grpc`` is not installed.

        Example::

            with mnist.open_grpc() as model:
                model.predict({"x": array})["y"]
        """
        from kfambassador.sdk.grpc.model import open_model

        self._know(variant)
        return open_model(self._access, self._publication, variant)

    def test(
        self,
        body: object = None,
        *,
        method: str | None = None,
        path: str | None = None,
        variant: str | None = None,
        headers: Dict[str, str] | None = None,
        expect: int = 200,
        timeout: float = ANSWER_TIMEOUT,
    ) -> RouteTest:
        """Send one request through the gateway and tell what became of it; a wrong status raises nothing.

        Args:
            body: Sent as JSON; None sends none.
            method: The method; GET without a body and POST with one.
            path: The path; None means where predictions are asked for, or without a body where the server is probed.
                What does not begin with a slash is below the model's own path.
            variant: As for :meth:`predict`.
            headers: Request headers.
            expect: The status that counts as passed.
            timeout: Seconds without a byte after which it is given up.

        Raises:
            RouteFailed: There was no answer at all.
        """
        asking, base = self._asking(variant, headers), self._publication.base
        usual = asking.server.probe_path(base) if body is None else asking.server.predict_path(base)
        where = usual if path is None else join_path(base, path)
        call = asking.call(method or ("GET" if body is None else "POST"), where, body)
        return try_out(self._access, call, expect=expect, timeout=timeout)

    def curl(self, inputs: object = None) -> str:
        """A line for a shell that asks for a prediction, or for whatever a server without predictions has there.

        Credentials stand in it as variables of the shell, never themselves.

        Args:
            inputs: What to ask with, as for :meth:`predict`; None means :meth:`sample`, where there is one.
        """
        return self._asking().curl(inputs)

    def example(self, inputs: object = None) -> Call:
        """The request that :meth:`curl` writes, as data: its method, path, headers and body.

        Args:
            inputs: As for :meth:`curl`.

        Example::

            call = mnist.example()
            gateway.test(call.method, call.target, headers=call.headers, body=call.body)
        """
        return self._asking().example(inputs)

    def _know(self, variant: str | None) -> None:
        """Make sure that there is such a variant.

        Raises:
            ConfigurationError: There is none.
        """
        publication = self._publication
        if variant is not None and publication.find(variant) is None:
            known = ", ".join(each.name for each in publication.variants)
            raise ConfigurationError(f"{publication.name} has no variant {variant!r}; it has: {known}.")

    def _asking(self, variant: str | None = None, headers: Dict[str, str] | None = None) -> Asking:
        self._know(variant)
        asking = Asking(self._access, self._publication, variant, headers)
        if not asking.server.wants_metadata:
            return asking
        return replace(asking, metadata=self._learn(asking, variant or ""))

    def _learn(self, asking: Asking, variant: str) -> Json:
        """Ask once what the model's inputs are called; a server that does not tell is asked without."""
        if variant not in self._metadata:
            with suppress(RouteFailed):
                self._metadata[variant] = asking.ask(asking.find("metadata"), None, timeout=30.0, retries=0).json()
        return self._metadata.get(variant)
