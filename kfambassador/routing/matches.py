"""A mapping's conditions as one Match: path, method, host, headers and query parameters."""

from collections.abc import Iterable
from collections.abc import Mapping as Dict

from kfambassador.resources.mapping import Mapping
from kfambassador.routing.model import Match, PathKind, PathMatch, ValueKind, ValueMatch

METHOD = ":method"
HOST = ":authority"


def build_match(mapping: Mapping) -> Match:
    """Bring a mapping's conditions into one shape, in an order that does not depend on how they were written.

    Example:
        >>> match = build_match(Mapping(name="m", prefix="/m/", service="m", method="POST", host="A.com:8080"))
        >>> [(each.name, each.value) for each in match.headers]
        [(':authority', 'a.com'), (':method', 'POST')]
    """
    return Match(
        path=_build_path(mapping),
        headers=tuple(sorted({*_build_method(mapping), *_build_host(mapping), *_build_headers(mapping)})),
        query_parameters=tuple(sorted(_build_values(mapping.query_parameters, mapping.regex_query_parameters))),
    )


def _build_path(mapping: Mapping) -> PathMatch:
    if mapping.prefix_regex:
        return PathMatch(PathKind.REGEX, mapping.prefix)
    kind = PathKind.EXACT if mapping.prefix_exact else PathKind.PREFIX
    return PathMatch(kind, mapping.prefix, mapping.case_sensitive)


def _build_method(mapping: Mapping) -> Iterable[ValueMatch]:
    if mapping.method is not None:
        yield ValueMatch(METHOD, ValueKind.REGEX if mapping.method_regex else ValueKind.EXACT, mapping.method)


def _build_host(mapping: Mapping) -> Iterable[ValueMatch]:
    """A host is compared without port and case; ``*`` at either end is a glob, and ``*`` alone is any host."""
    host = mapping.hostname or mapping.host
    if host is None:
        return
    if mapping.host_regex and mapping.hostname is None:
        yield ValueMatch(HOST, ValueKind.REGEX, host)
    else:
        yield from _build_plain_host(host)


def _build_plain_host(host: str) -> Iterable[ValueMatch]:
    name = _without_port(host.lower())
    if name == "*":
        return
    if name.startswith("*"):
        yield ValueMatch(HOST, ValueKind.SUFFIX, name[1:])
    elif name.endswith("*"):
        yield ValueMatch(HOST, ValueKind.PREFIX, name[:-1])
    else:
        yield ValueMatch(HOST, ValueKind.EXACT, name)


def _without_port(host: str) -> str:
    name, colon, port = host.rpartition(":")
    return name if colon and port.isdigit() and not name.endswith(":") else host


def _build_headers(mapping: Mapping) -> Iterable[ValueMatch]:
    """Headers; a host that is asked for by its own attribute beats one that is asked for as ``:authority``."""
    headers = {_name(name): value for name, value in mapping.headers.items()}
    expressions = {_name(name): value for name, value in mapping.regex_headers.items()}
    if any(_build_host(mapping)):
        headers.pop(HOST, None)
    for each in _build_values(headers, expressions):
        plain_host = each.name == HOST and each.kind is ValueKind.EXACT
        yield from _build_plain_host(each.value) if plain_host else (each,)


def _name(header: str) -> str:
    """Name a header as Envoy knows it: the Host header of HTTP/1 is what HTTP/2 calls ``:authority``."""
    name = header.lower()
    return HOST if name == "host" else name


def _build_values(values: Dict[str, str | bool], expressions: Dict[str, str]) -> Iterable[ValueMatch]:
    for name, value in values.items():
        if value is True:
            yield ValueMatch(name, ValueKind.PRESENT)
        elif value is not False:  # Ambassador leaves a condition of `false` out.
            yield ValueMatch(name, ValueKind.EXACT, value)
    for name, expression in expressions.items():
        yield ValueMatch(name, ValueKind.REGEX, expression)


def write_expression(condition: ValueMatch) -> str:
    """Write a condition's regular expression as it is asked of the value: host names are the same in any case.

    Example:
        >>> write_expression(ValueMatch(HOST, ValueKind.REGEX, "a[.]com|b"))
        '(?i:a[.]com|b)'
    """
    return f"(?i:{condition.value})" if condition.name == HOST else condition.value
