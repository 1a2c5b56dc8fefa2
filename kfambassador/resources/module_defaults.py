"""Options of the Module ``ambassador`` that hold for mappings which say nothing themselves."""

from collections.abc import Mapping as Dict
from typing import Annotated, Final, Self

from pydantic import BeforeValidator, Field

from kfambassador.attributes.base import LONGEST_MS, Part, as_list, split_commas
from kfambassador.attributes.circuit_breaking import CircuitBreaker
from kfambassador.attributes.connection import Keepalive
from kfambassador.attributes.cors import CorsPolicy
from kfambassador.attributes.error_responses import ErrorResponse
from kfambassador.attributes.headers import HeaderForms
from kfambassador.attributes.load_balancing import LoadBalancer
from kfambassador.attributes.rate_limits import Label
from kfambassador.attributes.retries import RetryPolicy
from kfambassador.resources.gateway import GatewayResource, OptionGroup

#: The domain whose labels are sent where the Module names none (Ambassador, "Rate limiting with labels").
DEFAULT_LABEL_DOMAIN: Final = "ambassador"

_DEFAULT: Final = "Default of the attribute by that name."
_Headers = Annotated[Dict[str, HeaderForms] | None, Field(description=_DEFAULT)]
_Names = Annotated[tuple[str, ...], BeforeValidator(split_commas)]


class HttpDefaults(OptionGroup, frozen=True):
    """Attributes of mappings that say nothing of them."""

    add_request_headers: _Headers = None
    add_response_headers: _Headers = None
    remove_request_headers: Annotated[_Names | None, Field(description=_DEFAULT)] = None
    remove_response_headers: Annotated[_Names | None, Field(description=_DEFAULT)] = None
    stats_name: Annotated[str | None, Field(min_length=1, description=_DEFAULT)] = None


class Defaults(OptionGroup, frozen=True):
    """Defaults by the kind they are for."""

    httpmapping: Annotated[HttpDefaults | None, Field(description="Defaults of mappings.")] = None
    tls_secret_namespacing: Annotated[
        bool | None, Field(description="Whether name.namespace names a Secret of another namespace; true when absent.")
    ] = None


class DefaultLabels(Part, frozen=True):
    """Labels that are put before those of every group."""

    defaults: Annotated[
        tuple[Label, ...], BeforeValidator(as_list), Field(description="The labels, in any form a mapping's may have.")
    ] = ()


class MappingDefaults(GatewayResource, frozen=True):
    """Defaults of mappings' attributes, and what is understood in them.

    A default is replaced as a whole by what a mapping says, never joined with it.
    """

    add_linkerd_headers: Annotated[bool | None, Field(description=_DEFAULT)] = None
    circuit_breakers: Annotated[
        Annotated[tuple[CircuitBreaker, ...], BeforeValidator(as_list)] | None, Field(description=_DEFAULT)
    ] = None
    cluster_idle_timeout_ms: Annotated[int | None, Field(ge=0, le=LONGEST_MS, description=_DEFAULT)] = None
    cluster_max_connection_lifetime_ms: Annotated[int | None, Field(gt=0, le=LONGEST_MS, description=_DEFAULT)] = None
    cluster_request_timeout_ms: Annotated[
        int | None, Field(ge=0, le=LONGEST_MS, description="Default of a mapping's timeout_ms.")
    ] = None
    cors: Annotated[CorsPolicy | None, Field(description=_DEFAULT)] = None
    default_label_domain: Annotated[
        str | None, Field(min_length=1, description="The domain whose labels are sent; ambassador when absent.")
    ] = None
    default_labels: Annotated[
        Dict[str, DefaultLabels],
        Field(description="Labels put before those of every group, {domain: {defaults: [...]}}."),
    ] = {}
    defaults: Annotated[Defaults | None, Field(description="Defaults of mappings, {httpmapping: {...}}.")] = None
    enable_ipv4: Annotated[bool | None, Field(description=_DEFAULT)] = None
    enable_ipv6: Annotated[bool | None, Field(description=_DEFAULT)] = None
    error_response_overrides: Annotated[
        Annotated[tuple[ErrorResponse, ...], BeforeValidator(as_list)] | None,
        Field(description=f"{_DEFAULT} The body for 404 also answers requests that no mapping takes."),
    ] = None
    keepalive: Annotated[Keepalive | None, Field(description=_DEFAULT)] = None
    load_balancer: Annotated[LoadBalancer | None, Field(description=_DEFAULT)] = None
    regex_max_size: Annotated[
        int | None,
        Field(
            ge=1, description="The largest program a regular expression may become; it only lowers the gateway's own."
        ),
    ] = None
    resolver: Annotated[str | None, Field(min_length=1, description=_DEFAULT)] = None
    retry_policy: Annotated[RetryPolicy | None, Field(description=_DEFAULT)] = None
    use_ambassador_namespace_for_service_resolution: Annotated[
        bool,
        Field(description="A service name without a dot is one of the gateway's namespace, as before Ambassador 1.0."),
    ] = False

    @property
    def secret_namespacing(self) -> bool:
        """Whether ``name.namespace`` names a Secret of another namespace where a TLSContext does not say."""
        return self.defaults is None or self.defaults.tls_secret_namespacing is not False

    def mapping_defaults(self) -> Dict[str, tuple[object, str]]:
        """The mapping's attributes that have a default, each with it and the option that says so.

        ``resolver`` is not among them, because its names take a look at more than the Module, and labels are not,
        because they are joined with a mapping's own.
        """
        given: dict[str, tuple[object, str]] = {
            "timeout_ms": (self.cluster_request_timeout_ms, "cluster_request_timeout_ms")
        }
        given |= {name: (getattr(self, name), name) for name in _OF_THE_SAME_NAME}
        group = self.defaults.httpmapping if self.defaults else None
        for name in HttpDefaults.model_fields if group else ():
            given[name] = (getattr(group, name), f"defaults.httpmapping.{name}")
        return {name: default for name, default in given.items() if default[0] is not None}

    def without(self, option: str) -> Self:
        """This Module without one of its options, given by its path."""
        if option.startswith("defaults.httpmapping."):
            group = self.defaults.httpmapping if self.defaults else None
            if self.defaults is None or group is None:
                return self
            bare = group.model_copy(update={option.rpartition(".")[2]: None})
            return self.model_copy(update={"defaults": self.defaults.model_copy(update={"httpmapping": bare})})
        return self.model_copy(update={option: type(self).model_fields[option].default})


_OF_THE_SAME_NAME: Final = (
    "add_linkerd_headers",
    "circuit_breakers",
    "cluster_idle_timeout_ms",
    "cluster_max_connection_lifetime_ms",
    "cors",
    "enable_ipv4",
    "enable_ipv6",
    "error_response_overrides",
    "keepalive",
    "load_balancer",
    "retry_policy",
)
