"""What people write, with everything left out that may be a secret: for pages that more people look at than wrote it.

Whether a value is a secret nobody can tell by looking at it, so it is told by its place: a header that a mapping adds,
whatever is said to an authorization service, a condition on a header or parameter whose name speaks of tokens. Besides
that, what has a secret's form is left out wherever it stands.
"""

import re
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from kfambassador.names import SECRET_HEADERS
from kfambassador.resources.documents import Document, Value, Written, read_documents

#: What stands in a secret's place.
HIDDEN: Final = "•••"

# Attributes all of whose values are kept back, and those of a condition, which are where its name says so.
_SENT: Final = frozenset(
    {"add_request_headers", "add_response_headers", "auth_context_extensions", "add_auth_headers", "lua_scripts"}
)
_CONDITIONS: Final = frozenset({"headers", "regex_headers", "query_parameters", "regex_query_parameters"})
_APPEND: Final = "append"

_WORD: Final = (
    r"auth|authorization|token|secret|passw(?:or)?d|passphrase|pass|pwd|credentials?|cookies?|session|sessionid"
    r"|signature|sig|jwt|(?:api|access|private)[-_.]?key|key"
)
_SECRET_NAME: Final = re.compile(rf"(?:^|[-_.])(?:{_WORD})(?:$|[-_.])", re.IGNORECASE)
# As a field of our own these would name Secrets and services; as one of nobody's they hold what they say.
_SECRET_FIELD: Final = re.compile(
    r"passw(?:or)?d|passphrase|(?:^|[-_])token$|(?:api|access|private)[-_]?key$|client[-_]?secret",
    re.IGNORECASE,
)
#: What is shorter stands in many words.
_SHORTEST: Final = 4
_PEM: Final = re.compile(r"-----BEGIN [A-Z0-9 ]+-----.*?(?:-----END [A-Z0-9 ]+-----|\Z)", re.DOTALL)
_USER: Final = re.compile(r"(?<=://)[^/@\s'\":]*:?(?P<password>[^/@\s'\"]*)@")
_FORMS: Final = (
    (_PEM, HIDDEN),
    (_USER, f"{HIDDEN}@"),
    (re.compile(r"\b((?i:bearer|basic))\s+(?=\S*[0-9A-Z._=+/-])[^\s'\",;)}\]]{8,}"), rf"\1 {HIDDEN}"),
    (re.compile(r"\beyJ[\w-]{6,}\.[\w-]+(?:\.[\w-]*)?"), HIDDEN),
)
_QUOTED: Final = re.compile(r"'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\"")
_FIELD: Final = re.compile(r"""(?P<name>[\w.-]+)["']?\s*:(?=\s|$)""")
_FAMILY: Final = re.compile(rf"[\"']?(?:{'|'.join(sorted(_SENT))})[\"']?\s*:")
_MARKER: Final = re.compile(r"---(?=\s|$)")


class _Span(NamedTuple):
    """A part of a text, by lines and columns counted from 0; the end is not in it."""

    line: int
    column: int
    end_line: int
    end_column: int


def is_secret_name(name: str) -> bool:
    """Tell whether what goes by this name, a header or a parameter, is more often a secret than not.

    Example:
        >>> [is_secret_name(name) for name in ("Authorization", "x-api-key", "session_id", "x-model-variant", "monkey")]
        [True, True, True, False, False]
    """
    return name.lower() in SECRET_HEADERS or _SECRET_NAME.search(name) is not None


def hide_forms(text: str) -> str:
    """Leave out what has the form of a secret, whatever it stands in.

    Example:
        >>> hide_forms("https://ana:s3cret@models:443 refused Bearer abcdef123456")
        'https://•••@models:443 refused Bearer •••'
        >>> hide_forms("the bearer token is missing")
        'the bearer token is missing'
    """
    # Who quotes a part of an address quotes its password once more.
    for password in {found["password"] for found in _USER.finditer(text)}:
        text = text.replace(password, HIDDEN) if len(password) >= _SHORTEST else text
    for form, instead in _FORMS:
        text = form.sub(instead, text)
    return text


def hide_values(value: object, *path: str) -> object:
    """Give what was read, secrets left out.

    Args:
        value: What JSON can hold.
        path: The names of the fields it stands in, the outermost first.

    Example:
        >>> hide_values({"add_request_headers": {"x-team": {"value": "a", "append": False}}, "prefix": "/m/"})
        {'add_request_headers': {'x-team': {'value': '•••', 'append': False}}, 'prefix': '/m/'}
        >>> hide_values({"headers": {"x-variant": "canary", "x-token": "abc"}})
        {'headers': {'x-variant': 'canary', 'x-token': '•••'}}
    """
    if isinstance(value, dict):
        return {name: hide_values(each, *path, name) for name, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [hide_values(each, *path) for each in value]
    if _is_hidden(path):
        return HIDDEN
    return hide_forms(value) if isinstance(value, str) else value


def hide_message(message: str, path: str) -> str:
    """Give a problem's message; one about a field that holds a secret does not quote it.

    Args:
        message: The message.
        path: The field, such as ``add_request_headers.x-token``.

    Example:
        >>> hide_message("expected text, got 'abc'", "headers.authorization"), hide_message("got 'abc'", "prefix")
        ("expected text, got '•••'", "got 'abc'")
    """
    parts = [part for part in re.split(r"[.\[\]]", path) if part and not part.isdigit()]
    # A header's name may hold dots.
    joined = (parts[0], ".".join(parts[1:])) if len(parts) > 1 else tuple(parts)
    if _is_hidden(parts) or _is_hidden(joined):
        message = _QUOTED.sub(lambda found: f"{found[0][0]}{HIDDEN}{found[0][0]}", message)
    return hide_forms(message)


def hide_text(text: str) -> str:
    r"""Give documents as they were written, line by line, secrets left out.

    A document that is no YAML is judged by what its lines look like; there, rather too much is left out.

    Example:
        >>> print(hide_text("kind: Mapping\nadd_request_headers:\n  x-any: abc # which?\n---\nheaders: {x-token: [abc"))
        kind: Mapping
        add_request_headers:
          x-any: ••• # which?
        ---
        headers: {x-token: •••
    """
    lines = text.split("\n")
    documents = read_documents(text, verbatim=True)
    ends = [*(document.line - 1 for document in documents[1:]), len(lines)]
    for document, end in zip(documents, ends, strict=True):
        if document.fault is not None:
            lines[document.line - 1 : end] = _hide_unread(lines[document.line - 1 : end])
        else:
            for span in sorted(_find_secrets(document, lines), reverse=True):
                _cut(lines, span)
    without_keys = _PEM.sub(lambda found: "\n".join([HIDDEN] * (found[0].count("\n") + 1)), "\n".join(lines))
    return "\n".join(hide_forms(_hide_comment(line)) for line in without_keys.split("\n"))


def _is_hidden(path: Sequence[str]) -> bool:
    for place, name in enumerate(path):
        rest = path[place + 1 :]
        if name in _SENT:
            return path[-1] != _APPEND
        if name in _CONDITIONS and rest and is_secret_name(rest[0]):
            return True
    return any(_SECRET_FIELD.search(name) for name in path) and not any(name in _CONDITIONS for name in path)


def _find_secrets(document: Document, lines: Sequence[str]) -> Iterator[_Span]:
    first = document.line - 1
    # What stands behind a marker in its line was read without it.
    shift = 3 if _MARKER.match(lines[first]) else 0
    for path, written in _walk(document.value, ()):
        if _is_hidden(path):
            (line, column), (end_line, end_column) = written.begins, written.ends
            yield _Span(
                first + line,
                column + (0 if line else shift),
                first + end_line,
                end_column + (0 if end_line else shift),
            )


def _walk(value: Value, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Written]]:
    if isinstance(value, dict):
        for name, each in value.items():
            yield from _walk(each, (*path, name))
    elif isinstance(value, list):
        for each in value:
            yield from _walk(each, path)
    elif isinstance(value, Written):
        yield path, value


def _cut(lines: list[str], span: _Span) -> None:
    """Leave out a part of some lines; they stay as many as they are."""
    for number in range(span.line, min(span.end_line, len(lines) - 1) + 1):
        line = lines[number]
        indent = len(line) - len(line.lstrip())
        start = span.column if number == span.line else indent
        end = span.end_column if number == span.end_line else len(line)
        if start < end:
            lines[number] = f"{line[:start]}{HIDDEN}{line[end:]}"


def _hide_unread(lines: Sequence[str]) -> Iterator[str]:
    """Leave out of lines that nobody could read what looks like a secret, and all below what is known to hold some."""
    below: int | None = None
    for line in lines:
        # A marker's line may go on with the document, which then begins at its edge.
        indent = 0 if _MARKER.match(line) else len(line) - len(line.lstrip(" -"))
        if below is not None and (indent > below or not line.strip()):
            yield f"{line[:indent]}{HIDDEN}" if line.strip() else line
            continue
        below = None
        family = _FAMILY.search(line)
        if family is not None:
            below = indent
            yield f"{line[: family.end()]} {HIDDEN}" if line[family.end() :].strip() else line
        else:
            yield _guess(line)


def _guess(line: str) -> str:
    """Leave out all of a line that follows a field with a name of secrets."""
    found = next((each for each in _FIELD.finditer(line) if is_secret_name(each["name"])), None)
    return f"{line[: found.end()]} {HIDDEN}" if found and line[found.end() :].strip() else line


def _hide_comment(line: str) -> str:
    before, sign, comment = line.partition("#")
    return f"{before}{sign}{_guess(comment)}" if sign and (not before or before[-1].isspace()) else line
