"""Waiting until what was applied is there and works; and saying why it does not."""

import time
from collections.abc import Callable, Iterable, Iterator
from typing import Final, NamedTuple

from kfambassador.errors import ApiError, NotFound, Unavailable
from kfambassador.kube.client import KubeClient
from kfambassador.kube.kinds import CUSTOM_RESOURCE_DEFINITION, DEPLOYMENT, EVENT, NAMESPACE, POD, Kind
from kfambassador.kube.objects import Manifest
from kfambassador.kube.pods import is_ready
from kfambassador.resources.crd import STORED_VERSION
from kfambassador.resources.fields import as_object, as_objects, as_text
from kfambassador.sdk.readiness.pods import tell_pods

#: Seconds between two looks.
_PAUSE: Final = 0.25
#: So many Events are told.
_MOST_EVENTS: Final = 5
_TRUE, _FALSE = "True", "False"

Tell = Callable[[str], None]


class Readiness(NamedTuple):
    """Whether what was waited for is there.

    Attributes:
        is_ready: Whether it is.
        words: What a person should know: how ready it is, or what keeps it from being so.
    """

    is_ready: bool
    words: tuple[str, ...]


def wait_for_definitions(client: KubeClient, names: Iterable[str], *, deadline: float) -> Readiness:
    """Wait until the cluster serves definitions of custom resources, in the version that is followed.

    Args:
        client: The cluster.
        names: The definitions.
        deadline: Until when, by the monotonic clock.
    """
    missing = list(names)
    while True:
        faults = [fault for name in missing if (fault := _tell_definition(client, name))]
        missing = [name for name, _ in faults]
        if not missing or time.monotonic() >= deadline:
            return Readiness(not faults, tuple(f"CustomResourceDefinition {name} {words}" for name, words in faults))
        time.sleep(_PAUSE)


def _tell_definition(client: KubeClient, name: str) -> tuple[str, str] | None:
    """Say what keeps a definition from being served; None when it is."""
    try:
        manifest = client.get(CUSTOM_RESOURCE_DEFINITION, name)
    except NotFound:
        return name, "is not there"
    versions = as_objects(as_object(manifest.get("spec")).get("versions"))
    if not any(each.get("name") == STORED_VERSION and each.get("served") for each in versions):
        return name, f"does not serve {STORED_VERSION}, in which the gateway reads: --take-over replaces it"
    conditions = _conditions(manifest)
    if as_text(conditions.get("Established", {}).get("status")) == _TRUE:
        return None
    said = conditions.get("NamesAccepted", {})
    words = as_text(said.get("message")) if said.get("status") == _FALSE else ""
    return name, f"is not established{f': {words}' if words else ''}"


def wait_for_gateway(client: KubeClient, name: str, *, namespace: str, deadline: float, tell: Tell) -> Readiness:
    """Wait until every pod of a Deployment is of its newest version and takes requests.

    Args:
        client: The cluster.
        name: The Deployment.
        namespace: Where it is.
        deadline: Until when, by the monotonic clock.
        tell: Told how far it has come, whenever that changes.
    """
    told = ""
    while True:
        try:
            manifest = client.get(DEPLOYMENT, name, namespace=namespace)
        except Unavailable:
            # An API server that is away for a moment takes nothing back of what was applied.
            manifest = {}
        wanted, ready = _count(manifest)
        if manifest and is_rolled_out(manifest):
            return Readiness(is_ready=True, words=(f"{ready} of {wanted} pods ready",))
        failed = _find_failure(manifest)
        if failed or time.monotonic() >= deadline:
            return Readiness(is_ready=False, words=tuple(_explain(client, manifest, name, namespace)))
        if (state := f"{ready} of {wanted} pods ready") != told and manifest:
            told = state
            tell(state)
        time.sleep(_PAUSE)


def is_rolled_out(manifest: Manifest) -> bool:
    """Tell whether all pods of a Deployment are of its newest version and take requests.

    Example:
        >>> status = {"observedGeneration": 2, "replicas": 2, "updatedReplicas": 2, "availableReplicas": 2}
        >>> deployment = {"metadata": {"generation": 2}, "spec": {"replicas": 2}, "status": status}
        >>> is_rolled_out(deployment), is_rolled_out({**deployment, "metadata": {"generation": 3}})
        (True, False)
    """
    status, wanted = as_object(manifest.get("status")), manifest["spec"].get("replicas", 1)
    # Until the cluster's controller has seen the newest version, what it says is of the one before.
    seen = _number(status, "observedGeneration") >= manifest["metadata"].get("generation", 0)
    counts = [_number(status, each) for each in ("replicas", "updatedReplicas", "availableReplicas")]
    return seen and counts == [wanted] * len(counts)


def wait_until_gone(client: KubeClient, kind: Kind, name: str, *, namespace: str = "", deadline: float) -> Readiness:
    """Wait until an object is gone.

    Args:
        client: The cluster.
        kind: Its kind.
        name: Its name.
        namespace: Where it is; "" where it has none.
        deadline: Until when, by the monotonic clock.
    """
    while True:
        try:
            manifest = client.get(kind, name, namespace=namespace or None)
        except NotFound:
            return Readiness(is_ready=True, words=())
        if time.monotonic() >= deadline:
            conditions = _conditions(manifest) if kind == NAMESPACE else {}
            why = [as_text(each.get("message")) for each in conditions.values() if each.get("status") == _TRUE]
            return Readiness(is_ready=False, words=(f"{kind.kind} {name} is still being deleted", *why))
        time.sleep(_PAUSE)


def _count(manifest: Manifest) -> tuple[int, int]:
    wanted = as_object(manifest.get("spec")).get("replicas", 1)
    return (wanted if isinstance(wanted, int) else 1), _number(as_object(manifest.get("status")), "readyReplicas")


def _number(status: object, name: str) -> int:
    value = as_object(status).get(name)
    return value if isinstance(value, int) else 0


def _conditions(manifest: Manifest) -> dict[str, dict[str, object]]:
    return {
        as_text(each.get("type")): dict(each)
        for each in as_objects(as_object(manifest.get("status")).get("conditions"))
    }


def _find_failure(manifest: Manifest) -> bool:
    """Whether waiting is of no use: the cluster has given up, or may not make the pods."""
    status = as_object(manifest.get("status"))
    if not manifest or _number(status, "observedGeneration") < manifest["metadata"].get("generation", 0):
        return False
    conditions = _conditions(manifest)
    gave_up = conditions.get("Progressing", {}).get("status") == _FALSE
    return gave_up or conditions.get("ReplicaFailure", {}).get("status") == _TRUE


def _explain(client: KubeClient, manifest: Manifest, name: str, namespace: str) -> Iterator[str]:
    """Say what keeps a Deployment from being ready: what it says itself, its pods, and Events."""
    if not manifest:
        yield "the Kubernetes API does not answer"
        return
    wanted, ready = _count(manifest)
    yield f"{ready} of {wanted} pods ready"
    conditions = _conditions(manifest).items()
    said = dict.fromkeys(as_text(each.get("message")) or kind for kind, each in conditions if _is_bad(kind, each))
    yield from said
    selector = as_object(as_object(manifest["spec"].get("selector")).get("matchLabels"))
    try:
        pods = client.list(POD, namespace=namespace, label_selector=",".join(f"{k}={v}" for k, v in selector.items()))
        if waiting := [pod for pod in pods.items if not is_ready(pod)]:
            yield tell_pods(waiting)
        yield from (words for words in _list_warnings(client, name, namespace) if not words.endswith(tuple(said)))
    except ApiError as error:
        yield f"more could not be found out: {error}"


def _is_bad(kind: str, condition: dict[str, object]) -> bool:
    return condition.get("status") == (_TRUE if kind == "ReplicaFailure" else _FALSE)


def _list_warnings(client: KubeClient, name: str, namespace: str) -> list[str]:
    """List what the newest Events warn of, about the Deployment and what was made for it, each once."""
    events = [
        each
        for each in client.list(EVENT, namespace=namespace).items
        if each.get("type") == "Warning" and as_text(as_object(each.get("involvedObject")).get("name")).startswith(name)
    ]
    events.sort(key=lambda each: as_text(each.get("lastTimestamp")) or as_text(each.get("eventTime")), reverse=True)
    words = dict.fromkeys(f"{each.get('reason')}: {as_text(each.get('message')).strip()}" for each in events)
    return list(words)[:_MOST_EVENTS]
