"""What is wrong with the connections a single mapping asks for, judged before Envoy sees it.

Bounds and forms are judged where the attributes are read. Here stands what only several attributes together show, and
what a mapping is served in spite of.
"""

from collections.abc import Iterator

from kfambassador.attributes.discovery import LOGICAL_DNS, STRICT_DNS
from kfambassador.attributes.health_checks import find_asked
from kfambassador.problems import Fault, Severity, suggest
from kfambassador.resources.mapping import Mapping
from kfambassador.resources.validation import show
from kfambassador.routing.clusters import DNS_RESOLVER

# What Envoy takes for the name of a cluster's statistics is longer than what any of its readers shows.
_LONGEST_NAME = 255


def check_connection(mapping: Mapping) -> Iterator[Fault]:
    """Judge the connections that one mapping asks for.

    Example:
        >>> mapping = Mapping(name="m", prefix="/m/", service="m", enable_ipv4=False)
        >>> [fault.code for fault in check_connection(mapping)]
        ['no-addresses']
    """
    if mapping.enable_ipv4 is False and not mapping.enable_ipv6:
        message = "IPv4 and IPv6 are both off, which leaves no address; IPv4 is used. Set enable_ipv6 to use IPv6"
        yield _warn("no-addresses", message, "enable_ipv4")
    if mapping.dns_type is not None and mapping.dns_type.lower() not in {STRICT_DNS, LOGICAL_DNS}:
        near = suggest(mapping.dns_type.lower(), (STRICT_DNS, LOGICAL_DNS))
        message = f"{show(mapping.dns_type)} is neither {STRICT_DNS} nor {LOGICAL_DNS}; {STRICT_DNS} is used{near}"
        yield _warn("unknown-dns-type", message, "dns_type")
    if mapping.load_balancer is not None and mapping.resolver == DNS_RESOLVER:
        message = (
            f"with the resolver {DNS_RESOLVER} the gateway sees one address, and the cluster's own proxy chooses the "
            "endpoint behind it; leave resolver out, or write endpoint"
        )
        yield _warn("balanced-elsewhere", message, "load_balancer")
    yield from _check_names(mapping)
    yield from _check_questions(mapping)
    yield from _check_limits(mapping)


def _check_names(mapping: Mapping) -> Iterator[Fault]:
    for name in ("cluster_tag", "stats_name"):
        value = getattr(mapping, name)
        if value is not None and (len(value) > _LONGEST_NAME or not value.isprintable()):
            message = f"{show(value)} is no name: write at most {_LONGEST_NAME} characters, and no control characters"
            yield Fault("bad-character", message, path=name)


def _check_questions(mapping: Mapping) -> Iterator[Fault]:
    asked = find_asked(mapping.health_checks, grpc=mapping.grpc)
    for index, check in enumerate(mapping.health_checks):
        if check.health_check.grpc is not None and not mapping.grpc:
            message = "a question by gRPC needs grpc: true on the mapping; this entry is left out"
            yield _warn("check-needs-grpc", message, f"health_checks[{index}].health_check.grpc")
        elif check is not asked:
            message = "Envoy asks a service one question; another entry stands before, and this one is left out"
            yield _warn("no-effect", message, f"health_checks[{index}]")


def _check_limits(mapping: Mapping) -> Iterator[Fault]:
    priorities = [breaker.priority for breaker in mapping.circuit_breakers]
    for index, priority in enumerate(priorities):
        if priority in priorities[:index]:
            message = f"there are limits for priority {priority} before; those count, and this entry has no effect"
            yield _warn("limits-twice", message, f"circuit_breakers[{index}]")


def _warn(code: str, message: str, path: str) -> Fault:
    return Fault(code, message, path=path, severity=Severity.WARNING)
