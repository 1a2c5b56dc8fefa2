"""TorchServe."""

from typing import Literal

from kfambassador.routing.describe import Json
from kfambassador.sdk.servers.base import (
    STREAMED,
    ModelName,
    ModelServer,
    Operation,
    Port,
    ServerRoute,
    is_success,
    take_below,
    take_exactly,
    take_spellings,
)


class TorchServe(ModelServer, frozen=True):
    """TorchServe's inference API (TorchServe, "Inference API").

    A model ``resnet`` is published under ``/models/resnet``: POST there or to ``/models/resnet/`` predicts,
    ``/models/resnet/1.0`` with that version, ``/models/resnet/explain`` explains, and GET tells whether the server is
    healthy. Its management API, which listens on another port, is not published.

    Args:
        model: The model's name in the server; None means the name it is published by.
        port: The port of its inference API.

    Example:
        >>> TorchServe().routes("resnet", "/models/resnet/")[0].attributes["rewrite"]
        '/predictions/resnet/'
    """

    kind: Literal["torchserve"] = "torchserve"
    model: ModelName | None = None
    port: Port = 8080

    def routes(self, name: str, base: str) -> tuple[ServerRoute, ...]:
        """The routes a model needs."""
        model = self.model or name
        predictions, explanations = f"/predictions/{model}", f"/explanations/{model}"
        return (
            take_below(name, base, f"{predictions}/", **STREAMED),
            *take_spellings(f"{name}-predict", base, predictions, method="POST", **STREAMED),
            *take_spellings(f"{name}-status", base, "/ping", method="GET"),
            take_exactly(f"{name}-explain", f"{base}explain", explanations, method="POST", **STREAMED),
            take_below(f"{name}-explain-versions", f"{base}explain/", f"{explanations}/", method="POST", **STREAMED),
        )

    def operations(self, base: str) -> dict[str, Operation]:
        """What it can be asked for."""
        return {
            "predict": Operation("POST", base, "what the model's handler answers", streams=True),
            "explain": Operation("POST", f"{base}explain", "why it predicts so"),
            "status": Operation("GET", base, "whether the server is healthy"),
        }

    def health_path(self, name: str) -> str:  # noqa: ARG002 - it speaks for all of its models
        """What it answers with success while the workers of its models live."""
        return "/ping"

    def judge_probe(self, name: str, status: int) -> str:
        """Say what is wrong: an unhealthy server says so with 500. Whether it knows the model, nobody can ask here."""
        if is_success(status):
            return ""
        return (
            f"TorchServe answers {status} when asked whether it is healthy: a worker of one of its models is down. "
            f"Its management API tells more (GET /models/{self.model or name})"
        )

    def write_request(self, inputs: object, metadata: Json = None) -> object:  # noqa: ARG002 - handlers tell nothing
        """What the model's handler reads, as it is."""
        return inputs

    def read_predictions(self, answer: Json) -> Json:
        """What the handler answered."""
        return answer
