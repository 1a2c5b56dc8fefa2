"""TensorFlow Serving."""

from collections.abc import Iterator
from collections.abc import Mapping as Dict
from typing import ClassVar, Final, Literal

from kfambassador.resources.fields import as_object, as_objects, as_text
from kfambassador.routing.describe import Json
from kfambassador.sdk.servers.base import (
    WHOLE,
    ModelName,
    ModelServer,
    Operation,
    Port,
    ServerRoute,
    ask_for_model,
    is_ready_made,
    is_success,
    take_grpc,
)
from kfambassador.sdk.servers.shapes import fill
from kfambassador.sdk.servers.v1 import ask_verb, write_v1_routes

_BODIES: Final = frozenset({"instances", "inputs", "examples"})
_USUAL_SIGNATURE: Final = "serving_default"
_ANY: Final = -1


class TFServing(ModelServer, frozen=True):
    """TensorFlow Serving's REST API, and every server that speaks it.

    A model ``mnist`` is published under ``/models/mnist``: POST there, to ``/models/mnist/`` or to
    ``/models/mnist:predict`` predicts (``:classify`` and ``:regress`` go the same way), GET tells its status, and
    ``/models/mnist/metadata``, ``/models/mnist/versions/3:predict`` and ``/models/mnist/labels/stable`` reach what
    they name (TensorFlow Serving, "RESTful API").

    Args:
        model: The model's name in the server; None means the name it is published by.
        signature: The signature to predict with; None means the model's default one.
        legacy: Write the mappings Kubeflow wrote, to the letter and with their faults: POST reaches the HTTP proxy on
            port 8000, and one of the three routes can never match.
        port: The port of its REST API.
        grpc_port: The port of its gRPC API, 8500 as it is shipped; None does not publish it. Its paths are those of
            every TensorFlow Serving, so a client says which model it means by the header ``x-model``.

    Example:
        >>> [route.attributes["prefix"] for route in TFServing().routes("mnist", "/models/mnist/")[:2]]
        ['/models/mnist/', '/models/mnist:']
    """

    kind: Literal["tfserving"] = "tfserving"
    model: ModelName | None = None
    signature: str | None = None
    legacy: bool = False
    port: Port = 8501
    grpc_port: Port | None = None

    sample: ClassVar[Json] = [1.0]

    @property
    def api_version(self) -> str:
        """The API version its mappings are written in."""
        return "ambassador/v0" if self.legacy else super().api_version

    def routes(self, name: str, base: str) -> tuple[ServerRoute, ...]:
        """The routes a model needs."""
        model = self.model or name
        http = _write_legacy_routes(name, base, model) if self.legacy else write_v1_routes(name, base, model)
        return (*http, *self._write_grpc_routes(name))

    def operations(self, base: str) -> dict[str, Operation]:
        """What it can be asked for; Kubeflow's routes lead to predictions only."""
        if self.legacy:
            return {"predict": Operation("POST", base, "predictions of each instance")}
        return {
            "predict": ask_verb(base, "predict", "predictions of each instance"),
            "classify": ask_verb(base, "classify", "classes and scores of each example"),
            "regress": ask_verb(base, "regress", "a number for each example"),
            "metadata": Operation("GET", f"{base}metadata", "inputs and outputs of each signature"),
            "status": Operation("GET", base, "versions and their states"),
        }

    def health_path(self, name: str) -> str:
        """What it answers with success once the model is known."""
        return f"/v1/models/{self.model or name}"

    def judge_probe(self, name: str, status: int) -> str:
        """Say what is wrong: the model's status is told with success once it is known."""
        if self.legacy or is_success(status):
            return ""
        return ask_for_model("TFServing", self.model or name, status)

    def write_request(self, inputs: object, metadata: Json = None) -> object:  # noqa: ARG002 - rows have no names
        """Ask for a prediction of each instance (rows), or of named inputs (columns).

        Example:
            >>> TFServing().write_request([[1.0]]), TFServing().write_request({"x": [[1.0]]})
            ({'instances': [[1.0]]}, {'inputs': {'x': [[1.0]]}})
        """
        signature = {} if self.signature is None else {"signature_name": self.signature}
        if isinstance(inputs, Dict):
            return {**signature, **(inputs if is_ready_made(inputs, _BODIES) else {"inputs": inputs})}
        return {**signature, "instances": inputs}

    def read_predictions(self, answer: Json) -> Json:
        """The predictions: one for each row, or the outputs where columns were sent."""
        return answer.get("predictions", answer.get("outputs")) if isinstance(answer, dict) else None

    def read_sample(self, metadata: Json) -> Json:
        """One row for the signature's inputs, or whole columns where an input has no dimension for rows.

        Example:
            >>> shape = {"dim": [{"size": "-1"}, {"size": "2"}]}
            >>> signature = {"inputs": {"x": {"dtype": "DT_FLOAT", "tensor_shape": shape}}}
            >>> told = {"metadata": {"signature_def": {"signature_def": {"serving_default": signature}}}}
            >>> TFServing().read_sample(told)
            [[1.0, 1.0]]
        """
        inputs = dict(_read_inputs(metadata, self.signature or _USUAL_SIGNATURE))
        by_row = all(shape[:1] == [_ANY] for shape, _ in inputs.values())
        filled = {name: fill(shape[by_row:], datatype) for name, (shape, datatype) in inputs.items()}
        if not filled or None in filled.values():
            return self.sample
        if not by_row:
            return {"inputs": filled}
        return [next(iter(filled.values())) if len(filled) == 1 else filled]

    def _write_grpc_routes(self, name: str) -> tuple[ServerRoute, ...]:
        if self.grpc_port is None:
            return ()
        # Of ModelService the one call that only reads: another makes the server load other models.
        paths = {
            f"{name}-grpc": "/tensorflow.serving.PredictionService/",
            f"{name}-grpc-status": "/tensorflow.serving.ModelService/GetModelStatus",
        }
        return tuple(take_grpc(route, path, model=name, port=self.grpc_port, **WHOLE) for route, path in paths.items())


def _read_inputs(metadata: Json, signature: str) -> Iterator[tuple[str, tuple[list[int], str]]]:
    """Each input's name, shape and type, as the metadata of a model has them."""
    told = as_object(as_object(metadata).get("metadata"))
    signatures = as_object(as_object(told.get("signature_def")).get("signature_def"))
    for name, tensor in as_object(as_object(signatures.get(signature)).get("inputs")).items():
        shape = as_object(as_object(tensor).get("tensor_shape"))
        sizes = [_read_size(dim.get("size")) for dim in as_objects(shape.get("dim"))]
        # A tensor of unknown rank tells no dimension; a row of it may be a single value.
        yield name, ([_ANY] if shape.get("unknown_rank") is True else sizes, as_text(as_object(tensor).get("dtype")))


def _read_size(size: object) -> int:
    """A dimension's size: a whole number, which JSON from protobuf writes as text."""
    return int(size) if isinstance(size, str) and size.isdecimal() else _ANY


def _write_legacy_routes(name: str, base: str, model: str) -> tuple[ServerRoute, ...]:
    return (
        ServerRoute(f"tfserving-mapping-{name}-get", {"prefix": base, "rewrite": "/", "method": "GET"}, port=8000),
        ServerRoute(
            f"tfserving-mapping-{name}-post",
            {"prefix": base, "rewrite": f"/model/{model}:predict", "method": "POST"},
            port=8000,
        ),
        ServerRoute(
            f"tfserving-predict-mapping-{name}",
            # Without its leading slash it can never match; that is how Kubeflow shipped it.
            {"prefix": f"tfserving{base}", "rewrite": f"/v1/models/{model}:predict", "method": "POST"},
            port=8500,
        ),
    )
