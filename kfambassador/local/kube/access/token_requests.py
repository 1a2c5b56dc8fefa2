"""Token requests: a ServiceAccount's token, for whoever may ask for one."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Final

from kfambassador.local.kube.access.authentication import AUDIENCES, BINDABLE, Authentication, Bound
from kfambassador.local.kube.documents.document import Document, metadata_of, name_of
from kfambassador.local.kube.documents.faults import Fault, FieldFault
from kfambassador.local.kube.kinds import status
from kfambassador.local.kube.registry.builtin import BUILTIN, TOKEN_REQUEST
from kfambassador.local.kube.schemas.structure import fill
from kfambassador.local.kube.store.storage import Store
from kfambassador.local.kube.writes.preparation import as_document, read_document
from kfambassador.local.kube.writes.writing import Place, check_identity

#: The shortest a cluster lets a token live, in seconds.
SHORTEST: Final = 600.0

_LONGEST: Final = 1 << 32


class TokenRequests:
    """Gives out tokens of ServiceAccounts.

    Args:
        store: Where the ServiceAccounts are.
        authentication: Makes the tokens.
        shortest: The shortest a token may live, in seconds.
    """

    def __init__(self, store: Store, authentication: Authentication, *, shortest: float = SHORTEST) -> None:
        self._store = store
        self._authentication = authentication
        self._shortest = shortest

    def answer(self, account: Place, question: Document) -> Document:
        """Answer a TokenRequest.

        Args:
            account: Where the ServiceAccount is.
            question: The TokenRequest.

        Raises:
            StatusError: When there is no such ServiceAccount, or the request is refused.
        """
        record = self._store.get(account.key)
        if record is None:
            raise status.not_found(account.kind, account.name)
        kind = TOKEN_REQUEST
        question = check_identity(Place(kind, account.namespace), question)
        read = read_document(kind, question, validation="Ignore").document
        spec: Document = as_document(fill(kind.schema.properties["spec"], read.get("spec") or {}))
        if faults := list(self._check(spec)):
            raise status.invalid(kind, "", faults)
        spec["audiences"] = spec.get("audiences") or list(AUDIENCES)
        token, end = self._authentication.issue(
            record.document,
            seconds=spec["expirationSeconds"],
            audiences=spec["audiences"],
            bound=self._find_bound(account.namespace, spec),
        )
        told = {"token": token, "expirationTimestamp": datetime.fromtimestamp(end, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")}
        metadata = {"name": account.name, "namespace": account.namespace}
        return {"kind": kind.name, "apiVersion": kind.api_version, "metadata": metadata, "spec": spec, "status": told}

    def _check(self, spec: Document) -> Iterator[FieldFault]:
        seconds, field = spec["expirationSeconds"], "spec.expirationSeconds"
        if seconds < self._shortest:
            told = "10 minutes" if self._shortest == SHORTEST else f"{self._shortest:g} seconds"
            yield FieldFault(Fault.INVALID, field, f"may not specify a duration less than {told}", seconds)
        if seconds > _LONGEST:
            yield FieldFault(Fault.INVALID, field, "may not specify a duration larger than 2^32 seconds", seconds)

    def _find_bound(self, namespace: str, spec: Document) -> Bound | None:
        reference = spec.get("boundObjectRef")
        if not reference:
            return None
        kind, name = reference.get("kind", ""), reference.get("name", "")
        if kind not in BINDABLE or reference.get("apiVersion", "v1") != "v1":
            found = f"{reference.get('apiVersion', '')}, Kind={kind}"
            raise status.bad_request(f"cannot bind token for serviceaccount to object of type {found}")
        place = Place(next(each for each in BUILTIN if each.name == kind), namespace, name)
        record = self._store.get(place.key)
        if record is None:
            raise status.not_found(place.kind, name)
        uid = metadata_of(record.document)["uid"]
        if reference.get("uid") not in {None, "", uid}:
            because = f"the UID in the bound object reference ({reference['uid']}) does not match the UID in record."
            raise status.conflict(place.kind, name, f"{because} The object might have been deleted and then recreated")
        return Bound(kind, name_of(record.document), uid)
