"""What an application does with kr8s: objects that know how to change, wait and scale themselves.

Run with a kubeconfig and a namespace; prints what it saw, in JSON.
"""

import json
import sys
from typing import Any

import kr8s
from kr8s.objects import ConfigMap, Deployment

_LABELS = {"app": "web"}


def write_objects(api: Any, namespace: str) -> dict[str, Any]:
    settings = ConfigMap({"metadata": {"name": "settings", "namespace": namespace}, "data": {"a": "1"}}, api=api)
    settings.create()
    settings.patch({"data": {"b": "2"}})
    settings.label({"app": "web"})
    settings.annotate({"note": "yes"})
    settings.wait("jsonpath='{.data.b}'=2", timeout=30)
    found = [each.name for each in api.get("configmaps", namespace=namespace, label_selector=_LABELS)]
    event, seen = next(iter(api.watch("configmaps", namespace=namespace, label_selector=_LABELS)))
    settings.delete()
    return {
        "data": dict(settings.raw.data),
        "labels": dict(settings.labels),
        "found": found,
        "event": [event, seen.name],
        "exists": settings.exists(),
    }


def scale(api: Any, namespace: str) -> dict[str, Any]:
    spec = {
        "replicas": 1,
        "selector": {"matchLabels": _LABELS},
        "template": {"metadata": {"labels": _LABELS}, "spec": {"containers": [{"name": "web", "image": "web:1"}]}},
    }
    deployment = Deployment({"metadata": {"name": "web", "namespace": namespace}, "spec": spec}, api=api)
    deployment.create()
    deployment.scale(3)
    return {"replicas": deployment.replicas}


def main(kubeconfig: str, namespace: str) -> None:
    api = kr8s.api(kubeconfig=kubeconfig, namespace=namespace)
    kinds = {resource["kind"] for resource in api.api_resources()}
    seen = write_objects(api, namespace) | scale(api, namespace)
    json.dump(seen | {"kinds": {"Service", "Deployment", "ConfigMap"} <= kinds, "who": api.whoami()}, sys.stdout)


if __name__ == "__main__":
    main(*sys.argv[1:])
