"""The model's refusals, said to a person: the field's path, what was expected, what stands there."""

from collections.abc import Iterable, Sequence
from collections.abc import Mapping as Dict
from typing import Final

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from kfambassador.problems import Fault, Severity

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
_HALF = "{} holds half a character; write the whole one"
_BOUNDS = {
    "greater_than_equal": ("at least", "ge"),
    "less_than_equal": ("at most", "le"),
    "greater_than": ("over", "gt"),
}
_LONGEST_SHOWN = 60
# As deep as an annotation may be; Python itself gives up at about a thousand.
_DEEPEST = 64


#: How many faults of one document are told one by one; to look for the nearest word of each takes time.
MOST_TOLD: Final = 20


def limit_faults(faults: Sequence[Fault]) -> tuple[Fault, ...]:
    """Tell the first faults of a document, and how many more there are: nobody reads a thousand.

    Example:
        >>> limit_faults([Fault("unknown-attribute", "is not known")] * 30)[-1].message
        '10 more are not told; mend these first'
    """
    more = faults[MOST_TOLD:]
    if not more:
        return tuple(faults)
    worst = min((fault.severity for fault in more), key=list(Severity).index)
    message = f"{len(more):,} more are not told; mend these first"
    return (*faults[:MOST_TOLD], Fault("too-many", message, severity=worst))


def check_value(value: object, path: str = "", *, depth: int = _DEEPEST) -> Fault | None:
    r"""Refuse what only JSON lets through, and what nothing behind it can take: half a character, bottomless nesting.

    Args:
        value: What was written, of any type.
        path: Where it stands.
        depth: How many levels it may have.

    Example:
        >>> check_value({"headers": {"x-a": "\ud800"}}).path
        'headers.x-a'
    """
    if depth < 0:
        return Fault("too-deep", f"nested deeper than {_DEEPEST} levels", path=path)
    if isinstance(value, str):
        return None if _is_whole(value) else Fault("wrong-type", _HALF.format(show(value)), path=path)
    inside: Iterable[tuple[object, str]] = ()
    if isinstance(value, dict):
        named = [(each, f"{path}.{key}" if path else str(key)) for key, each in value.items()]
        inside = [*((key, path) for key in value), *named]
    elif isinstance(value, list):
        inside = [(each, f"{path}[{number}]") for number, each in enumerate(value)]
    faults = (check_value(each, place, depth=depth - 1) for each, place in inside)
    return next((fault for fault in faults if fault is not None), None)


def _is_whole(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


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
    if detail["type"] in {"value_error", "string_pattern_mismatch"}:
        return Fault("wrong-value", _tell_value(detail), path=path)
    if detail["type"] in _BOUNDS:
        word, key = _BOUNDS[detail["type"]]
        bound = detail.get("ctx", {}).get(key)
        return Fault("out-of-range", f"expected {word} {bound}, got {show(detail['input'])}", path=path)
    expected = dict.fromkeys(
        _EXPECTED.get(each["type"], each["msg"].removeprefix("Input should be ")) for each in details
    )
    message = f"expected {' or '.join(expected)}, got {show(detail['input'])}"
    return Fault("wrong-type", message + _hint(detail, set(expected)), path=path)


def _tell_value(detail: ErrorDetails) -> str:
    """A value of the right type that is wrong all the same; a check of ours has words of its own."""
    if detail["type"] == "value_error":
        return detail["msg"].removeprefix("Value error, ")
    return f"{show(detail['input'])} does not look like {detail['ctx']['pattern']}"


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
