"""Columns: what kubectl shows of the built-in kinds that run nothing. Pure.

Where a kind's table has its age in the middle, :data:`AGE` stands among its columns.
"""

from collections.abc import Callable
from typing import Final

from kfambassador.local.kube.documents.document import Document, metadata_of, name_of
from kfambassador.local.kube.kinds.kind import Column

_SHOWN: Final = 3  # addresses shown before "+ n more..."
NONE: Final = "<none>"
#: How old an object is.
NAME: Final = Column("Name", name_of, description="Its name.", format="name")
AGE: Final = Column(
    "Age",
    lambda item: metadata_of(item).get("creationTimestamp"),
    type="date",
    description="How long ago the object was created.",
)


def spec_of(document: Document) -> Document:
    """An object's specification, empty when it has none."""
    spec: Document = document.get("spec") or {}
    return spec


def status_of(document: Document) -> Document:
    """An object's status, empty when it has none."""
    status: Document = document.get("status") or {}
    return status


def join(values: list[str]) -> str:
    """Values with commas between them, or the word for none."""
    return ",".join(values) or NONE


def show_map(found: Document | None) -> str:
    """A map as ``key=value`` with commas between them."""
    return join([f"{key}={value}" for key, value in sorted((found or {}).items())])


def show_selector(selector: Document | None) -> str:
    """A label selector as kubectl writes one.

    Example:
        >>> show_selector({"matchLabels": {"a": "b"}, "matchExpressions": [{"key": "c", "operator": "Exists"}]})
        'a=b,c'
    """
    found = selector or {}
    texts = [f"{key}={value}" for key, value in sorted((found.get("matchLabels") or {}).items())]
    return join(texts + [_show_requirement(each) for each in found.get("matchExpressions") or ()])


def _show_requirement(requirement: Document) -> str:
    key, operator = str(requirement.get("key")), str(requirement.get("operator"))
    values = ",".join(sorted(map(str, requirement.get("values") or ())))
    forms = {"Exists": key, "DoesNotExist": f"!{key}", "In": f"{key} in ({values})", "NotIn": f"{key} notin ({values})"}
    return forms.get(operator, f"{key} {operator} {values}")


def _shorten(values: list[str]) -> str:
    more = f" + {len(values) - _SHOWN} more..." if len(values) > _SHOWN else ""
    return join(values[:_SHOWN]) + more


def text(*path: str, absent: object = "") -> Callable[[Document], object]:
    """A reader of the value under a path, with what is shown where there is none."""

    def read(document: Document) -> object:
        value: object = document
        for name in path:
            value = value.get(name) if isinstance(value, dict) else None
        return absent if value is None or value == "" else value

    return read


def _load_balancers(document: Document) -> list[str]:
    ingress = (status_of(document).get("loadBalancer") or {}).get("ingress") or []
    return [each.get("ip") or each.get("hostname") or "" for each in ingress]


def _external_ips(service: Document) -> str:
    spec = spec_of(service)
    if spec.get("type") == "ExternalName":
        return str(spec.get("externalName"))
    found = _load_balancers(service) + list(spec.get("externalIPs") or [])
    return ",".join(found) or ("<pending>" if spec.get("type") == "LoadBalancer" else NONE)


def _service_ports(service: Document) -> str:
    ports = spec_of(service).get("ports") or []
    return join(
        [
            f"{port['port']}{':' + str(port['nodePort']) if port.get('nodePort') else ''}/{port['protocol']}"
            for port in ports
        ]
    )


def _endpoints(endpoints: Document) -> str:
    return _shorten(
        [
            f"{address.get('ip', '')}:{port.get('port', '')}"
            for subset in endpoints.get("subsets") or ()
            for address in subset.get("addresses") or ()
            for port in subset.get("ports") or ()
        ]
    )


def _slice_ports(endpoints: Document) -> str:
    return _shorten([str(port.get("port", "*")) for port in endpoints.get("ports") or ()]).replace(NONE, "<unset>")


def _slice_addresses(endpoints: Document) -> str:
    found = [address for each in endpoints.get("endpoints") or () for address in each.get("addresses") or ()]
    return _shorten(found).replace(NONE, "<unset>")


def _involved(event: Document) -> str:
    involved = event.get("involvedObject") or {}
    return f"{str(involved.get('kind', '')).lower()}/{involved.get('name', '')}"


def _event_source(event: Document) -> str:
    source = event.get("source") or {}
    component = source.get("component") or event.get("reportingComponent") or ""
    host = source.get("host") or event.get("reportingInstance") or ""
    return f"{component}, {host}" if host else str(component)


def _first_seen(event: Document) -> object:
    return event.get("firstTimestamp") or event.get("eventTime") or metadata_of(event).get("creationTimestamp")


def _last_seen(event: Document) -> object:
    series = event.get("series") or {}
    return series.get("lastObservedTime") or event.get("lastTimestamp") or _first_seen(event)


def _event_count(event: Document) -> object:
    return (event.get("series") or {}).get("count") or event.get("count") or 1


def _hosts(ingress: Document) -> str:
    return _shorten([rule.get("host") or "*" for rule in spec_of(ingress).get("rules") or ()]).replace(NONE, "*")


def _parameters(ingress_class: Document) -> str:
    found = spec_of(ingress_class).get("parameters") or {}
    kind = ".".join(filter(None, (found.get("kind"), found.get("apiGroup"))))
    return f"{kind}/{found.get('name')}" if found else NONE


def _subjects(sort: str) -> Callable[[Document], object]:
    def read(binding: Document) -> str:
        found = [subject for subject in binding.get("subjects") or () if subject.get("kind") == sort]
        names = [
            f"{subject.get('namespace', '')}/{subject['name']}" if sort == "ServiceAccount" else subject["name"]
            for subject in found
        ]
        return ", ".join(names)

    return read


def _count(*names: str) -> Callable[[Document], object]:
    return lambda item: sum(len(item.get(name) or ()) for name in names)


def _created(item: Document) -> object:
    return metadata_of(item).get("creationTimestamp")


NAMESPACE: Final = (Column("Status", text("status", "phase"), description="Whether it is active or going."),)
SERVICE: Final = (
    Column("Type", text("spec", "type"), description="How the Service is reached."),
    Column("Cluster-IP", text("spec", "clusterIP", absent=NONE), description="Its address inside the cluster."),
    Column("External-IP", _external_ips, description="Its addresses outside the cluster."),
    Column("Port(s)", _service_ports, description="Its ports, and those on every node."),
    Column(
        "Selector",
        lambda item: show_map(spec_of(item).get("selector")),
        priority=1,
        description="The labels of its pods.",
    ),
)
ENDPOINTS: Final = (Column("Endpoints", _endpoints, description="Addresses and ports."),)
ENDPOINT_SLICE: Final = (
    Column("AddressType", text("addressType"), description="The type of all addresses."),
    Column("Ports", _slice_ports, description="The ports of every endpoint."),
    Column("Endpoints", _slice_addresses, description="The addresses."),
)
CONFIG_MAP: Final = (Column("Data", _count("data", "binaryData"), type="integer", description="How many entries."),)
SECRET: Final = (
    Column("Type", text("type"), description="What it holds, by convention."),
    Column("Data", _count("data"), type="integer", description="How many entries."),
)
EVENT: Final = (
    Column("Last Seen", _last_seen, type="date", description="When it happened last."),
    Column("Type", text("type"), description="Normal or Warning."),
    Column("Reason", text("reason"), description="Why, in one word."),
    Column("Object", _involved, description="What it is about."),
    Column("Subobject", text("involvedObject", "fieldPath"), priority=1, description="Which part of it."),
    Column("Source", _event_source, priority=1, description="Who tells of it."),
    Column("Message", lambda item: (item.get("message") or "").strip(), description="What happened."),
    Column("First Seen", _first_seen, type="date", priority=1, description="When it happened first."),
    Column("Count", _event_count, type="integer", priority=1, description="How often it happened."),
    Column("Name", name_of, priority=1, description="The event's own name."),
)
SERVICE_ACCOUNT: Final = (Column("Secrets", _count("secrets"), type="integer", description="How many secrets."),)
LEASE: Final = (Column("Holder", text("spec", "holderIdentity"), description="Who holds it."),)
INGRESS: Final = (
    Column("Class", text("spec", "ingressClassName", absent=NONE), description="Its class."),
    Column("Hosts", _hosts, description="The hosts it is about."),
    Column("Address", lambda item: ",".join(_load_balancers(item)), description="Where it is reached."),
    Column("Ports", lambda item: "80, 443" if spec_of(item).get("tls") else "80", description="Its ports."),
)
INGRESS_CLASS: Final = (
    Column("Controller", text("spec", "controller"), description="Who serves Ingresses of the class."),
    Column("Parameters", _parameters, description="The object that configures it."),
)
NETWORK_POLICY: Final = (
    Column(
        "Pod-Selector",
        lambda item: show_selector(spec_of(item).get("podSelector")),
        description="The pods it is about.",
    ),
)
ROLE: Final = (
    Column("Name", name_of, description="Its name."),
    Column("Created At", _created, description="When it was created."),
)
BINDING: Final = (
    Column(
        "Role",
        lambda item: f"{item['roleRef']['kind']}/{item['roleRef']['name']}",
        description="The role that is given.",
    ),
    AGE,
    Column("Users", _subjects("User"), priority=1, description="The users it is given to."),
    Column("Groups", _subjects("Group"), priority=1, description="The groups it is given to."),
    Column("ServiceAccounts", _subjects("ServiceAccount"), priority=1, description="The accounts it is given to."),
)
DEFINITION: Final = ROLE
LIMIT_RANGE: Final = ROLE
