"""What every family of attributes is, and what its hook may patch."""

import re
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, ClassVar, Final, Protocol

from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from pydantic_core import PydanticCustomError

if TYPE_CHECKING:
    from kfambassador.envoy.protos import Cluster, HttpProtocolOptions, Route, RouteAction

#: A year, the longest time anything is waited for or remembered: what is longer is a slip of the pen.
LONGEST_MS: Final = 365 * 24 * 3600 * 1000

_PART_OF_DURATION = re.compile(r"([0-9]{1,12}(?:\.[0-9]{1,9})?)(h|ms|m|s)")
_UNITS = {"h": 3_600_000, "m": 60_000, "s": 1000, "ms": 1}

# RFC 9110, section 5.6.2: a header's name is a token.
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,1024}")
# RFC 9110, section 5.5, and what Envoy's messages take.
_UNPRINTABLE = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_LONGEST_VALUE = 16 * 1024


class Scope(StrEnum):
    """Where a family's attributes act."""

    #: On the request's way to its cluster; members of a canary keep their own.
    ROUTE = "route"
    #: On the connections to the service; part of the cluster's identity, so two values make two clusters. Such a
    #: family may say something on the route as well: what is hashed is a request's, where it goes is the cluster's.
    CLUSTER = "cluster"


class ServiceAddress(Protocol):
    """The service a mapping names, once its text is understood."""

    @property
    def host(self) -> str:
        """Its host name or address, qualified with a namespace where it needs one."""
        ...

    @property
    def port(self) -> int:
        """Its port."""
        ...

    @property
    def tls(self) -> bool:
        """Whether it was written with ``https://``."""
        ...


class RouteDraft(Protocol):
    """An Envoy route that hooks patch before it is sealed."""

    @property
    def message(self) -> "Route":
        """The message itself; its match is already set."""
        ...

    @property
    def action(self) -> "RouteAction":
        """Where requests go and what is done to them on the way; the cluster is already set.

        A redirect has no such action. Then this is a blank that nobody reads, so that no family needs to know of
        redirects.
        """
        ...

    @property
    def service(self) -> ServiceAddress:
        """Where the mapping's service text points."""
        ...

    def per_filter(self, name: str, **options: object) -> None:
        """Set what an HTTP filter of the chain does on this route.

        Args:
            name: The filter, such as ``envoy.filters.http.cors``.
            options: The fields of its message for routes, in protobuf's words.
        """
        ...


class ClusterDraft(Protocol):
    """An Envoy cluster that hooks patch before it is sealed."""

    @property
    def message(self) -> "Cluster":
        """The message itself; its name, type and endpoints are already set."""
        ...

    @property
    def http(self) -> "HttpProtocolOptions":
        """How HTTP is spoken to the service. Packed into the message when anything is set; HTTP/1.1 when not said."""
        ...


class Attributes(BaseModel):
    """A family of attributes: the fields that belong together and what they do to Envoy's messages.

    Values are checked strictly: YAML reads ``on`` as a boolean, and a boolean is no method.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    scope: ClassVar[Scope] = Scope.ROUTE
    #: Lists of which a bad entry is left out while the others hold; else a bad value leaves out the mapping.
    entrywise: ClassVar[frozenset[str]] = frozenset()

    def on_route(self, draft: RouteDraft) -> None:
        """Patch the route; called with this family's fields only in sight."""

    def on_cluster(self, draft: ClusterDraft) -> None:
        """Patch the cluster; called with this family's fields only in sight. Only for families of cluster scope."""


class Part(BaseModel):
    """An object inside an attribute, such as one threshold of ``circuit_breakers``: as strict as a family."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class PathSubstitution(Part):
    """A regular expression and what takes the place of what it finds."""

    pattern: Annotated[str, Field(min_length=1, description="What is looked for in the path, as RE2.")]
    substitution: Annotated[str, Field(description=r"What takes its place; \1 is the first group.")]


def milliseconds(duration: str) -> int | None:
    """Read a duration as Kubernetes and Envoy write it; None for what is none.

    Example:
        >>> milliseconds("3s"), milliseconds("1m30s"), milliseconds("0.25s"), milliseconds("3 seconds")
        (3000, 90000, 250, None)
    """
    parts = _PART_OF_DURATION.findall(duration)
    if not parts or "".join(f"{number}{unit}" for number, unit in parts) != duration:
        return None
    return round(sum(float(number) * _UNITS[unit] for number, unit in parts))


def _check_duration(text: str) -> str:
    length = milliseconds(text)
    if length is None or length > LONGEST_MS:
        raise PydanticCustomError("duration", "a duration of a year at most, such as 3s, 500ms or 1m30s")
    return text


#: A duration as text, up to a year; :func:`milliseconds` reads it.
Duration = Annotated[str, AfterValidator(_check_duration)]


def _check_token(text: str) -> str:
    if not _TOKEN.fullmatch(text):
        raise PydanticCustomError("header_name", "a name that HTTP takes for a header or cookie")
    return text


def _check_printable(text: str) -> str:
    if _UNPRINTABLE.search(text):
        raise PydanticCustomError("printable", "text without control characters")
    # A percent sign is told to Envoy as two.
    if len(text.encode()) + text.count("%") > _LONGEST_VALUE:
        raise PydanticCustomError("length", "text of 16384 bytes at most")
    return text


#: The name of a header or cookie.
HeaderName = Annotated[str, AfterValidator(_check_token)]

#: Text that can stand in a header's value, up to what Envoy takes for one.
HeaderText = Annotated[str, AfterValidator(_check_printable)]


def as_list(value: object) -> object:
    """Take one value for a list of it; a validator for what may be written either way.

    Example:
        >>> as_list("websocket"), as_list(["a", "b"]), as_list({"a": 1})
        (('websocket',), ('a', 'b'), ({'a': 1},))
    """
    if isinstance(value, (list, tuple)):
        return tuple(value)
    return (value,) if isinstance(value, (str, dict, BaseModel)) else value


def split_commas(value: object) -> object:
    """Take text with commas for a list of its parts, without the blanks around them; a validator.

    Example:
        >>> split_commas("GET, POST"), split_commas(["GET"])
        (('GET', 'POST'), ('GET',))
    """
    if isinstance(value, str):
        return tuple(part.strip() for part in value.split(",") if part.strip())
    return tuple(value) if isinstance(value, list) else value
