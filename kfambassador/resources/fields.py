"""Looking into Kubernetes manifests: what is missing or of another type counts as empty.

The API server has already judged these objects; a reader that refuses them would only lose somebody's routes.
"""

from collections.abc import Mapping as Dict


def as_object(value: object) -> Dict[str, object]:
    """The value if it is an object, else an empty one."""
    return value if isinstance(value, dict) else {}


def as_objects(value: object) -> list[Dict[str, object]]:
    """The objects of a list, without anything else in it."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def is_number(value: object) -> bool:
    """Whether a value is a number, and no truth value; NaN and infinity are such numbers.

    Example:
        >>> is_number(1.5), is_number(True), is_number("1")
        (True, False, False)
    """
    return isinstance(value, int | float) and not isinstance(value, bool)


def as_text(value: object) -> str:
    """The value if it is text, else empty text."""
    return value if isinstance(value, str) else ""


def as_texts(value: object) -> list[str]:
    """The texts of a list, without anything else in it."""
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []
