"""The real kubectl, unmodified."""

import json
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import pytest
import requests

from kfambassador.local.models import ModelServer
from tests.cluster.conftest import Kubectl, kubectl_path
from tests.cluster.servers import Server
from tests.ports import free_port

SERVICE = """
apiVersion: v1
kind: Service
metadata:
  name: web
  labels: {app: web}
spec:
  selector: {app: web}
  ports:
  - {name: http, port: 80, targetPort: 8080}
"""


def test_get_shows_a_table(kubectl: Kubectl) -> None:
    kubectl("apply", "-f", "-", given=SERVICE)
    header, row = kubectl("get", "services").splitlines()
    assert header.split() == ["NAME", "TYPE", "CLUSTER-IP", "EXTERNAL-IP", "PORT(S)", "AGE"]
    assert row.split()[:2] == ["web", "ClusterIP"]
    assert "SELECTOR" in kubectl("get", "svc", "-o", "wide")
    assert kubectl("get", "svc", "web", "-o", "jsonpath={.spec.ports[0].targetPort}") == "8080"
    assert kubectl("get", "svc", "-l", "app=web", "-o", "name") == "service/web\n"
    assert json.loads(kubectl("get", "svc", "-o", "json"))["items"][0]["metadata"]["name"] == "web"
    assert "kubectl.kubernetes.io/last-applied-configuration" in kubectl("get", "svc", "web", "-o", "yaml")
    assert "service/web" in kubectl("get", "all")


@pytest.mark.parametrize("side", [[], ["--server-side"]], ids=["client", "server"])
def test_apply_creates_changes_and_leaves_alone(kubectl: Kubectl, side: list[str]) -> None:
    first = kubectl("apply", *side, "-f", "-", given=SERVICE)
    kubectl("apply", *side, "-f", "-", given=SERVICE)
    kubectl("apply", *side, "-f", "-", given=SERVICE.replace("port: 80,", "port: 81,"))
    assert first.strip() in {"service/web created", "service/web serverside-applied"}
    assert kubectl("get", "svc", "web", "-o", "jsonpath={.spec.ports[*].port}") == "81"


def test_client_side_apply_says_when_nothing_changed(kubectl: Kubectl) -> None:
    kubectl("apply", "-f", "-", given=SERVICE)
    assert kubectl("apply", "-f", "-", given=SERVICE) == "service/web unchanged\n"
    assert "configured" in kubectl("apply", "-f", "-", given=SERVICE.replace("8080", "8081"))
    assert kubectl("diff", "-f", "-", given=SERVICE.replace("8080", "8081")) == ""


@pytest.mark.parametrize("verb", ["apply", "create"])
def test_a_kind_that_is_not_installed_is_named(kubectl: Kubectl, verb: str) -> None:
    manifest = "{apiVersion: getambassador.io/v2, kind: Absent, metadata: {name: x}}"
    error = kubectl(verb, "-f", "-", given=manifest, fails=True)
    assert 'no matches for kind "Absent" in version "getambassador.io/v2"' in error


def test_server_side_apply_meets_conflicts(kubectl: Kubectl) -> None:
    kubectl("apply", "--server-side", "--field-manager=me", "-f", "-", given=SERVICE)
    changed = SERVICE.replace("8080", "8081")
    error = kubectl("apply", "--server-side", "--field-manager=you", "-f", "-", given=changed, fails=True)
    assert 'conflict with "me": .spec.ports[port=80,protocol="TCP"].targetPort' in error
    kubectl("apply", "--server-side", "--force-conflicts", "--field-manager=you", "-f", "-", given=changed)


def test_a_typing_error_is_refused(kubectl: Kubectl) -> None:
    error = kubectl("apply", "-f", "-", given=SERVICE.replace("ports:", "prots:"), fails=True)
    assert 'unknown field "spec.prots"' in error


def test_edit_goes_through_an_editor(kubectl: Kubectl, tmp_path: Path) -> None:
    kubectl("apply", "-f", "-", given=SERVICE)
    editor = tmp_path / "editor"
    editor.write_text('#!/bin/sh\nsed -i "s/targetPort: 8080/targetPort: 9090/" "$1"\n')
    editor.chmod(0o700)
    assert kubectl("edit", "service", "web", EDITOR=str(editor)) == "service/web edited\n"
    assert kubectl("get", "svc", "web", "-o", "jsonpath={.spec.ports[0].targetPort}") == "9090"


def test_annotate_label_and_patch(kubectl: Kubectl) -> None:
    kubectl("apply", "-f", "-", given=SERVICE)
    kubectl("annotate", "service", "web", "note=yes")
    kubectl("label", "service", "web", "tier=front")
    kubectl("patch", "service", "web", "-p", '{"spec":{"ports":[{"name":"extra","port":81}]}}')
    metadata = json.loads(kubectl("get", "svc", "web", "-o", "json"))["metadata"]
    assert metadata["annotations"]["note"] == "yes"
    assert metadata["labels"] == {"app": "web", "tier": "front"}
    assert kubectl("get", "svc", "web", "-o", "jsonpath={.spec.ports[*].port}") in {"80 81", "81 80"}


def test_delete_and_wait(kubectl: Kubectl) -> None:
    kubectl("apply", "-f", "-", given=SERVICE)
    assert "deleted" in kubectl("delete", "service", "web")
    assert "NotFound" in kubectl("get", "service", "web", fails=True)


def test_create_makes_common_objects(kubectl: Kubectl) -> None:
    # kubectl sends these in protobuf.
    kubectl("create", "configmap", "settings", "--from-literal=key=value", "--from-file=binary=/bin/true")
    kubectl("create", "secret", "generic", "key", "--from-literal=password=x")
    kubectl("create", "serviceaccount", "me")
    kubectl("create", "service", "nodeport", "web", "--tcp=80:http")
    settings = json.loads(kubectl("get", "configmap", "settings", "-o", "json"))
    assert settings["data"] == {"key": "value"}
    assert settings["binaryData"]["binary"].startswith("f0VMR")
    assert kubectl("get", "secret", "key", "-o", "jsonpath={.type} {.data.password}") == "Opaque eA=="
    assert kubectl("get", "sa", "me", "-o", "name") == "serviceaccount/me\n"
    assert kubectl("get", "svc", "web", "-o", "jsonpath={.spec.type} {.spec.ports[0].targetPort}") == "NodePort http"


def test_watch_prints_changes(kubectl: Kubectl, kubectl_environment: dict[str, str], namespace: str) -> None:
    kubectl("apply", "-f", "-", given=SERVICE)
    command = [str(kubectl_path()), "--namespace", namespace, "get", "svc", "-w", "-o", "name"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=kubectl_environment) as watching:
        assert watching.stdout is not None
        assert watching.stdout.readline() == "service/web\n"
        kubectl("apply", "-f", "-", given=SERVICE.replace("name: web", "name: api"))
        assert watching.stdout.readline() == "service/api\n"
        watching.terminate()


def test_discovery_is_understood(kubectl: Kubectl) -> None:
    assert "endpointslices" in kubectl("api-resources")
    assert "targetPort" in kubectl("explain", "service.spec.ports")
    assert kubectl("auth", "can-i", "create", "services") == "yes\n"
    assert "Server Version: v1." in kubectl("version")


def test_a_dry_run_stores_nothing(kubectl: Kubectl) -> None:
    assert "created (server dry run)" in kubectl("apply", "--dry-run=server", "-f", "-", given=SERVICE)
    assert kubectl("get", "services") == ""


def test_describe_tells_of_a_service(kubectl: Kubectl) -> None:
    kubectl("apply", "-f", "-", given=SERVICE)
    told = kubectl("describe", "service", "web")
    assert "TargetPort:" in told
    assert "8080/TCP" in told


def test_the_token_is_never_shown(kubectl: Kubectl, cluster: Server) -> None:
    info = kubectl("cluster-info")
    assert cluster.url in info
    assert cluster.token not in info + kubectl("config", "view")


POD = "{apiVersion: v1, kind: Pod, metadata: {name: web}, spec: {containers: [{name: web, image: web}]}}"


@contextmanager
def forwarded(environment: dict[str, str], namespace: str, port: int) -> Iterator[tuple[str, IO[str]]]:
    """Have kubectl forward a port; give where, and what it complains of."""
    command = [str(kubectl_path()), "--namespace", namespace, "port-forward", "pod/web", f":{port}"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
    ) as forwarding:
        assert forwarding.stdout is not None
        assert forwarding.stderr is not None
        try:
            yield forwarding.stdout.readline().split()[2], forwarding.stderr
        finally:
            forwarding.terminate()


def test_a_port_of_a_pod_is_forwarded(kubectl: Kubectl, kubectl_environment: dict[str, str], namespace: str) -> None:
    kubectl("apply", "-f", "-", given=POD)
    running = '{"status": {"phase": "Running", "podIP": "127.0.0.1"}}'
    kubectl("patch", "pod", "web", "--subresource=status", "--type=merge", "-p", running)
    with ModelServer() as model, forwarded(kubectl_environment, namespace, model.port) as (address, _):
        url = f"http://{address}/v1/models/{model.name}:predict"
        asked = {"instances": [1.0] * 20_000}
        with ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(lambda _: requests.post(url, json=asked, timeout=60), range(16)))
    assert [answer.json()["predictions"] for answer in answers] == [[2.5] * 20_000] * 16


def test_a_port_nobody_listens_at_is_told(
    kubectl: Kubectl, kubectl_environment: dict[str, str], namespace: str
) -> None:
    kubectl("apply", "-f", "-", given=POD)
    running = '{"status": {"phase": "Running", "podIP": "127.0.0.1"}}'
    kubectl("patch", "pod", "web", "--subresource=status", "--type=merge", "-p", running)
    with forwarded(kubectl_environment, namespace, free_port()) as (address, complaints):
        with pytest.raises(requests.ConnectionError):
            requests.get(f"http://{address}", timeout=30)
        assert "connect: connection refused" in complaints.readline()
