"""Asking a published model: which call an operation is, and what its answer means."""

from collections.abc import Iterator, Sequence
from collections.abc import Mapping as Dict
from dataclasses import dataclass
from typing import Final, TypeAlias

from kfambassador.errors import ConfigurationError, RouteFailed
from kfambassador.resources.fields import as_object, as_objects, as_text
from kfambassador.routing.describe import Json
from kfambassador.sdk.access import Access
from kfambassador.sdk.calling.calls import Call, build_call, explain_failure
from kfambassador.sdk.calling.http import Answer
from kfambassador.sdk.calling.streaming import StreamedAnswer
from kfambassador.sdk.publishing.publication import Publication
from kfambassador.sdk.publishing.variants import STABLE
from kfambassador.sdk.servers.base import ModelServer, Operation

#: What a user says, or messages as OpenAI's API has them.
Messages: TypeAlias = str | Sequence[Dict[str, object]]

#: What every server is there for.
PREDICT: Final = "predict"

#: What ends a streamed chat.
_LAST_PIECE: Final = "[DONE]"


@dataclass(frozen=True, slots=True)
class Asking:
    """How requests to one model are made.

    Attributes:
        access: The gateway.
        publication: The model.
        variant: Which variant is asked for; None leaves it to the split.
        headers: Headers of the caller's.
        metadata: What the server tells of its model, where that is known.
    """

    access: Access
    publication: Publication
    variant: str | None = None
    headers: Dict[str, str] | None = None
    metadata: Json = None

    @property
    def server(self) -> ModelServer:
        """What kind of server answers."""
        return self.publication.server_of(self.variant or STABLE)

    def find(self, operation: str) -> Operation:
        """Find what a server can be asked by name.

        Raises:
            ConfigurationError: It cannot be asked that.
        """
        base = self.publication.base
        operations = self.server.operations(base)
        if operation == PREDICT:
            # What a server that speaks any HTTP is there for is asked for at its own path.
            operations.setdefault(PREDICT, Operation("POST", self.server.predict_path(base), "what it is there for"))
        if operation not in operations:
            kind, known = type(self.server).__name__, ", ".join(operations) or "nothing by name"
            raise ConfigurationError(f"A {kind} cannot be asked for {operation!r}; it can be asked for: {known}.")
        return operations[operation]

    def call(self, method: str, path: str, body: object = None) -> Call:
        """Build a request that the publication's route takes."""
        publication = self.publication
        pins = {} if self.variant is None else publication.pin_headers(self.variant)
        headers = {**pins, **(self.headers or {})}
        return build_call(publication.mappings[0], method, path, body=body, headers=headers)

    def ask(self, operation: Operation, body: object, *, timeout: float, retries: int) -> Answer:
        """Ask, and give the answer when it is one of success.

        Raises:
            RouteFailed: It is none, or there was no answer.
        """
        call = self.call(operation.method, operation.path, body)
        answer = call.send(self.access.http, self.access.url, timeout=timeout, retries=retries)
        if not answer.is_success:
            raise explain_failure(answer, self.publication.mappings[0])
        return answer

    def open(self, call: Call, *, timeout: float) -> StreamedAnswer:
        """Send a request and take the answer in the pieces it comes in.

        Raises:
            RouteFailed: It is no success, or there was none.
        """
        opened = call.open(self.access.http, self.access.url, timeout=timeout)
        if opened.is_success:
            return opened
        with opened:
            begun = next(opened.chunks(), b"")  # why, in the server's words; there may be no end to them
        answer = Answer(opened.method, opened.url, opened.status, begun, 0.0, opened.headers)
        raise explain_failure(answer, self.publication.mappings[0])

    def chat(self, messages: Messages, *, model: str | None, options: Dict[str, object], timeout: float) -> str:
        """Ask a language model, and give the text of its answer."""
        answer = self.ask(self.find("chat"), self._write_chat(messages, model, options), timeout=timeout, retries=0)
        values, _ = read_values(self.server, answer)
        text = values[0] if isinstance(values, list) and values else values
        if not isinstance(text, str):
            message = (
                f"{answer.url} answered {answer.status} without a text; call('chat', ...) gives it all: {answer.text}"
            )
            raise RouteFailed(message, status=answer.status)
        return text

    def chat_stream(
        self, messages: Messages, *, model: str | None, options: Dict[str, object], timeout: float
    ) -> Iterator[str]:
        """The same, in the pieces it comes in."""
        operation = self.find("chat")
        body = self._write_chat(messages, model, {**options, "stream": True})
        with self.open(self.call(operation.method, operation.path, body), timeout=timeout) as answer:
            for event in answer.events():
                if event.data == _LAST_PIECE:
                    return
                piece = event.json()
                if as_object(piece).get("error") is not None:
                    # Once a stream has begun with 200 a server has no other way to say so (vLLM, llama.cpp).
                    message = f"{answer.method} {answer.url} broke off in the middle with an error: {event.data[:300]}"
                    raise RouteFailed(message, status=answer.status)
                yield read_piece(piece)

    def curl(self, inputs: object = None) -> str:
        """A line for a shell that asks for predictions of inputs; of a sample where there are none."""
        return self.example(inputs).curl(self.access.url, self.access.http.credentials)

    def example(self, inputs: object = None) -> Call:
        """A request for predictions of inputs, or of a sample; else for whatever a server without predictions has."""
        server, base, mapping = self.server, self.publication.base, self.publication.mappings[0]
        inputs = server.read_sample(self.metadata) if inputs is None else inputs
        predict = server.operations(base).get(PREDICT)
        if inputs is not None:
            predict = self.find(PREDICT)
            call = self.call(predict.method, predict.path, server.write_request(inputs, self.metadata))
        elif predict is not None:
            call = self.call(predict.method, predict.path)
        else:
            method = mapping.method if mapping.method and not mapping.method_regex else "GET"
            call = self.call(method, server.predict_path(base))
        return call

    def _write_chat(self, messages: Messages, model: str | None, options: Dict[str, object]) -> dict[str, object]:
        is_many = not isinstance(messages, str) and isinstance(messages, Sequence)
        body = self.server.write_request(list(messages) if is_many else messages, self.metadata)
        named = {} if model is None else {"model": model}
        return {**(body if isinstance(body, Dict) else {}), **named, **options}


def read_values(server: ModelServer, answer: Answer) -> tuple[Json, Json]:
    """Read the predictions out of an answer; give them and the whole answer.

    Raises:
        RouteFailed: There are none in it.
    """
    raw = answer.json()
    values = server.read_predictions(raw)
    if values is None:
        message = f"{answer.url} answered {answer.status} without predictions: {answer.text}"
        raise RouteFailed(message, status=answer.status)
    return values, raw


def read_piece(event: Json) -> str:
    """Read the text in one piece of a streamed chat (OpenAI, "Streaming").

    Example:
        >>> read_piece({"choices": [{"delta": {"content": "Hel"}}]}), read_piece({"choices": [{"delta": {}}]})
        ('Hel', '')
    """
    choices = as_objects(as_object(event).get("choices"))
    return "".join(as_text(as_object(choice.get("delta")).get("content")) for choice in choices[:1])


def join_path(base: str, path: str) -> str:
    """Read a path a caller gave: absolute, or below the model's.

    Example:
        >>> join_path("/models/m/", "metadata"), join_path("/models/m/", "/other")
        ('/models/m/metadata', '/other')
    """
    return path if path.startswith("/") else f"{base}{path}"
