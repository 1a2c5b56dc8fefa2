"""TensorFlow Serving by gRPC: predictions, the model's signatures, and which versions are loaded.

Publish with ``TFServing(grpc_port=8500)`` and open the channel with the header ``x-model``, by which the gateway tells
models apart.
"""

from collections.abc import Mapping as Dict
from typing import TYPE_CHECKING, Final, NamedTuple

from kfambassador.errors import RouteFailed
from kfambassador.sdk.grpc.arrays import (
    BFLOAT16,
    STRING,
    Array,
    Folding,
    complete,
    read_array,
    read_content,
    write_content,
)
from kfambassador.sdk.grpc.channel import ANSWER_TIMEOUT, Channel
from kfambassador.sdk.grpc.messages import Protocol

if TYPE_CHECKING:
    from google.protobuf.message import Message

#: Numbers as in tensorflow_serving/apis/{predict,model,get_model_metadata,get_model_status}.proto and, for tensors and
#: signatures, tensorflow/core/{framework,protobuf}. Names of packages are not on the wire.
PROTOCOL: Final = Protocol(
    "tensorflow.serving",
    {
        "Int64Value": "1 value int64",
        "Any": "1 type_url string, 2 value bytes",
        "Dim": "1 size int64, 2 name string",
        "TensorShapeProto": "2 dim Dim*, 3 unknown_rank bool",
        "TensorProto": "1 dtype int32, 2 tensor_shape TensorShapeProto, 4 tensor_content bytes, 5 float_val float*, "
        "6 double_val double*, 7 int_val int32*, 8 string_val bytes*, 10 int64_val int64*, 11 bool_val bool*, "
        "13 half_val int32*, 16 uint32_val uint32*, 17 uint64_val uint64*",
        "ModelSpec": "1 name string, 2 version Int64Value, 3 signature_name string, 4 version_label string",
        "PredictRequest": "1 model_spec ModelSpec, 2 inputs {TensorProto}, 3 output_filter string*",
        "PredictResponse": "1 outputs {TensorProto}, 2 model_spec ModelSpec",
        "TensorInfo": "1 name string, 2 dtype int32, 3 tensor_shape TensorShapeProto",
        "SignatureDef": "1 inputs {TensorInfo}, 2 outputs {TensorInfo}, 3 method_name string",
        "SignatureDefMap": "1 signature_def {SignatureDef}",
        "GetModelMetadataRequest": "1 model_spec ModelSpec, 2 metadata_field string*",
        "GetModelMetadataResponse": "1 model_spec ModelSpec, 2 metadata {Any}",
        "StatusProto": "1 error_code int32, 2 error_message string",
        "ModelVersionStatus": "1 version int64, 2 state int32, 3 status StatusProto",
        "GetModelStatusRequest": "1 model_spec ModelSpec",
        "GetModelStatusResponse": "1 model_version_status ModelVersionStatus*",
    },
)

#: TensorFlow's numbers of kinds (tensorflow/core/framework/types.proto).
DATA_TYPES: Final = {
    "float32": 1,
    "float64": 2,
    "int32": 3,
    "uint8": 4,
    "int16": 5,
    "int8": 6,
    STRING: 7,
    "int64": 9,
    "bool": 10,
    BFLOAT16: 14,
    "uint16": 17,
    "float16": 19,
    "uint32": 22,
    "uint64": 23,
}
_KINDS: Final = {number: kind for kind, number in DATA_TYPES.items()}

#: Where a tensor has the values of each kind that is not in its tensor_content.
_FIELDS: Final = {
    "float32": "float_val",
    "float64": "double_val",
    "int64": "int64_val",
    "bool": "bool_val",
    "uint32": "uint32_val",
    "uint64": "uint64_val",
    "float16": "half_val",
    BFLOAT16: "half_val",
    STRING: "string_val",
}

_STATES: Final = {0: "UNKNOWN", 10: "START", 20: "LOADING", 30: "AVAILABLE", 40: "UNLOADING", 50: "END"}
_PREDICTION: Final = "/tensorflow.serving.PredictionService"
_MODEL: Final = "/tensorflow.serving.ModelService"


class TensorDescription(NamedTuple):
    """What a signature says of an input or output.

    Attributes:
        dtype: The kind of its values by numpy's name, or TensorFlow's number for it.
        shape: Its dimensions, -1 for one of any size; None when even their number is open.
    """

    dtype: str
    shape: tuple[int, ...] | None


class Signature(NamedTuple):
    """What a model can be asked for by one signature.

    Attributes:
        inputs: What it takes, by name.
        outputs: What it gives, by name.
        method: TensorFlow's name of the method, such as ``tensorflow/serving/predict``.
    """

    inputs: Dict[str, TensorDescription]
    outputs: Dict[str, TensorDescription]
    method: str


class ModelVersion(NamedTuple):
    """A version that the server knows of.

    Attributes:
        version: Its number.
        state: ``START``, ``LOADING``, ``AVAILABLE``, ``UNLOADING``, ``END`` or ``UNKNOWN``.
        error: Why it is not available, in the server's words; "" when nothing went wrong.
    """

    version: int
    state: str
    error: str


def predict(
    channel: Channel,
    model: str,
    inputs: Dict[str, object],
    *,
    signature: str | None = None,
    version: int | str | None = None,
    outputs: tuple[str, ...] = (),
    metadata: Dict[str, str] | None = None,
    timeout: float = ANSWER_TIMEOUT,
) -> dict[str, object]:
    """Ask a model for predictions.

    Args:
        channel: The way to the gateway.
        model: The model's name in the server.
        inputs: An array or nested lists for each input of the signature. Whole numbers are sent as int64, others as
            float32, an array as what it is; :class:`~kfambassador.sdk.grpc.arrays.Tensor` says another kind.
        signature: Which signature; None means ``serving_default``.
        version: Which version, by number or by label; None means the newest.
        outputs: Which outputs to give; none means all.
        metadata: Headers of this call.
        timeout: Seconds the answer may take.

    Returns:
        The outputs by name: as arrays of numpy where an input was an array, else as nested lists.

    Raises:
        ValueError: An input is no array, or of a kind that cannot be sent.
        RouteFailed: The call failed; the message says why.

    Example::

        with open_channel(gateway.url, headers={"x-model": "mnist"}) as channel:
            predict(channel, "mnist", {"images": images})["scores"]
    """
    request = PROTOCOL.write(
        "PredictRequest",
        model_spec=_write_spec(model, version=version, signature=signature),
        inputs={name: _write_tensor(name, value) for name, value in inputs.items()},
        output_filter=outputs,
    )
    data = channel.ask(f"{_PREDICTION}/Predict", request, metadata=metadata, timeout=timeout)
    answer = PROTOCOL.read("PredictResponse", data)
    folding = Folding.like(inputs)
    return {name: folding.fold(read_tensor(name, answer.outputs[name])) for name in sorted(answer.outputs)}


def model_metadata(
    channel: Channel,
    model: str,
    *,
    version: int | str | None = None,
    metadata: Dict[str, str] | None = None,
    timeout: float = 30.0,
) -> dict[str, Signature]:
    """What a model can be asked for: its signatures by name.

    The arguments, and what is raised, are those of :func:`predict`.
    """
    spec = _write_spec(model, version=version)
    request = PROTOCOL.write("GetModelMetadataRequest", model_spec=spec, metadata_field=["signature_def"])
    data = channel.ask(f"{_PREDICTION}/GetModelMetadata", request, metadata=metadata, timeout=timeout)
    packed = PROTOCOL.read("GetModelMetadataResponse", data).metadata
    held = packed["signature_def"].value if "signature_def" in packed else b""
    signatures = PROTOCOL.read("SignatureDefMap", held).signature_def
    return {
        name: Signature(
            _read_descriptions(signatures[name].inputs),
            _read_descriptions(signatures[name].outputs),
            signatures[name].method_name,
        )
        for name in sorted(signatures)
    }


def model_status(
    channel: Channel,
    model: str,
    *,
    version: int | str | None = None,
    metadata: Dict[str, str] | None = None,
    timeout: float = 30.0,
) -> tuple[ModelVersion, ...]:
    """Which versions of a model the server knows of, and whether they are loaded.

    The arguments, and what is raised, are those of :func:`predict`.
    """
    request = PROTOCOL.write("GetModelStatusRequest", model_spec=_write_spec(model, version=version))
    data = channel.ask(f"{_MODEL}/GetModelStatus", request, metadata=metadata, timeout=timeout)
    found = PROTOCOL.read("GetModelStatusResponse", data).model_version_status
    return tuple(
        ModelVersion(each.version, _STATES.get(each.state, str(each.state)), each.status.error_message)
        for each in found
    )


def _write_spec(model: str, *, version: int | str | None, signature: str | None = None) -> "Message":
    named: dict[str, object] = {"name": model}
    if isinstance(version, str):
        named["version_label"] = version
    elif version is not None:
        named["version"] = PROTOCOL.new("Int64Value", value=version)
    return PROTOCOL.new("ModelSpec", **named, signature_name=signature or "")


def _write_tensor(name: str, value: object) -> "Message":
    array = read_array(name, value)
    shape = PROTOCOL.new("TensorShapeProto", dim=[PROTOCOL.new("Dim", size=size) for size in array.shape])
    content: dict[str, object] = (
        {"string_val": array.values} if array.kind == STRING else {"tensor_content": write_content(name, array)}
    )
    return PROTOCOL.new("TensorProto", dtype=DATA_TYPES[array.kind], tensor_shape=shape, **content)


def read_tensor(name: str, tensor: "Message") -> Array:
    """Read a TensorProto, whichever of its two ways the values are written in.

    Raises:
        RouteFailed: It is of a kind that is not read here, or its values do not fit its shape.
    """
    kind = _KINDS.get(tensor.dtype)
    if kind is None:
        raise RouteFailed(f"The output {name} is of TensorFlow's type {tensor.dtype}, which is not read.", status=None)
    shape = tuple(dim.size for dim in tensor.tensor_shape.dim)
    try:
        if tensor.tensor_content and kind != STRING:
            return complete(Array(kind, shape, read_content(kind, tensor.tensor_content)))
        values = list(getattr(tensor, _FIELDS.get(kind, "int_val")))
        if _FIELDS.get(kind) == "half_val":
            values = read_content(kind, b"".join((bits & 0xFFFF).to_bytes(2, "little") for bits in values))
        return complete(Array(kind, shape, values))
    except ValueError as error:
        raise RouteFailed(f"The output {name} cannot be read: {error}.", status=None) from error


def _read_descriptions(infos: "Dict[str, Message]") -> dict[str, TensorDescription]:
    return {name: _read_description(infos[name]) for name in sorted(infos)}


def _read_description(info: "Message") -> TensorDescription:
    shape = info.tensor_shape
    sizes = None if shape.unknown_rank else tuple(dim.size for dim in shape.dim)
    return TensorDescription(_KINDS.get(info.dtype, str(info.dtype)), sizes)
