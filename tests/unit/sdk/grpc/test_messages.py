"""Field numbers are those that others published, and nothing of it clashes with anybody's own messages.

The files in ``published`` were written by a program from the descriptors inside other people's wheels, none of which is
needed to run this: ``tensorflow-serving-api`` 2.21.0 (its services), ``tensorboard`` 2.x (its copy of TensorFlow's
tensors, signatures and data types), ``protobuf`` 6.33 (Int64Value, Any) and ``mlserver`` 1.7.1 (the Open Inference
Protocol; ``tritonclient`` 2.73.0 gave the same numbers but for its two ``parameters`` of metadata).
"""

from pathlib import Path

import pytest

from kfambassador.errors import RouteFailed
from kfambassador.sdk.grpc import open_inference, tfserving
from kfambassador.sdk.grpc.arrays import KINDS
from kfambassador.sdk.grpc.messages import Protocol

PUBLISHED = Path(__file__).parent / "published"


def read_published(name: str) -> dict[str, str]:
    """Field by field: number and type; an enum is an int32 on the wire."""
    lines = (PUBLISHED / f"{name}.txt").read_text().splitlines()
    return {line.split(" ", 1)[0]: line.split(" ", 1)[1].replace("enum", "int32") for line in lines}


def list_fields(protocol: Protocol) -> list[tuple[str, str]]:
    """Ours, out of the descriptors that were built."""
    return [
        (f"{name}.{field.name}", f"{field.number} {tell_kind(field)}")
        for name in protocol._fields
        for field in protocol.new(name).DESCRIPTOR.fields
    ]


def tell_kind(field: object) -> str:
    message = getattr(field, "message_type", None)
    if message is not None and message.GetOptions().map_entry:
        return f"{{{message.fields_by_name['value'].message_type.name}}}"
    scalars = {1: "double", 2: "float", 3: "int64", 4: "uint64", 5: "int32", 8: "bool", 9: "string", 12: "bytes"}
    scalars[13] = "uint32"
    kind = message.name if message is not None else scalars[getattr(field, "type")]  # noqa: B009 - untyped
    return f"{kind}*" if getattr(field, "is_repeated") else kind  # noqa: B009 - untyped


@pytest.mark.parametrize(
    ("protocol", "published"),
    [(tfserving.PROTOCOL, "tensorflow_serving"), (open_inference.PROTOCOL, "open_inference")],
    ids=["tfserving", "open_inference"],
)
def test_every_field_is_as_others_publish_it(protocol: Protocol, published: str) -> None:
    theirs = read_published(published)
    ours = list_fields(protocol)
    assert len(ours) > 30
    assert [field for field in ours if theirs.get(field[0]) != field[1]] == []


def test_tensorflows_kinds_are_numbered_as_it_numbers_them() -> None:
    theirs = {
        name.removeprefix("DT_").lower(): int(number) for name, number in read_published("tensorflow_types").items()
    }
    names = {"float32": "float", "float64": "double", "float16": "half"}
    assert {kind: theirs[names.get(kind, kind)] for kind in tfserving.DATA_TYPES} == tfserving.DATA_TYPES
    assert set(tfserving.DATA_TYPES) == set(open_inference.DATA_TYPES) == KINDS


def test_the_same_names_can_be_in_the_default_pool() -> None:
    from google.protobuf import descriptor_pool
    from google.protobuf.descriptor_pb2 import FileDescriptorProto

    file = FileDescriptorProto(name="somebody/predict.proto", package="tensorflow.serving", syntax="proto3")
    file.message_type.add(name="PredictRequest")
    pool = descriptor_pool.Default()
    pool.Add(file)
    assert pool.FindMessageTypeByName("tensorflow.serving.PredictRequest").fields_by_name == {}
    assert "model_spec" in tfserving.PROTOCOL.new("PredictRequest").DESCRIPTOR.fields_by_name


def test_what_is_no_message_is_said() -> None:
    with pytest.raises(RouteFailed, match=r"no inference\.ServerLiveResponse"):
        open_inference.PROTOCOL.read("ServerLiveResponse", b"\xff\xff")
