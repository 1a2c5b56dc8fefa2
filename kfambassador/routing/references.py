"""Where a mapping may point: what is refused to everybody, and what another namespace must allow.

What a name means is read from the name and from the Services that are known, as Envoy would meet it: it looks names up
with the search list of its own pod, so ``pod-0.db`` may be a pod of the gateway's namespace. Where an outside name
leads to is DNS's to say at any moment; keeping Envoy from what it may not reach is then for a NetworkPolicy.
"""

import re
from collections.abc import Iterator
from collections.abc import Mapping as Dict
from dataclasses import dataclass
from functools import cached_property
from typing import Final, NamedTuple

from kfambassador.names import ALLOWED_NAMESPACES_ANNOTATION
from kfambassador.problems import Fault, Veil
from kfambassador.resources.endpoints import EndpointSlice
from kfambassador.resources.service import EVERY_NAMESPACE, Service, ServiceKey
from kfambassador.routing.addresses import (
    METADATA,
    Address,
    find_refusal,
    is_loopback,
    is_numeric,
    list_meanings,
    read_address,
    read_dashed,
)
from kfambassador.routing.model import Target
from kfambassador.routing.policy import TenancyPolicy

#: The Service of the Kubernetes API.
API_SERVER: Final = ServiceKey("default", "kubernetes")

# Its names, under any cluster domain.
_API_NAME = re.compile(r"(?:.*\.)?kubernetes\.default(?:\.svc(?:\..*)?|\.cluster\.local)?")
_LOOPBACK_NAME = re.compile(r"(?:.*\.)?localhost|localhost\.localdomain|ip6-(?:localhost|loopback)")
# RFC 6761: localhost and all names below it are loopback. The rest is how clouds name their metadata services.
_METADATA_NAMES: Final = frozenset(
    {"metadata.google.internal", "metadata.goog", "instance-data.ec2.internal", "metadata.tencentyun.com"}
)
_DOMAIN: Final = ["cluster", "local"]


@dataclass(frozen=True)
class Neighbourhood:
    """The Services of the cluster and the addresses they stand for. Built once for each state.

    Attributes:
        services: Every Service that is known.
        endpoints: The EndpointSlices of each.
    """

    services: Dict[ServiceKey, Service]
    endpoints: Dict[ServiceKey, tuple[EndpointSlice, ...]]

    def find_service(self, key: ServiceKey | None) -> Service | None:
        """Find the Service that goes by a name, if there is one."""
        return None if key is None else self.services.get(key)

    @cached_property
    def namespaces(self) -> frozenset[str]:
        """The namespaces that hold any Service."""
        return frozenset(key.namespace for key in self.services)

    def list_changes(self, before: "Neighbourhood") -> frozenset[ServiceKey]:
        """List the Services that came, went or have other settings or addresses than before."""
        changed: set[ServiceKey] = set()
        for old, new in ((before.services, self.services), (before.endpoints, self.endpoints)):
            if old != new:
                changed.update(key for key in old.keys() | new.keys() if old.get(key) != new.get(key))
        return frozenset(changed)

    def find_owners(self, address: Address) -> tuple[ServiceKey, ...]:
        """Find the Services an address stands for, or stands behind."""
        found = {key for each in list_meanings(address) for key in self._owners.get(str(each), ())}
        return tuple(sorted(found))

    @cached_property
    def _owners(self) -> Dict[str, list[ServiceKey]]:
        owners: dict[str, list[ServiceKey]] = {}
        for key, service in self.services.items():
            for address in service.cluster_ips:
                owners.setdefault(_write_plainly(address), []).append(key)
        for key, slices in self.endpoints.items():
            for address in {address for each in slices for address in each.addresses}:
                owners.setdefault(_write_plainly(address), []).append(key)
        return owners


class _Place(NamedTuple):
    """One place a mapping would reach, and how to name it to a person."""

    host: str
    port: int
    shown: str


def check_reference(
    target: Target, namespace: str, *, service: Service | None, known: Neighbourhood, policy: TenancyPolicy
) -> tuple[Fault, ...]:
    """Judge where a mapping points.

    Args:
        target: Where.
        namespace: The mapping's own namespace.
        service: The Service that goes by the target's name, if there is one.
        known: All that is known of the cluster.
        policy: What the platform's owner allows.

    Returns:
        Nothing, or why the mapping is left out: ``forbidden-target`` or ``reference-not-granted``.

    Example:
        >>> nobody = Neighbourhood({}, {})
        >>> check_reference(Target("127.1", 80), "team", service=None, known=nobody, policy=TenancyPolicy())[0].code
        'forbidden-target'
    """
    if stays_home(target, namespace, service=service, policy=policy):
        return ()
    for place in _follow(target, known, policy):
        reason = _find_reason(place, known, policy)
        if reason:
            message = f"{place.shown} is {reason}; no mapping may point there, so name another service"
            return (Fault("forbidden-target", message, path="service"),)
        refusal = _find_ungranted(place, namespace, known, policy)
        if refusal:
            return (refusal,)
    return ()


def stays_home(target: Target, namespace: str, *, service: Service | None, policy: TenancyPolicy) -> bool:
    """Tell whether a mapping surely points at its own namespace, as nearly all do, whatever else the cluster holds.

    Envoy is given the Service's addresses, and its name can mislead nobody.

    Args:
        target: Where it points.
        namespace: The mapping's own namespace.
        service: The Service that goes by the target's name, if there is one.
        policy: What the platform's owner allows.
    """
    if service is None or service.key.namespace != namespace:
        return False
    own = (target.host, target.port) in policy.own_addresses
    return not (own or service.external_name or service.key == API_SERVER)


def is_forbidden_address(address: str, policy: TenancyPolicy, *, port: int | None = None) -> bool:
    """Tell whether an endpoint's address is none that traffic may be sent to; a tenant can write EndpointSlices.

    Args:
        address: The address; what is none is forbidden, because Envoy would refuse the whole cluster for it.
        policy: What the platform's owner allows.
        port: The endpoint's port, to keep it from being one of our own.

    Example:
        >>> is_forbidden_address("169.254.169.254", TenancyPolicy()), is_forbidden_address("10.0.0.1", TenancyPolicy())
        (True, False)
    """
    read = read_address(address)
    if read is None or find_refusal(read) or (is_loopback(read) and not policy.loopback):
        return True
    return port is not None and _is_own(address, port, policy)


def _follow(target: Target, known: Neighbourhood, policy: TenancyPolicy) -> Iterator[_Place]:
    """List the places a target leads to: itself, and what ExternalName Services make of it."""
    ahead = [_Place(_bare(target.host), target.port, repr(f"{target.host}:{target.port}"))]
    passed: set[ServiceKey] = set()
    for place in ahead:
        yield place
        for key in _list_services(place.host, known, policy):
            name = known.services[key].external_name if key in known.services else ""
            if name and key not in passed:
                passed.add(key)
                shown = f"{name!r}, the external name of Service {key.namespace}/{key.name},"
                ahead.append(_Place(_bare(name), target.port, shown))


def _bare(host: str) -> str:
    return host.lower().strip("[]").rstrip(".")


# What is refused to everybody


def _find_reason(place: _Place, known: Neighbourhood, policy: TenancyPolicy) -> str:
    """Say what a place is that no mapping may point to; "" when it is none of these."""
    host, address = place.host, _find_address(place.host)
    if is_numeric(host):
        return "read as an IP address by some and as a name by others"
    if _is_own(host, place.port, policy):
        return "a control port of the gateway itself"
    if _is_here(host, address) and not policy.loopback:
        return "loopback, which is the gateway's own machine"
    if _API_NAME.fullmatch(host) or API_SERVER in _list_services(host, known, policy):
        return "the Kubernetes API server"
    if host in _METADATA_NAMES:
        return METADATA
    return "" if address is None else find_refusal(address)


def _is_own(host: str, port: int, policy: TenancyPolicy) -> bool:
    return any(port == own and _is_same(host, _bare(name)) for name, own in policy.own_addresses)


def _is_same(host: str, own: str) -> bool:
    """Tell whether two hosts are the same; what listens on all addresses is met on loopback."""
    if host == own:
        return True
    one, other = _find_address(host), _find_address(own)
    if one is not None and other is not None and not set(list_meanings(one)).isdisjoint(list_meanings(other)):
        return True
    listens = _is_here(own, other) or (other is not None and other.is_unspecified)
    return listens and _is_here(host, one)


def _is_here(host: str, address: Address | None) -> bool:
    return _LOOPBACK_NAME.fullmatch(host) is not None if address is None else is_loopback(address)


def _find_address(host: str) -> Address | None:
    """The address a host is, or that its name spells: cluster DNS answers the name of any pod with what it spells."""
    address = read_address(host)
    if address is not None:
        return address
    labels = _split(host)
    return read_dashed(labels[0]) if len(labels) > 2 and labels[-1] == "pod" else None  # noqa: PLR2004


# What another namespace must allow


def _find_ungranted(place: _Place, namespace: str, known: Neighbourhood, policy: TenancyPolicy) -> Fault | None:
    """Say which Service of another namespace does not allow this one to point at it; None when all do."""
    if not policy.references or policy.is_home(namespace):
        return None
    keys = _list_services(place.host, known, policy)
    if _find_address(place.host) is not None and any(key.namespace == namespace for key in keys):
        return None  # the addresses of a machine stand behind Services of many namespaces, and one is its own
    for key in keys:
        service = known.services.get(key)
        granted = service.allowed_namespaces if service else frozenset()
        if key.namespace != namespace and granted.isdisjoint({EVERY_NAMESPACE, namespace}):
            message = _write_refusal(place, namespace, key, service)
            # The same whether there is such a Service or not, and whomever else it allows.
            veiled = (
                f"{place.shown} is of another namespace, where no Service allows namespace {namespace} to point there; "
                f"name one that has the annotation {ALLOWED_NAMESPACES_ANNOTATION}: {namespace}"
            )
            return Fault("reference-not-granted", message, path="service", veil=Veil(key.namespace, veiled))
    return None


def _write_refusal(place: _Place, namespace: str, key: ServiceKey, service: Service | None) -> str:
    if service is None:
        return (
            f"{place.shown} is of namespace {key.namespace}, where no Service {key.name} allows namespace {namespace} "
            f"to point there; name one that has the annotation {ALLOWED_NAMESPACES_ANNOTATION}: {namespace}"
        )
    allowed = ",".join(sorted({*service.allowed_namespaces, namespace}))
    return (
        f"{place.shown} is Service {key.namespace}/{key.name}, which does not allow namespace {namespace} to point at "
        f"it; its owner can set the annotation {ALLOWED_NAMESPACES_ANNOTATION}: {allowed} on that Service"
    )


def _list_services(host: str, known: Neighbourhood, policy: TenancyPolicy) -> tuple[ServiceKey, ...]:
    """List the Services that a host may lead to, of whatever namespace; also such that are not known."""
    address = _find_address(host)
    labels = _split(host)
    if address is not None:
        owners = known.find_owners(address)
        # Who stands in the name does not bind: any namespace's name spells any address.
        return owners if owners or labels[-1] != "pod" else (ServiceKey(labels[-2], labels[0]),)
    return tuple(dict.fromkeys(_read_name(labels, known, policy)))


def _read_name(labels: list[str], known: Neighbourhood, policy: TenancyPolicy) -> Iterator[ServiceKey]:
    # [pod.]service.namespace.svc[.cluster domain]
    for place in range(2, len(labels)):
        if labels[place] == "svc":
            key = ServiceKey(labels[place - 1], labels[place - 2])
            if place == len(labels) - 1 or key in known.services:
                yield key
                return
    if len(labels) > 1:
        # [pod.]service.namespace
        key = ServiceKey(labels[-1], labels[-2])
        if key in known.services:
            yield key
            return
        if len(labels) == 2 and key.namespace in known.namespaces:  # noqa: PLR2004 - service and namespace
            yield key
    if policy.gateway_namespace is not None:
        # [pod.]service, looked up from where Envoy runs. A name of one label is found nowhere else.
        key = ServiceKey(policy.gateway_namespace, labels[-1])
        if len(labels) == 1 or key in known.services:
            yield key


def _split(host: str) -> list[str]:
    labels = host.split(".")
    return labels[:-2] if labels[-2:] == _DOMAIN and len(labels) > len(_DOMAIN) else labels


def _write_plainly(address: str) -> str:
    return str(read_address(address) or address) if ":" in address else address
