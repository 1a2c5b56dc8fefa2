"""Models called by gRPC through a real Envoy.

The servers here read and write protobuf's wire format by hand, with field numbers written out once more, so that the
SDK's tables are judged by code that does not share them. Where the numbers come from is told in
``tests/unit/sdk/grpc/test_messages.py``.
"""

import struct
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import grpc
import pytest

from kfambassador.errors import ConfigurationError, RouteFailed
from kfambassador.local.stack import LocalStack
from kfambassador.resources.mapping import Mapping
from kfambassador.sdk.calling.credentials import BearerToken, Cookie
from kfambassador.sdk.gateway import Gateway
from kfambassador.sdk.grpc import open_inference, tfserving
from kfambassador.sdk.grpc.arrays import Tensor
from kfambassador.sdk.grpc.channel import Channel, open_channel
from kfambassador.sdk.servers.kserve import KServeV2
from kfambassador.sdk.servers.tfserving import TFServing
from tests import wire
from tests.backends import Echo, EchoServer
from tests.e2e.publishing import publish_mappings
from tests.ports import free_port

pytestmark = pytest.mark.e2e

PREDICTION, MODEL = "/tensorflow.serving.PredictionService/", "/tensorflow.serving.ModelService/"
INFERENCE = "/inference.GRPCInferenceService/"


class Server(grpc.GenericRpcHandler):  # type: ignore[misc]  # grpc has no types
    """A model server of both protocols: half of x, plus two.

    Attributes:
        metadata: The headers of the last call.
    """

    def __init__(self) -> None:
        self.metadata: dict[str, str] = {}
        self.requests: list[bytes] = []
        self.methods: dict[str, Callable[[bytes], bytes]] = {
            f"{PREDICTION}Predict": tf_predict,
            f"{PREDICTION}GetModelMetadata": tf_metadata,
            f"{MODEL}GetModelStatus": tf_status,
            f"{INFERENCE}ServerLive": lambda _request: wire.write((1, 1)),
            f"{INFERENCE}ServerReady": lambda _request: b"",
            f"{INFERENCE}ModelReady": lambda request: wire.write((1, int(wire.find_bytes(request, 1) == b"half"))),
            f"{INFERENCE}ModelMetadata": oip_metadata,
            f"{INFERENCE}ModelInfer": oip_infer,
        }

    def service(self, handler_call_details: Any) -> Any:
        act = self.methods.get(handler_call_details.method)
        if act is None:
            return None

        def answer(request: bytes, context: Any) -> bytes:
            self.metadata = {key: value for key, value in context.invocation_metadata() if isinstance(value, str)}
            self.requests.append(request)
            try:
                return act(request)
            except LookupError as error:
                context.abort(grpc.StatusCode.NOT_FOUND, str(error))
                raise

        return grpc.unary_unary_rpc_method_handler(answer)

    @contextmanager
    def serving(self) -> Iterator[int]:
        """Serve while the block runs; gives the port."""
        options = [("grpc.max_receive_message_length", -1)]
        server = grpc.server(ThreadPoolExecutor(4), handlers=(self,), options=options)
        port: int = server.add_insecure_port("127.0.0.1:0")
        server.start()
        try:
            yield port
        finally:
            server.stop(None).wait()


def tf_predict(request: bytes) -> bytes:
    """tensorflow_serving/apis/predict.proto: 1 model_spec {1 name, 3 signature_name}, 2 inputs, 3 output_filter."""
    if wire.find_bytes(request, 1, 1) != b"half":
        raise LookupError("Servable not found for request: Latest(other)")
    assert wire.find_bytes(request, 2, 1) == b"x"
    x = wire.find_bytes(request, 2, 2)
    assert wire.find(x, 1) == [1]  # dtype: DT_FLOAT
    shape = wire.find_bytes(x, 2)
    values = [value / 2 + 2 for value in wire.floats(wire.find_bytes(x, 4))]
    content = wire.write((1, 1), (2, shape), (4, struct.pack(f"<{len(values)}f", *values)))
    label = wire.write((1, 7), (2, wire.write((2, wire.write((1, 2))))), (8, b"a"), (8, b"b"))
    return wire.write((1, wire.write((1, "y"), (2, content))), (1, wire.write((1, "label"), (2, label))))


def tf_metadata(request: bytes) -> bytes:
    """get_model_metadata.proto: 2 metadata, a map to Any {1 type_url, 2 value}; meta_graph.proto for what is in it."""
    assert wire.find(request, 2) == [b"signature_def"]
    any_size = 2**64 - 1  # -1
    shape = wire.write((2, wire.write((1, any_size))), (2, wire.write((1, 784))))
    x = wire.write((1, "x:0"), (2, 1), (3, shape))
    y = wire.write((1, "y:0"), (2, 9), (3, wire.write((3, 1))))
    signature = wire.write(
        (1, wire.write((1, "x"), (2, x))), (2, wire.write((1, "y"), (2, y))), (3, "tensorflow/serving/predict")
    )
    signatures = wire.write((1, wire.write((1, "serving_default"), (2, signature))))
    packed = wire.write((1, "type.googleapis.com/tensorflow.serving.SignatureDefMap"), (2, signatures))
    return wire.write((2, wire.write((1, "signature_def"), (2, packed))))


def tf_status(request: bytes) -> bytes:
    """get_model_status.proto: 1 model_version_status {1 version, 2 state, 3 status {1 error_code, 2 error_message}}."""
    if wire.find_bytes(request, 1, 1) != b"half":
        raise LookupError("Could not find any versions of model other")
    failed = wire.write((1, 2), (2, 50), (3, wire.write((1, 5), (2, "no such file"))))
    return wire.write((1, wire.write((1, 1), (2, 30), (3, b""))), (1, failed))


def oip_metadata(request: bytes) -> bytes:
    """ModelMetadataResponse: 1 name, 2 versions, 3 platform, 4 inputs {1 name, 2 datatype, 3 shape}."""
    x = wire.write((1, "x"), (2, "FP32"), (3, b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01\x04"))
    return wire.write((1, wire.find_bytes(request, 1)), (2, "1"), (2, "2"), (3, "sklearn"), (4, x))


def oip_infer(request: bytes) -> bytes:
    """ModelInferRequest: 1 model_name, 5 inputs {1 name, 2 datatype, 3 shape, 5 contents}, 7 raw_input_contents."""
    if wire.find_bytes(request, 1) != b"half":
        raise LookupError("Model other not found")
    datatype, shape = wire.find_bytes(request, 5, 2), wire.find_bytes(request, 5, 3)
    raw = wire.find(request, 7)
    if not raw:
        assert datatype == b"FP32"
        values = [value / 2 + 2 for value in wire.floats(wire.find_bytes(request, 5, 5, 6))]
        contents = wire.write((6, struct.pack(f"<{len(values)}f", *values)))
        return wire.write((1, "half"), (5, wire.write((1, "y"), (2, "FP32"), (3, shape), (5, contents))))
    assert datatype == b"FP16"
    assert isinstance(raw[0], bytes)
    halves = [value / 2 + 2 for value in struct.unpack(f"<{len(raw[0]) // 2}e", raw[0])]
    outputs = (wire.write((1, "y"), (2, "FP16"), (3, shape)), wire.write((1, "text"), (2, "BYTES"), (3, b"\x01")))
    contents = struct.pack(f"<{len(halves)}e", *halves)
    return wire.write((5, outputs[0]), (5, outputs[1]), (6, contents), (6, b"\x02\0\0\0hi"))


@pytest.fixture(scope="module")
def server() -> Server:
    return Server()


@pytest.fixture(scope="module")
def stack(server: Server) -> Iterator[LocalStack]:
    with server.serving() as port, LocalStack() as stack:
        asked = {"rewrite": "", "grpc": True, "headers": {"x-model": "mnist"}}
        publish_mappings(
            stack,
            {"name": "tf", "prefix": "/tensorflow.serving.", "service": f"127.0.0.1:{port}", **asked},
            {"name": "oip", "prefix": "/inference.", "service": f"127.0.0.1:{port}", **asked},
            {
                **asked,
                "name": "away",
                "prefix": "/",
                "service": f"127.0.0.1:{free_port()}",
                "headers": {"x-model": "a"},
            },
            {
                "name": "host",
                "prefix": "/inference.",
                "service": f"127.0.0.1:{port}",
                **asked,
                "host": "models.example",
            },
        )
        yield stack


@pytest.fixture
def channel(stack: LocalStack) -> Iterator[Channel]:
    with open_channel(stack.endpoint.url, headers={"X-Model": "mnist"}) as channel:
        yield channel


def test_a_model_of_tensorflow_serving_predicts(channel: Channel, server: Server) -> None:
    answer = tfserving.predict(channel, "half", {"x": [[1.0, 2.0], [3.0, 4]]}, signature="s", version=3, outputs=("y",))
    assert answer == {"y": [[2.5, 3.0], [3.5, 4.0]], "label": [b"a", b"b"]}
    request = server.requests[-1]
    assert wire.find(request, 1, 3) == [b"s"]
    assert wire.find(request, 1, 2, 1) == [3]
    assert wire.find(request, 2, 2, 2, 2, 1) == [2, 2]
    assert wire.find(request, 3) == [b"y"]
    tfserving.predict(channel, "half", {"x": 1.0}, version="stable")
    assert wire.find(server.requests[-1], 1, 4) == [b"stable"]


def test_a_large_batch_passes(channel: Channel) -> None:
    size = 1_200_000  # float32: more than the 4 MiB gRPC takes when nothing is said
    values = tfserving.predict(channel, "half", {"x": [1.0] * size}, timeout=20.0)["y"]
    assert isinstance(values, list)
    assert (len(values), values[-1]) == (size, 2.5)


def test_signatures_and_versions_are_read(channel: Channel) -> None:
    [(name, signature)] = tfserving.model_metadata(channel, "half").items()
    assert (name, signature.method) == ("serving_default", "tensorflow/serving/predict")
    assert signature.inputs == {"x": tfserving.TensorDescription("float32", (-1, 784))}
    assert signature.outputs == {"y": tfserving.TensorDescription("int64", None)}
    assert tfserving.model_status(channel, "half") == (
        tfserving.ModelVersion(1, "AVAILABLE", ""),
        tfserving.ModelVersion(2, "END", "no such file"),
    )


def test_a_model_of_open_inference_predicts(channel: Channel, server: Server) -> None:
    assert open_inference.predict(channel, "half", {"x": [[1.0, 2.0]]}, version="2") == {"y": [[2.5, 3.0]]}
    assert wire.find(server.requests[-1], 2) == [b"2"]
    halves = {"x": Tensor([1.0, 3.0], "float16")}
    assert open_inference.predict(channel, "half", halves, outputs=("y",)) == {"y": [2.5, 3.5], "text": [b"hi"]}
    assert wire.find(server.requests[-1], 6, 1) == [b"y"]


def test_a_server_of_open_inference_tells_of_itself(channel: Channel) -> None:
    assert open_inference.server_live(channel) is True
    assert open_inference.server_ready(channel) is False
    assert open_inference.model_ready(channel, "half") is True
    assert open_inference.model_ready(channel, "other") is False
    told = open_inference.model_metadata(channel, "half")
    assert (told.name, told.versions, told.platform, told.outputs) == ("half", ("1", "2"), "sklearn", ())
    assert told.inputs == (open_inference.TensorDescription("x", "FP32", (-1, 4)),)


def test_credentials_and_headers_of_a_call_arrive(stack: LocalStack, server: Server) -> None:
    with open_channel(
        stack.endpoint.url, headers={"x-model": "mnist", "x-a": "1"}, credentials=BearerToken("canary")
    ) as channel:
        open_inference.server_live(channel, metadata={"X-A": "2"})
        assert (server.metadata["authorization"], server.metadata["x-a"]) == ("Bearer canary", "2")
        assert "canary" not in f"{channel!r} {vars(channel)!r}"
    with open_channel(stack.endpoint.url, headers={"x-model": "mnist"}, credentials=Cookie("s", "canary")) as channel:
        open_inference.server_live(channel)
        assert server.metadata["cookie"] == "s=canary"


def test_what_a_mapping_asks_for_is_sent(stack: LocalStack, server: Server) -> None:
    mapping = Mapping(
        name="host", prefix="/inference.", service="x", host="models.example", headers={"x-model": "mnist"}
    )
    with open_channel(stack.endpoint.url, mapping=mapping) as channel:
        assert open_inference.server_live(channel)
    assert server.metadata["x-model"] == "mnist"


@pytest.mark.parametrize(
    ("model", "method", "status", "words"),
    [
        ("mnist", f"{PREDICTION}Predict", 404, "NOT_FOUND: the server knows no such model.*Servable not found"),
        ("nobody", f"{PREDICTION}Predict", 501, "UNIMPLEMENTED: no route takes this call"),
        (
            "mnist",
            f"{PREDICTION}Other",
            501,
            "UNIMPLEMENTED: no route takes this call, or the server .*Method not found",
        ),
        ("a", f"{PREDICTION}Predict", 503, "UNAVAILABLE: Envoy cannot reach the service; does it run"),
    ],
)
def test_a_failure_is_said_in_words(stack: LocalStack, model: str, method: str, status: int, words: str) -> None:
    with (
        open_channel(stack.endpoint.url, headers={"x-model": model}, credentials=BearerToken("canary")) as channel,
        pytest.raises(RouteFailed, match=words) as caught,
    ):
        channel.ask(method, wire.write((1, wire.write((1, "other")))), timeout=20.0)
    assert caught.value.status == status
    assert caught.value.__context__ is None  # its frames would hold the token
    assert "canary" not in str(caught.value)


def test_a_gateway_that_is_away_is_said() -> None:
    with (
        open_channel(f"http://127.0.0.1:{free_port()}") as channel,
        pytest.raises(RouteFailed, match="UNAVAILABLE: the gateway or the server behind it cannot be reached"),
    ):
        open_inference.server_live(channel)


@pytest.mark.parametrize("url", ["http://127.0.0.1:1/models/", "ftp://h:1", "http://a:b@h", "nothing"])
def test_an_address_that_is_no_gateways_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="scheme, host and port"):
        open_channel(url)


@pytest.mark.parametrize(
    ("kind", "path"),
    [
        (TFServing, "/v1/models/half"),
        (KServeV2, "/v2/models/half/ready"),
    ],
)
def test_a_published_model_is_asked_by_grpc(stack: LocalStack, server: Server, kind: Any, path: str) -> None:
    with server.serving() as port, EchoServer() as rest, EchoServer() as other, Gateway.at(stack.endpoint) as gateway:
        half = gateway.expose("half", service=rest.port, server=kind(model="half", grpc_port=port))
        assert Echo.read(half.test().answer.body).path == path
        with half.open_grpc() as model:
            assert model.predict({"x": [[1.0, 2.0]]})["y"] == [[2.5, 3.0]]
            assert server.metadata["x-model"] == "half"
            assert model.metadata()
        away = kind(model="half", grpc_port=free_port())
        half.canary(other.port, weight=100, server=away)
        with half.open_grpc(variant="stable") as model:
            assert model.predict({"x": [[1.0, 2.0]]})["y"] == [[2.5, 3.0]]
        with half.open_grpc() as model, pytest.raises(RouteFailed, match="cannot reach the service"):
            model.predict({"x": [[1.0, 2.0]]})
        half.delete()


def test_what_is_not_published_for_grpc_is_said(stack: LocalStack) -> None:
    with (
        EchoServer() as rest,
        Gateway.at(stack.endpoint) as gateway,
        gateway.expose("p", service=rest.port) as plain,
        pytest.raises(ConfigurationError, match=r"publish it with server=TFServing\(grpc_port=\.\.\.\)"),
    ):
        plain.open_grpc()
