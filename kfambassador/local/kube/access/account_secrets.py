"""Account secrets: Secrets that ask for a ServiceAccount's token, which are given one that ends with them."""

import base64
import contextlib
from typing import Final

from kfambassador.local.kube.access.authentication import Authentication, Bound
from kfambassador.local.kube.documents.document import Document, metadata_of, with_metadata
from kfambassador.local.kube.kinds.status import StatusError
from kfambassador.local.kube.registry.builtin import BUILTIN
from kfambassador.local.kube.requests.options import WriteOptions
from kfambassador.local.kube.store.storage import Change, Key, StorageFailure, Store
from kfambassador.local.kube.writes.deletion import is_going
from kfambassador.local.kube.writes.writing import Place, Writing

_TYPE: Final = "kubernetes.io/service-account-token"
_ACCOUNT: Final = "kubernetes.io/service-account"
_SECRET: Final = next(kind for kind in BUILTIN if kind.name == "Secret")
_WRITER: Final = "kube-controller-manager"
_SECONDS: Final = 1 << 32  # as good as for ever: such a token ends with its Secret or its account


class AccountSecrets:
    """Fills Secrets of type ``kubernetes.io/service-account-token`` that name an account which is there.

    Args:
        store: Where the accounts are.
        writing: Writes the Secrets.
        authentication: Makes the tokens.
        authority: Who vouches for the API, in PEM.
    """

    def __init__(self, store: Store, writing: Writing, authentication: Authentication, authority: str) -> None:
        self._store = store
        self._writing = writing
        self._authentication = authentication
        self._authority = authority

    def follow(self, change: Change) -> None:
        """Fill a Secret that asks for a token and has none."""
        record = change.last
        if record.key.resource != _SECRET.resource or change.after is None or is_going(record.document):
            return
        secret = record.document
        if secret.get("type") != _TYPE or (secret.get("data") or {}).get("token"):
            return
        name = (metadata_of(secret).get("annotations") or {}).get(f"{_ACCOUNT}.name", "")
        account = self._store.get(Key("serviceaccounts", record.key.namespace, name))
        if account is None or is_going(account.document):
            return
        place = Place(_SECRET, record.key.namespace, record.key.name)
        filled = self._fill(secret, account.document)
        # A disk that is full leaves it without a token; whoever writes it again asks again.
        with contextlib.suppress(StatusError, StorageFailure):
            self._writing.patch(place, lambda _: filled, WriteOptions(manager=_WRITER))

    def _fill(self, secret: Document, account: Document) -> Document:
        metadata = metadata_of(secret)
        bound = Bound("Secret", metadata["name"], metadata["uid"])
        token, _ = self._authentication.issue(account, seconds=_SECONDS, bound=bound)
        told = {"token": token, "ca.crt": self._authority, "namespace": metadata["namespace"]}
        data = {key: base64.b64encode(text.encode()).decode() for key, text in told.items()}
        annotations = metadata["annotations"] | {f"{_ACCOUNT}.uid": metadata_of(account)["uid"]}
        return with_metadata(secret, annotations=annotations) | {"data": (secret.get("data") or {}) | data}
