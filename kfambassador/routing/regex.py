"""Regular expressions as Envoy reads them: RE2, judged before Envoy sees them.

One expression that Envoy refuses blocks every later change of the whole table, so each is tried here first, with the
same engine and the same measure of size.
"""

import re
from functools import lru_cache, partial

from kfambassador.errors import MissingExtra
from kfambassador.names import REGEX_MAX_PROGRAM_SIZE

try:
    import re2
except ImportError:  # the extra is optional for those who only build manifests
    re2 = None


# Bytes RE2 may take for a program, some four times what the largest that is allowed needs. With its own 8 MiB it would
# spend a quarter of a second on one expression that is refused afterwards, and anybody may write thousands.
_MOST_MEMORY = 256 * 1024

# In a substitution: a group, or a backslash that stands for itself.
_GROUP = re.compile(r"\\([0-9\\])")


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


def check_substitution(expression: str, substitution: str) -> str:
    r"""Say why Envoy would refuse what takes the place of an expression's matches; "" when it would not.

    Example:
        >>> check_substitution("/v([0-9])", r"/\1"), check_substitution("/v", r"/\1")
        ('', 'names group 1, and the pattern has 0')
    """
    if "\\" in _GROUP.sub("", substitution):
        return r"holds a backslash before no digit; \1 is the first group, and \\ a backslash"
    named = max((int(group) for group in _GROUP.findall(substitution) if group != "\\"), default=0)
    groups = _compile(expression).groups
    return f"names group {named}, and the pattern has {groups}" if named > groups else ""


def measure(expression: str) -> int:
    """Measure the program an expression becomes, as Envoy does; 0 for one that is none."""
    try:
        return int(_compile(expression).programsize)
    except re2.error:
        return 0


def matches_whole(expression: str, text: str) -> bool:
    """Tell whether an expression matches the whole text, as Envoy asks."""
    return _compile(expression).fullmatch(text) is not None


def substitute(expression: str, substitution: str, text: str) -> str:
    r"""Replace every match in a text, as Envoy does (RE2's GlobalReplace): ``\1`` is the first group, ``\0`` the match.

    A substitution that names a group the expression lacks changes nothing.

    Example:
        >>> substitute("/v([0-9]+)/", r"/version-\1/", "/api/v2/x")
        '/api/version-2/x'
    """
    compiled = _compile(expression)
    if any(int(group) > compiled.groups for group in _GROUP.findall(substitution) if group != "\\"):
        return text
    pieces: list[str] = []
    position, last_end = 0, -1
    while position <= len(text) and (found := compiled.search(text, position)) is not None:
        start, end = found.span()
        pieces.append(text[position:start])
        if start == end == last_end:
            # Nothing right behind a match is no match of its own.
            pieces.append(text[start : start + 1])
            position = start + 1
            continue
        pieces.append(_GROUP.sub(partial(_expand, found), substitution))
        position = last_end = end
    return "".join(pieces) + text[position:]


def _expand(found, group: re.Match[str]) -> str:  # type: ignore[no-untyped-def]  # noqa: ANN001 - RE2 carries no types
    return group[1] if group[1] == "\\" else found.group(int(group[1])) or ""


@lru_cache(maxsize=10_000)
def _compile(expression: str):  # type: ignore[no-untyped-def]  # noqa: ANN202 - RE2 carries no types
    if re2 is None:
        raise MissingExtra("gateway", needed_for="judge regular expressions")
    options = re2.Options()
    options.log_errors = False
    options.max_mem = _MOST_MEMORY
    return re2.compile(expression, options)
