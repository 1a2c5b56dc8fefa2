"""What an application does with lightkube: typed objects, server-side apply, a watch, the scale of a Deployment.

Run with a kubeconfig and a namespace; prints what it saw, in JSON.
"""

import json
import sys
from typing import Any

from lightkube import ApiError, Client, KubeConfig
from lightkube.models.apps_v1 import DeploymentSpec
from lightkube.models.autoscaling_v1 import ScaleSpec
from lightkube.models.core_v1 import Container, PodSpec, PodTemplateSpec, ServicePort, ServiceSpec
from lightkube.models.meta_v1 import LabelSelector, ObjectMeta
from lightkube.resources.apps_v1 import Deployment
from lightkube.resources.core_v1 import ConfigMap, Service

_LABELS = {"app": "web"}


def write_objects(client: Any) -> dict[str, Any]:
    made = client.create(Service(metadata=ObjectMeta(name="web"), spec=ServiceSpec(ports=[ServicePort(port=80)])))
    made.metadata.labels = _LABELS
    replaced = client.replace(made)
    patched = client.patch(Service, "web", {"metadata": {"annotations": {"note": "yes"}}})
    client.delete(Service, "web")
    try:
        client.get(Service, "web")
    except ApiError as error:
        gone = [error.status.code, error.status.reason]
    return {"labels": replaced.metadata.labels, "annotations": patched.metadata.annotations, "gone": gone}


def apply(client: Any) -> dict[str, Any]:
    def settings(value: str) -> Any:
        return ConfigMap(metadata=ObjectMeta(name="settings"), data={"key": value})

    client.apply(settings("old"))
    applied = client.apply(settings("new"))
    try:
        client.apply(settings("other"), field_manager="somebody")
    except ApiError as error:
        refused = error.status.code
    return {"applied": applied.data, "conflict": refused}


def scale(client: Any) -> dict[str, Any]:
    template = PodTemplateSpec(metadata=ObjectMeta(labels=_LABELS), spec=PodSpec(containers=[Container(name="web")]))
    template.spec.containers[0].image = "web:1"
    spec = DeploymentSpec(selector=LabelSelector(matchLabels=_LABELS), template=template, replicas=1)
    client.create(Deployment(metadata=ObjectMeta(name="web"), spec=spec))
    scaled = Deployment.Scale(metadata=ObjectMeta(name="web"), spec=ScaleSpec(replicas=4))
    client.replace(scaled)
    return {
        "replicas": [client.get(Deployment, "web").spec.replicas, client.get(Deployment.Scale, "web").spec.replicas]
    }


def follow(client: Any) -> dict[str, Any]:
    events = client.watch(ConfigMap, fields={"metadata.name": "settings"}, server_timeout=30)
    first = next(events)
    client.delete(ConfigMap, "settings")
    second = next(events)
    return {"events": [[kind, found.metadata.name] for kind, found in (first, second)]}


def main(kubeconfig: str, namespace: str) -> None:
    client = Client(config=KubeConfig.from_file(kubeconfig), namespace=namespace, field_manager="light")
    json.dump(write_objects(client) | apply(client) | scale(client) | follow(client), sys.stdout)


if __name__ == "__main__":
    main(*sys.argv[1:])
