"""Admission: what the API fills in and checks for kinds with small rules of their own. Pure."""

import base64
import binascii
from collections.abc import Iterator

from kfambassador.local.kube.documents import Document, name_of, without
from kfambassador.local.kube.faults import Fault, FieldFault
from kfambassador.local.kube.kinds import Admitted, Index


def admit_namespace(namespace: Document, _before: Document | None, _index: Index) -> Admitted:
    """Give a namespace its label and its phase, as a cluster does."""
    metadata = namespace["metadata"]
    labels = (metadata.get("labels") or {}) | {"kubernetes.io/metadata.name": name_of(namespace)}
    filled = {
        "metadata": metadata | {"labels": labels},
        "spec": namespace.get("spec") or {"finalizers": ["kubernetes"]},
        "status": namespace.get("status") or {"phase": "Active"},
    }
    return Admitted(namespace | filled)


def admit_secret(secret: Document, before: Document | None, _index: Index) -> Admitted:
    """Turn ``stringData`` into ``data``, and see that ``data`` is base64."""
    plain: dict[str, str] = secret.get("stringData") or {}
    encoded = {key: base64.b64encode(text.encode()).decode() for key, text in plain.items()}
    data: dict[str, str] = (secret.get("data") or {}) | encoded
    faults = [*_check_base64(data, "data"), *_check_immutable(secret, before)]
    filled = {"data": data} if data else {}
    return Admitted(without(secret, "stringData") | filled, tuple(faults))


def admit_config_map(config: Document, before: Document | None, _index: Index) -> Admitted:
    """See that binary data is base64 and that what is immutable stays."""
    faults = [*_check_base64(config.get("binaryData") or {}, "binaryData"), *_check_immutable(config, before)]
    return Admitted(config, tuple(faults))


def admit_endpoint_slice(endpoints: Document, before: Document | None, _index: Index) -> Admitted:
    """Keep the type of address a slice was made with."""
    if before and before.get("addressType") != endpoints.get("addressType"):
        value = endpoints.get("addressType")
        return Admitted(endpoints, (FieldFault(Fault.INVALID, "addressType", "field is immutable", value),))
    return Admitted({"endpoints": [], "ports": []} | endpoints)


def admit_pod(pod: Document, _before: Document | None, _index: Index) -> Admitted:
    """Give a pod its phase. Nothing runs it here: whoever writes its status says where it is."""
    return Admitted(pod | {"status": {"phase": "Pending"} | (pod.get("status") or {})})


def _check_base64(data: dict[str, str], path: str) -> Iterator[FieldFault]:
    for key, text in data.items():
        try:
            base64.b64decode(text, validate=True)
        except (binascii.Error, ValueError):
            # The text may be a secret that somebody forgot to encode: it is not repeated.
            yield FieldFault(Fault.INVALID, f"{path}[{key}]", "must be base64", "<hidden>")


def _check_immutable(document: Document, before: Document | None) -> Iterator[FieldFault]:
    if not before or not before.get("immutable"):
        return
    for field in ("immutable", "data", "binaryData"):
        if document.get(field) != before.get(field):
            yield FieldFault(Fault.FORBIDDEN, field, "field is immutable when `immutable` is set")
