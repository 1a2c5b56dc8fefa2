"""What the gateway's owner said for everybody, gathered from all resources that say it."""

from collections.abc import Iterable
from collections.abc import Mapping as Dict
from dataclasses import dataclass, field
from typing import TypeVar

from kfambassador.attributes.circuit_breaking import CircuitBreaker as Limits
from kfambassador.attributes.outlier_detection import OutlierLimits
from kfambassador.attributes.rate_limits import Label
from kfambassador.problems import Fault, Problem, Severity
from kfambassador.resources.auth_service import AuthService
from kfambassador.resources.gateway import GatewayResource
from kfambassador.resources.legacy import CircuitBreaker, OutlierDetection
from kfambassador.resources.mapping import Mapping
from kfambassador.resources.meta import SourcedResource, rank_by_age
from kfambassador.resources.module import MODULE_NAME, NO_MODULE, Module
from kfambassador.resources.secret import Secret, SecretKey
from kfambassador.resources.tls_context import TLSContext
from kfambassador.routing.module import JudgedModule, judge_module
from kfambassador.routing.policy import TenancyPolicy
from kfambassador.routing.resolvers import Resolver

R = TypeVar("R", bound=GatewayResource)


@dataclass(frozen=True, slots=True)
class SourcedContext:
    """A TLSContext and the namespace whose Secrets it names."""

    context: TLSContext
    namespace: str


@dataclass(frozen=True, slots=True, eq=False)
class Gateway:
    """What the gateway's owner said for everybody.

    Attributes:
        policy: Who may claim what, and which namespace is the gateway's own.
        module: Options and defaults.
        contexts: TLSContexts by name.
        resolvers: Resolvers by name, without the built-in ones.
        defaults: Attributes of mappings that do not say them.
        resolver: Which way endpoints are found where a mapping does not say it; None leaves it to each service.
        labels: By domain, what is put before the labels of every group.
        circuit_breakers: What CircuitBreakers of v0 stand for, by name.
        outlier_detections: What OutlierDetections of v0 stand for, by name.
        auth_services: Who is to be asked whether a request may pass, the eldest first.
        secrets: The Secrets that may be read.
        problems: What is wrong with any of it.
    """

    policy: TenancyPolicy
    module: Module = NO_MODULE
    contexts: Dict[str, SourcedContext] = field(default_factory=dict)
    resolvers: Dict[str, Resolver] = field(default_factory=dict)
    defaults: tuple[tuple[str, object], ...] = ()
    resolver: str | None = None
    labels: Dict[str, tuple[Label, ...]] = field(default_factory=dict)
    circuit_breakers: Dict[str, tuple[Limits, ...]] = field(default_factory=dict)
    outlier_detections: Dict[str, OutlierLimits] = field(default_factory=dict)
    auth_services: tuple[SourcedResource, ...] = ()
    secrets: Dict[SecretKey, Secret] = field(default_factory=dict, repr=False)
    problems: tuple[Problem, ...] = ()


def build_gateway(policy: TenancyPolicy, *known: SourcedResource | Secret) -> Gateway:
    """Gather what holds for everybody.

    Args:
        policy: Whose word counts.
        known: All resources of gateway owners, whoever wrote them, and the Secrets that may be read.
    """
    problems: list[Problem] = []
    shared = [each for each in known if isinstance(each, SourcedResource)]
    admitted = _admit(shared, policy, problems)
    resolvers = {each.resource.name: each.resource for each in admitted if isinstance(each.resource, Resolver)}
    judged = _judge(admitted, resolvers, policy, problems)
    return Gateway(
        policy=policy,
        module=judged.module,
        contexts={
            each.resource.name: SourcedContext(each.resource, each.namespace)
            for each in admitted
            if isinstance(each.resource, TLSContext)
        },
        resolvers=resolvers,
        defaults=_list_defaults(judged.module),
        resolver=judged.resolver,
        labels={domain: each.defaults for domain, each in judged.module.default_labels.items() if each.defaults},
        circuit_breakers={name: _read_breaker(each) for name, each in _by_name(admitted, CircuitBreaker).items()},
        outlier_detections={name: _read_outliers(each) for name, each in _by_name(admitted, OutlierDetection).items()},
        auth_services=tuple(each for each in admitted if isinstance(each.resource, AuthService)),
        secrets={each.key: each for each in known if isinstance(each, Secret)},
        problems=tuple(problems),
    )


def _by_name(admitted: Iterable[SourcedResource], kind: type[R]) -> dict[str, R]:
    return {each.resource.name: each.resource for each in admitted if isinstance(each.resource, kind)}


def _judge(
    admitted: Iterable[SourcedResource], resolvers: Dict[str, Resolver], policy: TenancyPolicy, problems: list[Problem]
) -> JudgedModule:
    for each in admitted:
        if isinstance(each.resource, Module) and each.resource.name == MODULE_NAME:
            judged = judge_module(each.resource, resolvers, policy)
            problems.extend(fault.at(each.origin) for fault in judged.faults)
            return judged
    return JudgedModule(NO_MODULE)


def _list_defaults(module: Module) -> tuple[tuple[str, object], ...]:
    return tuple(
        (name, value) for name, (value, _) in module.mapping_defaults().items() if name in Mapping.model_fields
    )


def _read_breaker(breaker: CircuitBreaker) -> tuple[Limits, ...]:
    limits = Limits(
        max_connections=breaker.max_connections,
        max_pending_requests=breaker.max_pending,
        max_requests=breaker.max_requests,
        max_retries=breaker.max_retries,
    )
    return (limits,)


def _read_outliers(detection: OutlierDetection) -> OutlierLimits:
    given = {name: getattr(detection, name) for name in OutlierLimits.model_fields}
    return OutlierLimits.model_validate({name: value for name, value in given.items() if value is not None})


def _admit(shared: Iterable[SourcedResource], policy: TenancyPolicy, problems: list[Problem]) -> list[SourcedResource]:
    """Leave out what is not for this gateway or not its owner's word; of two with one name the elder counts."""
    admitted: dict[tuple[str, str], SourcedResource] = {}
    for each in sorted(shared, key=rank_by_age):
        noun = each.resource.noun
        holder = admitted.get((noun, each.resource.name))
        if not policy.accepts(each.resource.ambassador_id):
            message = f"it is for another gateway, {', '.join(each.resource.ambassador_id)}, and is left out here"
            fault = Fault("other-gateway", message, path="ambassador_id", severity=Severity.NOTICE)
        elif not policy.is_gateways(each.namespace):
            message = (
                f"{noun} speaks for everybody, so it counts only in the gateway's own namespace, "
                f"{policy.gateway_namespace}; this one is in {each.namespace} and is left out"
            )
            fault = Fault("not-the-gateways", message, path="namespace")
        elif holder is not None:
            message = f"the name {each.resource.name} is taken by {noun} of {holder.origin}; give this one another name"
            fault = Fault("duplicate-name", message, path="name")
        else:
            admitted[noun, each.resource.name] = each
            continue
        problems.append(fault.at(each.origin))
    return list(admitted.values())
