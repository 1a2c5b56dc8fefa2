"""What HTTP and Envoy take as text: names, values and expressions, each refused in words."""

import re
from collections.abc import Iterator
from typing import Final

from kfambassador.problems import Fault
from kfambassador.resources.validation import show
from kfambassador.routing.regex import check_regex

#: A header's name, a method and a cookie's name (RFC 9110, section 5.6.2).
TOKEN: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")

#: What a header's value can hold (RFC 9110, section 5.5); the upper half of Latin-1 is of old.
FIELD_VALUE: Final = re.compile(r"[\t -~\x80-\xff]*")

#: Bytes Envoy takes for the name or the value of a header it adds.
LONGEST_HEADER: Final = 16 * 1024

_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")


def is_printable(value: str) -> bool:
    r"""Tell whether a text holds no control character but the tab.

    Example:
        >>> is_printable("a\tb"), is_printable("a\r\nb")
        (True, False)
    """
    return _CONTROL.search(value) is None


def check_printable(value: str, path: str) -> Iterator[Fault]:
    """Refuse characters that no HTTP message can carry."""
    if not is_printable(value):
        yield Fault("bad-character", f"{show(value)} holds a control character; take it out", path=path)


def check_expression(written: str, path: str, *, expression: str | None = None) -> Iterator[Fault]:
    """Refuse what RE2 refuses.

    Args:
        written: What the author wrote.
        path: Where.
        expression: What Envoy is told, where that is not the same.
    """
    # The expression as it was written is judged first: a bracket too many must not close the one put around it.
    reason = check_regex(written) or check_regex(written if expression is None else expression)
    if reason:
        message = f"{show(written)} is refused as a regular expression (RE2): {reason}"
        yield Fault("bad-regex", message, path=path)


def check_length(text: str, longest: int, path: str) -> Iterator[Fault]:
    """Refuse more bytes than Envoy takes."""
    size = len(text.encode())
    if size > longest:
        yield Fault("too-long", f"{show(text)} is {size:,} bytes; at most {longest:,} are taken", path=path)
