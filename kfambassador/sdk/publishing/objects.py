"""Publications as Kubernetes objects: put there, found again, taken away; nobody else's is touched."""

import random
import re
import time
from collections.abc import Callable, Iterator, Sequence
from collections.abc import Mapping as Dict
from typing import Any, Final, NamedTuple, TypeVar

from kfambassador.errors import ConfigurationError, Conflict, MappingRejected, NotFound
from kfambassador.kube.client import KubeClient
from kfambassador.kube.kinds import SERVICE
from kfambassador.names import (
    CONFIG_ANNOTATION,
    EXPOSURE_LABEL,
    MANAGED_BY,
    MANAGED_BY_LABEL,
    NAME_LABEL,
    OWNER_ANNOTATION,
)
from kfambassador.problems import Fault, ObjectKey, Origin
from kfambassador.resources.fields import as_object, as_text
from kfambassador.resources.objects import object_key
from kfambassador.sdk.publishing.annotating import (
    CAME_BEFORE,
    annotate_carrier,
    take_annotations,
    tell_before,
    write_annotated,
)
from kfambassador.sdk.publishing.owners import owner_of
from kfambassador.sdk.publishing.planning import Plan
from kfambassador.sdk.publishing.publication import (
    Manifest,
    Publication,
    keeping,
    label,
    read_publication,
    write_carrier,
)

#: How often a change is tried again that somebody else's came before.
_CHANCE: Final = random.SystemRandom()  # a seeded notebook keeps its own numbers
_ATTEMPTS: Final = 8
_PAUSE: Final = 0.05
#: What a label can hold (Kubernetes, "Labels and Selectors"): a selector would read anything else as conditions.
_LABEL_VALUE: Final = re.compile(r"[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?")

T = TypeVar("T")


def apply_plan(client: KubeClient, plan: Plan, *, force: bool = False, seen: str | None = None) -> str:
    """Make it so: what the carrier needs, the carrier, and then away with what nothing needs any more.

    Everything that changes traffic is in the carrier, so it changes at one moment.

    Args:
        client: The Kubernetes API.
        plan: What to make.
        force: Take fields over that somebody else applied, instead of raising.
        seen: The carrier's resourceVersion that the plan was made from; "" when there was none, None whichever it is.

    Returns:
        The resourceVersion of the carrier.

    Raises:
        MappingRejected: Somebody else holds a name, or the model's Service is the one it is published by.
        Conflict: Somebody else holds a field, or has changed the carrier since.
    """
    publication = plan.publication
    before = {object_key(manifest): manifest for manifest in _find_objects(client, publication)}
    _refuse_itself(publication, before)
    services = [_adopt(service, publication) for service in plan.services]
    ours = [*map(object_key, services), *([] if publication.annotates else [publication.carrier])]
    for key in ours:
        if key not in before:
            _refuse_foreign(client, key, name=publication.name)
    if seen == "" and not publication.annotates:
        seen = _claim(client, publication)
    for service in services:
        _apply(client, service, force=force)
    applied = _apply_carrier(client, publication, force=force, seen=seen)
    for key, manifest in before.items():
        if key not in ours and key != publication.carrier and not publication.needs(key):
            _remove(client, manifest)
    return str(applied["metadata"]["resourceVersion"])


def preview(client: KubeClient, publication: Publication) -> tuple[Manifest | None, Manifest]:
    """Give the carrier as it is and as it would be, without changing anything.

    Raises:
        MappingRejected: Somebody else holds the name.
        Conflict: Somebody else holds a field.
    """
    key = publication.carrier
    try:
        stored: dict[str, Any] | None = client.get(SERVICE, key.name, namespace=key.namespace)
    except NotFound:
        stored = None
    if publication.annotates:
        stored = stored or {}
        metadata = as_object(stored.get("metadata"))
        changed = write_annotated(publication, stored)
        said = {**as_object(metadata.get("annotations")), **as_object(changed["annotations"])}
        annotations = {name: value for name, value in said.items() if value is not None}
        labels = {**as_object(metadata.get("labels")), **as_object(changed["labels"])}
        return stored, {**stored, "metadata": {**metadata, "annotations": annotations, "labels": labels}}
    if stored is not None and as_object(as_object(stored["metadata"]).get("labels")).get(EXPOSURE_LABEL) is None:
        _refuse_foreign(client, key, name=publication.name)
    return stored, _apply(client, write_carrier(publication), dry_run=True)


def list_publications(
    client: KubeClient, namespace: str | None, *, name: str | None = None
) -> Iterator[tuple[Publication, str]]:
    """Yield what is published in a namespace (None: in all), each with its resourceVersion; of one name, if said."""
    for manifest in _list_services(client, namespace, name):
        publication = read_publication(manifest)
        if publication.mappings:
            yield publication, str(manifest["metadata"]["resourceVersion"])


def change_publication(
    client: KubeClient, namespace: str, name: str, change: Callable[[Publication], Plan]
) -> tuple[Publication, str]:
    """Change what is published by a name, whatever others change meanwhile; give it and its resourceVersion.

    Raises:
        NotFound: Nothing is published by that name.
        MappingRejected: The change is refused.
        Conflict: Others changed it again and again.
    """

    def act() -> tuple[Publication, str]:
        for publication, version in list_publications(client, namespace, name=name):
            with keeping(publication):
                plan = change(publication)
            return plan.publication, apply_plan(client, plan, seen=version)
        words = f"Nothing is published as {name!r} in namespace {namespace!r} any more; publish it again with expose()."
        raise NotFound(words, status=404, reason="NotFound")

    return retry_behind_others(act)


class Removed(NamedTuple):
    """A Service that a publication consisted of.

    Attributes:
        key: Which.
        left: Its resourceVersion where it stays and carries configuration of others; "" where it carries none.
    """

    key: ObjectKey
    left: str


def delete_publication(client: KubeClient, namespace: str, name: str) -> tuple[Removed, ...]:
    """Take away all that a publication consists of, its carrier first; give what it was."""
    found = sorted(_find_by_name(client, namespace, name), key=lambda each: not _carries(each))
    return tuple(Removed(object_key(manifest), _remove(client, manifest)) for manifest in found)


def list_leftovers(client: KubeClient, namespace: str | None) -> list[tuple[Manifest, str]]:
    """List the Services of ours that serve nothing any more, each with the reason in words.

    An ``expose`` that was interrupted leaves Services that nothing needs; so does a carrier deleted by hand.
    """
    found = _list_services(client, namespace, None)
    carriers = [read_publication(manifest) for manifest in found if _carries(manifest)]
    left = []
    for manifest in found:
        key, name = object_key(manifest), as_object(manifest["metadata"]["labels"]).get(EXPOSURE_LABEL)
        if _carries(manifest) or not is_ours(manifest):
            continue
        if not any(each.name == name and each.needs(key) for each in carriers if each.namespace == key.namespace):
            left.append((manifest, f"it was made for {name!r}, which nothing publishes any more"))
    return left


def check_name(name: object) -> str:
    """Give back the name of something published.

    Raises:
        ConfigurationError: It is no text.
    """
    if not isinstance(name, str):
        words = f"name: expected the name that a model is published by, got {name!r}; list_exposures() tells them"
        raise ConfigurationError(words)
    return name


def is_ours(manifest: Dict[str, Any]) -> bool:
    """Whether an object was made by us, rather than annotated."""
    return as_object(as_object(manifest.get("metadata")).get("labels")).get(MANAGED_BY_LABEL) == MANAGED_BY


def retry_behind_others(act: Callable[[], T]) -> T:
    """Do something that only counts when nobody came before; give up after a handful of times."""
    for attempt in range(1, _ATTEMPTS):
        try:
            return act()
        except Conflict as error:
            if CAME_BEFORE not in str(error):
                raise  # somebody else owns a field
        # All who were too late would otherwise meet again.
        time.sleep(_CHANCE.uniform(0.0, _PAUSE * attempt))
    return act()


def _adopt(service: Manifest, publication: Publication) -> Manifest:
    """Put our labels on a Service that is to be made."""
    metadata = as_object(service["metadata"])
    said = {**metadata, "namespace": publication.namespace, "labels": label(publication)}
    owner = {"annotations": {OWNER_ANNOTATION: publication.owner}} if publication.owner else {}
    return {**service, "metadata": {**said, **owner}}


def _claim(client: KubeClient, publication: Publication) -> str:
    """Put an empty carrier there, and give its version: of all who saw none before, only one can go on from there.

    It says nothing that is ever changed, because what is created so is not given up again by applying.
    """
    key = publication.carrier
    labels = {MANAGED_BY_LABEL: MANAGED_BY, NAME_LABEL: publication.name, EXPOSURE_LABEL: publication.name}
    metadata = {"name": key.name, "namespace": key.namespace, "labels": labels}
    empty = {"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": {"clusterIP": "None"}}
    try:
        found = client.create(empty)
    except Conflict:
        _refuse_foreign(client, key, name=publication.name)
        found = client.get(SERVICE, key.name, namespace=key.namespace)
    if read_publication(found).mappings:
        raise tell_before(key)
    return str(found["metadata"]["resourceVersion"])


def _apply(client: KubeClient, manifest: Manifest, *, force: bool = False, dry_run: bool = False) -> dict[str, Any]:
    try:
        return client.apply(manifest, force=force, dry_run=dry_run)
    except Conflict as error:
        if CAME_BEFORE in str(error):
            raise
        words = (
            f"{error}\nSomebody keeps these fields in a file, or wrote them by hand: change them there, or take them "
            "over with expose(..., take_over=True)"
        )
        raise Conflict(words, status=error.status, reason=error.reason) from error


def _apply_carrier(client: KubeClient, publication: Publication, *, force: bool, seen: str | None) -> dict[str, Any]:
    if publication.annotates:
        if seen is not None:
            return annotate_carrier(client, publication, seen=seen)
        return retry_behind_others(lambda: annotate_carrier(client, publication))
    manifest = write_carrier(publication)
    if seen:
        manifest["metadata"] = {**as_object(manifest["metadata"]), "resourceVersion": seen}
    return _apply(client, manifest, force=force)


def _remove(client: KubeClient, manifest: Dict[str, Any]) -> str:
    """Delete what is ours; from what is somebody else's take only what we put there. Give its version if it stays."""
    key = object_key(manifest)
    if is_ours(manifest):
        client.delete(SERVICE, key.name, namespace=key.namespace)
        return ""
    name = as_text(as_object(as_object(manifest["metadata"]).get("labels")).get(EXPOSURE_LABEL))
    try:
        return retry_behind_others(lambda: take_annotations(client, key, exposure=name))
    except NotFound:
        return ""  # it went meanwhile, and our documents with it


def _carries(manifest: Dict[str, Any]) -> bool:
    return CONFIG_ANNOTATION in as_object(as_object(manifest.get("metadata")).get("annotations"))


def _find_objects(client: KubeClient, publication: Publication) -> Sequence[dict[str, Any]]:
    return _find_by_name(client, publication.namespace, publication.name)


def _find_by_name(client: KubeClient, namespace: str, name: str) -> Sequence[dict[str, Any]]:
    # Without a name these would be everybody's.
    return _list_services(client, namespace, check_name(name))


def _list_services(client: KubeClient, namespace: str | None, name: str | None) -> Sequence[dict[str, Any]]:
    """The Services of what is published by a name, or (None) of all; by what cannot be a name nothing is."""
    if name is not None and not _LABEL_VALUE.fullmatch(name):
        return ()
    selector = EXPOSURE_LABEL if name is None else f"{EXPOSURE_LABEL}={name}"
    return client.list(SERVICE, namespace=namespace, label_selector=selector).items


def _refuse_itself(publication: Publication, before: Dict[ObjectKey, Any]) -> None:
    """Refuse to look for the model behind the Service that carries its mappings: there is none, and it would go."""
    key = ObjectKey("Service", publication.namespace, publication.name)
    itself = publication.stable.service.partition(":")[0] == f"{publication.name}.{publication.namespace}"
    if publication.carrier != key and itself and key in before and is_ours(before[key]) and _carries(before[key]):
        message = f"{key} only carries the mappings of {publication.name!r}; say where the model is with service=..."
        raise MappingRejected(f"{key.name} is not published:", [Fault("own-service", message).at(Origin(key))])


def _refuse_foreign(client: KubeClient, key: ObjectKey, *, name: str) -> None:
    try:
        found = client.get(SERVICE, key.name, namespace=key.namespace)
    except NotFound:
        return
    labels = as_object(as_object(found.get("metadata")).get("labels"))
    if labels.get(MANAGED_BY_LABEL) == MANAGED_BY and labels.get(EXPOSURE_LABEL) == name:
        return  # another process has published the same a moment ago
    message = (
        f"{key} is there already, and {owner_of(found)}. It is left alone: publish by another name, take it away "
        f"first, or publish what it stands for with service='service/{key.name}'"
    )
    raise MappingRejected(f"{key.name} is not published:", [Fault("name-taken", message).at(Origin(key))])
