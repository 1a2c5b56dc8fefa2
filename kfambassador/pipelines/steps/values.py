"""Values as kfp hands them over. Pure."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from kfambassador.errors import ConfigurationError
from kfambassador.sdk.publishing.variants import STABLE, VARIANT_NAME
from kfambassador.sdk.shell_words import read_span


def check_canary(variant: str) -> None:
    """Refuse what names no variant, and to take the stable server for a canary: the model itself would be taken back.

    Raises:
        ConfigurationError: It is refused.
    """
    if variant == STABLE:
        raise ConfigurationError(f"variant: {STABLE!r} is what the others are measured by; name the canary")
    if not re.fullmatch(VARIANT_NAME, variant):
        rule = "small letters, digits and dashes, a letter first, at most 30 of them"
        raise ConfigurationError(f"variant: {variant!r} cannot name a variant: {rule}")


def check_name(name: str) -> None:
    """Refuse a name that is empty: nothing has it, and to take it down or back would always go well.

    Raises:
        ConfigurationError: It is refused.

    Example:
        >>> check_name(" ")
        Traceback (most recent call last):
        ...
        kfambassador.errors.ConfigurationError: name: ' ' names no model; say the name it is published by
    """
    if not name.strip():
        raise ConfigurationError(f"name: {name!r} names no model; say the name it is published by")


#: The longest span of time that is taken, in seconds: ten years, which no run lasts.
_LONGEST: Final = 3650 * 86_400.0


def read_seconds(text: str | None, *, name: str) -> float | None:
    """Read an input that is a span of time, as seconds; None where nothing is said.

    Args:
        text: What is said, such as 60s.
        name: What the input is called.

    Raises:
        ConfigurationError: It is no span of time, or one of more than ten years.

    Example:
        >>> read_seconds("1.5h", name="every")
        5400.0
    """
    with reading(name):
        seconds = read_span(text)
        if seconds is not None and seconds > _LONGEST:
            raise ConfigurationError(f"{text!r} is longer than ten years (3650d); write 90s, 30m, 8h or 7d")
        return seconds


def read_run(run: str | None) -> str:
    """Read which run this is; "" where nobody says, or a kfp that does not put it in leaves its placeholder.

    Example:
        >>> read_run("3f2a"), read_run("{{$.pipeline_job_uuid}}"), read_run(None)
        ('3f2a', '', '')
    """
    return "" if run is None or run.startswith("{{") else run


@contextmanager
def reading(name: str) -> Iterator[None]:
    """Say of what is wrong with an input which one it is.

    Example:
        >>> with reading("every"):
        ...     raise ConfigurationError("'5x' is no span of time")
        Traceback (most recent call last):
        ...
        kfambassador.errors.ConfigurationError: every: '5x' is no span of time
    """
    try:
        yield
    except ConfigurationError as error:
        raise ConfigurationError(f"{name}: {error}") from error


def mend_numbers(value: object) -> object:
    """Make numbers whole again that were: in kfp's objects and lists every number has a fraction (protobuf, Struct).

    Whoever takes fractions takes whole numbers too, and not the other way round: a cluster's kfp, whose numbers go
    through JSON, does the same.

    Example:
        >>> mend_numbers({"timeout_ms": 60000.0, "steps": [0.5, 1.0], "grpc": True})
        {'timeout_ms': 60000, 'steps': [0.5, 1], 'grpc': True}
    """
    match value:
        case float() if value.is_integer():
            return int(value)
        case dict():
            return {name: mend_numbers(inner) for name, inner in value.items()}
        case list():
            return [mend_numbers(inner) for inner in value]
        case _:
            return value
