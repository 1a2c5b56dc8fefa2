"""Last applied: what kubectl notes when it applies by itself, and how it goes by that when the server applies. Pure.

Both ways of applying are one person's to kubectl: whoever turns from the first to the second meets no conflict with
themselves, and whoever turns back finds noted what was applied meanwhile.
"""

import json
from typing import Final

from kfambassador.local.kube.documents.document import Document, metadata_of, with_metadata
from kfambassador.local.kube.documents.metadata import ANNOTATION_LIMIT
from kfambassador.local.kube.kinds import ownership
from kfambassador.local.kube.kinds.ownership import Applied, ApplyConflict, Owner
from kfambassador.local.kube.schemas.fields import Paths, changed_fields, list_fields
from kfambassador.local.kube.schemas.schema import Schema
from kfambassador.local.kube.schemas.typed import find_misfits

#: Where client-side apply notes what it applied.
LAST_APPLIED: Final = "kubectl.kubernetes.io/last-applied-configuration"

#: The one field manager this is about: another name opts out.
_KUBECTL: Final = "kubectl"


def apply(schema: Schema, live: Document | None, applied: Document, *, owner: Owner, force: bool) -> Applied:
    """Merge what someone applies into the live object, as :func:`.ownership.apply` does.

    Where that is kubectl, fields which are as its client-side apply has left them may be taken over.

    Args:
        schema: The kind's schema.
        live: The object as it is, None when it is new.
        applied: What is applied.
        owner: Who applies.
        force: Whether to take fields over from others.

    Raises:
        ApplyConflict: When fields of others would change and ``force`` is not set.
    """
    try:
        return ownership.apply(schema, live, applied, owner=owner, force=force)
    except ApplyConflict as error:
        free = _list_own(schema, live, owner.api_version) if live and owner.manager == _KUBECTL else frozenset()
        if left := tuple(conflict for conflict in error.conflicts if conflict[1] not in free):
            raise ApplyConflict(left) from error
        return ownership.apply(schema, live, applied, owner=owner, force=True)


def _list_own(schema: Schema, live: Document, api_version: str) -> Paths:
    # The fields that client-side apply has written and nobody has changed since.
    try:
        last = json.loads(_note_of(live))
    except ValueError:
        return frozenset()
    if not isinstance(last, dict) or last.get("apiVersion") != api_version or any(find_misfits(schema, last)):
        return frozenset()
    fields = list_fields(schema, last)
    return frozenset(fields) - changed_fields(list_fields(schema, live), fields)


def note(document: Document, sent: Document, manager: str) -> Document:
    """Note what kubectl applied on the server's side, where its client-side apply has noted something before.

    Args:
        document: The object as it will be.
        sent: What was applied.
        manager: Who applied it.

    Example:
        >>> web = {"metadata": {"annotations": {LAST_APPLIED: "{}"}}}
        >>> print(note(web, {"kind": "ConfigMap"}, "kubectl")["metadata"]["annotations"][LAST_APPLIED], end="")
        {"kind":"ConfigMap"}
        >>> note(web, {"kind": "ConfigMap"}, "me") == web
        True
    """
    if manager != _KUBECTL or not _note_of(document):
        return document
    named = metadata_of(sent).get("annotations")
    if isinstance(named, dict):
        sent = with_metadata(sent, annotations={key: text for key, text in named.items() if key != LAST_APPLIED})
    text = json.dumps(sent, ensure_ascii=False, separators=(",", ":"), sort_keys=True) + "\n"
    annotations: Document = metadata_of(document)["annotations"] | {LAST_APPLIED: text}
    # What would not fit is not noted: better no note than one of something else.
    if sum(len(key.encode()) + len(value.encode()) for key, value in annotations.items()) > ANNOTATION_LIMIT:
        del annotations[LAST_APPLIED]
    return with_metadata(document, annotations=annotations)


def _note_of(document: Document) -> str:
    annotations = metadata_of(document).get("annotations")
    noted = annotations.get(LAST_APPLIED) if isinstance(annotations, dict) else None
    return noted if isinstance(noted, str) else ""
