"""Somebody else's Service as the carrier of mappings: annotated, and left as it was afterwards."""

from collections.abc import Mapping as Dict
from typing import Any, Final

from kfambassador.errors import Conflict, MappingRejected
from kfambassador.kube.client import KubeClient
from kfambassador.kube.kinds import SERVICE
from kfambassador.names import (
    CONFIG_ANNOTATION,
    EXPIRES_ANNOTATION,
    EXPOSURE_ANNOTATION,
    EXPOSURE_LABEL,
    OWNER_ANNOTATION,
)
from kfambassador.problems import Fault, ObjectKey, Origin
from kfambassador.resources.fields import as_object, as_text
from kfambassador.sdk.publishing.annotations import put_documents, take_documents
from kfambassador.sdk.publishing.owners import owner_of
from kfambassador.sdk.publishing.publication import (
    Manifest,
    Publication,
    annotate,
    list_documents,
    read_publication,
)

#: How Kubernetes says that an object is not the version that was read.
CAME_BEFORE: Final = "has been modified"


def annotate_carrier(client: KubeClient, publication: Publication, *, seen: str | None = None) -> dict[str, Any]:
    """Put a publication's mappings into somebody else's Service; give it as it is then.

    Args:
        client: The Kubernetes API.
        publication: What is published.
        seen: The resourceVersion it was planned from, "" where nothing was published then; None whatever it is.

    Raises:
        NotFound: There is no such Service.
        Conflict: Somebody else has changed it since.
        MappingRejected: It carries another publication already.
    """
    key = publication.carrier
    stored = client.get(SERVICE, key.name, namespace=key.namespace)
    metadata = as_object(stored.get("metadata"))
    is_named = as_object(metadata.get("labels")).get(EXPOSURE_LABEL) == publication.name
    is_published = is_named and bool(read_publication(stored).mappings)
    if (seen and metadata.get("resourceVersion") != seen) or (seen == "" and is_published):
        raise tell_before(key)
    patch = {"metadata": write_annotated(publication, stored)}
    return client.patch(SERVICE, key.name, patch, namespace=key.namespace)


def write_annotated(publication: Publication, stored: Dict[str, Any]) -> Manifest:
    """Write the metadata that somebody else's Service gets, for the version of it that was read."""
    _refuse_shared(publication, stored)
    metadata = as_object(stored.get("metadata"))
    text = as_text(as_object(metadata.get("annotations")).get(CONFIG_ANNOTATION))
    documents = put_documents(text, list_documents(publication), exposure=publication.name)
    notes = {EXPIRES_ANNOTATION: None, OWNER_ANNOTATION: None, **annotate(publication)}
    return {
        "resourceVersion": metadata.get("resourceVersion"),
        "labels": {EXPOSURE_LABEL: publication.name},
        "annotations": {CONFIG_ANNOTATION: documents, **notes},
    }


def take_annotations(client: KubeClient, key: ObjectKey, *, exposure: str) -> str:
    """Take an exposure's part out of somebody else's Service, which stays as it was before.

    Returns:
        The resourceVersion it has then where it carries configuration of others; "" where it carries none.

    Raises:
        NotFound: There is no such Service.
        Conflict: Somebody else changed it at the same moment.
    """
    metadata = as_object(client.get(SERVICE, key.name, namespace=key.namespace)["metadata"])
    text = as_text(as_object(metadata.get("annotations")).get(CONFIG_ANNOTATION))
    ours = (EXPOSURE_ANNOTATION, OWNER_ANNOTATION, EXPIRES_ANNOTATION)
    others = take_documents(text, exposure=exposure)
    patch = {
        "resourceVersion": metadata.get("resourceVersion"),
        "labels": {EXPOSURE_LABEL: None},
        "annotations": {CONFIG_ANNOTATION: others or None} | dict.fromkeys(ours),
    }
    left = client.patch(SERVICE, key.name, {"metadata": patch}, namespace=key.namespace)
    return as_text(as_object(left.get("metadata")).get("resourceVersion")) if others else ""


def _refuse_shared(publication: Publication, stored: Dict[str, Any]) -> None:
    """Refuse to publish twice by one Service: there is one note on it, and the first would not be found again."""
    name = as_object(as_object(stored.get("metadata")).get("labels")).get(EXPOSURE_LABEL)
    if name is None or name == publication.name or not read_publication(stored).mappings:
        return
    key = publication.carrier
    message = (
        f"{key} carries the mappings of {name!r} already, and {owner_of(stored)}. Publish by that name, or leave the "
        f"Service as it is with service='{key.name}'"
    )
    raise MappingRejected(f"{publication.name} is not published:", [Fault("name-taken", message).at(Origin(key))])


def tell_before(key: ObjectKey) -> Conflict:
    """The error of whoever comes second, in the words of Kubernetes."""
    return Conflict(f"{key} {CAME_BEFORE} by somebody else at the same moment", status=409, reason="Conflict")
