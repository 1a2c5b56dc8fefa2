"""The real kubectl, verb by verb: what people type every day works, and what nothing here can do fails honestly."""

import json
from pathlib import Path

import pytest

from tests.cluster.conftest import Kubectl
from tests.cluster.raw_api import RawApi
from tests.cluster.servers import Server

SETTINGS = "{apiVersion: v1, kind: ConfigMap, metadata: {name: settings, labels: {app: web}}, data: {key: old}}"
POD = "{apiVersion: v1, kind: Pod, metadata: {name: web}, spec: {containers: [{name: main, image: web}]}}"


def deploy(kubectl: Kubectl) -> None:
    kubectl("create", "deployment", "web", "--image=web:1", "--replicas=2", "--port=8080")


@pytest.mark.parametrize("side", [[], ["--server-side"]], ids=["client", "server"])
def test_diff_shows_what_would_change_and_changes_nothing(kubectl: Kubectl, tmp_path: Path, side: list[str]) -> None:
    kubectl("apply", *side, "-f", "-", given=SETTINGS)
    assert kubectl("diff", *side, "-f", "-", given=SETTINGS) == ""
    # An exit code of 1 means that there is a difference, and the difference is on the standard output.
    file = tmp_path / "settings.yaml"
    file.write_text(SETTINGS.replace("old", "new"))
    shown = tmp_path / "shown"
    differ = tmp_path / "differ"
    differ.write_text(f'#!/bin/sh\ndiff -u "$@" > {shown}\nexit 1\n')
    differ.chmod(0o700)
    kubectl("diff", *side, "-f", str(file), fails=True, KUBECTL_EXTERNAL_DIFF=str(differ))
    assert {"-  key: old", "+  key: new"} <= set(shown.read_text().splitlines())
    assert kubectl("get", "cm", "settings", "-o", "jsonpath={.data.key}") == "old"


def test_wait_waits_for_conditions_fields_and_the_end(kubectl: Kubectl) -> None:
    kubectl("apply", "-f", "-", given=POD)
    assert "timed out waiting for the condition" in kubectl(
        "wait", "--for=condition=Ready", "pod/web", "--timeout=1s", fails=True
    )
    ready = '{"status": {"conditions": [{"type": "Ready", "status": "True"}]}}'
    kubectl("patch", "pod", "web", "--subresource=status", "--type=merge", "-p", ready)
    assert kubectl("wait", "--for=condition=Ready", "pod/web") == "pod/web condition met\n"
    assert kubectl("wait", "--for=jsonpath={.metadata.name}=web", "pod/web") == "pod/web condition met\n"
    kubectl("delete", "pod", "web", "--wait=false")
    kubectl("wait", "--for=delete", "pod/web", "--timeout=30s")


def test_replace_wants_what_is_there(kubectl: Kubectl) -> None:
    assert '"settings" not found' in kubectl("replace", "-f", "-", given=SETTINGS, fails=True)
    kubectl("create", "-f", "-", given=SETTINGS)
    before = kubectl("get", "cm", "settings", "-o", "jsonpath={.metadata.uid}")
    assert kubectl("replace", "-f", "-", given=SETTINGS.replace("old", "new")) == "configmap/settings replaced\n"
    assert kubectl("get", "cm", "settings", "-o", "jsonpath={.metadata.uid} {.data.key}") == f"{before} new"
    kubectl("replace", "--force", "-f", "-", given=SETTINGS)
    assert kubectl("get", "cm", "settings", "-o", "jsonpath={.metadata.uid}") != before


def test_a_kustomization_is_applied_and_deleted(kubectl: Kubectl, tmp_path: Path) -> None:
    (tmp_path / "kustomization.yaml").write_text("resources: [settings.yaml]\nnamePrefix: my-\n")
    (tmp_path / "settings.yaml").write_text(SETTINGS)
    assert kubectl("apply", "-k", str(tmp_path)) == "configmap/my-settings created\n"
    assert kubectl("diff", "-k", str(tmp_path)) == ""
    assert kubectl("get", "cm", "-l", "app=web", "-o", "name") == "configmap/my-settings\n"
    assert "my-settings" in kubectl("delete", "-k", str(tmp_path))


def test_prune_takes_what_is_no_longer_applied(kubectl: Kubectl) -> None:
    other = SETTINGS.replace("settings", "other")
    kubectl("apply", "-f", "-", given=f"{SETTINGS}\n---\n{other}\n")
    kinds = ["--prune-allowlist=core/v1/ConfigMap", "-l", "app=web"]
    assert "configmap/other pruned" in kubectl("apply", "--prune", *kinds, "-f", "-", given=SETTINGS)
    assert kubectl("get", "cm", "-l", "app=web", "-o", "name") == "configmap/settings\n"


@pytest.mark.embedded
def test_a_rollout_that_nothing_makes_is_told_at_once(kubectl: Kubectl) -> None:
    deploy(kubectl)
    assert "exceeded its progress deadline" in kubectl("rollout", "status", "deploy/web", "--timeout=60s", fails=True)
    words = kubectl("get", "deploy", "web", "-o", "jsonpath={.status.conditions[?(@.type=='Progressing')].message}")
    assert "nothing" in words.lower()
    assert "ProgressDeadlineExceeded" in kubectl("describe", "deploy", "web")
    assert "restarted" in kubectl("rollout", "restart", "deploy/web")
    assert "paused" in kubectl("rollout", "pause", "deploy/web")
    assert "resumed" in kubectl("rollout", "resume", "deploy/web")
    assert "No rollout history found" in kubectl("rollout", "history", "deploy/web")
    assert "no rollout history found" in kubectl("rollout", "undo", "deploy/web", fails=True)


def test_a_rollout_that_somebody_makes_is_followed(kubectl: Kubectl) -> None:
    deploy(kubectl)
    done = {"observedGeneration": 1, "replicas": 2, "updatedReplicas": 2, "readyReplicas": 2, "availableReplicas": 2}
    kubectl("patch", "deploy", "web", "--subresource=status", "--type=merge", "-p", json.dumps({"status": done}))
    assert "successfully rolled out" in kubectl("rollout", "status", "deploy/web", "--timeout=60s")


def test_a_deployment_is_scaled(kubectl: Kubectl) -> None:
    deploy(kubectl)
    assert kubectl("scale", "deploy", "web", "--replicas=3") == "deployment.apps/web scaled\n"
    assert "Expected replicas to be 2, was 3" in kubectl(
        "scale", "deploy", "web", "--current-replicas=2", "--replicas=4", fails=True
    )
    assert kubectl("get", "deploy", "web", "-o", "jsonpath={.spec.replicas} {.metadata.generation}") == "3 2"
    kubectl("autoscale", "deploy", "web", "--min=1", "--max=5", "--cpu-percent=70")
    assert "Deployment/web" in kubectl("get", "hpa", "web")


def test_a_deployment_is_exposed_and_set(kubectl: Kubectl) -> None:
    deploy(kubectl)
    kubectl("expose", "deploy", "web", "--port=80", "--target-port=8080")
    spec = json.loads(kubectl("get", "svc", "web", "-o", "json"))["spec"]
    assert (spec["selector"], spec["ports"][0]["targetPort"]) == ({"app": "web"}, 8080)
    kubectl("set", "image", "deploy/web", "web=web:2")
    kubectl("set", "env", "deploy/web", "MODE=fast")
    kubectl("set", "resources", "deploy/web", "--limits=cpu=1")
    kubectl("set", "serviceaccount", "deploy/web", "me")
    kubectl("set", "selector", "svc/web", "app=other")
    pod = json.loads(kubectl("get", "deploy", "web", "-o", "json"))["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    assert (container["image"], container["env"]) == ("web:2", [{"name": "MODE", "value": "fast"}])
    assert (container["resources"]["limits"], pod["serviceAccountName"]) == ({"cpu": "1"}, "me")
    assert kubectl("get", "svc", "web", "-o", "jsonpath={.spec.selector.app}") == "other"


def test_create_makes_workloads(kubectl: Kubectl) -> None:
    # kubectl sends these in protobuf.
    deploy(kubectl)
    kubectl("create", "ingress", "web", "--rule=example.org/path*=web:80")
    kubectl("create", "job", "once", "--image=web", "--", "echo", "hello")
    kubectl("create", "cronjob", "often", "--image=web", "--schedule=*/5 * * * *")
    kubectl("create", "poddisruptionbudget", "web", "--selector=app=web", "--min-available=1")
    kubectl("create", "quota", "small", "--hard=pods=3")
    kubectl("run", "alone", "--image=web")
    found = kubectl("get", "deploy,ingress,job,cronjob,pdb,quota,pod", "-o", "name").split()
    assert found == [
        "deployment.apps/web",
        "ingress.networking.k8s.io/web",
        "job.batch/once",
        "cronjob.batch/often",
        "poddisruptionbudget.policy/web",
        "resourcequota/small",
        "pod/alone",
    ]
    path = "jsonpath={.spec.rules[0].http.paths[0].path} {.spec.rules[0].http.paths[0].pathType}"
    assert kubectl("get", "ingress", "web", "-o", path) == "/path Prefix"
    command = "jsonpath={.spec.template.spec.containers[0].command}"
    assert kubectl("get", "job", "once", "-o", command) == '["echo","hello"]'


def test_output_in_all_forms(kubectl: Kubectl, tmp_path: Path) -> None:
    deploy(kubectl)
    header, row = kubectl("get", "deploy", "-o", "wide").splitlines()
    assert header.split()[-3:] == ["CONTAINERS", "IMAGES", "SELECTOR"]
    assert row.split()[-3:] == ["web", "web:1", "app=web"]
    columns = "custom-columns=NAME:.metadata.name,WANTED:.spec.replicas"
    assert [line.split() for line in kubectl("get", "deploy", "-o", columns).splitlines()] == [
        ["NAME", "WANTED"],
        ["web", "2"],
    ]
    (tmp_path / "columns").write_text("NAME IMAGE\n.metadata.name .spec.template.spec.containers[*].image\n")
    assert "web:1" in kubectl("get", "deploy", "-o", f"custom-columns-file={tmp_path / 'columns'}")
    template = "go-template={{range .items}}{{.metadata.name}}={{.spec.replicas}} {{end}}"
    assert kubectl("get", "deploy", "-o", template) == "web=2 "
    assert kubectl("get", "deploy", "-L", "app", "--show-labels", "--no-headers").split()[-2:] == ["web", "app=web"]
    assert kubectl("get", "deploy", "--sort-by=.metadata.name", "--show-kind", "--no-headers").startswith(
        "deployment.apps/web"
    )
    assert "web" in kubectl("get", "deploy", "-A", "--field-selector=metadata.name=web")


def test_explain_tells_of_fields_at_any_depth(kubectl: Kubectl) -> None:
    told = kubectl("explain", "pod.spec.containers", "--recursive")
    assert "configMapKeyRef" in told
    assert "-required-" in told
    assert "FIELD: strategy" in kubectl("explain", "deployment.spec.strategy")
    assert "does not exist" in kubectl("explain", "pod.spec.nonsense", fails=True)


def test_raw_requests_are_passed_on(kubectl: Kubectl, cluster: Server, namespace: str) -> None:
    assert kubectl("get", "--raw", "/livez?verbose").endswith("livez check passed\n")
    path = f"/api/v1/namespaces/{namespace}/configmaps"
    assert json.loads(kubectl("get", "--raw", path))["kind"] == "ConfigMapList"
    kubectl("create", "--raw", path, "-f", "-", given=json.dumps({"metadata": {"name": "raw"}}))
    assert kubectl("get", "cm", "raw", "-o", "name") == "configmap/raw\n"
    kubectl("delete", "--raw", f"{path}/raw")


def test_a_cluster_tells_of_itself(kubectl: Kubectl, tmp_path: Path) -> None:
    assert "Kubernetes control plane is running at https://127.0.0.1:" in kubectl("cluster-info")
    kubectl("cluster-info", "dump", f"--output-directory={tmp_path}")
    assert json.loads((tmp_path / "nodes.json").read_text())["kind"] == "NodeList"
    assert "apps/v1" in kubectl("api-versions").split()
    assert "Metrics API not available" in kubectl("top", "pods", fails=True)


def test_what_only_a_running_pod_can_do_is_refused_in_clear_words(kubectl: Kubectl) -> None:
    kubectl("apply", "-f", "-", given=POD)
    waiting = 'container "main" in pod "web" is waiting to start: nothing runs pods on this server'
    assert waiting in kubectl("logs", "web", fails=True)
    homeless = "pod web does not have a host assigned: nothing runs pods on this server"
    assert homeless in kubectl("exec", "web", "--", "ls", fails=True)
    assert homeless in kubectl("attach", "web", fails=True)
    assert homeless in kubectl("cp", "web:/etc/hosts", "/dev/null", fails=True)
    assert "container nope is not valid for pod web" in kubectl("logs", "web", "-c", "nope", fails=True)
    for command in (["logs", "absent"], ["exec", "absent", "--", "ls"]):
        assert 'pods "absent" not found' in kubectl(*command, fails=True)


def test_a_pod_of_several_containers_wants_one_named(api: RawApi, namespace: str) -> None:
    pods = f"/api/v1/namespaces/{namespace}/pods"
    containers = [{"name": "a", "image": "x"}, {"name": "b", "image": "x"}]
    assert api.create(pods, {"metadata": {"name": "two"}, "spec": {"containers": containers}}).code == 201
    answer = api.get(f"{pods}/two/log")
    words = "a container name must be specified for pod two, choose one of: [a b]"
    assert (answer.code, answer.message) == (400, words)
    assert api.get(f"{pods}/two/log", container="b").message.startswith('container "b" in pod "two" is waiting')
    assert api.delete(f"{pods}/two/log").code == 405
    assert {"pods/log", "pods/exec", "pods/attach"} <= {
        resource["name"] for resource in api.get("/api/v1").object["resources"]
    }


def _settings(**data: str) -> str:
    named = {"name": "settings", "annotations": {"note": "one"}}
    return json.dumps({"apiVersion": "v1", "kind": "ConfigMap", "metadata": named, "data": data})


def test_who_turns_to_server_side_apply_meets_no_conflict(kubectl: Kubectl) -> None:
    kubectl("apply", "-f", "-", given=_settings(key="1"))
    kubectl("apply", "--server-side", "-f", "-", given=_settings(key="2"))
    assert kubectl("get", "configmap", "settings", "-o", "jsonpath={.data}") == '{"key":"2"}'


def test_what_others_changed_since_client_side_apply_is_theirs(kubectl: Kubectl) -> None:
    kubectl("apply", "-f", "-", given=_settings(key="1", other="1"))
    kubectl("patch", "configmap", "settings", "--field-manager=you", "-p", '{"data":{"other":"9"}}')
    changed = _settings(key="2", other="2")
    error = kubectl("apply", "--server-side", "-f", "-", given=changed, fails=True)
    assert 'conflict with "you" using v1: .data.other' in error
    error = kubectl("apply", "--server-side", "--field-manager=me", "-f", "-", given=changed, fails=True)
    assert "conflicts" in error
    assert ".data.key" in error
    assert kubectl("get", "configmap", "settings", "-o", "jsonpath={.data.key}") == "1"


def test_who_turns_back_to_client_side_apply_takes_away_what_was_applied_meanwhile(kubectl: Kubectl) -> None:
    kubectl("apply", "-f", "-", given=_settings(a="1"))
    kubectl("apply", "--server-side", "-f", "-", given=_settings(a="1", c="3"))
    noted = kubectl("apply", "view-last-applied", "configmap/settings", "-o", "json")
    assert json.loads(noted)["data"] == {"a": "1", "c": "3"}
    assert json.loads(noted)["metadata"]["annotations"] == {"note": "one"}
    kubectl("apply", "-f", "-", given=_settings(a="1"))
    assert kubectl("get", "configmap", "settings", "-o", "jsonpath={.data}") == '{"a":"1"}'


def test_server_side_apply_notes_nothing_by_itself(kubectl: Kubectl) -> None:
    kubectl("apply", "--server-side", "-f", "-", given=_settings(a="1"))
    kubectl("apply", "--server-side", "-f", "-", given=_settings(a="2"))
    assert kubectl("get", "configmap", "settings", "-o", "jsonpath={.metadata.annotations}") == '{"note":"one"}'


def test_a_scale_is_shown_in_a_table(kubectl: Kubectl) -> None:
    deploy(kubectl)
    header, row = kubectl("get", "deploy", "web", "--subresource", "scale").splitlines()
    assert header.split() == ["NAME", "DESIRED", "AVAILABLE", "AGE"]
    assert row.split()[:3] == ["web", "2", "0"]
