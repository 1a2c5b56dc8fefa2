"""Regular expressions as Envoy reads them: RE2, judged before Envoy sees them.

One expression that Envoy refuses blocks every later change of the whole table, so each is tried here first, with the
same engine and the same measure of size.
"""

from functools import lru_cache

from kfambassador.errors import MissingExtra
from kfambassador.names import REGEX_MAX_PROGRAM_SIZE

try:
    import re2
except ImportError:  # the extra is optional for those who only build manifests
    re2 = None


@lru_cache(maxsize=100_000)
def check_regex(expression: str) -> str:
    """Say why Envoy would refuse an expression; "" when it would not.

    Raises:
        MissingExtra: RE2 is not installed.

    Example:
        >>> check_regex("/models/[^/]+"), check_regex("/(?!x)")
        ('', 'invalid perl operator: (?!')
    """
    if not expression:
        return "it is empty"
    try:
        size = _compile(expression).programsize
    except re2.error as error:
        reason = error.args[0]
        return reason.decode(errors="replace") if isinstance(reason, bytes) else str(reason)
    if size > REGEX_MAX_PROGRAM_SIZE:
        return f"it compiles to {size:,} steps, and at most {REGEX_MAX_PROGRAM_SIZE:,} are allowed; make it simpler"
    return ""


def matches_whole(expression: str, text: str) -> bool:
    """Tell whether an expression matches the whole text, as Envoy asks."""
    return _compile(expression).fullmatch(text) is not None


@lru_cache(maxsize=10_000)
def _compile(expression: str):  # type: ignore[no-untyped-def]  # noqa: ANN202 - RE2 carries no types
    if re2 is None:
        raise MissingExtra("gateway", needed_for="judge regular expressions")
    options = re2.Options()
    options.log_errors = False
    return re2.compile(expression, options)
