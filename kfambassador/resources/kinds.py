"""The kinds and API versions of Ambassador: which are read, and which are only known by name."""

from collections.abc import Mapping as Dict
from typing import Final

from kfambassador.names import AMBASSADOR_GROUP
from kfambassador.problems import Fault, Severity, suggest
from kfambassador.resources.auth_service import AuthService
from kfambassador.resources.fields import as_text
from kfambassador.resources.gateway import GatewayResource
from kfambassador.resources.legacy import CircuitBreaker, OutlierDetection
from kfambassador.resources.mapping import Mapping
from kfambassador.resources.module import Module
from kfambassador.resources.resolvers import ConsulResolver, KubernetesEndpointResolver, KubernetesServiceResolver
from kfambassador.resources.tls_context import TLSContext
from kfambassador.resources.validation import show

# The group before Ambassador had custom resources.
_OLD_GROUP = "ambassador"

#: Every apiVersion that ever carried a Mapping.
API_VERSIONS: Final = (
    "ambassador/v0",
    "ambassador/v1",
    "getambassador.io/v0",
    "getambassador.io/v1",
    "getambassador.io/v2",
    "getambassador.io/v3alpha1",
)

#: What the gateway's owner says once for everybody.
GATEWAY_KINDS: Final[Dict[str, type[GatewayResource]]] = {
    model.__name__: model
    for model in (
        AuthService,
        CircuitBreaker,
        ConsulResolver,
        KubernetesEndpointResolver,
        KubernetesServiceResolver,
        Module,
        OutlierDetection,
        TLSContext,
    )
}

#: Every kind that is read.
READ_KINDS: Final[Dict[str, type[Mapping] | type[GatewayResource]]] = {"Mapping": Mapping, **GATEWAY_KINDS}

#: Kinds Ambassador knows and this release does not act on.
OTHER_KINDS: Final = (
    "Host",
    "Listener",
    "LogService",
    "RateLimitService",
    "TCPMapping",
    "TracingService",
)

#: Kinds of the commercial Edge Stack, which no open-source gateway acts on. Emissary defines DevPortal all the same.
EDGE_STACK_KINDS: Final = (
    "AmbassadorInstallation",
    "DevPortal",
    "Filter",
    "FilterPolicy",
    "ProjectController",
    "RateLimit",
)


def is_ambassadors(api_version: object) -> bool:
    """Tell whether an apiVersion is of Ambassador's, in either spelling of its group, known or not.

    Example:
        >>> is_ambassadors("ambassador/v0"), is_ambassadors("getambassador.io/v9"), is_ambassadors("v1")
        (True, True, False)
    """
    return as_text(api_version).partition("/")[0] in {_OLD_GROUP, AMBASSADOR_GROUP}


def check_kind(document: Dict[str, object]) -> Fault | None:
    """Say why a document of this kind and version is not read; None when it is."""
    version, kind = document.get("apiVersion"), document.get("kind")
    if not isinstance(kind, str) or not kind:
        return Fault("missing-attribute", "kind is missing; a route is kind: Mapping", path="kind")
    if kind in OTHER_KINDS:
        message = f"kind {kind} is Ambassador's, and this release does not act on it"
        return Fault("kind-not-served", message, path="kind", severity=Severity.NOTICE)
    if kind in EDGE_STACK_KINDS:
        message = f"kind {kind} belongs to Ambassador Edge Stack and has no effect here"
        return Fault("kind-not-served", message, path="kind", severity=Severity.NOTICE)
    if kind not in READ_KINDS:
        message = f"kind {kind} is not known{suggest(kind, [*READ_KINDS, *OTHER_KINDS])}"
        return Fault("unknown-kind", message, path="kind")
    if version not in API_VERSIONS:
        known = ", ".join(API_VERSIONS)
        message = f"apiVersion {show(version)} is not one of a {kind}; write one of {known}"
        return Fault("unknown-version", message, path="apiVersion")
    return None
