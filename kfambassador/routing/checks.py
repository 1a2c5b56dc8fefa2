"""What is wrong with a single mapping, judged before Envoy sees it.

An ERROR is what Envoy would refuse, or what nobody may do; the mapping is left out, because one refused route blocks
every later change of the table. A WARNING is a trap: the mapping is served, and probably not as meant.
"""

import re
from collections.abc import Iterator

from kfambassador.attributes.headers import HeaderValue
from kfambassador.names import IDENTITY_HEADERS
from kfambassador.problems import Fault, Severity
from kfambassador.resources.mapping import Mapping
from kfambassador.resources.validation import show
from kfambassador.routing.matches import HOST, METHOD, write_expression
from kfambassador.routing.model import Match, PathKind, ValueKind, ValueMatch
from kfambassador.routing.regex import check_regex

# RFC 9110, section 5.6.2: a header's name, and a method, is a token.
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_OPERATOR = re.compile(r"%[A-Z_]+(\([^)]*\))?%")
# Envoy's own headers, the framing of the message, and who the user is: not a mapping's to say.
_PROTECTED = frozenset({"host", "content-length", "transfer-encoding", "connection", "upgrade", *IDENTITY_HEADERS})
_PROTECTED_PREFIXES = ("x-envoy-", ":")
# Bytes Envoy takes for the name or the value of an added header, and for the name of a query parameter.
_LONGEST_HEADER = 16 * 1024
_LONGEST_PARAMETER = 1024
# How many headers Envoy adds.
_MOST_ADDED = 1000
# Characters that end a path or that no client sends in one.
_FOREIGN_TO_PATHS = {" ": "a space", "?": "a question mark", "#": "a hash"}
# What the gateway takes out of every path before it looks for a route.
_FOLDED = re.compile(r"//|/\.\.?/")
# Conditions on headers that people write in a field of their own.
_OWN_FIELDS = {METHOD: "method", HOST: "host"}


def check_mapping(mapping: Mapping, match: Match) -> tuple[Fault, ...]:
    """Judge one mapping by itself.

    Example:
        >>> from kfambassador.routing.matches import build_match, write_expression
        >>> mapping = Mapping(name="m", prefix="models/", service="m")
        >>> check_mapping(mapping, build_match(mapping))[0].code
        'prefix-without-slash'
    """
    return (*_check_text(mapping), *_check_path(mapping), *_check_match(mapping, match), *_check_added(mapping))


def _check_text(mapping: Mapping) -> Iterator[Fault]:
    """Refuse characters that no HTTP message can carry."""
    for name in ("prefix", "rewrite", "host_rewrite"):
        value = getattr(mapping, name)
        if value is not None and not _is_printable(value):
            yield Fault("bad-character", f"{show(value)} holds a control character; take it out", path=name)
        elif value is not None and name != "prefix" and " " in value:
            message = f"{show(value)} is sent to the service as it is written, and may not hold a space; take it out"
            yield Fault("bad-character", message, path=name)


def _is_printable(value: str) -> bool:
    return _CONTROL.search(value) is None


def _check_path(mapping: Mapping) -> Iterator[Fault]:
    foreign = "" if mapping.prefix_regex else next((each for each in _FOREIGN_TO_PATHS if each in mapping.prefix), "")
    if foreign:
        message = (
            f"{show(mapping.prefix)} never matches, because no path holds {_FOREIGN_TO_PATHS[foreign]}; "
            f"take it out or write %{ord(foreign):02X}"
        )
        yield Fault("bad-character", message, path="prefix")
    if not mapping.prefix_regex and not mapping.prefix.startswith("/"):
        message = (
            f"{show(mapping.prefix)} never matches, because every path starts with a slash; write /{mapping.prefix}"
        )
        yield Fault("prefix-without-slash", message, path="prefix", severity=Severity.WARNING)
    if not mapping.prefix_regex and (folded := _FOLDED.search(mapping.prefix)):
        message = f"{show(mapping.prefix)} never matches, because {folded[0]} is taken out of every path; leave it out"
        yield Fault("folded-prefix", message, path="prefix", severity=Severity.WARNING)
    if mapping.rewrite and not mapping.rewrite.startswith("/"):
        message = (
            f"{show(mapping.rewrite)} makes no path that a service takes, without its slash; write /{mapping.rewrite}"
        )
        yield Fault("rewrite-without-slash", message, path="rewrite", severity=Severity.WARNING)
    if mapping.prefix_regex and mapping.prefix_exact:
        message = "prefix_regex and prefix_exact cannot both hold; the prefix is read as a regular expression"
        yield Fault("prefix-twice", message, path="prefix_exact", severity=Severity.WARNING)


def _check_match(mapping: Mapping, match: Match) -> Iterator[Fault]:
    if mapping.method is not None and not mapping.method_regex and not _TOKEN.fullmatch(mapping.method):
        message = f"{show(mapping.method)} is no HTTP method; write one such as POST, or set method_regex"
        yield Fault("bad-method", message, path="method")
    elif mapping.method is not None and not mapping.method_regex and mapping.method != mapping.method.upper():
        message = f"methods are compared to the letter, and {show(mapping.method)} is not {mapping.method.upper()!r}"
        yield Fault("method-case", message, path="method", severity=Severity.WARNING)
    for name in (*mapping.headers, *mapping.regex_headers):
        if name not in {":authority", ":method", ":path", ":scheme"} and not _TOKEN.fullmatch(name):
            yield Fault("bad-header", f"{show(name)} is no header name", path="headers")
    if match.path.kind is PathKind.REGEX:
        yield from _check_regex(match.path.text, match.path.text, "prefix")
    if "" in {*mapping.query_parameters, *mapping.regex_query_parameters}:
        yield Fault("empty", "a query parameter without a name; give it one", path="query_parameters")
    for name in (*mapping.query_parameters, *mapping.regex_query_parameters):
        yield from _check_length(name, _LONGEST_PARAMETER, "query_parameters")
    for family, conditions in (("headers", match.headers), ("query_parameters", match.query_parameters)):
        for condition in conditions:
            yield from _check_condition(condition, family)


def _check_condition(condition: ValueMatch, family: str) -> Iterator[Fault]:
    expression = condition.kind is ValueKind.REGEX
    path = _OWN_FIELDS.get(condition.name, f"{'regex_' if expression else ''}{family}.{condition.name}")
    if expression:
        yield from _check_regex(condition.value, write_expression(condition), path)
    elif condition.name != METHOD and not _is_printable(condition.value):
        yield Fault("bad-character", f"{show(condition.value)} holds a control character; take it out", path=path)


def _check_regex(written: str, expression: str, path: str) -> Iterator[Fault]:
    # The expression as it was written is judged first: a bracket too many must not close the one put around it.
    reason = check_regex(written) or check_regex(expression)
    if reason:
        message = f"{show(written)} is refused as a regular expression (RE2): {reason}"
        yield Fault("bad-regex", message, path=path)


def _check_length(text: str, longest: int, path: str) -> Iterator[Fault]:
    size = len(text.encode())
    if size > longest:
        yield Fault("too-long", f"{show(text)} is {size:,} bytes; at most {longest:,} are taken", path=path)


def _check_added(mapping: Mapping) -> Iterator[Fault]:
    if len(mapping.add_request_headers) > _MOST_ADDED:
        message = f"{len(mapping.add_request_headers):,} headers; at most {_MOST_ADDED:,} are added"
        yield Fault("too-many", message, path="add_request_headers")
    for name, given in mapping.add_request_headers.items():
        path = f"add_request_headers.{name}"
        value = given.value if isinstance(given, HeaderValue) else str(given)
        if not _TOKEN.fullmatch(name):
            yield Fault("bad-header", f"{show(name)} is no header name", path=path)
        elif name.lower() in _PROTECTED or name.lower().startswith(_PROTECTED_PREFIXES):
            message = f"a mapping may not set {name}: it belongs to the gateway or says who the user is"
            yield Fault("protected-header", message, path=path)
        yield from _check_length(name, _LONGEST_HEADER, "add_request_headers")
        yield from _check_length(value.replace("%", "%%"), _LONGEST_HEADER, path)
        if not _is_printable(value):
            yield Fault("bad-character", f"{show(value)} holds a control character; take it out", path=path)
        elif _OPERATOR.search(value):
            message = f"{show(value)} is sent as it is written; Envoy's operators are not expanded"
            yield Fault("header-operator", message, path=path, severity=Severity.WARNING)
