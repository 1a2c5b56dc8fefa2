"""The Module ``ambassador``: what holds for the whole gateway, and for mappings that say nothing themselves."""

from collections.abc import Mapping as Dict
from typing import ClassVar, Final

from kfambassador.resources.auth_service import AuthService
from kfambassador.resources.gateway import GatewayResource
from kfambassador.resources.module_defaults import MappingDefaults
from kfambassador.resources.module_filters import FilterOptions
from kfambassador.resources.module_listener import ListenerOptions

#: The Module that holds options. The other two that Ambassador knew spoke of TLS and authentication.
MODULE_NAME: Final = "ambassador"

_ADDRESSES = "the gateway's own settings say where it listens and where it is asked"
_PROBES = "the controller answers for itself, and no route to it stands in the table"
_TLS_MODULE: Final = "tls"
# The first spelling of an AuthService.
_AUTHENTICATION_MODULE: Final = "authentication"
# Blocks of the Module tls that spoke of the listener. Any other was a context for connections to services.
_TERMINATION: Final = frozenset({"server", "client"})


class Module(MappingDefaults, ListenerOptions, FilterOptions, GatewayResource, frozen=True):
    """What holds for the whole gateway, and for mappings that say nothing themselves (Ambassador, "Module").

    Its options are read one by one: what is wrong with one leaves the others as they are.

    Example:
        >>> Module(name="ambassador", cluster_request_timeout_ms=20000).enable_grpc_web
        False
    """

    noun: ClassVar[str] = "a Module"
    inside: ClassVar[str] = "config"
    ineffective: ClassVar[Dict[str, str]] = {
        "admin_port": _ADDRESSES,
        "auth_enabled": "an AuthService by its presence enables authentication",
        "debug_mode": "problems are told in full without it",
        "diag_port": _ADDRESSES,
        "diagnostics": _PROBES,
        "envoy_validation_timeout": "every mapping is judged before Envoy sees it, and Envoy is not run to judge",
        "header_case_overrides": "no Envoy that is not patched writes headers as a list says; proper_case is served",
        "liveness_probe": _PROBES,
        "prune_unreachable_routes": "every mapping that is served can be reached",
        "readiness_probe": _PROBES,
        "regex_type": "regular expressions are always RE2, the safe ones",
        "runtime_flags": "Envoy takes them from its first configuration only, which the gateway's settings write",
        "service_port": _ADDRESSES,
        "statsd": "statistics are read from the gateway, not sent",
        "strip_matching_host_port": "the port is taken off every Host header, or hosts would not be found",
        "tls": "TLS is spoken of in Host and TLSContext resources",
    }
    entrywise: ClassVar[frozenset[str]] = frozenset({"ip_allow", "ip_deny"})
    closed: ClassVar[Dict[str, tuple[object, str]]] = {
        "ip_allow": ((), "only the other addresses of the list are let in"),
    }

    @classmethod
    def judge_whole(cls, name: object, given: Dict[str, object]) -> str:
        """Say why a Module that goes by another name does nothing."""
        if not isinstance(name, str) or name in {MODULE_NAME, _AUTHENTICATION_MODULE}:
            return ""
        if name != _TLS_MODULE:
            return f"the Module {name} has no effect: the Module with options is called {MODULE_NAME}"
        message = "the Module tls has no effect: TLS is spoken of in Host and TLSContext resources"
        contexts = sorted(str(block) for block in given if block not in _TERMINATION)
        if not contexts:
            return message
        several = ", ".join(contexts)
        return f"{message}. Mappings that name {several} in tls are refused until there is a TLSContext by that name"

    @classmethod
    def read_as(cls, name: object) -> type[GatewayResource]:
        """The Module ``authentication`` is the first spelling of an AuthService; without it a gateway would be open."""
        return AuthService if name == _AUTHENTICATION_MODULE else cls


#: What holds where nobody wrote a Module.
NO_MODULE: Final = Module(name=MODULE_NAME)
