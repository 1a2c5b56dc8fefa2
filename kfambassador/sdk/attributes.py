"""The keyword attributes of ``expose``, for editors and type checkers, and their check at run time."""

from collections.abc import Iterator
from collections.abc import Mapping as Dict
from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING, Literal, TypedDict

from pydantic import ValidationError

from kfambassador.attributes.base import PathSubstitution
from kfambassador.attributes.circuit_breaking import CircuitBreaker
from kfambassador.attributes.connection import Keepalive
from kfambassador.attributes.cors import CorsPolicy
from kfambassador.attributes.error_responses import ErrorResponse
from kfambassador.attributes.headers import HeaderForms
from kfambassador.attributes.health_checks import HealthCheck
from kfambassador.attributes.load_balancing import LoadBalancer
from kfambassador.attributes.outlier_detection import OutlierLimits
from kfambassador.attributes.rate_limits import Labels, RateLimitRule
from kfambassador.attributes.retries import RetryPolicy
from kfambassador.errors import MissingExtra
from kfambassador.problems import Fault, suggest
from kfambassador.resources.mapping import Mapping
from kfambassador.resources.validation import describe_refusals
from kfambassador.routing.checks import check_mapping
from kfambassador.routing.matches import build_match

if TYPE_CHECKING:
    from kfambassador.sdk.servers.base import ModelServer


class VariantAttributes(TypedDict, total=False):
    """The attributes of a :class:`~kfambassador.resources.mapping.Mapping` that one variant may have of its own.

    What each means stands with the Mapping's fields.
    """

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
    regex_rewrite: PathSubstitution | None
    host_rewrite: str | None
    auto_host_rewrite: bool
    host_redirect: bool
    path_redirect: str | None
    prefix_redirect: str | None
    regex_redirect: PathSubstitution | None
    redirect_response_code: Literal[301, 302, 303, 307, 308] | None
    timeout_ms: int | None
    idle_timeout_ms: int | None
    retry_policy: RetryPolicy | None
    cors: CorsPolicy | None
    add_request_headers: Dict[str, HeaderForms]
    add_response_headers: Dict[str, HeaderForms]
    remove_request_headers: tuple[str, ...]
    remove_response_headers: tuple[str, ...]
    add_linkerd_headers: bool | None
    use_websocket: bool
    allow_upgrade: tuple[str, ...]
    priority: Literal["default", "high"] | None
    labels: Labels
    rate_limits: tuple[RateLimitRule, ...]
    bypass_auth: bool
    auth_context_extensions: Dict[str, str]
    error_response_overrides: tuple[ErrorResponse, ...]
    bypass_error_response_overrides: bool
    connect_timeout_ms: int | None
    cluster_idle_timeout_ms: int | None
    cluster_max_connection_lifetime_ms: int | None
    keepalive: Keepalive | None
    grpc: bool
    tls: bool | str | None
    resolver: str | None
    dns_type: str | None
    respect_dns_ttl: bool
    enable_ipv4: bool | None
    enable_ipv6: bool | None
    load_balancer: LoadBalancer | None
    circuit_breakers: tuple[CircuitBreaker, ...]
    circuit_breaker: str | None
    outlier_detection: OutlierLimits | str | None
    health_checks: tuple[HealthCheck, ...]
    cluster_tag: str | None
    stats_name: str | None
    precedence: int
    ambassador_id: tuple[str, ...]


class MappingAttributes(VariantAttributes, total=False):
    """Every attribute of a :class:`~kfambassador.resources.mapping.Mapping` but its name and service.

    What each means stands with the Mapping's fields; a test keeps the two alike.
    """

    prefix: str
    shadow: bool
    weight: int | None


class ExposeArguments(MappingAttributes, total=False):
    """What :meth:`~kfambassador.sdk.gateway.Gateway.expose` takes besides a name; each is told there."""

    service: str | int | None
    server: "ModelServer | None"
    namespace: str | None
    ttl: float | timedelta | None
    object_labels: Dict[str, str] | None


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
