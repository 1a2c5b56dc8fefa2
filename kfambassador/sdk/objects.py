"""Publications as Kubernetes objects: put there, found again, taken away; nobody else's is touched."""

from collections.abc import Iterable, Iterator
from collections.abc import Mapping as Dict

from kfambassador.errors import MappingRejected, NotFound
from kfambassador.kube.client import KubeClient
from kfambassador.kube.kinds import ENDPOINT_SLICE, SERVICE
from kfambassador.names import MANAGED_BY, MANAGED_BY_LABEL
from kfambassador.problems import Fault, ObjectKey, Origin
from kfambassador.resources.fields import as_object, as_objects, as_text
from kfambassador.resources.objects import object_key
from kfambassador.sdk.publication import NAME_LABEL, Plan, Publication, read_publication

#: Everything a publication may consist of; the Service first, because without it nothing is served.
_KINDS = {kind.kind: kind for kind in (SERVICE, ENDPOINT_SLICE)}


def apply_plan(client: KubeClient, plan: Plan) -> str:
    """Make it so: apply the plan's objects, and delete what an earlier plan of that name left behind.

    Returns:
        The resourceVersion of the Service that carries the mappings.

    Raises:
        MappingRejected: Somebody else holds a name, or the model's Service is the one it is published by.
        Conflict: Somebody else holds a field.
    """
    publication = plan.publication
    wanted = [object_key(manifest) for manifest in plan.manifests]
    before = _find_objects(client, publication.namespace, publication.name)
    _refuse_itself(publication, before)
    for key in wanted:
        if key not in before:
            _refuse_foreign(client, key, name=publication.name)
    applied = [client.apply(manifest) for manifest in plan.manifests]
    for key in before:
        if key not in wanted:
            _delete(client, key)
    carrier = applied[wanted.index(publication.carrier)]
    return str(carrier["metadata"]["resourceVersion"])


def list_publications(
    client: KubeClient, namespace: str, *, name: str | None = None
) -> Iterator[tuple[Publication, str]]:
    """Yield what is published in a namespace, each with its resourceVersion; only what has the name, if one is said."""
    listing = client.list(SERVICE, namespace=namespace, label_selector=_select(name))
    for manifest in listing.items:
        publication = read_publication(manifest)
        if publication.mappings:
            yield publication, str(manifest["metadata"]["resourceVersion"])


def delete_publication(client: KubeClient, namespace: str, name: str) -> tuple[ObjectKey, ...]:
    """Delete all objects of a publication; give those that were there."""
    found = _find_objects(client, namespace, name)
    for key in found:
        _delete(client, key)
    return tuple(found)


def _delete(client: KubeClient, key: ObjectKey) -> None:
    client.delete(_KINDS[key.kind], key.name, namespace=key.namespace)


def _find_objects(client: KubeClient, namespace: str, name: str) -> list[ObjectKey]:
    return [
        object_key(manifest)
        for kind in _KINDS.values()
        for manifest in client.list(kind, namespace=namespace, label_selector=_select(name)).items
    ]


def _select(name: str | None) -> str:
    ours = f"{MANAGED_BY_LABEL}={MANAGED_BY}"
    return ours if name is None else f"{ours},{NAME_LABEL}={name}"


def _refuse_itself(publication: Publication, before: Iterable[ObjectKey]) -> None:
    """Refuse to look for the model behind the Service that carries its mappings: there is none, and it would go."""
    key = ObjectKey("Service", publication.namespace, publication.name)
    if publication.carrier != key and key in before:
        message = f"{key} only carries the mappings of {publication.name!r}; say where the model is with service=..."
        raise MappingRejected(f"{key.name} is not published:", [Fault("own-service", message).at(Origin(key))])


def _refuse_foreign(client: KubeClient, key: ObjectKey, *, name: str) -> None:
    try:
        found = client.get(_KINDS[key.kind], key.name, namespace=key.namespace)
    except NotFound:
        return
    labels = as_object(as_object(found.get("metadata")).get("labels"))
    if labels.get(MANAGED_BY_LABEL) == MANAGED_BY and labels.get(NAME_LABEL) == name:
        return  # another process has published the same a moment ago
    message = (
        f"{key} is there already, and {_describe_owner(found)}. It is left alone: publish by another name, or take "
        "it away first"
    )
    raise MappingRejected(f"{key.name} is not published:", [Fault("name-taken", message).at(Origin(key))])


def _describe_owner(manifest: Dict[str, object]) -> str:
    """Say whose an object is, by whatever it tells of that."""
    metadata = as_object(manifest.get("metadata"))
    labels = as_object(metadata.get("labels"))
    published = as_text(labels.get(NAME_LABEL))
    if labels.get(MANAGED_BY_LABEL) == MANAGED_BY:
        return f"it belongs to {published!r}, published from Python or the command line"
    if labels.get(MANAGED_BY_LABEL):
        return f"it is managed by {labels[MANAGED_BY_LABEL]}"
    for owner in as_objects(metadata.get("ownerReferences")):
        return f"it belongs to {owner.get('kind')} {owner.get('name')}"
    for manager in as_objects(metadata.get("managedFields")):
        return f"{manager.get('manager')} wrote it"
    return "it is somebody else's"
