"""A mapping completed by what the gateway's owner said for everybody."""

from typing import NamedTuple

from kfambassador.names import REGEX_MAX_PROGRAM_SIZE
from kfambassador.problems import Fault, Severity, suggest
from kfambassador.resources.mapping import Mapping
from kfambassador.resources.module_defaults import DEFAULT_LABEL_DOMAIN
from kfambassador.routing.clusters import DNS_RESOLVER
from kfambassador.routing.gateway import Gateway
from kfambassador.routing.labels import settle_labels
from kfambassador.routing.matches import build_match, write_expression
from kfambassador.routing.model import PathKind, ValueKind
from kfambassador.routing.operators import expand_operators
from kfambassador.routing.regex import measure
from kfambassador.routing.resolvers import settle_resolver


class Completed(NamedTuple):
    """A mapping as it holds, and what is to be said about its completion."""

    mapping: Mapping
    faults: tuple[Fault, ...] = ()


def complete(mapping: Mapping, gateway: Gateway) -> Completed:
    """Fill in what a mapping leaves to the gateway: the Module's defaults, and limits it names.

    What a mapping says itself stays, also where it says what would hold anyway: ``add_linkerd_headers: false`` is no
    silence. The very same mapping is given back where there is nothing to fill in.

    Example:
        >>> from kfambassador.routing.gateway import build_gateway
        >>> from kfambassador.routing.policy import TenancyPolicy
        >>> mapping = Mapping(name="m", prefix="/m/", service="m")
        >>> complete(mapping, build_gateway(TenancyPolicy.laptop())).mapping is mapping
        True
    """
    updates: dict[str, object] = {}
    faults: list[Fault] = []
    _settle_resolver(mapping, gateway, updates, faults)
    _look_up_limits(mapping, gateway, updates, faults)
    if gateway.defaults:
        _fill_in(mapping, gateway, updates)
    if mapping.labels:
        _settle_labels(mapping, gateway, updates, faults)
    if gateway.module.regex_max_size is not None:
        faults += _check_sizes(mapping, gateway.module.regex_max_size)
    completed = mapping.model_copy(update=updates) if updates else mapping
    return Completed(expand_operators(completed, gateway.policy.header_operators), tuple(faults))


def _settle_resolver(mapping: Mapping, gateway: Gateway, updates: dict[str, object], faults: list[Fault]) -> None:
    if mapping.resolver is None:
        if gateway.resolver is not None:
            updates["resolver"] = gateway.resolver
        return
    name, fault = settle_resolver(mapping.resolver, gateway.resolvers, gateway.policy)
    if fault is not None:
        faults.append(fault)
    if name != mapping.resolver:
        updates["resolver"] = name


def _look_up_limits(mapping: Mapping, gateway: Gateway, updates: dict[str, object], faults: list[Fault]) -> None:
    """Put limits that were written once in the place of their names, as v0 has them."""
    breaker, detection = mapping.circuit_breaker, mapping.outlier_detection
    if breaker is not None:
        updates["circuit_breaker"] = None
        if breaker not in gateway.circuit_breakers:
            faults.append(_tell_unknown("CircuitBreaker", breaker, "circuit_breaker", [*gateway.circuit_breakers]))
        elif not mapping.circuit_breakers:
            updates["circuit_breakers"] = gateway.circuit_breakers[breaker]
    if isinstance(detection, str):
        updates["outlier_detection"] = gateway.outlier_detections.get(detection)
        if detection not in gateway.outlier_detections:
            names = [*gateway.outlier_detections]
            faults.append(_tell_unknown("OutlierDetection", detection, "outlier_detection", names))


def _tell_unknown(kind: str, name: str, path: str, known: list[str]) -> Fault:
    message = (
        f"there is no {kind} {name} in the gateway's namespace; the mapping is served without its limits"
        f"{suggest(name, known)}"
    )
    return Fault("unknown-limits", message, path=path, severity=Severity.WARNING)


def _fill_in(mapping: Mapping, gateway: Gateway, updates: dict[str, object]) -> None:
    said = mapping.model_fields_set
    for name, value in gateway.defaults:
        if name not in said and name not in updates:
            updates[name] = value
    if "load_balancer" in updates and updates.get("resolver", mapping.resolver) == DNS_RESOLVER:
        # On a mapping it would be refused; as a default it is for those that can use it.
        del updates["load_balancer"]


def _settle_labels(mapping: Mapping, gateway: Gateway, updates: dict[str, object], faults: list[Fault]) -> None:
    """Leave the labels that are sent, after the gateway's own. Rules of v0 have always stood for themselves."""
    domain = gateway.module.default_label_domain or DEFAULT_LABEL_DOMAIN
    labels, more = settle_labels(mapping.labels, domain=domain, defaults=gateway.labels.get(domain, ()))
    faults += more
    if labels is not mapping.labels:
        updates["labels"] = labels


def _check_sizes(mapping: Mapping, largest: int) -> list[Fault]:
    if largest >= REGEX_MAX_PROGRAM_SIZE:
        return []
    match = build_match(mapping)
    expressions = [("prefix", match.path.text)] if match.path.kind is PathKind.REGEX else []
    conditions = [*match.headers, *match.query_parameters]
    expressions += [(each.name, write_expression(each)) for each in conditions if each.kind is ValueKind.REGEX]
    rewrites = {"regex_rewrite": mapping.regex_rewrite, "regex_redirect": mapping.regex_redirect}
    expressions += [(name, each.pattern) for name, each in rewrites.items() if each is not None]
    return [
        Fault("bad-regex", f"it compiles to {size:,} steps, and the Module's regex_max_size is {largest:,}", path=path)
        for path, expression in expressions
        if (size := measure(expression)) > largest
    ]
