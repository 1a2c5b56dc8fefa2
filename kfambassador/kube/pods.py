"""The pods behind a Service: which are ready, and at which port they answer."""

from collections.abc import Mapping as Dict

from kfambassador.kube.client import KubeClient
from kfambassador.kube.kinds import POD
from kfambassador.kube.objects import Manifest
from kfambassador.resources.fields import as_object, as_objects


def list_ready_pods(client: KubeClient, service: Manifest) -> tuple[Manifest, ...]:
    """List the ready pods that a Service's selector chooses; none when it has no selector."""
    selector = (service.get("spec") or {}).get("selector") or {}
    if not selector:
        return ()
    chosen = ",".join(f"{name}={value}" for name, value in sorted(selector.items()))
    pods = client.list(POD, namespace=service["metadata"]["namespace"], label_selector=chosen).items
    return tuple(pod for pod in pods if is_ready(pod))


def is_ready(pod: Dict[str, object]) -> bool:
    """Tell whether a pod takes requests: it says so, and is not on its way out.

    Example:
        >>> is_ready({"metadata": {}, "status": {"conditions": [{"type": "Ready", "status": "True"}]}})
        True
    """
    conditions = as_objects(as_object(pod.get("status")).get("conditions"))
    says_so = any(each.get("type") == "Ready" and each.get("status") == "True" for each in conditions)
    return says_so and "deletionTimestamp" not in as_object(pod.get("metadata"))


def find_port(pod: Manifest, port: Manifest) -> int:
    """Tell at which port of a pod a Service's port leads to (Kubernetes, "targetPort").

    A name that none of the pod's containers knows is taken for the Service's own port.

    Example:
        >>> find_port({}, {"port": 80, "targetPort": 8080}), find_port({}, {"port": 80})
        (8080, 80)
        >>> pod = {"spec": {"containers": [{"ports": [{"name": "http", "containerPort": 8080}]}]}}
        >>> find_port(pod, {"port": 80, "targetPort": "http"})
        8080
    """
    target = port.get("targetPort") or port["port"]
    if isinstance(target, int):
        return target
    containers = (pod.get("spec") or {}).get("containers") or ()
    named = (each for container in containers for each in container.get("ports") or () if each.get("name") == target)
    return int(next(named, {"containerPort": port["port"]})["containerPort"])
