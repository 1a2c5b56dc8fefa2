"""Founding: the objects that a cluster makes by itself, from its first start and for every namespace."""

import contextlib
from typing import Final

from kfambassador.local.kube.documents.document import Document, namespace_of, with_metadata
from kfambassador.local.kube.kinds.kind import NAMESPACES, Kind
from kfambassador.local.kube.kinds.status import StatusError
from kfambassador.local.kube.requests.options import WriteOptions
from kfambassador.local.kube.store.storage import Change, Key, StorageFailure, Store
from kfambassador.local.kube.validation.services import FIRST_ADDRESS
from kfambassador.local.kube.writes.deletion import LASTING_NAMESPACES, is_going
from kfambassador.local.kube.writes.writing import Place, Writing

_USE: Final = (
    "Whom to trust when the Kubernetes API is asked by the address of its Service; it vouches for nothing else."
)

#: Who owns the fields of objects that are there from the start, to server-side apply.
FOUNDER: Final = "kube-apiserver"
#: The namespaces that are there from the start; those that last can never be deleted.
FIRST_NAMESPACES: Final = (*LASTING_NAMESPACES, "kube-node-lease")

_CONTROLLER: Final = "kube-controller-manager"
_ACCOUNTS: Final = "serviceaccounts"
_DEFAULT: Final = "default"
_CONFIG_MAPS: Final = "configmaps"
_AUTHORITY: Final = "kube-root-ca.crt"
_API: Final = Key("services", _DEFAULT, "kubernetes")


class Founding:
    """Makes what is always there, and what every namespace has: an account, and whom programs in it are to trust.

    Args:
        store: Where the objects are.
        writing: Writes them.
        kinds: The kinds of what is made, by the resource.
        authority: Who vouches for the API, in PEM; "" for nobody whom programs need to know.
    """

    def __init__(self, store: Store, writing: Writing, kinds: dict[str, Kind], authority: str) -> None:
        self._store = store
        self._writing = writing
        self._kinds = kinds
        self._trusted: Document = {"ca.crt": authority} if authority else {}

    def found(self) -> None:
        """Make what is not there yet."""
        for name in FIRST_NAMESPACES:
            if self._store.get(Key(NAMESPACES, "", name)) is None:
                self._create(_describe("v1", "Namespace", name), FOUNDER)
        for record in self._store.records(NAMESPACES):
            self._settle(record.key.name)
        self._serve_api()

    def follow(self, change: Change) -> None:
        """Give a new namespace what it has by itself, and make again what was taken away."""
        key = change.last.key
        if key.resource == NAMESPACES and change.before is None:
            self._settle(key.name)
        elif (key.resource, key.name) in {(_ACCOUNTS, _DEFAULT), (_CONFIG_MAPS, _AUTHORITY)}:
            self._settle(key.namespace)
        elif key == _API and change.after is None:
            self._serve_api()

    def _serve_api(self) -> None:
        if self._store.get(_API) is None:
            # Somebody may have taken the address before there was this Service: it stays theirs.
            with contextlib.suppress(StatusError, StorageFailure):
                self._create(_describe_api(), FOUNDER)

    def _settle(self, namespace: str) -> None:
        record = self._store.get(Key(NAMESPACES, "", namespace))
        if record is None or is_going(record.document):
            return
        # What a full disk keeps from being made is made at the next start.
        with contextlib.suppress(StorageFailure):
            if not self._store.get(Key(_ACCOUNTS, namespace, _DEFAULT)):
                self._create(_describe("v1", "ServiceAccount", _DEFAULT, namespace), _CONTROLLER)
            if self._trusted:
                self._tell_authority(namespace)

    def _tell_authority(self, namespace: str) -> None:
        known = self._store.get(Key(_CONFIG_MAPS, namespace, _AUTHORITY))
        if known is None:
            named = _describe("v1", "ConfigMap", _AUTHORITY, namespace)
            described = with_metadata(named, annotations={"kubernetes.io/description": _USE})
            self._create(described | {"data": self._trusted}, _CONTROLLER)
        elif known.document.get("data") != self._trusted and not is_going(known.document):
            place = Place(self._kinds["ConfigMap"], namespace, _AUTHORITY)
            trusted = {"data": self._trusted}
            self._writing.patch(place, lambda document: document | trusted, WriteOptions(manager=_CONTROLLER))

    def _create(self, document: Document, manager: str) -> None:
        place = Place(self._kinds[str(document["kind"])], namespace_of(document))
        self._writing.create(place, document, WriteOptions(manager=manager))


def _describe(version: str, kind: str, name: str, namespace: str = "") -> Document:
    placed = {"namespace": namespace} if namespace else {}
    return {"apiVersion": version, "kind": kind, "metadata": {"name": name} | placed}


def _describe_api() -> Document:
    """The Service of the API.

    Where it leads is not written, as no pod is here to follow it: a loopback address there would make every process of
    this machine look like the API to whoever keeps traffic away from it.
    """
    service = with_metadata(
        _describe("v1", "Service", _API.name, _API.namespace),
        labels={"component": "apiserver", "provider": "kubernetes"},
    )
    ports = [{"name": "https", "protocol": "TCP", "port": 443, "targetPort": 6443}]
    return service | {"spec": {"type": "ClusterIP", "clusterIP": FIRST_ADDRESS, "ports": ports}}
