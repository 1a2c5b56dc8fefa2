"""The shape of what each server is asked and answers."""

import json
from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from kfambassador.errors import MappingRejected
from kfambassador.routing.describe import Json
from kfambassador.sdk.servers.base import ModelServer
from kfambassador.sdk.servers.http import HTTPServer
from kfambassador.sdk.servers.kserve import KServeV1, KServeV2
from kfambassador.sdk.servers.mlflow import MLflow
from kfambassador.sdk.servers.openai import OpenAI
from kfambassador.sdk.servers.seldon import Seldon
from kfambassador.sdk.servers.tfserving import TFServing
from kfambassador.sdk.servers.torchserve import TorchServe
from tests.unit.sdk.servers.published import SERVERS


@dataclass
class Array:
    """An array as numpy's are: it says its type, and gives nested lists."""

    values: list[Any]
    dtype: str

    def tolist(self) -> list[Any]:
        return self.values


@dataclass
class Frame:
    """A table as pandas' are: columns by name."""

    data: dict[str, object]
    dtypes: str = ""

    @property
    def columns(self) -> Iterator[str]:
        return iter(self.data)

    def __getitem__(self, column: str) -> object:
        return self.data[column]


TABLE = Frame({"age": array("q", [30, 40]), "score": array("d", [0.5, 1.5])})
BATCH = Array([[1.0, 2.0]], "float32")
OIP = {"inputs": [{"name": "x", "shape": [1], "datatype": "FP32", "data": [1.0]}], "id": "7"}
IRIS: Json = {
    "name": "iris",
    "inputs": [{"name": "features", "datatype": "FP32", "shape": [-1, 2]}],
    "outputs": [{"name": "class", "datatype": "INT64", "shape": [-1]}],
}
PAIR: Json = {
    "inputs": [
        {"name": "ids", "datatype": "INT32", "shape": [1, 3]},
        {"name": "texts", "datatype": "BYTES", "shape": [-1]},
    ]
}


def tensor(name: str, shape: list[int], datatype: str, data: list[Any]) -> dict[str, Any]:
    return {"name": name, "shape": shape, "datatype": datatype, "data": data}


@pytest.mark.parametrize(
    ("server", "inputs", "body"),
    [
        (TFServing(), [1.0], {"instances": [1.0]}),
        (TFServing(signature="embed"), [1.0], {"signature_name": "embed", "instances": [1.0]}),
        (TFServing(signature="embed"), {"x": [1.0]}, {"signature_name": "embed", "inputs": {"x": [1.0]}}),
        (TFServing(), {"instances": [1.0]}, {"instances": [1.0]}),
        (TFServing(), {"examples": [{"x": 1.0}], "context": {}}, {"examples": [{"x": 1.0}], "context": {}}),
        (KServeV1(), [[1.0]], {"instances": [[1.0]]}),
        (KServeV1(), {"instances": [[1.0]], "parameters": {}}, {"instances": [[1.0]], "parameters": {}}),
        (KServeV2(), OIP, OIP),
        (KServeV2(), BATCH, {"inputs": [tensor("input-0", [1, 2], "FP32", [1.0, 2.0])]}),
        (KServeV2(), [[1, 2], [3, 4]], {"inputs": [tensor("input-0", [2, 2], "INT64", [1, 2, 3, 4])]}),
        (KServeV2(), [1, 0.5], {"inputs": [tensor("input-0", [2], "FP64", [1.0, 0.5])]}),
        (KServeV2(), True, {"inputs": [tensor("input-0", [1], "BOOL", [True])]}),
        (KServeV2(), [], {"inputs": [tensor("input-0", [0], "BOOL", [])]}),
        (
            KServeV2(),
            {"a": Array([1], "torch.uint8"), "b": ["x"]},
            {"inputs": [tensor("a", [1], "UINT8", [1]), tensor("b", [1], "BYTES", ["x"])]},
        ),
        (
            KServeV2(),
            TABLE,
            {"inputs": [tensor("age", [2, 1], "INT64", [30, 40]), tensor("score", [2, 1], "FP64", [0.5, 1.5])]},
        ),
        (TorchServe(), {"data": "x"}, {"data": "x"}),
        (MLflow(), [[1.0]], {"inputs": [[1.0]]}),
        (MLflow(), {"x": [1.0]}, {"inputs": {"x": [1.0]}}),
        (MLflow(), [{"x": 1.0}], {"dataframe_records": [{"x": 1.0}]}),
        (MLflow(), {"instances": [1.0], "params": {"t": 1}}, {"instances": [1.0], "params": {"t": 1}}),
        (MLflow(), TABLE, {"dataframe_split": {"columns": ["age", "score"], "data": [[30, 0.5], [40, 1.5]]}}),
        (Seldon(), [[1.0]], {"data": {"ndarray": [[1.0]]}}),
        (Seldon(payload="tensor"), BATCH, {"data": {"tensor": {"shape": [1, 2], "values": [1.0, 2.0]}}}),
        (Seldon(), TABLE, {"data": {"names": ["age", "score"], "ndarray": [[30, 0.5], [40, 1.5]]}}),
        (Seldon(), "text", {"strData": "text"}),
        (Seldon(), {"a": 1}, {"jsonData": {"a": 1}}),
        (Seldon(), {"data": {"ndarray": []}, "meta": {}}, {"data": {"ndarray": []}, "meta": {}}),
        (OpenAI(), "Hi", {"messages": [{"role": "user", "content": "Hi"}]}),
        (OpenAI(model="m"), [{"role": "system"}], {"model": "m", "messages": [{"role": "system"}]}),
        (OpenAI(model="m"), {"prompt": "a", "stream": True}, {"model": "m", "prompt": "a", "stream": True}),
        (OpenAI(model="m"), {"model": "other", "input": "a"}, {"model": "other", "input": "a"}),
        (HTTPServer(), {"a": 1}, {"a": 1}),
    ],
    ids=str,
)
def test_inputs_become_the_servers_body(server: ModelServer, inputs: object, body: object) -> None:
    assert server.write_request(inputs) == body


def test_inputs_are_named_and_typed_as_the_model_tells() -> None:
    assert KServeV2().write_request([[1, 2]], IRIS) == {"inputs": [tensor("features", [1, 2], "FP32", [1.0, 2.0])]}
    assert KServeV2().write_request({"ids": [[1, 2, 3]], "texts": ["a"]}, PAIR) == {
        "inputs": [tensor("ids", [1, 3], "INT32", [1, 2, 3]), tensor("texts", [1], "BYTES", ["a"])]
    }
    assert OpenAI().write_request("Hi", {"data": [{"id": "llama"}]}) == {
        "model": "llama",
        "messages": [{"role": "user", "content": "Hi"}],
    }


@pytest.mark.parametrize(
    ("server", "inputs", "metadata", "words"),
    [
        (KServeV2(), [[1, 2], [3]], None, r"input-0 is no array: one of its rows has the shape \[2\], another \[1\]"),
        (KServeV2(), [None], None, "input-0 holds NoneType: a tensor holds numbers, texts or truth values"),
        (KServeV2(), [1, "a"], None, "input-0 holds int, str"),
        (KServeV2(), {"x": [1]}, IRIS, "x: the model has no such input, only features"),
        (KServeV2(), [1], PAIR, "the model has 2 inputs, ids, texts: give an array for each by its name"),
        (Seldon(payload="tensor"), [[1], []], None, "the input is no array"),
        (OpenAI(), 7, None, "cannot be asked with int: give a text, a list of messages"),
        (OpenAI(), {"question": 1}, None, "cannot be asked with dict"),
    ],
)
def test_inputs_that_cannot_be_asked_are_said(server: ModelServer, inputs: object, metadata: Json, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        server.write_request(inputs, metadata)


@pytest.mark.parametrize(
    ("server", "answer", "values"),
    [
        (TFServing(), {"predictions": [2.5]}, [2.5]),
        (TFServing(), {"outputs": {"y": [2.5]}}, {"y": [2.5]}),
        (TFServing(), {"error": "no"}, None),
        (TFServing(), [], None),
        (KServeV1(), {"predictions": [1]}, [1]),
        (KServeV1(), {"detail": "no"}, None),
        (KServeV2(), {"outputs": [tensor("y", [2, 2], "INT64", [1, 2, 3, 4])]}, [[1, 2], [3, 4]]),
        (KServeV2(), {"outputs": [tensor("y", [2, 2], "INT64", [[1, 2], [3, 4]])]}, [[1, 2], [3, 4]]),
        (KServeV2(), {"outputs": [tensor("y", [5], "INT64", [1, 2])]}, [1, 2]),
        (
            KServeV2(),
            {"outputs": [tensor("y", [1], "INT64", [1]), tensor("z", [1, 1], "BYTES", ["a"])]},
            {"y": [1], "z": [["a"]]},
        ),
        (KServeV2(), {"outputs": [{"name": "y", "shape": [1], "datatype": "FP32"}]}, None),
        (KServeV2(), {"outputs": []}, None),
        (KServeV2(), {"error": "no"}, None),
        (TorchServe(), {"tiger": 0.9}, {"tiger": 0.9}),
        (MLflow(), {"predictions": [1]}, [1]),
        (MLflow(), {"choices": []}, {"choices": []}),
        (Seldon(), {"data": {"names": [], "ndarray": [[1]]}}, [[1]]),
        (Seldon(), {"data": {"tensor": {"shape": [2, 1], "values": [1, 2]}}}, [[1], [2]]),
        (Seldon(), {"data": {"tftensor": {}}}, None),
        (Seldon(), {"strData": "a"}, "a"),
        (Seldon(), {"jsonData": {"a": 1}}, {"a": 1}),
        (Seldon(), "no", None),
        (OpenAI(), {"choices": [{"message": {"role": "assistant", "content": "Hi"}}]}, ["Hi"]),
        (OpenAI(), {"choices": [{"text": "a"}, {"text": "b"}]}, ["a", "b"]),
        (OpenAI(), {"data": [{"embedding": [0.5]}]}, [[0.5]]),
        (OpenAI(), {"error": {}}, None),
        (HTTPServer(), {"a": 1}, {"a": 1}),
    ],
    ids=str,
)
def test_an_answer_becomes_predictions(server: ModelServer, answer: Json, values: Json) -> None:
    assert server.read_predictions(answer) == values


def signature(**inputs: tuple[str, list[str] | None]) -> Json:
    """Metadata as TensorFlow Serving writes it."""
    told: dict[str, Json] = {
        name: {
            "dtype": dtype,
            "tensor_shape": {
                "dim": [{"size": size, "name": ""} for size in sizes or []],
                "unknown_rank": sizes is None,
            },
            "name": f"serving_default_{name}:0",
        }
        for name, (dtype, sizes) in inputs.items()
    }
    signatures: Json = {"serving_default": {"inputs": told, "method_name": "tensorflow/serving/predict"}}
    return {"model_spec": {"name": "m"}, "metadata": {"signature_def": {"signature_def": signatures}}}


@pytest.mark.parametrize(
    ("server", "metadata", "sample"),
    [
        (TFServing(), signature(x=("DT_FLOAT", ["-1", "2"])), [[1.0, 1.0]]),
        (TFServing(), signature(x=("DT_INT64", ["-1"])), [1]),
        (TFServing(), signature(a=("DT_STRING", ["-1"]), b=("DT_BOOL", ["-1", "1"])), [{"a": "text", "b": [True]}]),
        (TFServing(), signature(x=("DT_FLOAT", None)), [1.0]),
        (TFServing(), signature(x=("DT_FLOAT", [])), {"inputs": {"x": 1.0}}),
        (TFServing(), signature(x=("DT_FLOAT", ["2", "-1"])), {"inputs": {"x": [[1.0], [1.0]]}}),
        (TFServing(signature="other"), signature(x=("DT_FLOAT", ["-1", "2"])), [1.0]),
        (TFServing(), None, [1.0]),
        (TFServing(), {"metadata": {"signature_def": []}}, [1.0]),
        (KServeV2(), IRIS, {"inputs": [tensor("features", [1, 2], "FP32", [1.0, 1.0])]}),
        (
            KServeV2(),
            PAIR,
            {"inputs": [tensor("ids", [1, 3], "INT32", [1, 1, 1]), tensor("texts", [1], "BYTES", ["text"])]},
        ),
        (KServeV2(), {"name": "iris"}, [[1.0]]),
        (KServeV1(), {"name": "iris", "ready": True}, [[1.0]]),
        (OpenAI(), {"data": []}, "Hello"),
        (HTTPServer(), None, None),
    ],
    ids=str,
)
def test_a_sample_is_made_of_what_the_server_tells(server: ModelServer, metadata: Json, sample: Json) -> None:
    assert server.read_sample(metadata) == sample


def test_a_sample_is_no_larger_than_helps() -> None:
    huge: Json = {"inputs": [{"name": "x", "datatype": "FP32", "shape": [100_000, 100_000]}]}
    assert KServeV2().read_sample(huge) == [[1.0]]


@pytest.mark.parametrize("kind", sorted(SERVERS))
def test_a_sample_can_be_asked_with(kind: str) -> None:
    server = SERVERS[kind]
    if server.sample is not None:
        assert json.loads(json.dumps(server.write_request(server.sample)))


@pytest.mark.parametrize(
    ("kind", "said", "words"),
    [
        (TFServing, {"modle": "mnist"}, "modle is not known here; did you mean model?"),
        (TFServing, {"port": 0}, "port: expected at least 1, got 0"),
        (TFServing, {"model": "a/b"}, "model: 'a/b' does not look like"),
        (HTTPServer, {"paths": {"predict": "generate"}}, "paths.predict: 'generate' is no path of an operation"),
        (HTTPServer, {"health": "/healthz\n"}, "health: '/healthz\\n' is no path"),
    ],
)
def test_a_server_that_cannot_be_is_said_in_words(kind: type[ModelServer], said: dict[str, object], words: str) -> None:
    with pytest.raises(MappingRejected) as caught:
        kind(**said)
    assert str(caught.value).startswith(f"{kind.__name__} cannot be made so:")
    assert words in str(caught.value)
    assert "pydantic" not in str(caught.value)
