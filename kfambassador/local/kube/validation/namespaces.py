"""Admission: what the API fills in and checks for kinds with small rules of their own. Pure."""

from kfambassador.local.kube.documents.document import Document, name_of
from kfambassador.local.kube.kinds.kind import Admitted, Index


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
