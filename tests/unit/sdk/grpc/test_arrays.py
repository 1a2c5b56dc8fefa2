"""Arrays as messages hold them, from lists and from what behaves as numpy's arrays do."""

import struct

import pytest

from kfambassador.errors import RouteFailed
from kfambassador.sdk.grpc import open_inference, tfserving
from kfambassador.sdk.grpc.arrays import Array, Folding, Tensor, read_array, read_content, write_content


class Kind:
    """Knows its name, as numpy's kinds do, which show themselves otherwise."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __repr__(self) -> str:
        return ">f4"


class Typed:
    """Knows of itself what numpy's arrays know."""

    def __init__(self, dtype: object, values: list[object]) -> None:
        self.dtype = dtype
        self.shape: tuple[int, ...] = (len(values),)
        self._values = values

    def tolist(self) -> list[object]:
        return self._values


class Grid(Typed):
    """Two rows of two, that can be laid flat."""

    def __init__(self) -> None:
        super().__init__("int16", [])
        self.shape = (2, 2)

    def tolist(self) -> list[object]:
        raise AssertionError("laid flat it is much faster")

    def reshape(self, size: int) -> Typed:
        assert size == -1
        return Typed("int16", [1, 2, 3, 4])


@pytest.mark.parametrize(
    ("given", "array"),
    [
        ([1.0, 2], Array("float32", (2,), [1.0, 2])),
        ([[1], [2]], Array("int64", (2, 1), [1, 2])),
        ([True, False], Array("bool", (2,), [True, False])),
        (["a", b"\xff"], Array("string", (2,), [b"a", b"\xff"])),
        (2.5, Array("float32", (), [2.5])),
        ([], Array("float32", (0,), [])),
        (Typed("uint8", [1, 2]), Array("uint8", (2,), [1, 2])),
        (Typed("torch.float64", [1.0]), Array("float64", (1,), [1.0])),
        (Typed(Kind("float32"), [1.0]), Array("float32", (1,), [1.0])),
        (Typed(Kind("str96"), ["abc"]), Array("string", (1,), [b"abc"])),
        (Grid(), Array("int16", (2, 2), [1, 2, 3, 4])),
        (Typed("object", ["abc"]), Array("string", (1,), [b"abc"])),
        (Tensor(Typed("int64", [1]), "int32"), Array("int32", (1,), [1])),
    ],
)
def test_what_callers_give_is_laid_flat(given: object, array: Array) -> None:
    assert read_array("x", given) == array


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ([[1], [1, 2]], "x is no array"),
        ([1, "a"], "x holds int, str"),
        ([True, 1.0], "x holds bool, float"),
        (Typed("datetime64[ns]", []), r"x is of kind datetime64\[ns\]"),
        (Tensor([1], "int33"), "x is of kind int33"),
        (Tensor([1], "string"), "x is to be sent as text, and holds int"),
    ],
)
def test_what_is_no_array_is_said(given: object, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        read_array("x", given)


@pytest.mark.parametrize("kind", ["int8", "uint16", "int64", "float16", "float32", "float64", "bool", "bfloat16"])
def test_contents_come_back(kind: str) -> None:
    array = Array(kind, (2,), [True, False] if kind == "bool" else [1, 0])
    assert read_content(kind, write_content("x", array)) == array.values


def test_the_little_end_comes_first() -> None:
    assert write_content("x", Array("int32", (1,), [258])) == b"\x02\x01\x00\x00"


@pytest.mark.parametrize(("value", "bits"), [(1.0, 0x3F80), (1.00390625, 0x3F80), (1.01171875, 0x3F82), (-2.0, 0xC000)])
def test_bfloat16_rounds_to_even(value: float, bits: int) -> None:
    assert write_content("x", Array("bfloat16", (1,), [value])) == struct.pack("<H", bits)
    assert write_content("x", Array("bfloat16", (1,), [float("nan")])) != struct.pack("<H", 0x7F80)


def test_a_value_that_is_none_of_its_kind_is_said() -> None:
    with pytest.raises(ValueError, match="x is to be sent as uint8"):
        write_content("x", Array("uint8", (1,), [300]))


def test_arrays_come_back_to_who_gave_some() -> None:
    assert Folding.like({"x": [1]}).numpy is False
    assert Folding.like({"x": [1], "y": Tensor(Typed("int8", [1]), "int8")}).numpy is True


def tensor(**values: object) -> object:
    shape = tfserving.PROTOCOL.new("TensorShapeProto", dim=[tfserving.PROTOCOL.new("Dim", size=3)])
    return tfserving.PROTOCOL.new("TensorProto", tensor_shape=shape, **values)


@pytest.mark.parametrize(
    ("values", "read"),
    [
        ({"dtype": 1, "float_val": [1.5, 2.5]}, [1.5, 2.5, 2.5]),
        ({"dtype": 3, "int_val": [7]}, [7, 7, 7]),
        ({"dtype": 9}, [0, 0, 0]),
        ({"dtype": 7, "string_val": [b"a", b"b", b"c"]}, [b"a", b"b", b"c"]),
        ({"dtype": 19, "half_val": [0x3C00, 0x4000, 0x4200]}, [1.0, 2.0, 3.0]),
        ({"dtype": 14, "half_val": [0x3F80]}, [1.0, 1.0, 1.0]),
        ({"dtype": 6, "tensor_content": b"\x01\x02\xff"}, [1, 2, -1]),
    ],
)
def test_tensorflow_leaves_alike_values_out(values: dict[str, object], read: list[object]) -> None:
    assert tfserving.read_tensor("y", tensor(**values)).values == read


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"dtype": 20}, "TensorFlow's type 20"),
        ({"dtype": 1, "float_val": [1.0] * 4}, "4 values do not fit"),
        ({"dtype": 1, "tensor_content": b"\0\0\0"}, "3 bytes are no whole number of float32"),
    ],
)
def test_a_tensor_that_cannot_be_read_is_said(values: dict[str, object], words: str) -> None:
    with pytest.raises(RouteFailed, match=words):
        tfserving.read_tensor("y", tensor(**values))


@pytest.mark.parametrize(
    ("datatype", "contents", "raw", "words"),
    [
        ("FP8", {}, None, "datatype 'FP8'"),
        ("FP32", {"fp32_contents": [1.0]}, None, r"1 values do not make the shape \[2\]"),
        ("BYTES", {}, b"\x05\0\0\0ab", "a text is longer than what is left"),
        ("FP16", {}, None, "0 values"),
    ],
)
def test_an_output_that_cannot_be_read_is_said(
    datatype: str, contents: dict[str, object], raw: bytes | None, words: str
) -> None:
    protocol = open_inference.PROTOCOL
    held = protocol.new("InferTensorContents", **contents)
    output = protocol.new("InferOutputTensor", name="y", datatype=datatype, shape=[2], contents=held)
    with pytest.raises(RouteFailed, match=words):
        open_inference.read_tensor(output, raw)
