"""Arrays as nested lists: what numpy, pandas and their like hold, measured, laid flat, folded and filled.

None of those libraries is imported: a value is known by what it can do.
"""

from collections.abc import Iterable, Iterator, Sequence
from collections.abc import Mapping as Dict
from math import prod
from typing import Final, Protocol, runtime_checkable

from kfambassador.routing.describe import Json

#: A sample with more numbers helps nobody.
LARGEST_SAMPLE: Final = 1_000_000


@runtime_checkable
class _ToList(Protocol):
    """What numpy's, pandas', PyTorch's and JAX's arrays have in common."""

    def tolist(self) -> object: ...


@runtime_checkable
class _ToListPolars(Protocol):
    def to_list(self) -> object: ...


@runtime_checkable
class _ToNumpy(Protocol):
    """TensorFlow's arrays."""

    def numpy(self) -> object: ...


@runtime_checkable
class _Frame(Protocol):
    """What pandas' and polars' tables have in common."""

    columns: Iterable[object]
    dtypes: object

    def __getitem__(self, column: object) -> object: ...


def read_values(value: object) -> object:
    """Turn arrays into nested lists of plain values; anything else stays.

    Example:
        >>> read_values((1, [2.0, "x"]))
        [1, [2.0, 'x']]
    """
    match value:
        case int() | float() | str() | bytes() | None:  # first, for there are millions of them
            return value
        case Dict():
            return {key: read_values(each) for key, each in value.items()}
        case list() | tuple():
            return [read_values(each) for each in value]
    return _read_array(value)


def _read_array(value: object) -> object:
    match value:
        case _ToList():
            return value.tolist()
        case _ToListPolars():
            return value.to_list()
        case _ToNumpy():
            return read_values(value.numpy())
    return value


def read_table(value: object) -> dict[str, list[object]] | None:
    """The columns of a table of pandas or its like, each with its own type; None when it is no table."""
    if isinstance(value, Dict) or not isinstance(value, _Frame):
        return None
    return {str(column): list_values(value[column]) for column in value.columns}


def list_values(value: object) -> list[object]:
    """One dimension of an array as a list."""
    plain = read_values(value)
    return plain if isinstance(plain, list) else [plain]


def measure(nested: object, *, name: str) -> list[int]:
    """The shape of nested lists.

    Args:
        nested: The lists.
        name: What the caller calls them.

    Raises:
        ValueError: Some are longer than their neighbours, which no array can hold.

    Example:
        >>> measure([[1, 2, 3], [4, 5, 6]], name="x")
        [2, 3]
    """
    if not isinstance(nested, list):
        return []
    shapes = [measure(each, name=name) for each in nested]
    for shape in shapes[1:]:
        if shape != shapes[0]:
            raise ValueError(
                f"{name} is no array: one of its rows has the shape {shapes[0]}, another {shape}. Make all rows alike"
            )
    return [len(nested), *(shapes[0] if shapes else [])]


def flatten(nested: object) -> Iterator[object]:
    """Lay nested lists flat, the last dimension first.

    Example:
        >>> list(flatten([[1, 2], [3, 4]]))
        [1, 2, 3, 4]
    """
    if isinstance(nested, list):
        for each in nested:
            yield from flatten(each)
    else:
        yield nested


def fold(flat: Sequence[Json], shape: Sequence[int]) -> Json:
    """Fold flat values into nested lists of a shape; values that do not fill it stay flat.

    Example:
        >>> fold([1, 2, 3, 4], [2, 2])
        [[1, 2], [3, 4]]
    """
    if prod(shape) != len(flat) or not shape:
        return list(flat)
    return _fold(flat, shape)


def _fold(flat: Sequence[Json], shape: Sequence[int]) -> list[Json]:
    if len(shape) == 1:
        return list(flat)
    size = prod(shape[1:])
    return [_fold(flat[start * size : (start + 1) * size], shape[1:]) for start in range(shape[0])]


def fill(shape: Sequence[int], datatype: str) -> Json:
    """Make a sample of a shape: a dimension of any size is of size one. None when it would be too large.

    Args:
        shape: The dimensions; -1 is any size. None at all means a single value.
        datatype: As TensorFlow or the Open Inference Protocol name it.

    Example:
        >>> fill([-1, 2], "FP32"), fill([], "DT_STRING")
        ([[1.0, 1.0]], 'text')
    """
    sizes = [max(1, size) for size in shape]
    if prod(sizes) > LARGEST_SAMPLE:
        return None
    value = _example(datatype)
    return _fold([value] * prod(sizes), sizes) if sizes else value


def _example(datatype: str) -> Json:
    if "INT" in datatype:
        return 1
    if "BOOL" in datatype:
        return True
    return "text" if datatype in {"DT_STRING", "BYTES"} else 1.0
