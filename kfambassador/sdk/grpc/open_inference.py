"""The Open Inference Protocol (KServe V2) by gRPC, as Triton, MLServer, KServe and OpenVINO speak it.

Publish with ``KServeV2(grpc_port=...)`` and open the channel with the header ``x-model``, by which the gateway tells
models apart.
"""

from collections.abc import Mapping as Dict
from typing import TYPE_CHECKING, Final, NamedTuple

from kfambassador.errors import RouteFailed
from kfambassador.sdk.grpc.arrays import BFLOAT16, STRING, Array, Folding, read_array, read_content, write_content
from kfambassador.sdk.grpc.channel import ANSWER_TIMEOUT, Channel
from kfambassador.sdk.grpc.messages import Protocol

if TYPE_CHECKING:
    from google.protobuf.message import Message

#: Numbers as in the protocol's own open_inference_grpc.proto. What is nested there stands on its own here: on the wire
#: they are alike.
PROTOCOL: Final = Protocol(
    "inference",
    {
        "ServerLiveRequest": "",
        "ServerLiveResponse": "1 live bool",
        "ServerReadyRequest": "",
        "ServerReadyResponse": "1 ready bool",
        "ModelReadyRequest": "1 name string, 2 version string",
        "ModelReadyResponse": "1 ready bool",
        "ModelMetadataRequest": "1 name string, 2 version string",
        "TensorMetadata": "1 name string, 2 datatype string, 3 shape int64*",
        "ModelMetadataResponse": "1 name string, 2 versions string*, 3 platform string, 4 inputs TensorMetadata*, "
        "5 outputs TensorMetadata*",
        "InferTensorContents": "1 bool_contents bool*, 2 int_contents int32*, 3 int64_contents int64*, "
        "4 uint_contents uint32*, 5 uint64_contents uint64*, 6 fp32_contents float*, 7 fp64_contents double*, "
        "8 bytes_contents bytes*",
        "InferInputTensor": "1 name string, 2 datatype string, 3 shape int64*, 5 contents InferTensorContents",
        "InferRequestedOutputTensor": "1 name string",
        "ModelInferRequest": "1 model_name string, 2 model_version string, 3 id string, 5 inputs InferInputTensor*, "
        "6 outputs InferRequestedOutputTensor*, 7 raw_input_contents bytes*",
        "InferOutputTensor": "1 name string, 2 datatype string, 3 shape int64*, 5 contents InferTensorContents",
        "ModelInferResponse": "1 model_name string, 2 model_version string, 3 id string, 5 outputs InferOutputTensor*, "
        "6 raw_output_contents bytes*",
    },
)

#: The protocol's names of kinds.
DATA_TYPES: Final = {
    "bool": "BOOL",
    **{f"{sign}int{bits}": f"{sign.upper()}INT{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)},
    **{f"float{bits}": f"FP{bits}" for bits in (16, 32, 64)},
    BFLOAT16: "BF16",
    STRING: "BYTES",
}
_KINDS: Final = {name: kind for kind, name in DATA_TYPES.items()}

#: Where a tensor has the values of each kind. The two halves are in none: the protocol sends them raw only.
_FIELDS: Final = {
    "bool": "bool_contents",
    **dict.fromkeys(("int8", "int16", "int32"), "int_contents"),
    "int64": "int64_contents",
    **dict.fromkeys(("uint8", "uint16", "uint32"), "uint_contents"),
    "uint64": "uint64_contents",
    "float32": "fp32_contents",
    "float64": "fp64_contents",
    STRING: "bytes_contents",
}

_SERVICE: Final = "/inference.GRPCInferenceService"
_LENGTH: Final = 4  # bytes before each raw text, that say how long it is


class TensorDescription(NamedTuple):
    """What a model says of an input or output.

    Attributes:
        name: Its name.
        datatype: The kind of its values in the protocol's words, such as ``FP32``.
        shape: Its dimensions; -1 for one of any size.
    """

    name: str
    datatype: str
    shape: tuple[int, ...]


class ModelDescription(NamedTuple):
    """What a server says of a model.

    Attributes:
        name: Its name.
        versions: Its versions, as the server calls them.
        platform: What runs it.
        inputs: What it takes.
        outputs: What it gives.
    """

    name: str
    versions: tuple[str, ...]
    platform: str
    inputs: tuple[TensorDescription, ...]
    outputs: tuple[TensorDescription, ...]


def predict(
    channel: Channel,
    model: str,
    inputs: Dict[str, object],
    *,
    version: str = "",
    outputs: tuple[str, ...] = (),
    raw: bool = False,
    metadata: Dict[str, str] | None = None,
    timeout: float = ANSWER_TIMEOUT,
) -> dict[str, object]:
    """Ask a model for predictions.

    Args:
        channel: The way to the gateway.
        model: The model's name in the server.
        inputs: An array or nested lists for each input. Whole numbers are sent as INT64, others as FP32, an array as
            what it is; :class:`~kfambassador.sdk.grpc.arrays.Tensor` says another kind.
        version: Which version; "" leaves it to the server.
        outputs: Which outputs to give; none means all.
        raw: Send values as bytes: smaller and faster, but not every server takes them. Half floats always are.
        metadata: Headers of this call.
        timeout: Seconds the answer may take.

    Returns:
        The outputs by name: as arrays of numpy where an input was an array, else as nested lists.

    Raises:
        ValueError: An input is no array, or of a kind that cannot be sent.
        RouteFailed: The call failed; the message says why.
    """
    arrays = {name: read_array(name, value) for name, value in inputs.items()}
    # All inputs of a request are raw or none is.
    raw = raw or any(array.kind not in _FIELDS for array in arrays.values())
    request = PROTOCOL.write(
        "ModelInferRequest",
        model_name=model,
        model_version=version,
        inputs=[_write_tensor(name, array, raw=raw) for name, array in arrays.items()],
        outputs=[PROTOCOL.new("InferRequestedOutputTensor", name=name) for name in outputs],
        raw_input_contents=[_write_raw(name, array) for name, array in arrays.items()] if raw else [],
    )
    data = channel.ask(f"{_SERVICE}/ModelInfer", request, metadata=metadata, timeout=timeout)
    answer = PROTOCOL.read("ModelInferResponse", data)
    folding = Folding.like(inputs)
    contents = list(answer.raw_output_contents) or [None] * len(answer.outputs)
    if len(contents) != len(answer.outputs):
        message = f"{model} answered with {len(contents)} raw contents for {len(answer.outputs)} outputs"
        raise RouteFailed(message, status=None)
    pairs = zip(answer.outputs, contents, strict=True)
    return {tensor.name: folding.fold(read_tensor(tensor, content)) for tensor, content in pairs}


def server_live(channel: Channel, *, metadata: Dict[str, str] | None = None, timeout: float = 30.0) -> bool:
    """Whether the server lives; what is raised is as for :func:`predict`."""
    data = channel.ask(f"{_SERVICE}/ServerLive", b"", metadata=metadata, timeout=timeout)
    return bool(PROTOCOL.read("ServerLiveResponse", data).live)


def server_ready(channel: Channel, *, metadata: Dict[str, str] | None = None, timeout: float = 30.0) -> bool:
    """Whether the server takes requests for all its models; what is raised is as for :func:`predict`."""
    data = channel.ask(f"{_SERVICE}/ServerReady", b"", metadata=metadata, timeout=timeout)
    return bool(PROTOCOL.read("ServerReadyResponse", data).ready)


def model_ready(
    channel: Channel,
    model: str,
    *,
    version: str = "",
    metadata: Dict[str, str] | None = None,
    timeout: float = 30.0,
) -> bool:
    """Whether a model is loaded; the arguments, and what is raised, are those of :func:`predict`."""
    request = PROTOCOL.write("ModelReadyRequest", name=model, version=version)
    data = channel.ask(f"{_SERVICE}/ModelReady", request, metadata=metadata, timeout=timeout)
    return bool(PROTOCOL.read("ModelReadyResponse", data).ready)


def model_metadata(
    channel: Channel,
    model: str,
    *,
    version: str = "",
    metadata: Dict[str, str] | None = None,
    timeout: float = 30.0,
) -> ModelDescription:
    """What a model takes and gives; the arguments, and what is raised, are those of :func:`predict`."""
    request = PROTOCOL.write("ModelMetadataRequest", name=model, version=version)
    data = channel.ask(f"{_SERVICE}/ModelMetadata", request, metadata=metadata, timeout=timeout)
    told = PROTOCOL.read("ModelMetadataResponse", data)
    return ModelDescription(
        told.name,
        tuple(told.versions),
        told.platform,
        tuple(_read_description(each) for each in told.inputs),
        tuple(_read_description(each) for each in told.outputs),
    )


def _read_description(tensor: "Message") -> TensorDescription:
    return TensorDescription(tensor.name, tensor.datatype, tuple(tensor.shape))


def _write_tensor(name: str, array: Array, *, raw: bool) -> "Message":
    described: dict[str, object] = {"name": name, "datatype": DATA_TYPES[array.kind], "shape": array.shape}
    if not raw:
        try:
            described["contents"] = PROTOCOL.new("InferTensorContents", **{_FIELDS[array.kind]: array.values})
        except (TypeError, ValueError) as error:
            raise ValueError(f"{name} is to be sent as {array.kind}, and holds what is none: {error}.") from None
    return PROTOCOL.new("InferInputTensor", **described)


def _write_raw(name: str, array: Array) -> bytes:
    if array.kind != STRING:
        return write_content(name, array)
    texts = [each for each in array.values if isinstance(each, bytes)]
    return b"".join(len(each).to_bytes(_LENGTH, "little") + each for each in texts)


def read_tensor(tensor: "Message", raw: bytes | None) -> Array:
    """Read an output, from its raw bytes where there are some.

    Raises:
        RouteFailed: It is of a kind that is not read here, or its values do not fit its shape.
    """
    kind = _KINDS.get(tensor.datatype)
    if kind is None:
        raise RouteFailed(
            f"The output {tensor.name} is of datatype {tensor.datatype!r}, which is not read.", status=None
        )
    try:
        array = Array(kind, tuple(tensor.shape), _read_values(kind, tensor, raw))
        array.check()
    except ValueError as error:
        raise RouteFailed(f"The output {tensor.name} cannot be read: {error}.", status=None) from error
    return array


def _read_values(kind: str, tensor: "Message", raw: bytes | None) -> list[object]:
    if raw is None:
        return list(getattr(tensor.contents, _FIELDS[kind])) if kind in _FIELDS else []
    return _read_texts(raw) if kind == STRING else read_content(kind, raw)


def _read_texts(raw: bytes) -> list[object]:
    texts: list[object] = []
    at = 0
    while at < len(raw):
        end = at + _LENGTH + int.from_bytes(raw[at : at + _LENGTH], "little")
        if end > len(raw):
            raise ValueError("a text is longer than what is left")
        texts.append(raw[at + _LENGTH : end])
        at = end
    return texts
