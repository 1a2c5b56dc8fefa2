"""Which requests a Mapping takes: path, method, host, headers and query parameters."""

from collections.abc import Mapping as Dict
from typing import Annotated

from pydantic import Field

from kfambassador.attributes.base import Attributes


class Matching(Attributes, frozen=True):
    """Which requests a Mapping takes. All conditions must hold.

    What a condition adds to the evaluation order is decided by :mod:`kfambassador.routing.order`.
    """

    prefix: Annotated[
        str,
        Field(
            min_length=1,
            description="The path's beginning, as text: /man also takes /mankind. A regular expression with "
            "prefix_regex, the whole path with prefix_exact.",
        ),
    ]
    prefix_regex: Annotated[bool, Field(description="Read prefix as a regular expression (RE2) of the whole path.")] = (
        False
    )
    prefix_exact: Annotated[bool, Field(description="Take exactly this path and nothing below it.")] = False
    case_sensitive: Annotated[bool, Field(description="Tell upper from lower case in the path.")] = True
    method: Annotated[
        str | None, Field(min_length=1, description="The HTTP method, in upper case; any when absent.")
    ] = None
    method_regex: Annotated[bool, Field(description="Read method as a regular expression (RE2).")] = False
    host: Annotated[
        str | None,
        Field(min_length=1, description="The Host header without its port, in any case; * at either end is a glob."),
    ] = None
    host_regex: Annotated[bool, Field(description="Read host as a regular expression (RE2).")] = False
    hostname: Annotated[
        str | None, Field(min_length=1, description="The same as host in v3alpha1's spelling; beats host.")
    ] = None
    headers: Annotated[
        Dict[str, str | bool],
        Field(description="Request headers and the exact value each must have; true asks for any value."),
    ] = {}
    regex_headers: Annotated[
        Dict[str, str], Field(description="Request headers and a regular expression (RE2) of each whole value.")
    ] = {}
    query_parameters: Annotated[
        Dict[str, str | bool],
        Field(description="Query parameters and the exact value each must have; true asks for any value."),
    ] = {}
    regex_query_parameters: Annotated[
        Dict[str, str], Field(description="Query parameters and a regular expression (RE2) of each whole value.")
    ] = {}
