"""The objects of an installation as they are for one cluster: in which namespace, with which image. Pure."""

import re
from collections.abc import Iterable
from typing import Final

from kfambassador.kube.objects import Manifest
from kfambassador.names import INSTALL_NAMESPACE
from kfambassador.pipelines.image import IMAGE

#: Where other objects speak of the gateway's namespace: in its name in the cluster's DNS.
_IN_DNS: Final = re.compile(rf"(?<=kfambassador\.){INSTALL_NAMESPACE}(?=\.svc\b)")


def place(manifests: Iterable[Manifest], *, namespace: str = INSTALL_NAMESPACE, image: str = IMAGE) -> list[Manifest]:
    """Place objects in a namespace, and have them run an image.

    In another namespace than the usual one, the ClusterRoleBindings have other names, so that two gateways in one
    cluster do not take them from each other.

    Args:
        manifests: The objects, as ``deploy`` has them.
        namespace: The gateway's namespace.
        image: The gateway's image.

    Example:
        >>> binding = {"kind": "ClusterRoleBinding", "metadata": {"name": "kfambassador-controller"}}
        >>> place([binding], namespace="models")[0]["metadata"]
        {'name': 'kfambassador-controller-models'}
    """
    moved = manifests if namespace == INSTALL_NAMESPACE else (_move(each, namespace) for each in manifests)
    return [_run(each, image) for each in moved]


def _move(manifest: Manifest, namespace: str) -> Manifest:
    metadata = dict(manifest["metadata"])
    if metadata.get("namespace") == INSTALL_NAMESPACE:
        metadata["namespace"] = namespace
    if manifest["kind"] == "Namespace":
        metadata["name"] = namespace
    if manifest["kind"] == "ClusterRoleBinding":
        metadata["name"] = f"{metadata['name']}-{namespace}"
    moved = {**manifest, "metadata": metadata}
    if "subjects" in manifest:
        moved["subjects"] = [_move_subject(each, namespace) for each in manifest["subjects"]]
    if "spec" in manifest:
        moved["spec"] = _rename(manifest["spec"], namespace)
    return moved


def _move_subject(subject: Manifest, namespace: str) -> Manifest:
    return {**subject, "namespace": namespace} if subject.get("namespace") == INSTALL_NAMESPACE else subject


def _rename(value: object, namespace: str) -> object:
    if isinstance(value, str):
        return _IN_DNS.sub(namespace, value)
    if isinstance(value, dict):
        return {name: _rename(each, namespace) for name, each in value.items()}
    return [_rename(each, namespace) for each in value] if isinstance(value, list) else value


def _run(manifest: Manifest, image: str) -> Manifest:
    if manifest["kind"] != "Deployment":
        return manifest
    pod = manifest["spec"]["template"]["spec"]
    containers = [{**each, "image": image} for each in pod["containers"]]
    template = {**manifest["spec"]["template"], "spec": {**pod, "containers": containers}}
    return {**manifest, "spec": {**manifest["spec"], "template": template}}
