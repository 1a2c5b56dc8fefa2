"""The model server answers as TensorFlow Serving would."""

import json
from collections.abc import Iterator
from http.client import HTTPConnection

import pytest

from kfambassador.errors import PortInUse
from kfambassador.local.models import ModelServer


@pytest.fixture(scope="module")
def server() -> Iterator[ModelServer]:
    with ModelServer() as server:
        yield server


def ask(server: ModelServer, method: str, path: str, body: object = None) -> tuple[int, object]:
    connection = HTTPConnection(server.address, server.port, timeout=10)
    try:
        connection.request(method, path, body=body if isinstance(body, str | None) else json.dumps(body))
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())
    finally:
        connection.close()


PREDICT = "/v1/models/half_plus_two:predict"


@pytest.mark.parametrize(
    ("body", "answer"),
    [
        ({"instances": [1.0, 2.0, 5.0]}, {"predictions": [2.5, 3.0, 4.5]}),
        ({"instances": [[1], [2]]}, {"predictions": [[2.5], [3.0]]}),
        ({"instances": [{"x": 1}, {"x": 2}]}, {"predictions": [2.5, 3.0]}),
        ({"instances": []}, {"predictions": []}),
        ({"signature_name": "serving_default", "instances": [0]}, {"predictions": [2.0]}),
        ({"inputs": [1.0, 5.0]}, {"outputs": [2.5, 4.5]}),
        ({"inputs": {"x": [[1.0]]}}, {"outputs": [[2.5]]}),
    ],
)
def test_rows_give_predictions_and_columns_give_outputs(server: ModelServer, body: object, answer: object) -> None:
    assert ask(server, "POST", PREDICT, body) == (200, answer)


@pytest.mark.parametrize(
    ("body", "word"),
    [
        ("", "Expecting value"),
        ("{", "Expecting property name"),
        ("[" * 100_000, "recursion"),
        ("\x00", "Expecting value"),
        ([1.0], "'instances'"),
        ({}, "'instances'"),
        ({"instances": 1.0}, "'instances'"),
        ({"instances": ["one"]}, '"one" is not a number'),
        ({"instances": [True]}, "true is not a number"),
        ({"instances": [None]}, "null is not a number"),
        ({"instances": [{"y": 1.0}]}, "one input, 'x'"),
        ({"instances": [{"x": 1.0, "y": 1.0}]}, "one input, 'x'"),
        ({"instances": [10**400]}, "too large"),
    ],
)
def test_a_bad_body_is_refused_in_words(server: ModelServer, body: object, word: str) -> None:
    status, answer = ask(server, "POST", PREDICT, body)
    assert status == 400
    assert isinstance(answer, dict)
    assert list(answer) == ["error"]
    assert word in answer["error"]


@pytest.mark.parametrize(
    ("method", "path", "status", "error"),
    [
        ("POST", "/v1/models/other:predict", 404, "Servable not found for request: Latest(other)"),
        (
            "POST",
            "/v1/models/half_plus_two/versions/9:predict",
            404,
            "Servable not found for request: Specific(half_plus_two, 9)",
        ),
        ("GET", "/v1/models/other", 404, "Servable not found for request: Latest(other)"),
        ("GET", PREDICT, 400, f"Malformed request: GET {PREDICT}"),
        ("POST", "/v1/models/half_plus_two", 400, "Malformed request: POST /v1/models/half_plus_two"),
        ("GET", "/nowhere", 400, "Malformed request: GET /nowhere"),
    ],
)
def test_what_is_not_there_is_refused_in_words(
    server: ModelServer, method: str, path: str, status: int, error: str
) -> None:
    assert ask(server, method, path, None) == (status, {"error": error})


def test_a_version_can_be_named(server: ModelServer) -> None:
    path = "/v1/models/half_plus_two/versions/1:predict"
    assert ask(server, "POST", path, {"instances": [2]}) == (200, {"predictions": [3.0]})


@pytest.mark.parametrize("path", ["/v1/models/half_plus_two", "/v1/models/half_plus_two/versions/1"])
def test_status_tells_that_the_version_is_available(server: ModelServer, path: str) -> None:
    status = {"error_code": "OK", "error_message": ""}
    expected = {"model_version_status": [{"version": "1", "state": "AVAILABLE", "status": status}]}
    assert ask(server, "GET", path) == (200, expected)


def test_metadata_describes_one_input_and_one_output(server: ModelServer) -> None:
    status, answer = ask(server, "GET", "/v1/models/half_plus_two/metadata")
    assert status == 200
    assert isinstance(answer, dict)
    assert answer["model_spec"] == {"name": "half_plus_two", "signature_name": "", "version": "1"}
    signature = answer["metadata"]["signature_def"]["signature_def"]["serving_default"]
    assert list(signature["inputs"]) == ["x"]
    assert list(signature["outputs"]) == ["y"]


def test_name_and_version_are_the_callers() -> None:
    with ModelServer("mnist", version=7) as server:
        assert ask(server, "POST", "/v1/models/mnist/versions/7:predict", {"instances": [0]}) == (
            200,
            {"predictions": [2.0]},
        )


def test_a_port_in_use_is_named(server: ModelServer) -> None:
    with pytest.raises(PortInUse, match=f"Port {server.port} on 127.0.0.1 is in use") as error:
        ModelServer(port=server.port).start()
    assert "0 takes any free one" in str(error.value)


def test_stopping_closes_open_connections() -> None:
    with ModelServer() as server:
        connection = HTTPConnection(server.address, server.port, timeout=10)
        connection.request("GET", "/v1/models/half_plus_two")
        connection.getresponse().read()
        assert connection.sock is not None
    assert connection.sock.recv(1) == b""
    connection.close()
    server.stop()
