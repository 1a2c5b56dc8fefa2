"""KServe's two protocols; the second is the Open Inference Protocol, which Triton and MLServer speak as well."""

from collections.abc import Mapping as Dict
from typing import ClassVar, Final, Literal

from kfambassador.routing.describe import Json
from kfambassador.sdk.servers.base import (
    STREAMED,
    ModelName,
    ModelServer,
    Operation,
    Port,
    ServerRoute,
    ask_for_model,
    is_ready_made,
    is_success,
    take_below,
    take_exactly,
    take_grpc,
    take_spellings,
)
from kfambassador.sdk.servers.tensors import read_tensors, sample_tensors, write_tensors
from kfambassador.sdk.servers.v1 import ask_verb, write_v1_routes

_V1_BODIES: Final = frozenset({"instances", "inputs"})
#: What a model is asked for; all but the first are extensions (Triton's "generate", MLServer's streams).
_CALLS: Final = ("infer", "infer_stream", "generate", "generate_stream")
_NOT_FOUND: Final = 404


class KServeV1(ModelServer, frozen=True):
    """KServe's first protocol, ``/v1/models/NAME:predict`` (KServe, "Data Plane (V1)").

    A model ``iris`` is published under ``/models/iris``: POST there, to ``/models/iris/`` or to
    ``/models/iris:predict`` predicts, ``/models/iris:explain`` explains, and GET tells whether it is ready.

    Args:
        model: The model's name in the server; None means the name it is published by.
        port: The port of its REST API; the Service that KServe makes has 80.

    Example:
        >>> KServeV1().operations("/models/iris/")["explain"].path
        '/models/iris:explain'
    """

    kind: Literal["kserve-v1"] = "kserve-v1"
    model: ModelName | None = None
    port: Port = 8080

    sample: ClassVar[Json] = [[1.0]]

    def routes(self, name: str, base: str) -> tuple[ServerRoute, ...]:
        """The routes a model needs."""
        return write_v1_routes(name, base, self.model or name)

    def operations(self, base: str) -> dict[str, Operation]:
        """What it can be asked for; explanations need an explainer."""
        return {
            "predict": ask_verb(base, "predict", "predictions of each instance"),
            "explain": ask_verb(base, "explain", "why it predicts so"),
            "ready": Operation("GET", base, "whether the model is ready"),
            "status": Operation("GET", base, "whether the model is ready"),
        }

    def health_path(self, name: str) -> str:
        """What it answers with success once the model is ready."""
        return f"/v1/models/{self.model or name}"

    def judge_probe(self, name: str, status: int) -> str:
        """Say what is wrong: a model that is loading is told with 503, one that is not there with 404."""
        if is_success(status):
            return ""
        if status == _NOT_FOUND:
            return ask_for_model("KServeV1", self.model or name, status)
        return f"the server answers {status}: model {self.model or name!r} is not ready yet. Its log says why"

    def write_request(self, inputs: object, metadata: Json = None) -> object:  # noqa: ARG002 - nothing is told of it
        """Ask for a prediction of each instance."""
        return inputs if is_ready_made(inputs, _V1_BODIES) else {"instances": inputs}

    def read_predictions(self, answer: Json) -> Json:
        """The predictions, one for each instance."""
        return answer.get("predictions") if isinstance(answer, dict) else None


class KServeV2(ModelServer, frozen=True):
    """The Open Inference Protocol, ``/v2/models/NAME/infer``: Triton, MLServer, KServe and others ("HTTP/REST").

    A model ``iris`` is published under ``/models/iris``: POST there, to ``/models/iris/`` or to
    ``/models/iris/infer`` predicts, GET tells its metadata, and ``/models/iris/ready`` and
    ``/models/iris/versions/2/infer`` reach what they name; so do ``/infer_stream``, ``/generate`` and
    ``/generate_stream`` of servers that have them. What changes the server, such as loading models, is not published.

    Args:
        model: The model's name in the server; None means the name it is published by.
        port: The port of its REST API: 8000 of Triton, 8080 of MLServer and KServe.
        grpc_port: The port of its gRPC API, 8001 of Triton and 8081 of MLServer and KServe; None does not publish it.
            Its paths are those of every such server, so a client says which model it means by the header ``x-model``.

    Example:
        >>> KServeV2().write_request([[1, 2]])["inputs"]
        [{'name': 'input-0', 'shape': [1, 2], 'datatype': 'INT64', 'data': [1, 2]}]
    """

    kind: Literal["kserve-v2"] = "kserve-v2"
    model: ModelName | None = None
    port: Port = 8000
    grpc_port: Port | None = None

    sample: ClassVar[Json] = [[1.0]]
    wants_metadata: ClassVar[bool] = True

    def routes(self, name: str, base: str) -> tuple[ServerRoute, ...]:
        """The routes a model needs; one for all below it would also let everybody change its settings."""
        served = f"/v2/models/{self.model or name}"
        return (
            take_exactly(name, f"{base}ready", f"{served}/ready", method="GET"),
            take_below(f"{name}-versions", f"{base}versions/", f"{served}/versions/", **STREAMED),
            *(
                take_exactly(
                    f"{name}-{call.replace('_', '-')}", f"{base}{call}", f"{served}/{call}", method="POST", **STREAMED
                )
                for call in _CALLS
            ),
            *take_spellings(f"{name}-predict", base, f"{served}/infer", method="POST", **STREAMED),
            *take_spellings(f"{name}-metadata", base, served, method="GET"),
            *self._write_grpc_routes(name),
        )

    def operations(self, base: str) -> dict[str, Operation]:
        """What it can be asked for."""
        return {
            "predict": Operation("POST", f"{base}infer", "outputs for the inputs"),
            "metadata": Operation("GET", base, "inputs, outputs and versions"),
            "ready": Operation("GET", f"{base}ready", "whether the model is ready"),
            "status": Operation("GET", f"{base}ready", "whether the model is ready"),
        }

    def health_path(self, name: str) -> str:
        """What it answers with success once the model is ready."""
        return f"/v2/models/{self.model or name}/ready"

    def probe_path(self, base: str) -> str:
        """Where it tells whether the model is ready."""
        return f"{base}ready"

    def judge_probe(self, name: str, status: int) -> str:
        """Say what is wrong: whatever is no success means not ready, and servers differ in how they say so."""
        return "" if is_success(status) else ask_for_model("KServeV2", self.model or name, status)

    def write_request(self, inputs: object, metadata: Json = None) -> object:
        """Write inputs as tensors, named and typed as the model tells; a body that has some already stays."""
        if isinstance(inputs, Dict) and isinstance(inputs.get("inputs"), list) and _are_tensors(inputs["inputs"]):
            return inputs
        return {"inputs": write_tensors(inputs, metadata)}

    def read_predictions(self, answer: Json) -> Json:
        """The outputs as nested lists: of one its values, of several an object by name."""
        return read_tensors(answer)

    def read_sample(self, metadata: Json) -> Json:
        """A body of the shapes and types the model tells; a dimension of any size is of size one."""
        return sample_tensors(metadata) or self.sample

    def _write_grpc_routes(self, name: str) -> tuple[ServerRoute, ...]:
        if self.grpc_port is None:
            return ()
        # Whatever begins otherwise loads models, shares memory or changes the server's settings.
        service = "/inference.GRPCInferenceService/"
        paths = {f"{name}-grpc": f"{service}Model", f"{name}-grpc-server": f"{service}Server"}
        return tuple(
            take_grpc(route, path, model=name, port=self.grpc_port, **STREAMED) for route, path in paths.items()
        )


def _are_tensors(inputs: list[object]) -> bool:
    return all(isinstance(tensor, Dict) and {"name", "shape", "datatype"} <= tensor.keys() for tensor in inputs)
