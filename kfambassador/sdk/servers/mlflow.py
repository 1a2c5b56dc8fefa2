"""MLflow's scoring server."""

from collections.abc import Mapping as Dict
from typing import ClassVar, Final, Literal

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
from kfambassador.sdk.servers.shapes import read_table

#: What makes a body, tables and tensors first, then what language models are asked with (MLflow, "Deployment").
_BODIES: Final = frozenset(
    {"dataframe_split", "dataframe_records", "instances", "inputs", "messages", "prompt", "input"}
)
_NOT_FOUND: Final = 404


class MLflow(ModelServer, frozen=True):
    """MLflow's scoring server, ``mlflow models serve``, which has one model (MLflow, "Deployment").

    A model ``wine`` is published under ``/models/wine``: POST there, to ``/models/wine/`` or to
    ``/models/wine/invocations`` predicts, GET tells whether it is well, and ``/models/wine/version`` tells MLflow's
    version.

    Args:
        port: The port it listens on: 5000 where it is started by hand, 8080 in its containers.

    Example:
        >>> MLflow().write_request([{"alcohol": 12.8}])
        {'dataframe_records': [{'alcohol': 12.8}]}
    """

    kind: Literal["mlflow"] = "mlflow"
    port: Port = 5000

    sample: ClassVar[Json] = [[1.0]]

    def routes(self, name: str, base: str) -> tuple[ServerRoute, ...]:
        """The routes a model needs."""
        return (
            take_below(name, base, "/", **STREAMED),
            *take_spellings(f"{name}-predict", base, "/invocations", method="POST", **STREAMED),
            *take_spellings(f"{name}-status", base, "/ping", method="GET"),
        )

    def operations(self, base: str) -> dict[str, Operation]:
        """What it can be asked for."""
        predict = Operation("POST", f"{base}invocations", "predictions of each row", streams=True)
        return {
            "predict": predict,
            "invoke": predict,
            "status": Operation("GET", f"{base}ping", "whether the model is loaded"),
            "versions": Operation("GET", f"{base}version", "the version of MLflow"),
        }

    def health_path(self, name: str) -> str:  # noqa: ARG002 - it has one model
        """What it answers with success once its model is loaded."""
        return "/ping"

    def probe_path(self, base: str) -> str:
        """Where it tells whether its model is loaded."""
        return f"{base}ping"

    def judge_probe(self, name: str, status: int) -> str:
        """Say what is wrong: without a model it answers 404."""
        if is_success(status):
            return ""
        if status == _NOT_FOUND:
            return (
                f"the server answers 404 to GET /ping: it has no model, or it is no scoring server of MLflow ({name})"
            )
        return f"the server answers {status} to GET /ping, which an MLflow scoring server that is well answers with 200"

    def write_request(self, inputs: object, metadata: Json = None) -> object:  # noqa: ARG002 - nothing is told of it
        """Write a table of pandas or its like as one, rows by name as records, and anything else as tensors."""
        table = read_table(inputs)
        if table is not None:
            rows = [list(row) for row in zip(*table.values(), strict=True)]
            return {"dataframe_split": {"columns": list(table), "data": rows}}
        if is_ready_made(inputs, _BODIES):
            return inputs
        if isinstance(inputs, list) and inputs and all(isinstance(row, Dict) for row in inputs):
            return {"dataframe_records": inputs}
        return {"inputs": inputs}

    def read_predictions(self, answer: Json) -> Json:
        """The predictions; a language model's answer is its own."""
        return answer.get("predictions", answer) if isinstance(answer, dict) else answer
