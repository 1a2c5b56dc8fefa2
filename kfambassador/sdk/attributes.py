"""The keyword attributes of ``expose``, for editors and type checkers, and their check at run time."""

from collections.abc import Iterator
from collections.abc import Mapping as Dict
from contextlib import suppress
from typing import TypedDict

from pydantic import ValidationError

from kfambassador.attributes.headers import HeaderValue
from kfambassador.errors import MissingExtra
from kfambassador.problems import Fault, suggest
from kfambassador.resources.mapping import Mapping
from kfambassador.resources.validation import describe_refusals
from kfambassador.routing.checks import check_mapping
from kfambassador.routing.matches import build_match


class MappingAttributes(TypedDict, total=False):
    """Every attribute of a :class:`~kfambassador.resources.mapping.Mapping` but its name and service.

    What each means stands with the Mapping's fields; a test keeps the two alike.
    """

    prefix: str
    prefix_regex: bool
    prefix_exact: bool
    case_sensitive: bool
    method: str | None
    method_regex: bool
    host: str | None
    host_regex: bool
    hostname: str | None
    headers: Dict[str, str | bool]
    regex_headers: Dict[str, str]
    query_parameters: Dict[str, str | bool]
    regex_query_parameters: Dict[str, str]
    rewrite: str | None
    host_rewrite: str | None
    auto_host_rewrite: bool
    timeout_ms: int | None
    idle_timeout_ms: int | None
    add_request_headers: Dict[str, str | bool | HeaderValue]
    connect_timeout_ms: int | None
    weight: int | None
    precedence: int
    ambassador_id: tuple[str, ...]


def build_mapping(fields: Dict[str, object]) -> tuple[Mapping | None, tuple[Fault, ...]]:
    """Build a Mapping out of what a person wrote as keywords.

    Returns:
        The mapping, None when it cannot be built; and what is to be said about it.

    Example:
        >>> _, faults = build_mapping({"name": "m", "prefix": "/m/", "service": "m", "timeout": 3})
        >>> faults[0].message
        'timeout is not an attribute of a Mapping; did you mean timeout_ms?'
    """
    unknown = tuple(_refuse_unknown(fields))
    if unknown:
        return None, unknown
    try:
        mapping = Mapping.model_validate(fields)
    except ValidationError as error:
        return None, describe_refusals(error, fields)
    # Without RE2 a regular expression is first judged by the controller.
    with suppress(MissingExtra):
        return mapping, check_mapping(mapping, build_match(mapping))
    return mapping, ()


def _refuse_unknown(fields: Dict[str, object]) -> Iterator[Fault]:
    for name in fields:
        if name not in Mapping.model_fields:
            near = suggest(name, Mapping.model_fields)
            yield Fault("unknown-attribute", f"{name} is not an attribute of a Mapping{near}", path=name)
