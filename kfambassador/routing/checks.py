"""What is wrong with a single mapping, judged before Envoy sees it.

An ERROR is what Envoy would refuse, or what nobody may do; the mapping is left out, because one refused route blocks
every later change of the table. A WARNING is a trap: the mapping is served, and probably not as meant.
"""

from collections.abc import Iterator

from kfambassador.problems import Fault, Severity
from kfambassador.resources.mapping import Mapping
from kfambassador.resources.module import NO_MODULE, Module
from kfambassador.resources.validation import show
from kfambassador.routing.answer_checks import check_answers
from kfambassador.routing.connection_checks import check_connection
from kfambassador.routing.forwarding_checks import check_forwarding
from kfambassador.routing.header_checks import check_headers
from kfambassador.routing.matches import HOST, METHOD, write_expression
from kfambassador.routing.model import Match, PathKind, ValueKind, ValueMatch
from kfambassador.routing.path_checks import check_paths
from kfambassador.routing.texts import TOKEN, check_expression, check_length, check_printable
from kfambassador.routing.traps import find_traps

# Bytes Envoy takes for the name of a query parameter.
_LONGEST_PARAMETER = 1024
# What a mapping may say on each request's way, in bytes; the longest answers people write are a page.
_LARGEST_ROUTE = 32 * 1024
_OF_ANY_SIZE = frozenset(
    {
        "add_request_headers",
        "add_response_headers",
        "allow_upgrade",
        "auth_context_extensions",
        "cors",
        "error_response_overrides",
        "headers",
        "labels",
        "query_parameters",
        "rate_limits",
        "regex_headers",
        "regex_query_parameters",
        "remove_request_headers",
        "remove_response_headers",
    }
)
# Conditions on headers that people write in a field of their own.
_OWN_FIELDS = {METHOD: "method", HOST: "host"}


def check_mapping(mapping: Mapping, match: Match, module: Module = NO_MODULE) -> tuple[Fault, ...]:
    """Judge one mapping by itself.

    Args:
        mapping: The mapping, with the gateway's defaults.
        match: Its conditions.
        module: What the gateway's owner asked of the listener.

    Example:
        >>> from kfambassador.routing.matches import build_match, write_expression
        >>> mapping = Mapping(name="m", prefix="models/", service="m")
        >>> check_mapping(mapping, build_match(mapping))[0].code
        'prefix-without-slash'
    """
    return (
        *_check_size(mapping),
        *check_paths(mapping),
        *find_traps(mapping, match, module),
        *_check_match(mapping, match),
        *check_headers(mapping),
        *check_forwarding(mapping),
        *check_answers(mapping),
        *check_connection(mapping),
    )


def _check_size(mapping: Mapping) -> Iterator[Fault]:
    """Refuse a mapping whose route is huge: a route stands in several places of the table, and Envoy keeps each."""
    said = mapping.model_fields_set & _OF_ANY_SIZE
    size = len(mapping.model_dump_json(include=set(said))) if said else 0
    if size > _LARGEST_ROUTE:
        message = f"{', '.join(sorted(said))} are {size:,} bytes together; at most {_LARGEST_ROUTE:,} are taken"
        yield Fault("too-large", message, path=min(said))


def _check_match(mapping: Mapping, match: Match) -> Iterator[Fault]:
    if mapping.method is not None and not mapping.method_regex and not TOKEN.fullmatch(mapping.method):
        message = f"{show(mapping.method)} is no HTTP method; write one such as POST, or set method_regex"
        yield Fault("bad-method", message, path="method")
    elif mapping.method is not None and not mapping.method_regex and mapping.method != mapping.method.upper():
        message = f"methods are compared to the letter, and {show(mapping.method)} is not {mapping.method.upper()!r}"
        yield Fault("method-case", message, path="method", severity=Severity.WARNING)
    for name in (*mapping.headers, *mapping.regex_headers):
        if name not in {":authority", ":method", ":path", ":scheme"} and not TOKEN.fullmatch(name):
            yield Fault("bad-header", f"{show(name)} is no header name", path="headers")
    if match.path.kind is PathKind.REGEX:
        yield from check_expression(match.path.text, "prefix")
    if "" in {*mapping.query_parameters, *mapping.regex_query_parameters}:
        yield Fault("empty", "a query parameter without a name; give it one", path="query_parameters")
    for name in (*mapping.query_parameters, *mapping.regex_query_parameters):
        yield from check_length(name, _LONGEST_PARAMETER, "query_parameters")
    for family, conditions in (("headers", match.headers), ("query_parameters", match.query_parameters)):
        for condition in conditions:
            yield from _check_condition(condition, family)


def _check_condition(condition: ValueMatch, family: str) -> Iterator[Fault]:
    expression = condition.kind is ValueKind.REGEX
    path = _OWN_FIELDS.get(condition.name, f"{'regex_' if expression else ''}{family}.{condition.name}")
    if expression:
        yield from check_expression(condition.value, path, expression=write_expression(condition))
    elif condition.name != METHOD:
        yield from check_printable(condition.value, path)
