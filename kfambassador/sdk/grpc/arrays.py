"""Arrays on their way to a gRPC message and back: kind, shape and flat values.

numpy is used for who gives arrays of it, and never needed.
"""

import struct
from collections.abc import Mapping as Dict
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from math import prod
from typing import Final, NamedTuple, Protocol, cast, runtime_checkable

from kfambassador.sdk.servers.shapes import flatten, measure, read_values

#: Kinds of numbers by numpy's names, each with its letter in ``struct``.
LETTERS: Final = {
    "bool": "?",
    "int8": "b",
    "uint8": "B",
    "int16": "h",
    "uint16": "H",
    "int32": "i",
    "uint32": "I",
    "int64": "q",
    "uint64": "Q",
    "float16": "e",
    "float32": "f",
    "float64": "d",
}
BFLOAT16: Final = "bfloat16"
STRING: Final = "string"
KINDS: Final = frozenset({*LETTERS, BFLOAT16, STRING})


class Tensor(NamedTuple):
    """Values with the kind of number they are to be sent as, where a model wants another than is usual.

    Attributes:
        values: Nested lists or an array.
        dtype: By numpy's name, such as ``int32`` or ``float16``; also ``bfloat16`` and ``string``.

    Example:
        >>> read_array("x", Tensor([1, 2], "int32"))
        Array(kind='int32', shape=(2,), values=[1, 2])
    """

    values: object
    dtype: str


class Array(NamedTuple):
    """An array laid flat.

    Attributes:
        kind: By numpy's name.
        shape: Its dimensions; none for a single value.
        values: Its values, the last dimension first; of strings the bytes.
    """

    kind: str
    shape: tuple[int, ...]
    values: list[object]

    def check(self) -> None:
        """Make sure that there are as many values as the shape holds.

        Raises:
            ValueError: There are not.
        """
        if prod(self.shape) != len(self.values):
            raise ValueError(f"{len(self.values)} values do not make the shape {list(self.shape)}")


@runtime_checkable
class _Typed(Protocol):
    """What numpy's, PyTorch's and JAX's arrays have in common."""

    dtype: object
    shape: Sequence[int]

    def tolist(self) -> object: ...


@runtime_checkable
class _Reshaped(_Typed, Protocol):
    def reshape(self, size: int, /) -> object: ...


def is_array(value: object) -> bool:
    """Whether a value is an array of numpy or its like."""
    return isinstance(value.values if isinstance(value, Tensor) else value, _Typed)


def read_array(name: str, value: object) -> Array:
    """Lay flat what a caller gives.

    Whole numbers are sent as int64, others as float32, what a model mostly wants; an array keeps its own kind.

    Args:
        name: What the caller calls it.
        value: Nested lists, an array, or a :class:`Tensor`.

    Raises:
        ValueError: It is no array, or of a kind that cannot be sent.

    Example:
        >>> read_array("x", [[1.0, 2], [3, 4]])
        Array(kind='float32', shape=(2, 2), values=[1.0, 2, 3, 4])
    """
    given, kind = (value.values, value.dtype) if isinstance(value, Tensor) else (value, "")
    if not kind and isinstance(given, _Typed):
        kind = _name_kind(given.dtype)
    # An array lays itself flat a hundred times faster than its nested lists are.
    plain = read_values(given.reshape(-1) if isinstance(given, _Reshaped) else given)
    values = plain if isinstance(plain, list) and isinstance(given, _Reshaped) else list(flatten(plain))
    kind = kind or _choose_kind(name, values)
    if kind not in KINDS:
        raise ValueError(f"{name} is of kind {kind}, which cannot be sent; known are {', '.join(sorted(KINDS))}.")
    shape = given.shape if isinstance(given, _Typed) else measure(plain, name=name)
    return Array(kind, tuple(shape), [_to_bytes(name, each) for each in values] if kind == STRING else values)


def write_content(name: str, array: Array) -> bytes:
    """The values of an array of numbers as bytes, little end first.

    Raises:
        ValueError: A value is none of the array's kind.
    """
    try:
        if array.kind == BFLOAT16:
            return b"".join(_round_half(struct.pack("<f", value)) for value in array.values)
        return struct.pack(f"<{len(array.values)}{LETTERS[array.kind]}", *array.values)
    except (struct.error, OverflowError) as error:
        raise ValueError(f"{name} is to be sent as {array.kind}, and holds what is none: {error}.") from None


def read_content(kind: str, content: bytes) -> list[object]:
    """Read numbers from bytes, little end first.

    Raises:
        ValueError: The bytes are no whole number of values.

    Example:
        >>> read_content("bfloat16", bytes.fromhex("c03f")), read_content("int16", bytes.fromhex("0100ffff"))
        ([1.5], [1, -1])
    """
    if kind == BFLOAT16:
        padded = b"".join(b"\0\0" + content[at : at + 2] for at in range(0, len(content), 2))
        return read_content("float32", padded)
    size = struct.calcsize(LETTERS[kind])
    if len(content) % size:
        raise ValueError(f"{len(content)} bytes are no whole number of {kind}")
    return list(struct.unpack(f"<{len(content) // size}{LETTERS[kind]}", content))


@dataclass(frozen=True, slots=True)
class Folding:
    """How arrays are given back: as arrays of numpy to who gave arrays, as nested lists to everybody else.

    Attributes:
        numpy: Whether as arrays, if numpy is installed.
    """

    numpy: bool

    @classmethod
    def like(cls, inputs: Dict[str, object]) -> "Folding":
        """Give back as was given."""
        return cls(any(is_array(value) for value in inputs.values()))

    def fold(self, array: Array) -> object:
        """Give an array its shape.

        Example:
            >>> Folding(numpy=False).fold(Array("int64", (2, 1), [1, 2]))
            [[1], [2]]
        """
        if self.numpy:
            try:
                numpy = import_module("numpy")
            except ModuleNotFoundError:
                return _fold(array.values, array.shape)
            kind = {STRING: "object", BFLOAT16: "float32"}.get(array.kind, array.kind)
            return cast("object", numpy.array(array.values, dtype=kind).reshape(array.shape))
        return _fold(array.values, array.shape)


def complete(array: Array) -> Array:
    """Repeat the last value until the shape is full: TensorFlow leaves alike values at the end out (tensor.proto).

    Raises:
        ValueError: There are more values than the shape holds.
    """
    missing = prod(array.shape) - len(array.values)
    if missing < 0:
        raise ValueError(f"{len(array.values)} values do not fit the shape {list(array.shape)}")
    last: object = array.values[-1] if array.values else b"" if array.kind == STRING else 0
    return array._replace(values=[*array.values, *[last] * missing])


def _fold(values: list[object], shape: Sequence[int]) -> object:
    if not shape:
        return values[0]
    if len(shape) == 1:
        return values
    size = prod(shape[1:])
    return [_fold(values[row * size : (row + 1) * size], shape[1:]) for row in range(shape[0])]


def _name_kind(dtype: object) -> str:
    """Our name for what an array calls its kind; numpy has many for texts, PyTorch's have no name of their own."""
    name = str(getattr(dtype, "name", dtype)).removeprefix("torch.")
    return STRING if name == "object" or name.startswith(("str", "bytes")) else name


def _choose_kind(name: str, values: list[object]) -> str:
    kinds = {type(value) for value in values}
    if kinds == {bool}:
        return "bool"
    if kinds == {int}:
        return "int64"
    if kinds <= {int, float}:
        return "float32"
    if kinds <= {str, bytes}:
        return STRING
    words = ", ".join(sorted(kind.__name__ for kind in kinds))
    raise ValueError(f"{name} holds {words}: an array holds numbers, texts or truth values, and one kind of them.")


def _to_bytes(name: str, value: object) -> bytes:
    if isinstance(value, bytes):
        return value
    if isinstance(value, str):
        return value.encode()
    raise ValueError(f"{name} is to be sent as text, and holds {type(value).__name__}.")


def _round_half(single: bytes) -> bytes:
    """Round a float32 to bfloat16: its upper half, to even where it lies between two."""
    (bits,) = struct.unpack("<I", single)
    if bits & 0x7FFFFFFF > 0x7F800000:  # NaN: rounding could make it infinite  # noqa: PLR2004
        return struct.pack("<H", bits >> 16 | 0x40)
    return struct.pack("<H", (bits + 0x7FFF + (bits >> 16 & 1)) >> 16 & 0xFFFF)
