"""Control: what the API checks when certificates are asked for and other servers are named. Pure."""

import base64
import binascii
from collections.abc import Iterator
from typing import Final

from kfambassador.local.kube.documents.document import Document, name_of
from kfambassador.local.kube.documents.faults import Fault, FieldFault
from kfambassador.local.kube.kinds.kind import Admitted, Index
from kfambassador.local.kube.validation.idle import make_condition, with_idle_status

_HEAD: Final = b"-----BEGIN CERTIFICATE REQUEST-----"
_SHORTEST: Final = 600


def admit_signing_request(request: Document, before: Document | None, _index: Index) -> Admitted:
    """Check a request for a certificate. What it asks for stays what it was."""
    if before is not None:
        return Admitted(request | {"spec": before["spec"]})
    return Admitted(request, tuple(_check_request(request.get("spec") or {})))


def _check_request(spec: Document) -> Iterator[FieldFault]:
    try:
        sent = base64.b64decode(str(spec.get("request", "")), validate=True)
    except binascii.Error:
        sent = b""
    if _HEAD not in sent:
        rule = "PEM block type must be CERTIFICATE REQUEST"
        yield FieldFault(Fault.INVALID, "spec.request", rule, spec.get("request"))
    if not spec.get("usages"):
        yield FieldFault(Fault.REQUIRED, "spec.usages")
    signer = str(spec.get("signerName", ""))
    if signer and not all(signer.partition("/")[::2]):
        rule = "must be a fully qualified domain and path of the form 'example.com/signer-name'"
        yield FieldFault(Fault.INVALID, "spec.signerName", rule, signer)
    seconds = spec.get("expirationSeconds")
    if seconds is not None and seconds < _SHORTEST:
        rule = "may not specify a duration less than 600 seconds (10 minutes)"
        yield FieldFault(Fault.INVALID, "spec.expirationSeconds", rule, seconds)


def admit_api_service(api: Document, before: Document | None, _index: Index) -> Admitted:
    """Check who serves a version, and say that nobody else is asked."""
    faults = tuple(_check_api(api))
    return Admitted(api if faults else with_idle_status(api, before, _tell_api), faults)


def _check_api(api: Document) -> Iterator[FieldFault]:
    spec: Document = api.get("spec") or {}
    wanted = f"{spec.get('version', '')}.{spec.get('group', '')}"
    if name_of(api) != wanted:
        rule = f'must be `spec.version+"."+spec.group`: "{wanted}"'
        yield FieldFault(Fault.INVALID, "metadata.name", rule, name_of(api))
    if not spec.get("version"):
        yield FieldFault(Fault.REQUIRED, "spec.version")
    for field, most in (("groupPriorityMinimum", 20000), ("versionPriority", 1000)):
        value = int(spec.get(field) or 0)
        if not 0 < value <= most:
            rule = f"must be positive and less than {most}"
            yield FieldFault(Fault.INVALID, f"spec.{field}", rule, value)
    service: Document | None = spec.get("service")
    if service is not None:
        for field in ("namespace", "name"):
            if not service.get(field):
                yield FieldFault(Fault.REQUIRED, f"spec.service.{field}")


def _tell_api(api: Document, _generation: int) -> Document:
    if not (api.get("spec") or {}).get("service"):
        because = "This API server is asked itself."
        return {"conditions": [make_condition(api, "Available", "True", "Local", because)]}
    why = "This API server forwards no requests to others: what the Service would serve is not served here."
    return {"conditions": [make_condition(api, "Available", "False", "NotForwarded", why)]}
