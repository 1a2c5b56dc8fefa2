"""The questions, as they may be asked. Pure."""

from collections.abc import Mapping as Dict
from typing import Annotated, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, JsonValue, ValidationError

from kfambassador.errors import ConfigurationError
from kfambassador.routing.texts import FIELD_VALUE, TOKEN

#: Methods are tokens (RFC 9110, 9.1); nobody needs long ones.
Method = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z-]{0,19}$")]
#: Paths begin with a slash, so that no other host can be named.
Path = Annotated[str, Field(pattern=r"^/", max_length=16_384)]
Name = Annotated[str, Field(min_length=1, max_length=253)]
#: Nothing else can be sent.
HeaderName = Annotated[str, Field(max_length=1_000, pattern=f"^{TOKEN.pattern}$")]
HeaderValue = Annotated[str, Field(max_length=65_536, pattern=f"^{FIELD_VALUE.pattern}$")]
Headers = Dict[HeaderName, HeaderValue]

#: Bytes of a body that somebody types.
_LARGEST_BODY = 10_000_000


class Question(BaseModel):
    """What all questions have in common: what is not known is refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Nothing(Question):
    """A question without arguments."""


class DetailsOf(Question):
    """Of which route: its first mapping, and where that was written."""

    mapping: Annotated[str, Field(max_length=600)] = ""
    object: Annotated[str, Field(max_length=600)] = ""
    document: int | None = None


class Sending(Question):
    """A request to be sent, or written as a line for a shell."""

    method: Method
    path: Path
    headers: Headers = {}
    body: Annotated[str, Field(max_length=_LARGEST_BODY)] | None = None
    timeout: Annotated[float, Field(gt=0, le=600)] = 60.0


class Fate(Question):
    """A request whose fate is asked for."""

    method: Method = "GET"
    url: Annotated[str, Field(min_length=1, max_length=16_384)]
    headers: Headers = {}
    ask_envoy: bool = True


class Published(Question):
    """A published model."""

    namespace: Name
    name: Name


class Splitting(Published):
    """A variant's new weight."""

    variant: Name
    weight: Annotated[int, Field(ge=0, le=100, strict=True)]


class Turning(Published):
    """A variant to promote, or to take back; None takes back whatever there is."""

    action: Literal["promote", "rollback"] = "promote"
    variant: Name | None = None


Q = TypeVar("Q", bound=Question)


def read_arguments(kind: type[Q], said: Dict[str, JsonValue]) -> Q:
    """Read the arguments of a question.

    Raises:
        ConfigurationError: They are not what the question takes; the message says which, and why.

    Example:
        >>> read_arguments(Sending, {"method": "GET", "path": "/m/"}).path
        '/m/'
        >>> read_arguments(Sending, {"method": "GET", "path": "http://elsewhere/"})
        Traceback (most recent call last):
        kfambassador.errors.ConfigurationError: path: a path begins with a slash, and this is 'http://elsewhere/'
    """
    try:
        return kind.model_validate(said)
    except ValidationError as error:
        raise ConfigurationError("\n".join(_tell(dict(fault)) for fault in error.errors())) from None


def _tell(fault: Dict[str, object]) -> str:
    place = fault["loc"]
    where = ".".join(map(str, place)) if isinstance(place, tuple) else ""
    if where == "path" and fault["type"] == "string_pattern_mismatch":
        return f"path: a path begins with a slash, and this is {fault['input']!r}"
    if where == "method" and fault["type"] == "string_pattern_mismatch":
        return f"method: {fault['input']!r} is no method; usual ones are GET and POST"
    if where.startswith("headers.") and fault["type"] == "string_pattern_mismatch":
        # A value may be a secret, and is not said again.
        return _tell_header(where.removesuffix(".[key]"), is_name=where.endswith(".[key]"))
    return f"{where}: {fault['msg']}" if where else str(fault["msg"])


def _tell_header(where: str, *, is_name: bool) -> str:
    if is_name:
        return f"{where}: a header's name is letters, digits and dashes, such as x-team"
    return f"{where}: a header's value is one line of Latin letters; write others as %-escapes or in Base64"
