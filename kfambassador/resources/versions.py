"""The spellings of a Mapping in each API version, read into one shape.

Two layouts are read: flat, with every field at the top, and Kubernetes-like, with ``metadata`` and ``spec``
(Ambassador, "Configuration by annotation").
"""

from collections.abc import Mapping as Dict
from dataclasses import dataclass, replace

from pydantic import ValidationError

from kfambassador.names import AMBASSADOR_GROUP
from kfambassador.problems import Fault, Severity, suggest
from kfambassador.resources.documents import Value
from kfambassador.resources.fields import as_object, as_text
from kfambassador.resources.mapping import Mapping
from kfambassador.resources.validation import describe_refusals, show

# The group before Ambassador had custom resources.
_OLD_GROUP = "ambassador"

#: Every apiVersion that ever carried a Mapping.
API_VERSIONS = (
    "ambassador/v0",
    "ambassador/v1",
    "getambassador.io/v0",
    "getambassador.io/v1",
    "getambassador.io/v2",
    "getambassador.io/v3alpha1",
)

#: Kinds Ambassador knows besides Mapping.
OTHER_KINDS = (
    "AuthService",
    "CircuitBreaker",
    "ConsulResolver",
    "DevPortal",
    "Host",
    "KubernetesEndpointResolver",
    "KubernetesServiceResolver",
    "Listener",
    "LogService",
    "Module",
    "OutlierDetection",
    "RateLimitService",
    "TCPMapping",
    "TLSContext",
    "TracingService",
)

#: Kinds of the commercial Edge Stack, which no open-source gateway acts on.
EDGE_STACK_KINDS = ("AmbassadorInstallation", "Filter", "FilterPolicy", "ProjectController", "RateLimit")

# What Ambassador itself ignores, in every release that still read it or in all that came after.
_WITHOUT_EFFECT = frozenset(
    {"bypass_error_response_overrides", "docs", "envoy_override", "modules", "v2BoolHeaders", "v2BoolQueryParameters",
     "v2ExplicitTLS"}
)  # fmt: skip

# Serving a mapping without one of these would send requests elsewhere, unprotected or in clear.
_DECISIVE = frozenset(
    {"host_redirect", "path_redirect", "prefix_redirect", "redirect_response_code", "regex_redirect", "regex_rewrite",
     "shadow", "tls"}
)  # fmt: skip

# Serving a mapping without one of these is serving it with less comfort.
_NOT_YET = frozenset(
    {"add_linkerd_headers", "add_response_headers", "allow_upgrade", "auth_context_extensions", "bypass_auth",
     "circuit_breaker", "circuit_breakers", "cluster_idle_timeout_ms", "cluster_max_connection_lifetime_ms",
     "cluster_tag", "cors", "dns_type", "enable_ipv4", "enable_ipv6", "error_response_overrides", "grpc",
     "health_checks", "keepalive", "labels", "load_balancer", "outlier_detection", "priority", "rate_limits",
     "remove_request_headers", "remove_response_headers", "resolver", "respect_dns_ttl", "retry_policy", "stats_name",
     "use_websocket"}
)  # fmt: skip

_METADATA = frozenset({"apiVersion", "generation", "kind", "metadata_labels", "namespace"})


@dataclass(frozen=True, slots=True)
class ReadMapping:
    """What became of one document.

    Attributes:
        mapping: The mapping, or None when the document is at fault.
        namespace: The namespace the document itself names; "" when it names none.
        faults: What is to be told about it.
    """

    mapping: Mapping | None = None
    namespace: str = ""
    faults: tuple[Fault, ...] = ()


def is_ambassadors(api_version: object) -> bool:
    """Tell whether an apiVersion is of Ambassador's, in either spelling of its group, known or not.

    Example:
        >>> is_ambassadors("ambassador/v0"), is_ambassadors("getambassador.io/v9"), is_ambassadors("v1")
        (True, True, False)
    """
    return as_text(api_version).partition("/")[0] in {_OLD_GROUP, AMBASSADOR_GROUP}


def read_mapping(document: Value) -> ReadMapping:
    """Read one document as a Mapping of whichever version it says it is.

    Example:
        >>> read = read_mapping({"apiVersion": "ambassador/v0", "kind": "Mapping", "name": "m",
        ...                      "prefix": "/m/", "service": "m", "methd": "GET"})
        >>> read.mapping.prefix, read.faults[0].message
        ('/m/', 'methd is not an attribute of a Mapping and is left out; did you mean method?')
    """
    if not isinstance(document, dict):
        message = f"expected an object with apiVersion, kind and name, got {show(document)}"
        return ReadMapping(faults=(Fault("not-an-object", message),))
    fault = _check_kind(document)
    if fault is not None:
        return ReadMapping(faults=(fault,))
    fields, namespace, where = _fold(document)
    faults = _take_out_unserved(fields)
    mapping: Mapping | None = None
    if not any(fault.severity is Severity.ERROR for fault in faults):
        try:
            mapping = Mapping.model_validate(fields)
        except ValidationError as error:
            faults = [*faults, *describe_refusals(error, fields)]
    if where:
        faults = [replace(fault, path=f"{where}.{fault.path}" if fault.path else "") for fault in faults]
    return ReadMapping(mapping=mapping, namespace=namespace, faults=tuple(faults))


def _check_kind(document: Dict[str, Value]) -> Fault | None:
    version, kind = document.get("apiVersion"), document.get("kind")
    if not isinstance(kind, str) or not kind:
        return Fault("missing-attribute", "kind is missing; a route is kind: Mapping", path="kind")
    if kind in OTHER_KINDS:
        message = f"kind {kind} is Ambassador's, and this release does not act on it; only Mapping is served"
        return Fault("kind-not-served", message, path="kind", severity=Severity.WARNING)
    if kind in EDGE_STACK_KINDS:
        message = f"kind {kind} belongs to Ambassador Edge Stack and has no effect here"
        return Fault("kind-not-served", message, path="kind", severity=Severity.NOTICE)
    if kind != "Mapping":
        message = f"kind {kind} is not known{suggest(kind, ['Mapping', *OTHER_KINDS])}"
        return Fault("unknown-kind", message, path="kind")
    if version not in API_VERSIONS:
        known = ", ".join(API_VERSIONS)
        message = f"apiVersion {show(version)} is not one of a Mapping; write one of {known}"
        return Fault("unknown-version", message, path="apiVersion")
    return None


def _fold(document: Dict[str, Value]) -> tuple[dict[str, object], str, str]:
    """Bring both layouts to one: the fields, the namespace named, and where the fields stood."""
    metadata = as_object(document.get("metadata"))
    if "spec" in document or metadata:
        fields = dict(as_object(document.get("spec")))
        if isinstance(metadata.get("name"), str):
            fields["name"] = metadata["name"]
        namespace, where = as_text(metadata.get("namespace")), "spec"
    else:
        fields = {key: value for key, value in document.items() if key not in _METADATA}
        namespace, where = as_text(document.get("namespace")), ""
    identity = fields.get("ambassador_id")
    if isinstance(identity, str):
        fields["ambassador_id"] = [identity]
    # An attribute with nothing behind its colon is one its author left out.
    return {key: value for key, value in fields.items() if value is not None}, namespace, where


def _take_out_unserved(fields: dict[str, object]) -> list[Fault]:
    """Remove what no model field takes, and say of each what becomes of it."""
    faults = []
    for name in [name for name in fields if name not in Mapping.model_fields]:
        del fields[name]
        faults.append(_judge_unserved(name))
    return faults


def _judge_unserved(name: str) -> Fault:
    if name in _WITHOUT_EFFECT:
        return Fault("no-effect", f"{name} has no effect on routes", path=name, severity=Severity.NOTICE)
    if name in _DECISIVE:
        message = (
            f"{name} is not served by this release, and without it requests would go wrong; the mapping is left out"
        )
        return Fault("attribute-not-served", message, path=name)
    if name in _NOT_YET:
        message = f"{name} is not served by this release; the mapping is served without it"
        return Fault("attribute-not-served", message, path=name, severity=Severity.WARNING)
    near = suggest(name, Mapping.model_fields)
    message = f"{name} is not an attribute of a Mapping and is left out{near}"
    return Fault("unknown-attribute", message, path=name, severity=Severity.WARNING)
