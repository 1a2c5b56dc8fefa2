"""Patching: what the body of a patch does to an object, in each language there is for it. Pure."""

from collections.abc import Callable
from typing import Final

from kfambassador.local.kube.documents.document import Document, Json
from kfambassador.local.kube.kinds import status
from kfambassador.local.kube.kinds.kind import Kind
from kfambassador.local.kube.requests import bodies
from kfambassador.local.kube.writes.patches import BadPatch, LongPatch, UnfitPatch, json_patch, merge_patch
from kfambassador.local.kube.writes.preparation import as_document
from kfambassador.local.kube.writes.strategic import strategic_patch

_JSON_PATCH: Final = "application/json-patch+json"
_MERGE_PATCH: Final = "application/merge-patch+json"
_STRATEGIC_PATCH: Final = "application/strategic-merge-patch+json"
#: The language of server-side apply, which needs to know who applies.
APPLY_PATCH: Final = "application/apply-patch+yaml"


def read_change(
    kind: Kind, language: str, body: bytes, complaints: list[str] | None = None
) -> Callable[[Document], Document]:
    """Read what a patch does to an object.

    Args:
        kind: The object's kind.
        language: The media type of the body; server-side apply is not among them.
        body: The patch.
        complaints: Takes up what is odd in the patch, though it can be read.

    Raises:
        StatusError: When the language or the patch cannot be read.
    """
    changes: dict[str, Callable[[Json, Json], Json]] = {_JSON_PATCH: json_patch, _MERGE_PATCH: merge_patch}
    if not kind.is_custom:
        changes[_STRATEGIC_PATCH] = lambda target, patch: strategic_patch(target, patch, kind.schema)
    if language not in changes:
        raise status.unsupported_media_type(language, (*changes, APPLY_PATCH))
    wanted = bodies.read_json(body, complaints)

    def change(document: Document) -> Document:
        try:
            return as_document(changes[language](document, wanted))
        except BadPatch as error:
            raise status.bad_request(str(error)) from error
        except LongPatch as error:
            raise status.too_long_patch(str(error)) from error
        except UnfitPatch as error:
            raise status.unprocessable(str(error)) from error

    return change
