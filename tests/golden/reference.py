"""The reference of attributes and options, written from the models: docs/reference/attributes.md."""

import re
from collections.abc import Iterable, Iterator
from collections.abc import Mapping as Dict

from pydantic import BaseModel

from kfambassador.attributes.base import Scope
from kfambassador.resources.crd import CUSTOM_KINDS, describe_fields
from kfambassador.resources.fields import as_object, as_objects, as_text
from kfambassador.resources.gateway import GatewayResource
from kfambassador.resources.mapping import Mapping
from kfambassador.resources.validation import show

# The API version an attribute came with (Ambassador's schemas; reference of its releases).
_SINCE = {
    "v0": """
        prefix prefix_regex case_sensitive method method_regex host host_regex headers regex_headers precedence service
        weight tls grpc circuit_breaker outlier_detection rewrite host_rewrite auto_host_rewrite add_request_headers
        add_response_headers host_redirect path_redirect shadow timeout_ms priority cors use_websocket rate_limits
        name ambassador_id
    """,
    "v1": """
        resolver load_balancer enable_ipv4 enable_ipv6 circuit_breakers connect_timeout_ms cluster_idle_timeout_ms
        keepalive remove_request_headers remove_response_headers add_linkerd_headers idle_timeout_ms retry_policy labels
        bypass_auth
    """,
    "v2": """
        prefix_exact query_parameters regex_query_parameters cluster_tag dns_type respect_dns_ttl
        cluster_max_connection_lifetime_ms regex_rewrite prefix_redirect regex_redirect redirect_response_code
        allow_upgrade auth_context_extensions error_response_overrides bypass_error_response_overrides
    """,
    "v3alpha1": "hostname stats_name health_checks",
}
_VERSION_OF = {name: version for version, names in _SINCE.items() for name in names.split()}
_WORDS = {"string": "text", "boolean": "true or false", "integer": "whole number", "number": "number", "null": ""}
_SCOPES = {Scope.ROUTE: "route", Scope.CLUSTER: "connection"}

_BEGINNING = """\
# Attributes

Made from the models by `make golden`; every attribute can be written in an annotation and in a custom resource of every
version. *Since* is the API version that brought it. Members of a canary keep their own attributes of scope *route*;
those of scope *connection* make a cluster of their own.

## Mapping
"""


def write_reference() -> str:
    """Write the page."""
    lines = [_BEGINNING, *_write_table(_describe_own(), scopes=False)]
    for family in Mapping.families():
        lines += [f"\n### {_title(family)}\n", f"{_first_sentence(family)}\n"]
        rows = ((_VERSION_OF.get(_root(row[0]), ""), *row) for row in _list_rows(family))
        lines += _write_table(((row[1], row[0], *row[2:], _SCOPES[family.scope]) for row in rows), scopes=True)
    for kind, model in sorted(CUSTOM_KINDS.items()):
        if issubclass(model, GatewayResource):
            inside = f" (inside `{model.inside}`)" if model.inside else ""
            lines += [f"\n## {kind}{inside}\n", f"{_first_sentence(model)}\n", *_write_options(_list_rows(model))]
    return "\n".join(lines) + "\n"


def _describe_own() -> Iterator[tuple[str, ...]]:
    """What belongs to no family."""
    inherited = {name for family in Mapping.families() for name in family.model_fields}
    for name, type_, default, meaning in _list_rows(Mapping):
        if _root(name) not in inherited:
            yield name, _VERSION_OF.get(_root(name), ""), type_, default, meaning


def _root(name: str) -> str:
    return name.partition(".")[0].removesuffix("[]")


def _write_table(rows: Iterable[tuple[str, ...]], *, scopes: bool) -> list[str]:
    headings = ["attribute", "since", "type", "default", "meaning", *(["scope"] if scopes else [])]
    return _write_rows(headings, rows)


def _write_options(rows: Iterable[tuple[str, ...]]) -> list[str]:
    return _write_rows(["option", "type", "default", "meaning"], rows)


def _write_rows(headings: list[str], rows: Iterable[tuple[str, ...]]) -> list[str]:
    written = [[_escape(cell) for cell in (f"`{name}`", *rest)] for name, *rest in rows]
    return [f"| {' | '.join(cells)} |" for cells in (headings, ["---"] * len(headings), *written)]


def _escape(text: str) -> str:
    return text.replace("|", r"\|")


def _title(family: type[BaseModel]) -> str:
    return re.sub("(?<=[a-z])(?=[A-Z])", " ", family.__name__).capitalize()


def _first_sentence(model: type[BaseModel]) -> str:
    return " ".join((model.__doc__ or "").split("\n\n")[0].split())


def _list_rows(model: type[BaseModel]) -> Iterator[tuple[str, str, str, str]]:
    """List name, type, default and meaning of each field, and of the fields of objects inside."""
    source = describe_fields(model)
    definitions = as_object(source.get("$defs"))
    yield from _list_fields(source, definitions, prefix="")


def _list_fields(
    source: Dict[str, object], definitions: Dict[str, object], prefix: str
) -> Iterator[tuple[str, str, str, str]]:
    required = source.get("required")
    for name, field in as_object(source.get("properties")).items():
        node = as_object(field)
        is_required = isinstance(required, list) and name in required
        default = "required" if is_required else _show_default(node.get("default"))
        yield f"{prefix}{name}", _phrase(node, definitions), default, as_text(node.get("description"))
        for inner, mark in _find_objects(node, definitions):
            yield from _list_fields(inner, definitions, f"{prefix}{name}{mark}.")


def _show_default(value: object) -> str:
    return "" if value in (None, (), [], {}) else show(list(value) if isinstance(value, tuple) else value)


def _resolve(node: Dict[str, object], definitions: Dict[str, object]) -> Dict[str, object]:
    reference = as_text(node.get("$ref"))
    return as_object(definitions[reference.rpartition("/")[2]]) if reference else node


def _choices(node: Dict[str, object]) -> list[Dict[str, object]]:
    return [each for each in as_objects(node.get("anyOf")) if each.get("type") != "null"] or [node]


def _find_objects(node: Dict[str, object], definitions: Dict[str, object]) -> Iterator[tuple[Dict[str, object], str]]:
    """Find the objects inside a field, each once, and how they hang there."""
    seen: list[object] = []
    for choice in _choices(node):
        found = _resolve(choice, definitions)
        mark = "[]" if found.get("type") == "array" else ""
        found = _resolve(as_object(found.get("items")), definitions) if mark else found
        if found.get("properties") and found not in seen:
            seen.append(found)
            yield found, mark


def _phrase(node: Dict[str, object], definitions: Dict[str, object]) -> str:
    """Say in words what may be written."""
    return " or ".join(dict.fromkeys(filter(None, (_phrase_one(each, definitions) for each in _choices(node)))))


def _phrase_one(choice: Dict[str, object], definitions: Dict[str, object]) -> str:
    node = _resolve(choice, definitions)
    if "enum" in node or "const" in node:
        values = node.get("enum", [node.get("const")])
        return "one of " + ", ".join(f"`{value}`" for value in values) if isinstance(values, list) else ""
    kind = as_text(node.get("type"))
    if kind == "array":
        return f"list of {_phrase(as_object(node.get('items')), definitions) or 'values'}"
    if kind == "object" and not node.get("properties"):
        return f"object of {_phrase(as_object(node.get('additionalProperties')), definitions) or 'values'}"
    return kind if kind == "object" else _WORDS.get(kind, "") + _phrase_bounds(node)


def _phrase_bounds(node: Dict[str, object]) -> str:
    least, most = node.get("minimum"), node.get("maximum")
    above = node.get("exclusiveMinimum")
    least = above + 1 if isinstance(above, int) else least
    if least is None and most is None:
        return ""
    return f" from {least}" + ("" if most is None else f" to {most}") if least is not None else f" up to {most}"
