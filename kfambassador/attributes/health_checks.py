"""Asking endpoints, again and again, whether they are well."""

from collections.abc import Iterable
from collections.abc import Mapping as Dict
from typing import TYPE_CHECKING, Annotated, ClassVar, Self

from pydantic import AfterValidator, BeforeValidator, Field, model_validator
from pydantic_core import PydanticCustomError

from kfambassador.attributes.base import (
    Attributes,
    ClusterDraft,
    HeaderName,
    HeaderText,
    Part,
    Scope,
    as_list,
    milliseconds,
    split_commas,
)
from kfambassador.names import IDENTITY_HEADERS

if TYPE_CHECKING:
    from kfambassador.envoy.protos import Message

#: What Ambassador says where an entry says nothing.
DEFAULT_TIMEOUT, DEFAULT_INTERVAL = "3s", "5s"
DEFAULT_UNHEALTHY, DEFAULT_HEALTHY = 2, 1

_HOUR_MS = 3600 * 1000

# Envoy's HeaderValueOption.append_action; by number, because attribute files import no protobuf.
_APPEND_OR_ADD = 0
_OVERWRITE_OR_ADD = 2


def _check_period(text: str) -> str:
    length = milliseconds(text)
    if length is None or not 0 < length <= _HOUR_MS:
        raise PydanticCustomError("period", "a duration of an hour at most, such as 3s, 500ms or 1m30s")
    return text


def _check_path(text: str) -> str:
    if not text.startswith("/") or " " in text or "#" in text:
        raise PydanticCustomError("path", "a path: a slash first, and no space or hash")
    return text


def _check_addable(name: str) -> str:
    if name.lower() == "host":
        raise PydanticCustomError("header_name", "a header other than host, which is set with hostname")
    # To a service that speaks WSGI or CGI an underscore is a dash.
    if name.lower().replace("_", "-") in IDENTITY_HEADERS:
        raise PydanticCustomError("header_name", "a header that does not say who the user is")
    return name


_Period = Annotated[str, AfterValidator(_check_period)]
_Times = Annotated[int, Field(ge=1, le=2**32 - 1)]
_Name = Annotated[HeaderName, AfterValidator(_check_addable)]


class CheckHeader(Part):
    """A header's value and whether it joins one already there."""

    value: Annotated[HeaderText, Field(description="The value, as text.")]
    append: Annotated[bool, Field(description="Join the value already there; false replaces it.")] = True


class StatusRange(Part):
    """Statuses that mean an endpoint is well; both ends count."""

    min: Annotated[int, Field(ge=100, le=599, description="The lowest.")]
    max: Annotated[int, Field(ge=100, le=599, description="The highest.")]

    @model_validator(mode="after")
    def _check_order(self) -> Self:
        if self.min > self.max:
            raise PydanticCustomError("range", "min that is not over max")
        return self


class HttpCheck(Part):
    """A GET that a well endpoint answers with 200, or a status that is expected."""

    path: Annotated[HeaderText, AfterValidator(_check_path), Field(description="The path that is asked for.")]
    hostname: Annotated[HeaderText | None, Field(description="The Host header; the cluster's name when absent.")] = None
    add_request_headers: Annotated[
        Dict[_Name, HeaderText | CheckHeader],
        Field(description="Headers added to the request: text, or {value, append}."),
    ] = {}
    remove_request_headers: Annotated[
        tuple[_Name, ...], BeforeValidator(split_commas), Field(description="Headers taken out of the request.")
    ] = ()
    expected_statuses: Annotated[
        tuple[StatusRange, ...],
        BeforeValidator(as_list),
        Field(description="Statuses that mean it is well, as {min, max}; 200 when absent."),
    ] = ()


class GrpcCheck(Part):
    """A question by gRPC's health protocol. The mapping must be one of ``grpc: true``."""

    upstream_name: Annotated[str, Field(description="The service that is asked after.")]
    authority: Annotated[HeaderText | None, Field(description="The :authority; the cluster's name when absent.")] = None


class CheckKind(Part):
    """How an endpoint is asked: one of the two."""

    http: Annotated[HttpCheck | None, Field(description="By a GET: {path, hostname, expected_statuses, ...}.")] = None
    grpc: Annotated[GrpcCheck | None, Field(description="By gRPC's protocol: {upstream_name, authority}.")] = None

    @model_validator(mode="after")
    def _check_one(self) -> Self:
        if (self.http is None) == (self.grpc is None):
            raise PydanticCustomError("one_kind", "either http or grpc")
        return self


class HealthCheck(Part):
    """One question, and what is made of the answers."""

    health_check: Annotated[CheckKind, Field(description="What is asked: {http} or {grpc}.")]
    timeout: Annotated[_Period, Field(description="How long an answer may take.")] = DEFAULT_TIMEOUT
    interval: Annotated[_Period, Field(description="How long between two questions.")] = DEFAULT_INTERVAL
    unhealthy_threshold: Annotated[
        _Times, Field(description="After how many failures in a row an endpoint gets no requests.")
    ] = DEFAULT_UNHEALTHY
    healthy_threshold: Annotated[
        _Times, Field(description="After how many right answers in a row it gets them again.")
    ] = DEFAULT_HEALTHY


class HealthChecks(Attributes, frozen=True):
    """Asking endpoints, again and again, whether they are well (Emissary 3.4, "Active health checking")."""

    scope: ClassVar[Scope] = Scope.CLUSTER
    entrywise: ClassVar[frozenset[str]] = frozenset({"health_checks"})

    health_checks: Annotated[
        tuple[HealthCheck, ...],
        BeforeValidator(as_list),
        Field(
            description="Questions to endpoints: {health_check, timeout, interval, unhealthy_threshold, "
            "healthy_threshold}; 3s, 5s, 2 and 1 when absent."
        ),
    ] = ()

    def on_cluster(self, draft: ClusterDraft) -> None:
        """Set the question; one by gRPC only where the cluster speaks HTTP/2, or Envoy would refuse it."""
        each = find_asked(self.health_checks, grpc=draft.http.explicit_http_config.HasField("http2_protocol_options"))
        if each is None:
            return
        check = draft.message.health_checks.add()
        check.timeout.FromMilliseconds(milliseconds(each.timeout) or 0)
        check.interval.FromMilliseconds(milliseconds(each.interval) or 0)
        check.unhealthy_threshold.value = each.unhealthy_threshold
        check.healthy_threshold.value = each.healthy_threshold
        if each.health_check.http is not None:
            _ask_http(each.health_check.http, check.http_health_check)
        elif each.health_check.grpc is not None:
            check.grpc_health_check.service_name = each.health_check.grpc.upstream_name
            check.grpc_health_check.authority = each.health_check.grpc.authority or ""


def find_asked(checks: Iterable[HealthCheck], *, grpc: bool) -> HealthCheck | None:
    """Find the entry that is asked: the first that can be, because Envoy refuses a cluster with several.

    Args:
        checks: The entries.
        grpc: Whether the cluster speaks HTTP/2; without it nothing can be asked by gRPC.
    """
    return next((each for each in checks if grpc or each.health_check.grpc is None), None)


def _ask_http(asks: HttpCheck, check: "Message") -> None:
    check.path = asks.path
    check.host = asks.hostname or ""
    for name, given in asks.add_request_headers.items():
        header = CheckHeader(value=given) if isinstance(given, str) else given
        option = check.request_headers_to_add.add()
        option.header.key = name
        # Literal, as all header values are: Envoy would expand what stands between percent signs.
        option.header.value = header.value.replace("%", "%%")
        option.append_action = _APPEND_OR_ADD if header.append else _OVERWRITE_OR_ADD
    check.request_headers_to_remove.extend(asks.remove_request_headers)
    for statuses in asks.expected_statuses:
        # Envoy's end is the first that does not count.
        check.expected_statuses.add(start=statuses.min, end=statuses.max + 1)
