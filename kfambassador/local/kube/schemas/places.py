"""Places: where in a value something stands. Pure.

A place is put together only when somebody asks for it: nearly nobody does, and values may be long.
"""

from typing import TypeAlias

#: The place of what it is in and the last step, a field's name or a number in a list; None is the whole value.
Place: TypeAlias = "tuple[Place, str | int] | None"


def write_place(place: Place) -> str:
    """Write a place for a person.

    Example:
        >>> write_place((((None, "spec"), "ports"), 0)), write_place(None)
        ('spec.ports[0]', '')
    """
    steps: list[str] = []
    while place is not None:
        place, step = place
        is_inside = isinstance(step, str) and place is not None
        steps.append(f"[{step}]" if isinstance(step, int) else f".{step}" if is_inside else step)
    return "".join(reversed(steps))
