"""The model's refusals, said to a person: the field's path, what was expected, what stands there."""

from collections.abc import Mapping as Dict

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from kfambassador.problems import Fault

_EXPECTED = {
    "string_type": "text",
    "string_unicode": "text of whole characters",
    "bool_type": "true or false",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "dict_type": "an object",
    "mapping_type": "an object",
    "model_type": "an object",
    "list_type": "a list",
    "tuple_type": "a list",
}
_BOUNDS = {
    "greater_than_equal": ("at least", "ge"),
    "less_than_equal": ("at most", "le"),
    "greater_than": ("over", "gt"),
}
_LONGEST_SHOWN = 60


def describe_refusals(error: ValidationError, fields: Dict[str, object]) -> tuple[Fault, ...]:
    """Turn a model's refusals into faults, one a field.

    Args:
        error: What the model raised.
        fields: What it was given.
    """
    by_path: dict[str, list[ErrorDetails]] = {}
    for detail in error.errors(include_url=False):
        by_path.setdefault(_path(detail["loc"], fields), []).append(detail)
    return tuple(_describe(path, details) for path, details in by_path.items())


def _describe(path: str, details: list[ErrorDetails]) -> Fault:
    detail = details[0]
    if detail["type"] == "missing":
        field = detail["loc"][-1]
        return Fault("missing-attribute", f"{field} is missing, and it is required", path=path)
    if detail["type"] == "extra_forbidden":
        return Fault("unknown-attribute", f"{detail['loc'][-1]} is not known here", path=path)
    if detail["type"] == "string_too_short":
        return Fault("empty", "is empty; give it a value or leave it out", path=path)
    if detail["type"] in _BOUNDS:
        word, key = _BOUNDS[detail["type"]]
        bound = detail.get("ctx", {}).get(key)
        return Fault("out-of-range", f"expected {word} {bound}, got {show(detail['input'])}", path=path)
    expected = dict.fromkeys(_EXPECTED.get(each["type"], each["msg"]) for each in details)
    message = f"expected {' or '.join(expected)}, got {show(detail['input'])}"
    return Fault("wrong-type", message + _hint(detail, set(expected)), path=path)


def _hint(detail: ErrorDetails, expected: set[str]) -> str:
    if "text" not in expected:
        return ""
    if isinstance(detail["input"], bool):
        return ". YAML reads on, off, yes and no as true and false; put the word in quotes"
    if isinstance(detail["input"], (int, float)):
        return ". Put it in quotes"
    return ""


def _path(location: tuple[int | str, ...], fields: Dict[str, object]) -> str:
    """Follow the location through what was given; what leads nowhere there is the model's own bookkeeping."""
    path = ""
    value: object = fields
    for step in location:
        if isinstance(value, dict) and step in value:
            path += f".{step}" if path else str(step)
            value = value[step]
        elif isinstance(value, (list, tuple)) and isinstance(step, int) and step < len(value):
            path += f"[{step}]"
            value = value[step]
        else:
            break
    return path


def show(value: object) -> str:
    """Show a value the way YAML spells it, cut when long.

    Example:
        >>> show(True), show("x" * 100)[-5:]
        ('true', 'xx...')
    """
    if isinstance(value, bool):
        return str(value).lower()
    if value is None:
        return "nothing"
    text = repr(value)
    return text if len(text) <= _LONGEST_SHOWN else text[: _LONGEST_SHOWN - 3] + "..."
