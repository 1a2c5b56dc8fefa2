"""The rest of a cluster, beside the embedded API: Deployments run as processes here, and Services have endpoints."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from threading import Lock, Thread
from typing import Any

from kfambassador.errors import ApiError
from kfambassador.kube.client import Event, EventType, KubeClient, Listing, Manifest
from kfambassador.kube.kinds import DEPLOYMENT, ENDPOINT_SLICE, POD, SERVICE, Kind
from kfambassador.names import SERVICE_NAME_LABEL

_HERE = "127.0.0.1"
# Longer than any run of the tests.
_LONG = 7200.0


class Kubelet:
    """Follows Deployments and Services of all namespaces; made by :func:`running_kubelet`.

    A Deployment is one process here, and its Pod. A Service with a selector has an EndpointSlice, which names the
    port of the process where the Service names the container's.
    """

    def __init__(self, client: KubeClient) -> None:
        self._client = client
        self._lock = Lock()
        self._processes: dict[tuple[str, str], tuple[subprocess.Popen[str], Manifest, int]] = {}
        self._services: dict[tuple[str, str], Manifest] = {}

    def follow_deployment(self, event: Event) -> None:
        """Start what is new, end what is gone."""
        manifest = event.manifest
        key = (manifest["metadata"]["namespace"], manifest["metadata"]["name"])
        with self._lock:
            if event.type is EventType.DELETED:
                self._end(key)
            elif key not in self._processes:
                self._start(key, manifest)
            for service in [*self._services.values()]:
                self._fill(service)

    def follow_service(self, event: Event) -> None:
        """Give a Service its endpoints."""
        manifest = event.manifest
        key = (manifest["metadata"]["namespace"], manifest["metadata"]["name"])
        with self._lock:
            if event.type is EventType.DELETED:
                self._services.pop(key, None)
                self._client.delete(ENDPOINT_SLICE, f"{key[1]}-pods", namespace=key[0])
            else:
                self._services[key] = manifest
                self._fill(manifest)

    def close(self) -> None:
        """End all processes."""
        for process, *_ in self._processes.values():
            _kill(process)
        self._processes.clear()

    def _start(self, key: tuple[str, str], manifest: Manifest) -> None:
        (container,) = manifest["spec"]["template"]["spec"]["containers"]
        _, *arguments = container["command"]
        said = {each["name"]: each["value"] for each in container.get("env") or ()}
        environment = {**os.environ, **said, "PORT": "0", "HOST": _HERE}
        process = subprocess.Popen(
            [sys.executable, *arguments], env=environment, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True
        )
        assert process.stdout is not None
        port = int(process.stdout.readline())
        self._processes[key] = process, manifest, port
        self._client.create(
            {
                "apiVersion": "v1",
                "kind": "Pod",
                "metadata": {"namespace": key[0], "name": f"{key[1]}-0", "labels": _labels(manifest)},
                "spec": manifest["spec"]["template"]["spec"],
            }
        )
        status = {"podIP": _HERE, "phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]}
        self._client.patch_status(POD, f"{key[1]}-0", {"status": status}, namespace=key[0])
        self._client.patch_status(DEPLOYMENT, key[1], {"status": {"availableReplicas": 1}}, namespace=key[0])

    def _end(self, key: tuple[str, str]) -> None:
        if key in self._processes:
            process, *_ = self._processes.pop(key)
            _kill(process)
            self._client.delete(POD, f"{key[1]}-0", namespace=key[0])

    def _fill(self, service: Manifest) -> None:
        metadata, spec = service["metadata"], service.get("spec") or {}
        selector = spec.get("selector") or {}
        if not selector:
            return
        found = [
            port
            for (namespace, _), (_, manifest, port) in self._processes.items()
            if namespace == metadata["namespace"] and selector.items() <= _labels(manifest).items()
        ]
        # Our pods do not listen where the Service says, as a pod with an address of its own would.
        ports = [{"name": each.get("name", ""), "port": found[0]} for each in spec["ports"]] if found else []
        endpoints = [{"addresses": [_HERE], "conditions": {"ready": True}}] if found else []
        self._client.apply(
            {
                "apiVersion": "discovery.k8s.io/v1",
                "kind": "EndpointSlice",
                "metadata": {
                    "namespace": metadata["namespace"],
                    "name": f"{metadata['name']}-pods",
                    "labels": {SERVICE_NAME_LABEL: metadata["name"]},
                },
                "addressType": "IPv4",
                "endpoints": endpoints,
                "ports": ports,
            }
        )


@contextmanager
def running_kubelet(url: str, *, token: str, authority: str) -> Iterator[None]:
    """Run what a cluster has besides its API, for an embedded one."""
    with ExitStack() as parts:
        kubelet = Kubelet(parts.enter_context(KubeClient.connect(url, token=token, authority=authority)))
        parts.callback(kubelet.close)
        for kind, act in ((DEPLOYMENT, kubelet.follow_deployment), (SERVICE, kubelet.follow_service)):
            watcher = KubeClient.connect(url, token=token, authority=authority, read_timeout=_LONG)
            listing = watcher.list(kind)
            thread = Thread(target=_follow, args=(watcher, kind, listing, act), daemon=True)
            thread.start()
            parts.callback(thread.join)
            parts.callback(watcher.close)
        yield


def _follow(client: KubeClient, kind: Kind, listing: Listing, act: Callable[[Event], None]) -> None:
    for item in listing.items:
        _tell(act, Event(EventType.ADDED, item))
    for event in client.watch(kind, since=listing.resource_version, timeout=_LONG):
        if event.type is not EventType.BOOKMARK:
            _tell(act, event)


def _tell(act: Callable[[Event], None], event: Event) -> None:
    # A namespace on its way out takes no new objects.
    with suppress(ApiError):
        act(event)


def _labels(manifest: Manifest) -> dict[str, Any]:
    labels: dict[str, Any] = manifest["spec"]["template"]["metadata"]["labels"]
    return labels


def _kill(process: subprocess.Popen[str]) -> None:
    process.kill()
    process.communicate()
