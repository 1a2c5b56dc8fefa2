"""What an application does with the official client, typed; the same with every version of it.

Run with a kubeconfig and a namespace; prints what it saw, in JSON.
"""

import json
import sys
from typing import Any

import kubernetes
from kubernetes import client, config, dynamic, utils, watch

_SELECTOR = {"app": "web"}
_MADE = "metadata.name!=kube-root-ca.crt"  # every namespace has that one by itself


def make_service() -> Any:
    ports = [client.V1ServicePort(name="http", port=80, target_port="web")]
    return client.V1Service(
        metadata=client.V1ObjectMeta(name="web", labels=_SELECTOR),
        spec=client.V1ServiceSpec(ports=ports, selector=_SELECTOR),
    )


def make_deployment() -> Any:
    container = client.V1Container(
        name="web", image="web:1", ports=[client.V1ContainerPort(container_port=8080, name="web")]
    )
    template = client.V1PodTemplateSpec(
        metadata=client.V1ObjectMeta(labels=_SELECTOR), spec=client.V1PodSpec(containers=[container])
    )
    selector = client.V1LabelSelector(match_labels=_SELECTOR)
    return client.V1Deployment(
        metadata=client.V1ObjectMeta(name="web"),
        spec=client.V1DeploymentSpec(replicas=2, selector=selector, template=template),
    )


def write_objects(namespace: str) -> dict[str, Any]:
    core, apps = client.CoreV1Api(), client.AppsV1Api()
    made = core.create_namespaced_service(namespace, make_service())
    changed = core.patch_namespaced_service("web", namespace, {"metadata": {"annotations": {"note": "yes"}}})
    deployed = apps.create_namespaced_deployment(namespace, make_deployment())
    scaled = apps.patch_namespaced_deployment_scale("web", namespace, {"spec": {"replicas": 3}})
    try:
        core.create_namespaced_service(namespace, make_service())
    except client.ApiException as error:
        twice = [error.status, json.loads(error.body)["reason"]]
    return {
        "ports": [[port.name, port.port, port.target_port] for port in made.spec.ports],
        "annotations": changed.metadata.annotations,
        "replicas": [deployed.spec.replicas, scaled.spec.replicas],
        "read": apps.read_namespaced_deployment("web", namespace).spec.template.spec.containers[0].image,
        "twice": twice,
    }


def follow(namespace: str) -> dict[str, Any]:
    core = client.CoreV1Api()
    listed = core.list_namespaced_config_map(namespace)
    for name in ("one", "two"):
        core.create_namespaced_config_map(namespace, client.V1ConfigMap(metadata=client.V1ObjectMeta(name=name)))
    core.delete_namespaced_config_map("one", namespace)
    stream = watch.Watch().stream(
        core.list_namespaced_config_map,
        namespace,
        resource_version=listed.metadata.resource_version,
        timeout_seconds=30,
    )
    seen = [next(stream) for _ in range(3)]
    stream.close()
    return {"events": [[event["type"], event["object"].metadata.name] for event in seen]}


def write_unstructured(namespace: str) -> dict[str, Any]:
    connection = client.ApiClient()
    maps = dynamic.DynamicClient(connection).resources.get(api_version="v1", kind="ConfigMap")
    body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "applied"}, "data": {"a": "1"}}
    applied = maps.server_side_apply(body=body, namespace=namespace, field_manager="typed")
    utils.create_from_dict(connection, body | {"metadata": {"name": "from-dict"}}, namespace=namespace)
    return {
        "applied": applied.data.a,
        "names": sorted(item.metadata.name for item in maps.get(namespace=namespace, field_selector=_MADE).items),
    }


def remove(namespace: str) -> dict[str, Any]:
    core, apps = client.CoreV1Api(), client.AppsV1Api()
    core.delete_namespaced_service("web", namespace)
    apps.delete_namespaced_deployment("web", namespace, propagation_policy="Background")
    core.delete_collection_namespaced_config_map(namespace)
    return {
        "left": len(core.list_namespaced_service(namespace).items)
        + len(apps.list_namespaced_deployment(namespace).items)
        + len(core.list_namespaced_config_map(namespace, field_selector=_MADE).items)
    }


def main(kubeconfig: str, namespace: str) -> None:
    config.load_kube_config(kubeconfig)
    seen = write_objects(namespace) | follow(namespace) | write_unstructured(namespace) | remove(namespace)
    json.dump(seen | {"version": kubernetes.__version__}, sys.stdout)


if __name__ == "__main__":
    main(*sys.argv[1:])
