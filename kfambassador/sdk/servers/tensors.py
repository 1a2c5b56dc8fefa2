"""Tensors as the Open Inference Protocol writes them: name, shape, datatype and flat data."""

from collections.abc import Mapping as Dict
from collections.abc import Sequence
from typing import Final

from kfambassador.resources.fields import as_object, as_objects, as_text
from kfambassador.routing.describe import Json
from kfambassador.sdk.servers.shapes import fill, flatten, fold, measure, read_table, read_values

#: What an input is called when nobody tells (MLServer, KServe).
USUAL_NAME: Final = "input-0"

#: Data types of numpy and PyTorch in the protocol's words.
_DATATYPES: Final = {
    "bool": "BOOL",
    **{f"{kind}int{bits}": f"{kind.upper()}INT{bits}" for kind in ("", "u") for bits in (8, 16, 32, 64)},
    **{f"float{bits}": f"FP{bits}" for bits in (16, 32, 64)},
    "bfloat16": "BF16",
}

Tensor = dict[str, object]


def write_tensors(inputs: object, metadata: Json) -> list[Tensor]:
    """Write what a caller gives as tensors.

    Args:
        inputs: Nested lists or an array; or several by name, as an object or a table with a tensor for each column.
        metadata: The model's metadata, as the server tells it; None when it is not known.

    Raises:
        ValueError: The model has other inputs, or some are no arrays.

    Example:
        >>> write_tensors([[1, 2]], None)
        [{'name': 'input-0', 'shape': [1, 2], 'datatype': 'INT64', 'data': [1, 2]}]
    """
    known = {as_text(spec.get("name")): as_text(spec.get("datatype")) for spec in as_objects(_inputs_of(metadata))}
    table = read_table(inputs)
    if table is not None:
        # One column is one input; a row is its first dimension.
        inputs = {column: [[value] for value in values] for column, values in table.items()}
    if isinstance(inputs, Dict):
        named = {str(name): value for name, value in inputs.items()}
        _refuse_others(named, known)
        return [write_tensor(name, value, known.get(name, "")) for name, value in named.items()]
    if len(known) > 1:
        raise ValueError(f"the model has {len(known)} inputs, {', '.join(known)}: give an array for each by its name")
    name, datatype = next(iter(known.items()), (USUAL_NAME, ""))
    return [write_tensor(name, inputs, datatype)]


def write_tensor(name: str, value: object, datatype: str = "") -> Tensor:
    """Write one array as a tensor.

    Args:
        name: The input's name.
        value: Nested lists or an array; a single value is an array of one.
        datatype: Its type in the protocol's words; "" means that of the array, or what its values need.

    Raises:
        ValueError: It is no array of numbers, texts or truth values.
    """
    plain = read_values(value)
    nested = plain if isinstance(plain, list) else [plain]
    data = list(flatten(nested))
    chosen = datatype or _read_datatype(value) or _choose_datatype(name, data)
    if chosen.startswith(("FP", "BF")):
        # Some servers do not take 1 for 1.0.
        data = [float(item) if isinstance(item, int) else item for item in data]
    return {"name": name, "shape": measure(nested, name=name), "datatype": chosen, "data": data}


def read_tensors(answer: Json) -> Json:
    """The outputs of an answer as nested lists: of one its values, of several an object by name; None without any.

    Example:
        >>> read_tensors({"outputs": [{"name": "y", "shape": [2, 1], "datatype": "FP32", "data": [0.5, 1.5]}]})
        [[0.5], [1.5]]
    """
    outputs = answer.get("outputs") if isinstance(answer, dict) else None
    if not isinstance(outputs, list):
        return None
    read = {str(output.get("name")): _read_tensor(output) for output in outputs if isinstance(output, dict)}
    return next(iter(read.values())) if len(read) == 1 else read or None


def sample_tensors(metadata: Json) -> Json:
    """A body with a tensor for each input the model tells of; None when it tells of none, or of too large ones.

    Example:
        >>> sample_tensors({"inputs": [{"name": "x", "datatype": "FP32", "shape": [-1, 2]}]})
        {'inputs': [{'name': 'x', 'shape': [1, 2], 'datatype': 'FP32', 'data': [1.0, 1.0]}]}
    """
    tensors: list[Json] = [_sample(spec) for spec in as_objects(_inputs_of(metadata))]
    return {"inputs": tensors} if tensors and None not in tensors else None


def _inputs_of(metadata: Json) -> object:
    return as_object(metadata).get("inputs")


def _refuse_others(named: Dict[str, object], known: Dict[str, str]) -> None:
    others = [name for name in named if known and name not in known]
    if others:
        raise ValueError(f"{', '.join(others)}: the model has no such input, only {', '.join(known)}")


def _read_datatype(value: object) -> str:
    """The type an array says it has, "" when it says none we know."""
    said = str(getattr(value, "dtype", ""))
    return _DATATYPES.get(said.removeprefix("torch."), "")


def _choose_datatype(name: str, data: Sequence[object]) -> str:
    kinds = {type(item) for item in data}
    if kinds <= {bool}:
        return "BOOL"
    if kinds <= {int}:
        return "INT64"
    if kinds <= {int, float}:
        return "FP64"
    if kinds <= {str}:
        return "BYTES"
    words = ", ".join(sorted(kind.__name__ for kind in kinds))
    raise ValueError(f"{name} holds {words}: a tensor holds numbers, texts or truth values, and one kind of them")


def _read_tensor(output: dict[str, Json]) -> Json:
    data, shape = output.get("data"), output.get("shape")
    if not isinstance(data, list):
        return None
    sizes = [size for size in shape if isinstance(size, int)] if isinstance(shape, list) else []
    flat: list[Json] = [*_flatten(data)]
    return fold(flat, sizes)


def _flatten(data: Json) -> list[Json]:
    return [leaf for item in data for leaf in _flatten(item)] if isinstance(data, list) else [data]


def _sample(spec: Dict[str, object]) -> dict[str, Json] | None:
    told, datatype = spec.get("shape"), as_text(spec.get("datatype"))
    sizes = [max(1, size) for size in told if isinstance(size, int)] if isinstance(told, list) else []
    filled = fill(sizes or [1], datatype)
    if filled is None:
        return None
    shape: list[Json] = [*(sizes or [1])]
    return {"name": as_text(spec.get("name")), "shape": shape, "datatype": datatype, "data": _flatten(filled)}
