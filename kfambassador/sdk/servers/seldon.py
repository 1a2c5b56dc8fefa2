"""Seldon Core's first protocol."""

from collections.abc import Mapping as Dict
from typing import ClassVar, Final, Literal

from kfambassador.resources.fields import as_object
from kfambassador.routing.describe import Json
from kfambassador.sdk.servers.base import (
    WHOLE,
    ModelName,
    ModelServer,
    Operation,
    Port,
    ServerRoute,
    is_ready_made,
    is_success,
    take_below,
    take_spellings,
)
from kfambassador.sdk.servers.shapes import flatten, fold, measure, read_table, read_values

#: What makes a body (Seldon Core, "External Prediction API").
_BODIES: Final = frozenset({"data", "strData", "jsonData", "binData", "customData"})


class Seldon(ModelServer, frozen=True):
    """Seldon Core's first protocol, ``/api/v1.0/predictions`` (Seldon Core, "External Prediction API").

    A model ``iris`` is published under ``/models/iris``: POST there, to ``/models/iris/`` or to
    ``/models/iris/api/v1.0/predictions`` predicts, and GET tells whether it is ready.

    Args:
        namespace: Publish under ``/seldon/NAMESPACE/NAME/``, as Seldon's own Ambassador mappings do; None publishes
            under ``/models/NAME/``.
        payload: How arrays are written: ``ndarray`` as nested lists, ``tensor`` flat and with their shape.
        port: The port: 8000 of a SeldonDeployment's Service, 9000 of a model's container alone.

    Example:
        >>> Seldon(namespace="team").base("iris"), Seldon(payload="tensor").write_request([[1.0, 2.0]])
        ('/seldon/team/iris/', {'data': {'tensor': {'shape': [1, 2], 'values': [1.0, 2.0]}}})
    """

    kind: Literal["seldon"] = "seldon"
    namespace: ModelName | None = None
    payload: Literal["ndarray", "tensor"] = "ndarray"
    port: Port = 8000

    sample: ClassVar[Json] = [[1.0]]

    def base(self, name: str) -> str:
        """The public path of a model when nothing is said."""
        return super().base(name) if self.namespace is None else f"/seldon/{self.namespace}/{name}/"

    def routes(self, name: str, base: str) -> tuple[ServerRoute, ...]:
        """The routes a model needs; what only its cluster asks for, such as metrics, has none."""
        return (
            take_below(name, f"{base}api/", "/api/", **WHOLE),
            *take_spellings(f"{name}-predict", base, "/api/v1.0/predictions", method="POST", **WHOLE),
            *take_spellings(f"{name}-status", base, "/ready", method="GET"),
        )

    def operations(self, base: str) -> dict[str, Operation]:
        """What it can be asked for."""
        return {
            "predict": Operation("POST", f"{base}api/v1.0/predictions", "predictions of each row"),
            "metadata": Operation("GET", f"{base}api/v1.0/metadata", "inputs and outputs of the graph"),
            "ready": Operation("GET", base, "whether all of the graph is ready"),
            "status": Operation("GET", base, "whether all of the graph is ready"),
        }

    def health_path(self, name: str) -> str:  # noqa: ARG002 - it has one graph
        """What it answers with success once all of its graph is ready."""
        return "/ready"

    def judge_probe(self, name: str, status: int) -> str:
        """Say what is wrong: a graph that is not ready is told with 503."""
        if is_success(status):
            return ""
        return (
            f"the server answers {status} when asked whether it is ready: a part of {name} is not up yet, or this is "
            "not the port of its REST API (8000 of a SeldonDeployment, 9000 of a model's container)"
        )

    def write_request(self, inputs: object, metadata: Json = None) -> object:  # noqa: ARG002 - shapes are not binding
        """Write an array, a table, a text or an object in Seldon's words; a body that is ready stays.

        Raises:
            ValueError: It is to be a tensor and is no array.
        """
        if isinstance(inputs, str):
            return {"strData": inputs}
        if isinstance(inputs, Dict):
            return inputs if is_ready_made(inputs, _BODIES) else {"jsonData": inputs}
        table = read_table(inputs)
        if table is None:
            return {"data": self._write_array(read_values(inputs))}
        rows = [list(row) for row in zip(*table.values(), strict=True)]
        return {"data": {"names": list(table), **self._write_array(rows)}}

    def read_predictions(self, answer: Json) -> Json:
        """What is in an answer, whichever of Seldon's forms it has."""
        if not isinstance(answer, dict):
            return None
        data = answer.get("data")
        if isinstance(data, dict):
            return data["ndarray"] if "ndarray" in data else _read_tensor(data.get("tensor"))
        return answer.get("jsonData", answer.get("strData", answer.get("binData")))

    def _write_array(self, values: object) -> dict[str, object]:
        if self.payload == "ndarray":
            return {"ndarray": values}
        return {"tensor": {"shape": measure(values, name="the input"), "values": list(flatten(values))}}


def _read_tensor(tensor: Json | None) -> Json:
    values, shape = as_object(tensor).get("values"), as_object(tensor).get("shape")
    if not isinstance(values, list):
        return None
    return fold(values, [size for size in shape if isinstance(size, int)] if isinstance(shape, list) else [])
