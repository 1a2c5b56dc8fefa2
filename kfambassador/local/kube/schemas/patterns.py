r"""Patterns: the regular expressions of schemas. The one door to RE2, which this room has for two reasons.

Kubernetes reads patterns with Go's engine, which speaks RE2's language (``\p{L}`` is in it, look-ahead is not). And
RE2's time grows with the length of the text and no faster, so nobody can stop the server with a pattern and a text that
fits it badly.
"""

import re
from functools import lru_cache
from typing import Final

import re2

_HALF: Final = re.compile("[\ud800-\udfff]")
# What Go says where RE2 has other words.
_WORDS: Final = {
    "missing )": "missing closing )",
    "missing ]": "missing closing ]",
    "invalid perl operator": "invalid or unsupported Perl syntax",
    "no argument for repetition operator": "missing argument to repetition operator",
    "bad repetition operator": "invalid nested repetition operator",
    "invalid repetition size": "invalid repeat count",
    "trailing \\": "trailing backslash at end of expression",
}


class BadPattern(ValueError):
    """A text is no regular expression; the message says why, in Kubernetes' words."""


def check_pattern(pattern: str) -> None:
    r"""See that a text is a regular expression.

    Raises:
        BadPattern: When it is none.

    Example:
        >>> check_pattern(r"^\p{L}+$")
        >>> check_pattern("^(")
        Traceback (most recent call last):
        kfambassador.local.kube.schemas.patterns.BadPattern: error parsing regexp: missing closing ): `^(`
    """
    try:
        _compile(pattern)
    except re2.error as error:
        reason = error.args[0]
        said = reason.decode(errors="replace") if isinstance(reason, bytes) else str(reason)
        rule, _, at = said.partition(": ")
        message = f"error parsing regexp: {_WORDS.get(rule, rule)}" + (f": `{at}`" if at else "")
        raise BadPattern(message) from error


def matches(pattern: str, text: str) -> bool:
    """Whether a text has a part that fits a pattern, in time that grows with the text's length only.

    Example:
        >>> matches("^/", "/mnist/"), matches("^(a+)+$", "a" * 100_000 + "!")
        (True, False)
    """
    return _compile(pattern).search(encode_text(text)) is not None


@lru_cache(maxsize=10_000)
def _compile(pattern: str):  # type: ignore[no-untyped-def]  # noqa: ANN202 - RE2 carries no types
    options = re2.Options()
    options.log_errors = False
    return re2.compile(encode_text(pattern), options)


def encode_text(text: str) -> bytes:
    """Write a text as RE2 reads it."""
    try:
        return text.encode()
    except UnicodeEncodeError:
        # A half of a surrogate pair stands for no character; Go reads it as the replacement character.
        return _HALF.sub("\N{REPLACEMENT CHARACTER}", text).encode()
