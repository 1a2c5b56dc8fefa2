"""Configuration as text, put into the cluster: read into objects, applied, and waited for until the gateway has it."""

import time
from collections.abc import Iterable, Iterator
from collections.abc import Mapping as Dict
from contextlib import suppress
from typing import Final, NamedTuple

from kfambassador.errors import BadRequest, ConfigurationError, NotServed
from kfambassador.kube.kinds import find_kind
from kfambassador.kube.objects import Manifest, is_as_new
from kfambassador.names import CONFIG_ANNOTATION, DEFAULT_NAMESPACE
from kfambassador.problems import ObjectKey
from kfambassador.resources.documents import FILE_LIMITS, read_documents
from kfambassador.resources.fields import as_object
from kfambassador.resources.kinds import is_ambassadors
from kfambassador.resources.manifests import read_manifests
from kfambassador.resources.objects import object_key
from kfambassador.sdk.access import Access
from kfambassador.sdk.problem_views import Source, SourceState
from kfambassador.sdk.reviewing import convert_resources

#: Kinds besides Ambassador's own that carry configuration, in an annotation.
_CARRIERS: Final = ("Service", "Ingress")
_STEP: Final = 5.0
_PAUSE: Final = 0.05


class Applied(NamedTuple):
    """An object that was applied, and what the gateway made of it.

    Attributes:
        key: Which object.
        source: What the gateway says of it; None of a Service without configuration, of which it says nothing.
    """

    key: ObjectKey
    source: Source | None


def read_objects(text: str, *, namespace: str = DEFAULT_NAMESPACE) -> list[Manifest]:
    """Read a text into the objects to apply: bare annotation text becomes custom resources.

    Args:
        text: Kubernetes manifests, or bare annotation text; YAML or JSON, without faults.
        namespace: The namespace of what names none.

    Raises:
        ConfigurationError: An object is of a kind that a gateway reads nothing from.

    Example:
        >>> text = "{apiVersion: ambassador/v1, kind: Mapping, name: m, prefix: /m/, service: m}"
        >>> read_objects(text)[0]["metadata"]
        {'name': 'm', 'namespace': 'default'}
    """
    values = [document.value for document in read_documents(text, FILE_LIMITS)]
    objects = [item for value in values for item in _list_items(as_object(value))]
    placed = [_place(item, namespace) for item in objects if "metadata" in item]
    for manifest in placed:
        _check_kind(manifest)
    bare = convert_resources(read_manifests([("", text)], namespace=namespace))
    converted = [each.manifest for each in bare if each.source.origin.object is None and each.manifest is not None]
    return [*converted, *placed]


def apply_objects(access: Access, manifests: Iterable[Manifest], *, timeout: float | None = None) -> list[Applied]:
    """Apply objects, and return when the gateway has decided about each of them.

    Of several that are applied together, none is when one is refused: each is tried first.

    Args:
        access: The gateway.
        manifests: What to apply.
        timeout: Seconds to wait; None means what is usual for this gateway.

    Raises:
        NotServed: The gateway has not decided in time; what was applied stays.
        ApiError: The Kubernetes API refused one, or has ended in between; then those before it stay applied.
    """
    manifests = tuple(manifests)
    if len(manifests) > 1:
        for manifest in manifests:
            access.client.apply(manifest, dry_run=True)
    stored = [access.client.apply(manifest) for manifest in manifests]
    deadline = time.monotonic() + (access.patience if timeout is None else timeout)
    return [Applied(object_key(each), _await_decision(access, each, deadline)) for each in stored]


def _list_items(value: Dict[str, object]) -> Iterator[Manifest]:
    items = value.get("items")
    if str(value.get("kind")).endswith("List") and isinstance(items, list):
        for item in items:
            yield from _list_items(as_object(item))
    elif value:
        yield {**value}


def _place(manifest: Manifest, namespace: str) -> Manifest:
    return {**manifest, "metadata": {"namespace": namespace, **as_object(manifest.get("metadata"))}}


def _check_kind(manifest: Manifest) -> None:
    if is_ambassadors(manifest.get("apiVersion")) or manifest.get("kind") in _CARRIERS:
        # Of some kinds of Ambassador's the gateway reads nothing.
        with suppress(BadRequest):
            find_kind(manifest)
            return
    raise ConfigurationError(
        f"{object_key(manifest)} says nothing to the gateway, so it is not applied from here: leave it out, and apply "
        "it with kubectl"
    )


def _await_decision(access: Access, stored: Manifest, deadline: float) -> Source | None:
    key, version = object_key(stored), str(stored["metadata"]["resourceVersion"])
    annotations = as_object(as_object(stored["metadata"]).get("annotations"))
    if key.kind in _CARRIERS and CONFIG_ANNOTATION not in annotations:
        return None
    while True:
        left = deadline - time.monotonic()
        source = access.reader.source(key, resource_version=version, wait=max(0.0, min(left, _STEP)))
        is_seen = source.resource_version and is_as_new(source.resource_version, version)
        if is_seen and source.state is not SourceState.PENDING:
            return source
        if left <= 0:
            missing = "an Envoy has not acknowledged it" if is_seen else "the gateway has not read it"
            stage = "programmed" if is_seen else "accepted"
            raise NotServed(f"{key} is applied and stays so, and {missing} in time", stage=stage)
        time.sleep(min(_PAUSE, max(0.0, left)))
