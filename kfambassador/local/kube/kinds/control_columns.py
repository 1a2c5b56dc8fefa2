"""Columns of what a cluster's own parts go by: who signs, who serves, who comes first, what is attached. Pure."""

from typing import Final

from kfambassador.local.kube.documents.document import Document
from kfambassador.local.kube.kinds.columns import AGE, NAME, NONE, spec_of, status_of, text
from kfambassador.local.kube.kinds.kind import Column

_UNSET: Final = "<unset>"


def _has(document: Document, condition: str) -> bool:
    return any(each.get("type") == condition for each in status_of(document).get("conditions") or ())


def _request_state(request: Document) -> str:
    said = "Denied" if _has(request, "Denied") else "Approved" if _has(request, "Approved") else "Pending"
    said += ",Failed" if _has(request, "Failed") else ""
    return said + (",Issued" if status_of(request).get("certificate") else "")


def _duration(request: Document) -> str:
    seconds = spec_of(request).get("expirationSeconds")
    if seconds is None:
        return NONE
    for unit, length in (("d", 86400), ("h", 3600), ("m", 60)):
        if seconds >= 2 * length or (unit == "d" and seconds >= length):
            return f"{seconds // length}{unit}"
    return f"{seconds}s"


def _serving(api: Document) -> str:
    service = spec_of(api).get("service")
    return f"{service.get('namespace', '')}/{service.get('name', '')}" if service else "Local"


def _is_available(api: Document) -> str:
    for condition in status_of(api).get("conditions") or ():
        if condition.get("type") == "Available":
            is_so = str(condition.get("status"))
            return is_so if is_so == "True" else f"{is_so} ({condition.get('reason', '')})"
    return "Unknown"


def _is_level_missing(schema: Document) -> str:
    for condition in status_of(schema).get("conditions") or ():
        if condition.get("type") == "Dangling":
            return str(condition.get("status"))
    return "?"


def _param_kind(policy: Document) -> str:
    kind = spec_of(policy).get("paramKind")
    return f"{kind.get('apiVersion', '')}/{kind.get('kind', '')}" if kind else _UNSET


def _param(binding: Document) -> str:
    reference = spec_of(binding).get("paramRef")
    if not reference:
        return _UNSET
    namespace = reference.get("namespace") or "*"
    return f"{namespace}/{reference.get('name') or '*'}"


_LIMITED: Final = ("spec", "limited")
_QUEUING: Final = (*_LIMITED, "limitResponse", "queuing")

SIGNING_REQUEST: Final = (
    AGE,
    Column("SignerName", text("spec", "signerName", absent=NONE), description="Who is to sign."),
    Column("Requestor", text("spec", "username"), description="Who asks."),
    Column("RequestedDuration", _duration, description="How long the certificate is to be good."),
    Column("Condition", _request_state, description="What became of it."),
)
API_SERVICE: Final = (
    Column("Service", _serving, description="The Service that serves it, or this server."),
    Column("Available", _is_available, description="Whether it is served."),
    AGE,
)
FLOW_SCHEMA: Final = (
    Column("PriorityLevel", text("spec", "priorityLevelConfiguration", "name"), description="The level."),
    Column("MatchingPrecedence", text("spec", "matchingPrecedence"), type="integer", description="What counts first."),
    Column(
        "DistinguisherMethod", text("spec", "distinguisherMethod", "type", absent=NONE), description="How they differ."
    ),
    AGE,
    Column("MissingPL", _is_level_missing, description="Whether there is no such level."),
)
PRIORITY_LEVEL: Final = (
    Column("Type", text("spec", "type"), description="Limited or Exempt."),
    Column(
        "NominalConcurrencyShares", text(*_LIMITED, "nominalConcurrencyShares", absent=NONE), description="Its share."
    ),
    Column("Queues", text(*_QUEUING, "queues", absent=NONE), description="How many queues there are."),
    Column("HandSize", text(*_QUEUING, "handSize", absent=NONE), description="How many a flow may choose from."),
    Column("QueueLengthLimit", text(*_QUEUING, "queueLengthLimit", absent=NONE), description="How long each may be."),
    AGE,
)
CSI_NODE: Final = (
    Column(
        "Drivers", lambda item: len(spec_of(item).get("drivers") or ()), type="integer", description="How many it has."
    ),
    AGE,
)
VOLUME_ATTACHMENT: Final = (
    Column("Attacher", text("spec", "attacher"), description="Who attaches it."),
    Column("PV", text("spec", "source", "persistentVolumeName"), description="The volume."),
    Column("Node", text("spec", "nodeName"), description="The node."),
    Column(
        "Attached", lambda item: str(bool(status_of(item).get("attached"))).lower(), description="Whether it is there."
    ),
    AGE,
)
ADMISSION_POLICY: Final = (
    Column(
        "Validations",
        lambda item: len(spec_of(item).get("validations") or ()),
        type="integer",
        description="How many rules there are.",
    ),
    Column("ParamKind", _param_kind, description="The kind of what it reads."),
    AGE,
)
ADMISSION_POLICY_BINDING: Final = (
    Column("PolicyName", text("spec", "policyName"), description="The policy."),
    Column("ParamRef", _param, description="What it reads."),
    AGE,
)


def _component(field: str) -> Column:
    def read(component: Document) -> object:
        for condition in component.get("conditions") or ():
            if condition.get("type") == "Healthy":
                if field == "Status":
                    return {"True": "Healthy", "False": "Unhealthy"}.get(str(condition.get("status")), "Unknown")
                return condition.get(field.lower()) or ""
        return ""

    return Column(field, read, description="What was found.")


COMPONENT: Final = (NAME, _component("Status"), _component("Message"), _component("Error"))
