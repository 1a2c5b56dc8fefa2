"""What keeps pods from being ready, read from their manifests. Pure."""

from collections.abc import Iterator, Sequence
from collections.abc import Mapping as Dict

from kfambassador.resources.fields import as_object, as_objects, as_text

#: So many pods are told of; the others fare alike more often than not.
_MOST_TOLD = 3


def list_ports(pods: Sequence[Dict[str, object]]) -> dict[int, str]:
    """The ports that the containers of pods declare, each with its name or ""."""
    return {
        port: as_text(each.get("name"))
        for pod in pods
        for container in as_objects(as_object(pod.get("spec")).get("containers"))
        for each in as_objects(container.get("ports"))
        if isinstance(port := each.get("containerPort"), int)
    }


def tell_pods(pods: Sequence[Dict[str, object]]) -> str:
    """Say of pods that are not ready why they are not.

    Example:
        >>> waiting = {"name": "server", "state": {"waiting": {"reason": "ImagePullBackOff", "message": "none"}}}
        >>> status = {"phase": "Pending", "containerStatuses": [waiting]}
        >>> tell_pods([{"metadata": {"name": "mnist-0"}, "status": status}])
        'pod mnist-0 is Pending: container server waits with ImagePullBackOff (none)'
    """
    told = [tell_pod(pod) for pod in pods[:_MOST_TOLD]]
    more = len(pods) - len(told)
    return "; ".join([*told, *([f"and {more} more"] if more else [])])


def tell_pod(pod: Dict[str, object]) -> str:
    """Say why one pod is not ready."""
    name = as_text(as_object(pod.get("metadata")).get("name"))
    status = as_object(pod.get("status"))
    phase = as_text(status.get("phase")) or "not started"
    if as_object(pod.get("metadata")).get("deletionTimestamp"):
        return f"pod {name} is being deleted"
    reason = next(_find_reasons(status), "")
    return f"pod {name} is {phase}{f': {reason}' if reason else ' and not ready'}"


def _find_reasons(status: Dict[str, object]) -> Iterator[str]:
    """Yield what keeps a pod, what says most first."""
    statuses = [*as_objects(status.get("initContainerStatuses")), *as_objects(status.get("containerStatuses"))]
    yield from filter(None, map(_tell_waiting, statuses))
    yield from filter(None, map(_tell_ended, statuses))
    for condition in as_objects(status.get("conditions")):
        if condition.get("type") == "PodScheduled" and condition.get("status") == "False":
            yield f"no node takes it ({_words(condition)})"
    if as_text(status.get("message")) or as_text(status.get("reason")):
        yield _words(status)
    for each in statuses:
        if as_object(each.get("state")).get("running") is not None and not each.get("ready"):
            yield f"container {each.get('name')} runs, and its readiness probe does not pass yet"
    for condition in as_objects(status.get("conditions")):
        if condition.get("type") == "Ready" and condition.get("status") != "True" and _words(condition):
            yield _words(condition)


def _tell_waiting(status: Dict[str, object]) -> str:
    waiting = as_object(as_object(status.get("state")).get("waiting"))
    reason = as_text(waiting.get("reason"))
    if not reason or reason == "PodInitializing":
        return ""
    message = as_text(waiting.get("message"))
    ended = as_object(as_object(status.get("lastState")).get("terminated"))
    code = f"; it ended with exit code {ended['exitCode']}" if "exitCode" in ended else ""
    return f"container {status.get('name')} waits with {reason}{f' ({message})' if message else ''}{code}"


def _tell_ended(status: Dict[str, object]) -> str:
    ended = as_object(as_object(status.get("state")).get("terminated"))
    if not ended.get("exitCode"):
        return ""
    message = as_text(ended.get("message")) or as_text(ended.get("reason"))
    return (
        f"container {status.get('name')} ended with exit code {ended['exitCode']}{f' ({message})' if message else ''}"
    )


def _words(said: Dict[str, object]) -> str:
    return as_text(said.get("message")) or as_text(said.get("reason"))
