"""The real kubectl, unmodified."""

import json
import subprocess
from pathlib import Path

import pytest

from tests.cluster.conftest import Kubectl, kubectl_path

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
