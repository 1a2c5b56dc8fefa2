"""Programs of pods: what only a cluster could do that runs them. It is refused, in words that say so. Pure."""

from collections.abc import Mapping
from typing import Final

from kfambassador.local.kube.documents.document import Document, name_of
from kfambassador.local.kube.kinds import status

#: What is asked of the programs of a pod, and by which methods.
PROGRAM_PARTS: Final[dict[str, frozenset[str]]] = {
    "attach": frozenset({"GET", "POST"}),
    "exec": frozenset({"GET", "POST"}),
    "ephemeralcontainers": frozenset({"GET", "PATCH", "PUT"}),
    "log": frozenset({"GET"}),
}

_NOTHING: Final = "nothing runs pods on this server"


def refuse_program(part: str, pod: Document, query: Mapping[str, str]) -> status.StatusError:
    """Say why nothing can be asked of a pod's program.

    Args:
        part: What is asked, one of :data:`PROGRAM_PARTS`.
        pod: The pod.
        query: The parameters of the request, which may name a container.

    Example:
        >>> pod = {"metadata": {"name": "web"}, "spec": {"containers": [{"name": "main"}]}}
        >>> str(refuse_program("log", pod, {}))
        'container "main" in pod "web" is waiting to start: nothing runs pods on this server'
    """
    name = name_of(pod)
    spec = pod.get("spec") or {}
    first = [str(container["name"]) for container in spec.get("containers") or ()]
    others = [str(each["name"]) for sort in ("initContainers", "ephemeralContainers") for each in spec.get(sort) or ()]
    container = query.get("container", "")
    if part == "ephemeralcontainers":
        return status.bad_request(f"pod {name} cannot be debugged: {_NOTHING}")
    if container and container not in {*first, *others}:
        return status.bad_request(f"container {container} is not valid for pod {name}")
    if not container and len(first) != 1:
        listed = f"choose one of: [{' '.join(first)}]"
        return status.bad_request(f"a container name must be specified for pod {name}, {listed}")
    if part == "log":
        waiting = f'container "{container or first[0]}" in pod "{name}" is waiting to start'
        return status.bad_request(f"{waiting}: {_NOTHING}")
    return status.bad_request(f"pod {name} does not have a host assigned: {_NOTHING}")
