"""Configuration as text: judged as a gateway would, before anything of it is anywhere. Pure, without a cluster."""

from collections.abc import Iterable
from enum import StrEnum
from typing import Final, NamedTuple

from kfambassador.errors import ConfigurationError
from kfambassador.names import DEFAULT_NAMESPACE
from kfambassador.problems import Problem
from kfambassador.resources.manifests import read_manifests
from kfambassador.resources.mapping import Mapping
from kfambassador.resources.meta import ResourceSet, SourcedMapping, SourcedResource
from kfambassador.resources.writing import Version, write_resource
from kfambassador.routing.compile import compile_routes
from kfambassador.routing.describe import describe_explanation
from kfambassador.routing.explain import explain
from kfambassador.routing.gateway import Gateway, build_gateway
from kfambassador.routing.model import Compiled
from kfambassador.routing.policy import GATEWAY_NAMESPACE, TenancyPolicy
from kfambassador.routing.requests import RequestLine
from kfambassador.sdk.views import Explanation

#: What can only be known of a whole cluster.
_OF_CLUSTERS: Final = frozenset({"no-endpoints", "no-such-service"})


class PolicyChoice(StrEnum):
    """As which gateway to judge."""

    LAPTOP = "laptop"
    STRICT = "strict"
    PERMISSIVE = "permissive"


def choose_policy(choice: PolicyChoice, gateway_namespace: str | None = None) -> TenancyPolicy:
    """Make the policy that was asked for.

    Args:
        choice: Which.
        gateway_namespace: The gateway's own namespace; None means the usual one.

    Raises:
        ConfigurationError: A laptop's gateway has no namespace of its own.

    Example:
        >>> choose_policy(PolicyChoice.STRICT, "kubeflow").gateway_namespace
        'kubeflow'
    """
    if choice is PolicyChoice.LAPTOP:
        if gateway_namespace is not None:
            raise ConfigurationError("--gateway-namespace needs --policy strict or --policy permissive")
        return TenancyPolicy.laptop()
    namespace = gateway_namespace or GATEWAY_NAMESPACE
    if choice is PolicyChoice.PERMISSIVE:
        return TenancyPolicy.permissive(gateway_namespace=namespace)
    return TenancyPolicy(gateway_namespace=namespace)


def compile_texts(
    texts: Iterable[tuple[str, str]], policy: TenancyPolicy | None = None, *, namespace: str = DEFAULT_NAMESPACE
) -> Compiled:
    """Compile what texts hold.

    Problems that ask for a cluster's endpoints are left out when the texts hold none.

    Args:
        texts: For each its name and itself: Kubernetes manifests, or bare annotation text.
        policy: Who may do what; None is a laptop's.
        namespace: The namespace of what names none.

    Example:
        >>> text = "{apiVersion: ambassador/v1, kind: Mapping, name: m, prefix: /m/, servise: m}"
        >>> compile_texts([("m.yaml", text)]).problems[0].code
        'unknown-attribute'
    """
    resources = read_manifests(texts, namespace=namespace)
    compiled = compile_routes(resources, policy or TenancyPolicy.laptop())
    if resources.endpoints:
        return compiled
    problems = tuple(problem for problem in compiled.problems if problem.code not in _OF_CLUSTERS)
    return Compiled(compiled.table, problems)


def explain_texts(texts: Iterable[tuple[str, str]], request: RequestLine) -> Explanation:
    """Tell what becomes of a request where only what texts hold is served.

    Args:
        texts: As for :func:`compile_texts`.
        request: The request.

    Example:
        >>> text = "{apiVersion: ambassador/v1, kind: Mapping, name: m, prefix: /m/, service: m}"
        >>> explain_texts([("m.yaml", text)], RequestLine.read("GET", "/m/a", {}))
        <Explanation GET /m/a → m/a by default/m>
    """
    return Explanation.model_validate(describe_explanation(explain(compile_texts(texts).table, request)))


class Converted(NamedTuple):
    """A resource as a custom resource.

    Attributes:
        source: What was read.
        manifest: The custom resource; None where the kind has none.
        problems: What could not be said in that version's words.
    """

    source: SourcedResource | SourcedMapping
    manifest: dict[str, object] | None
    problems: tuple[Problem, ...]


def convert_resources(
    resources: ResourceSet, *, version: Version = Version.V3ALPHA1, unsaid: str = ""
) -> list[Converted]:
    """Write all resources as custom resources of one version, those that speak for everybody first.

    Args:
        resources: What was read.
        version: In whose words.
        unsaid: The namespace that stands for none.
    """
    gateway = build_gateway(TenancyPolicy.laptop(), *resources.shared)
    everything: tuple[SourcedResource | SourcedMapping, ...] = (*resources.shared, *resources.mappings)
    return [_convert(each, gateway, version, unsaid) for each in everything]


def _convert(sourced: SourcedResource | SourcedMapping, gateway: Gateway, version: Version, unsaid: str) -> Converted:
    namespace = "" if sourced.namespace == unsaid else sourced.namespace
    resource = _write_limits_out(sourced.mapping, gateway) if isinstance(sourced, SourcedMapping) else sourced.resource
    written = write_resource(resource, namespace=namespace, version=version)
    return Converted(sourced, written.manifest, tuple(fault.at(sourced.origin) for fault in written.faults))


def _write_limits_out(mapping: Mapping, gateway: Gateway) -> Mapping:
    """Put limits that v0 named into the mapping: what holds them is no custom resource."""
    fields = {name: getattr(mapping, name) for name in mapping.model_fields_set}
    breakers = gateway.circuit_breakers.get(mapping.circuit_breaker or "")
    if breakers is not None:
        del fields["circuit_breaker"]
        fields = {"circuit_breakers": breakers, **fields}
    detection = mapping.outlier_detection
    limits = gateway.outlier_detections.get(detection) if isinstance(detection, str) else None
    if limits is not None:
        fields["outlier_detection"] = limits
    return Mapping.model_validate(fields)
