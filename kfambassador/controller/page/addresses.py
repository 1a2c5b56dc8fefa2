"""Where the pages are. Names come from other people: each part of an address is escaped."""

from collections.abc import Mapping as Dict
from typing import Final
from urllib.parse import quote, urlencode

from kfambassador.problems import ObjectKey

ROUTES: Final = "/"
PROBLEMS: Final = "/problems"
ENVOY: Final = "/envoy"
ASK: Final = "/ask"
LOG_LEVEL: Final = "/envoy/log-level"
STATIC: Final = "/static/"


def of_route(group: str) -> str:
    """The page of a route, by what :func:`~kfambassador.controller.overview.name_group` calls it."""
    return f"/routes/{quote(group, safe='')}"


def of_source(key: ObjectKey, *, line: int | None = None) -> str:
    """The page of an object, or of a line of what was written in it.

    Example:
        >>> of_source(ObjectKey("Service", "team", "m"), line=3), of_source(ObjectKey("Mapping", "a/b", "<i>"))
        ('/sources/Service/team/m#L3', '/sources/Mapping/a%2Fb/%3Ci%3E')
    """
    place = "/".join(quote(part, safe="") for part in key)
    return f"/sources/{place}{f'#L{line}' if line else ''}"


def with_query(address: str, query: Dict[str, str], **changed: str | int) -> str:
    """An address with a query, some of it changed; what says nothing is left out.

    Example:
        >>> with_query("/", {"q": "a b", "page": "3"}, page=4), with_query("/", {"q": ""})
        ('/?q=a+b&page=4', '/')
    """
    told = {name: str(value) for name, value in {**query, **changed}.items() if str(value)}
    return f"{address}?{urlencode(told)}" if told else address
