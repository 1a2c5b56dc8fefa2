"""Columns: what kubectl shows of the built-in kinds between an object's name and its age. Pure."""

from typing import Final

from kfambassador.local.kube.documents import Document, name_of
from kfambassador.local.kube.kinds import Column

_NONE: Final = "<none>"
_SHOWN: Final = 3  # addresses shown before "+ n more..."


def _spec(document: Document) -> Document:
    spec: Document = document.get("spec") or {}
    return spec


def _join(values: list[str]) -> str:
    return ",".join(values) or _NONE


def _shorten(values: list[str]) -> str:
    more = f" + {len(values) - _SHOWN} more..." if len(values) > _SHOWN else ""
    return _join(values[:_SHOWN]) + more


def _external_ips(service: Document) -> str:
    spec = _spec(service)
    if spec.get("type") == "ExternalName":
        return str(spec.get("externalName"))
    ingress = ((service.get("status") or {}).get("loadBalancer") or {}).get("ingress") or []
    found = [each.get("ip") or each.get("hostname") or "" for each in ingress] + list(spec.get("externalIPs") or [])
    return ",".join(found) or ("<pending>" if spec.get("type") == "LoadBalancer" else _NONE)


def _service_ports(service: Document) -> str:
    ports = _spec(service).get("ports") or []
    return _join(
        [
            f"{port['port']}{':' + str(port['nodePort']) if port.get('nodePort') else ''}/{port['protocol']}"
            for port in ports
        ]
    )


def _selector(service: Document) -> str:
    return _join([f"{key}={value}" for key, value in (_spec(service).get("selector") or {}).items()])


def _endpoints(endpoints: Document) -> str:
    return _shorten(
        [
            f"{address['ip']}:{port['port']}"
            for subset in endpoints.get("subsets") or ()
            for address in subset.get("addresses") or ()
            for port in subset.get("ports") or ()
        ]
    )


def _slice_ports(endpoints: Document) -> str:
    return _shorten([str(port.get("port", "*")) for port in endpoints.get("ports") or ()]).replace(_NONE, "<unset>")


def _slice_addresses(endpoints: Document) -> str:
    found = [address for each in endpoints.get("endpoints") or () for address in each.get("addresses") or ()]
    return _shorten(found).replace(_NONE, "<unset>")


def _involved(event: Document) -> str:
    involved = event.get("involvedObject") or {}
    return f"{str(involved.get('kind', '')).lower()}/{involved.get('name', '')}"


def _last_seen(event: Document) -> object:
    return (
        (event.get("series") or {}).get("lastObservedTime")
        or event.get("lastTimestamp")
        or event.get("eventTime")
        or event["metadata"].get("creationTimestamp")
    )


def _hosts(ingress: Document) -> str:
    return _shorten([rule.get("host") or "*" for rule in _spec(ingress).get("rules") or ()]).replace(_NONE, "*")


def _status(document: Document) -> Document:
    status: Document = document.get("status") or {}
    return status


def _containers(pod: Document) -> list[Document]:
    listed: list[Document] = _status(pod).get("containerStatuses") or []
    return listed


def _pod_ready(pod: Document) -> str:
    ready = sum(bool(each.get("ready")) for each in _containers(pod))
    return f"{ready}/{len(_spec(pod).get('containers') or ())}"


NAMESPACE: Final = (Column("Status", lambda item: _status(item).get("phase")),)
SERVICE: Final = (
    Column("Type", lambda item: _spec(item).get("type")),
    Column("Cluster-IP", lambda item: _spec(item).get("clusterIP") or _NONE),
    Column("External-IP", _external_ips),
    Column("Port(s)", _service_ports),
)
SERVICE_WIDE: Final = (Column("Selector", _selector, priority=1),)
ENDPOINTS: Final = (Column("Endpoints", _endpoints),)
ENDPOINT_SLICE: Final = (
    Column("AddressType", lambda item: item.get("addressType")),
    Column("Ports", _slice_ports),
    Column("Endpoints", _slice_addresses),
)
CONFIG_MAP: Final = (
    Column("Data", lambda item: len(item.get("data") or {}) + len(item.get("binaryData") or {}), type="integer"),
)
SECRET: Final = (
    Column("Type", lambda item: item.get("type")),
    Column("Data", lambda item: len(item.get("data") or {}), type="integer"),
)
EVENT: Final = (
    Column("Last Seen", _last_seen, type="date"),
    Column("Type", lambda item: item.get("type")),
    Column("Reason", lambda item: item.get("reason")),
    Column("Object", _involved),
    Column("Message", lambda item: (item.get("message") or "").strip()),
)
SERVICE_ACCOUNT: Final = (Column("Secrets", lambda item: len(item.get("secrets") or ()), type="integer"),)
LEASE: Final = (Column("Holder", lambda item: _spec(item).get("holderIdentity")),)
INGRESS: Final = (
    Column("Class", lambda item: _spec(item).get("ingressClassName") or _NONE),
    Column("Hosts", _hosts),
    Column("Address", lambda _: ""),
    Column("Ports", lambda item: "80, 443" if _spec(item).get("tls") else "80"),
)
DEPLOYMENT: Final = (
    Column("Ready", lambda item: f"{_status(item).get('readyReplicas', 0)}/{_spec(item).get('replicas', 1)}"),
    Column("Up-to-date", lambda item: _status(item).get("updatedReplicas", 0), type="integer"),
    Column("Available", lambda item: _status(item).get("availableReplicas", 0), type="integer"),
)
POD: Final = (
    Column("Ready", _pod_ready),
    Column("Status", lambda item: _status(item).get("phase")),
    Column("Restarts", lambda item: sum(each.get("restartCount", 0) for each in _containers(item)), type="integer"),
)
POD_WIDE: Final = (Column("IP", lambda item: _status(item).get("podIP") or _NONE, priority=1),)
ROLE: Final = (
    Column("Name", name_of),
    Column("Created At", lambda item: item["metadata"].get("creationTimestamp")),
)
BINDING: Final = (Column("Role", lambda item: f"{item['roleRef']['kind']}/{item['roleRef']['name']}"),)
DEFINITION: Final = (Column("Created At", lambda item: item["metadata"].get("creationTimestamp")),)
