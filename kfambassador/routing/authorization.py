"""Who is asked whether a request may pass, and by which cluster."""

from dataclasses import dataclass

from kfambassador.problems import Fault, Origin, Problem, Severity, has_errors
from kfambassador.resources.auth_service import AuthService
from kfambassador.resources.mapping import Mapping
from kfambassador.resources.meta import SourcedResource
from kfambassador.routing.clusters import NOWHERE, Upstream
from kfambassador.routing.gateway import Gateway
from kfambassador.routing.model import Authorization
from kfambassador.routing.origination import originate
from kfambassador.routing.targets import read_target

# What Ambassador calls the clusters of authorization services.
_TAG = "extauth"


@dataclass(frozen=True, slots=True)
class Guard:
    """An AuthService understood.

    Attributes:
        authorization: Whom Envoy asks, and how.
        upstream: Where that is. Of an AuthService at fault it is nowhere, so everything is denied.
        origin: Where it was written.
        problems: What is wrong with it.
    """

    authorization: Authorization
    upstream: Upstream
    origin: Origin
    problems: tuple[Problem, ...]


def choose_guard(gateway: Gateway) -> tuple[Guard | None, tuple[Problem, ...]]:
    """Understand the AuthService that counts: the eldest. Give it, and the problems of all."""
    if not gateway.auth_services:
        return None, ()
    first, *others = gateway.auth_services
    guard = build_guard(first, gateway)
    message = f"one authorization service is asked, {first.resource.name} of {first.origin}; this one is not"
    second = Fault("second-auth-service", message, path="auth_service")
    return guard, (*guard.problems, *(second.at(each.origin) for each in others))


def build_guard(sourced: SourcedResource, gateway: Gateway) -> Guard:
    """Understand an AuthService. Whatever is wrong with it, requests are then denied rather than let through.

    Raises:
        TypeError: The resource is no AuthService.
    """
    service = sourced.resource
    if not isinstance(service, AuthService):
        raise TypeError(f"expected an AuthService, got {service!r}")
    settings = Mapping(
        name=service.name,
        prefix="/",
        service=service.auth_service or "none",
        cluster_tag=_TAG,
        connect_timeout_ms=service.timeout_ms,
        grpc=service.proto == "grpc",
        tls=service.tls,
        stats_name=service.stats_name,
    )
    read = read_target(service.auth_service, namespace=sourced.namespace, protected=bool(service.tls))
    target, faults = read.target, [*(read.faults if service.auth_service else _tell_nobody()), *_check(service)]
    tls = None
    if target is not None:
        tls, more = originate(settings, target, gateway)
        faults += more
    problems = tuple(_tell(fault).at(sourced.origin) for fault in faults)
    lost = target is None or has_errors(problems)
    upstream = Upstream.of(NOWHERE, settings, None) if lost or target is None else Upstream.of(target, settings, tls)
    return Guard(Authorization(service, upstream.name), upstream, sourced.origin, problems)


def _tell_nobody() -> tuple[Fault, ...]:
    message = "no service can be asked: auth_service is missing, or something of this object could not be read"
    return (Fault("bad-service", message, path="service"),)


def _check(service: AuthService) -> list[Fault]:
    faults: list[Fault] = []
    if service.proto == "grpc" and service.protocol_version != "v3":
        message = "an authorization service is asked in version 3 of the protocol; write protocol_version: v3"
        faults.append(Fault("option-not-served", message, path="protocol_version", severity=Severity.WARNING))
    if service.failure_mode_allow:
        message = "when the service cannot be asked, every request passes"
        faults.append(Fault("fails-open", message, path="failure_mode_allow", severity=Severity.WARNING))
    return faults


def _tell(fault: Fault) -> Fault:
    path = "auth_service" if fault.path == "service" else fault.path
    closing = ". Until it is mended every request is denied" if fault.severity is Severity.ERROR else ""
    return Fault(fault.code, f"{fault.message}{closing}", path=path, severity=fault.severity)
