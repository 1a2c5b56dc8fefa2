"""Language models behind an API like OpenAI's."""

from collections.abc import Iterator
from collections.abc import Mapping as Dict
from typing import ClassVar, Final, Literal

from kfambassador.resources.fields import as_object, as_objects
from kfambassador.routing.describe import Json
from kfambassador.sdk.servers.base import (
    STREAMED,
    ModelServer,
    Operation,
    Port,
    ServerRoute,
    is_ready_made,
    is_success,
    take_below,
    take_spellings,
)

_BODIES: Final = frozenset({"messages", "prompt", "input"})


class OpenAI(ModelServer, frozen=True):
    """A server with OpenAI's API: vLLM, llama.cpp, Ollama, TGI and many others (OpenAI, "API reference").

    A model ``llama`` is published under ``/models/llama``: ``/models/llama/v1`` is what a client of OpenAI's is given
    as its base URL, and POST to ``/models/llama`` or ``/models/llama/`` chats. Answers reach the client piece by piece,
    as the server sends them. ::

        client = openai.OpenAI(base_url=llama.url + "v1", api_key="none")

    Args:
        model: What the server calls its model; None leaves it out where the server does not tell, and most then take
            the one they have. Names such as ``meta-llama/Llama-3.1-8B`` are usual.
        port: The port: 8000 of vLLM, 8080 of llama.cpp, 11434 of Ollama.

    Example:
        >>> OpenAI(model="llama").write_request("Hello")
        {'model': 'llama', 'messages': [{'role': 'user', 'content': 'Hello'}]}
    """

    kind: Literal["openai"] = "openai"
    model: str | None = None
    port: Port = 8000

    sample: ClassVar[Json] = "Hello"
    wants_metadata: ClassVar[bool] = True

    def routes(self, name: str, base: str) -> tuple[ServerRoute, ...]:
        """The routes a model needs; only what is below ``/v1/`` is OpenAI's API."""
        return (
            take_below(name, f"{base}v1/", "/v1/", **STREAMED),
            *take_spellings(f"{name}-chat", base, "/v1/chat/completions", method="POST", **STREAMED),
            *take_spellings(f"{name}-models", base, "/v1/models", method="GET"),
        )

    def operations(self, base: str) -> dict[str, Operation]:
        """What it can be asked for; embeddings and completions depend on the model."""
        chat = Operation("POST", f"{base}v1/chat/completions", "the next message of a conversation", streams=True)
        models = Operation("GET", f"{base}v1/models", "the models the server has")
        return {
            "predict": chat,
            "chat": chat,
            "completions": Operation("POST", f"{base}v1/completions", "how a text goes on", streams=True),
            "embeddings": Operation("POST", f"{base}v1/embeddings", "a vector for each text"),
            "models": models,
            "metadata": models,
        }

    def health_path(self, name: str) -> str:  # noqa: ARG002 - all such servers have it
        """What it answers with success; it asks for a key where the server does."""
        return "/v1/models"

    def probe_path(self, base: str) -> str:
        """Where it lists its models."""
        return f"{base}v1/models"

    def judge_probe(self, name: str, status: int) -> str:
        """Say what is wrong: every server of this kind lists its models."""
        if is_success(status):
            return ""
        return (
            f"the server of {name} answers {status} to GET /v1/models, where every server with OpenAI's API lists its "
            "models. Has it loaded its model, does it want a key, and is this its port?"
        )

    def write_request(self, inputs: object, metadata: Json = None) -> object:
        """Write a text or the messages of a conversation; a body that is ready stays, and is told the model.

        Raises:
            ValueError: It is neither.
        """
        model = self.model or next(_list_models(metadata), None)
        named = {} if model is None else {"model": model}
        if is_ready_made(inputs, _BODIES) and isinstance(inputs, Dict):
            return {**named, **inputs}
        if isinstance(inputs, str):
            return {**named, "messages": [{"role": "user", "content": inputs}]}
        if isinstance(inputs, list) and inputs and all(isinstance(message, Dict) for message in inputs):
            return {**named, "messages": inputs}
        raise ValueError(
            f"a language model cannot be asked with {type(inputs).__name__}: give a text, a list of messages such as "
            '{"role": "user", "content": "Hello"}, or a whole body with messages, prompt or input'
        )

    def read_predictions(self, answer: Json) -> Json:
        """The texts of an answer, one for each choice; the vectors where embeddings were asked for."""
        choices = [_read_choice(choice) for choice in as_objects(as_object(answer).get("choices"))]
        if choices:
            return choices
        return [_as_json(item.get("embedding")) for item in as_objects(as_object(answer).get("data"))] or None


def _list_models(metadata: Json) -> Iterator[str]:
    for model in as_objects(as_object(metadata).get("data")):
        if isinstance(name := model.get("id"), str):
            yield name


def _read_choice(choice: Dict[str, object]) -> Json:
    message = choice.get("message")
    return _as_json(message.get("content") if isinstance(message, dict) else choice.get("text"))


def _as_json(value: object) -> Json:
    return value if isinstance(value, str | list) else None
