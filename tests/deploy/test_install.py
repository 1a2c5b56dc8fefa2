"""``kfambassador install`` and ``uninstall`` against the embedded Kubernetes API."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from kfambassador import __version__
from kfambassador.errors import NotFound
from kfambassador.installing.inventory import MANAGER, NAME, Inventory, find_inventory
from kfambassador.installing.kinds import KINDS, Key
from kfambassador.installing.manifests import read_manifests
from kfambassador.kube.client import KubeClient
from kfambassador.kube.kinds import CONFIG_MAP, CUSTOM_RESOURCE_DEFINITION, DEPLOYMENT, MAPPING, NAMESPACE, SERVICE
from tests.deploy.conftest import Run
from tests.deploy.others import (
    HOME,
    MAPPINGS,
    bring_istio,
    define_as_emissary,
    make_mapping,
    make_namespace,
    set_pods,
    start_pod,
    warn,
)

Kubectl = Callable[..., str]


def count(steps: str, action: str) -> int:
    return sum(line.startswith(f"{action} ") for line in steps.splitlines())


def list_all(client: KubeClient) -> dict[str, str]:
    """Every object of the kinds that are installed, with its version."""
    found: dict[str, str] = {}
    for kind in KINDS:
        try:
            items = client.list(kind).items
        except NotFound:
            continue
        for each in items:
            metadata = each["metadata"]
            if metadata["name"] != "kube-root-ca.crt":
                place = f"{kind.kind} {metadata.get('namespace', '')}/{metadata['name']}"
                found[place] = metadata["resourceVersion"]
    return found


def exists(client: KubeClient, kind: Any, name: str, namespace: str | None = None) -> bool:
    try:
        client.get(kind, name, namespace=namespace)
    except NotFound:
        return False
    return True


# Installing


def test_a_dry_run_tells_what_would_be_and_changes_nothing(run: Run, client: KubeClient) -> None:
    before = list_all(client)
    code, said = run("install", "--dry-run")
    assert code == 0
    assert count(said, "created") == len(read_manifests())
    assert f"it would be: {len(read_manifests())} created" in said
    assert list_all(client) == before


def test_everything_is_there_and_a_second_time_nothing_changes(run: Run, client: KubeClient) -> None:
    code, said = run("install", "--no-wait")
    assert (code, count(said, "created")) == (0, len(read_manifests()))
    first = list_all(client)
    code, said = run("install", "--no-wait")
    assert (code, count(said, "created"), count(said, "changed")) == (0, 0, 0)
    assert f"{len(read_manifests())} unchanged" in said
    assert list_all(client) == first
    _, said = run("install", "--dry-run")
    assert "nothing would change" in said


def test_what_others_need_is_applied_before_them(run: Run, client: KubeClient) -> None:
    _, said = run("install", "--no-wait")
    kinds = [line.split()[1] for line in said.splitlines() if line.startswith("created")]
    order = list(dict.fromkeys(kinds))
    assert order.index("Namespace") < order.index("CustomResourceDefinition") < order.index("ServiceAccount")
    assert order.index("ClusterRole") < order.index("ClusterRoleBinding") < order.index("Deployment")
    assert order.index("NetworkPolicy") < order.index("Service") < order.index("Deployment")


def test_it_returns_when_the_pods_take_requests(run: Run, client: KubeClient) -> None:
    run("install", "--no-wait")
    client.apply(replicas(2), kind=DEPLOYMENT, manager="autoscaler")
    set_pods(client, wanted=2, ready=1)
    with start("install", "--timeout", "60") as process:
        assert process.stderr is not None
        said = iter(process.stderr.readline, "")
        assert any("1 of 2 pods ready" in line for line in said)
        set_pods(client, wanted=2, ready=2)
        out, _ = process.communicate()
    assert process.returncode == 0
    assert "installed in namespace kfambassador" in out
    assert "2 of 2 pods ready" in out


def replicas(count: int) -> dict[str, Any]:
    """What says how many pods there are to be."""
    deployment = {"apiVersion": "apps/v1", "kind": "Deployment"}
    return {**deployment, "metadata": {"name": "kfambassador", "namespace": HOME}, "spec": {"replicas": count}}


def start(*words: str) -> "subprocess.Popen[str]":
    """Start a command in a process of its own."""
    command = [sys.executable, "-m", "kfambassador", *words]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_it_tells_what_keeps_the_pods_from_being_ready(run: Run, client: KubeClient) -> None:
    run("install", "--no-wait")
    set_pods(client, wanted=1, ready=0)
    waiting = {"reason": "ImagePullBackOff", "message": "no such image"}
    status = {
        "phase": "Pending",
        "containerStatuses": [{"name": "envoy", "state": {"waiting": waiting}, "ready": False}],
    }
    start_pod(client, "kfambassador-5d4f-x", status)
    warn(client, "kfambassador-5d4f-x", "Failed", "Failed to pull image kfambassador:0.1.0")
    warn(client, "somebody-else", "Failed", "of no concern")
    code, said = run("install", "--timeout", "0.5")
    assert code == 1
    assert "installed in namespace kfambassador, but the gateway is not ready:" in said
    assert "0 of 1 pods ready" in said
    assert "Deployment does not have minimum availability." in said
    assert "pod kfambassador-5d4f-x is Pending: container envoy waits with ImagePullBackOff (no such image)" in said
    assert "Failed: Failed to pull image kfambassador:0.1.0" in said
    assert "of no concern" not in said


def test_a_cluster_that_has_given_up_is_not_waited_for(run: Run, client: KubeClient) -> None:
    run("install", "--no-wait")
    words = "pods are forbidden: exceeded quota"
    set_pods(client, wanted=1, ready=0, status="False", reason="ProgressDeadlineExceeded", message=words)
    # With the usual patience of five minutes, this would take as long.
    code, said = run("install")
    assert code == 1
    assert words in said


def test_a_definition_that_is_not_served_is_told(run: Run, client: KubeClient) -> None:
    definition = next(each for each in read_manifests() if each["metadata"].get("name") == MAPPINGS)
    old = {**definition["spec"], "versions": [{**definition["spec"]["versions"][0], "name": "v2", "storage": True}]}
    client.apply({**definition, "spec": old})
    code, said = run("install", "--timeout", "0.5")
    assert code == 1
    assert f"CustomResourceDefinition {MAPPINGS} does not serve v3alpha1" in said
    assert not exists(client, DEPLOYMENT, "kfambassador", HOME)
    assert run("install", "--no-wait", "--take-over")[0] == 0


# What others set


def test_what_a_person_set_stays_and_is_told(run: Run, client: KubeClient, kubectl: Kubectl) -> None:
    run("install", "--no-wait")
    kubectl("set", "resources", "deployment/kfambassador", "-n", HOME, "-c=envoy", "--limits=cpu=4")
    kubectl("patch", "hpa", "kfambassador", "-n", HOME, "--type=merge", "-p", '{"spec": {"maxReplicas": 20}}')
    kubectl("label", "service", "kfambassador", "-n", HOME, "team=platform")
    kubectl("scale", "deployment/kfambassador", "-n", HOME, "--replicas=3")
    code, said = run("install", "--no-wait", "--image", "registry.example/kfambassador:0.1.0")
    assert code == 0
    assert 'spec.template.spec.containers[name="envoy"].resources.limits.cpu stays as kubectl-set set it' in said
    assert "spec.maxReplicas stays as kubectl-patch set it" in said
    deployment = client.get(DEPLOYMENT, "kfambassador", namespace=HOME)["spec"]
    controller, envoy = deployment["template"]["spec"]["containers"]
    assert envoy["resources"]["limits"] == {"cpu": "4", "memory": "1Gi"}
    assert {controller["image"], envoy["image"]} == {"registry.example/kfambassador:0.1.0"}
    assert deployment["replicas"] == 3
    assert client.get(SERVICE, "kfambassador", namespace=HOME)["metadata"]["labels"]["team"] == "platform"


def test_it_is_taken_over_when_that_is_said(run: Run, client: KubeClient, kubectl: Kubectl) -> None:
    run("install", "--no-wait")
    kubectl("set", "resources", "deployment/kfambassador", "-n", HOME, "-c=envoy", "--limits=cpu=4")
    code, said = run("install", "--dry-run", "--take-over")
    assert "spec.template.spec.containers[1].resources.limits.cpu: 4 -> 2" in said
    code, said = run("install", "--no-wait", "--take-over")
    assert (code, count(said, "changed")) == (0, 1)
    envoy = client.get(DEPLOYMENT, "kfambassador", namespace=HOME)["spec"]["template"]["spec"]["containers"][1]
    assert envoy["resources"]["limits"]["cpu"] == "2"


def test_definitions_of_somebody_elses_are_left_alone(run: Run, client: KubeClient) -> None:
    before = define_as_emissary(client)
    code, said = run("install", "--no-wait")
    assert code == 0
    assert "it is emissary's and stays as it is; --take-over replaces it" in said
    assert client.get(CUSTOM_RESOURCE_DEFINITION, MAPPINGS) == before
    code, said = run("uninstall")
    assert code == 0
    assert client.get(CUSTOM_RESOURCE_DEFINITION, MAPPINGS) == before
    assert f" {MAPPINGS}" not in said


def test_definitions_of_emissarys_are_taken_over_with_their_objects(run: Run, client: KubeClient) -> None:
    define_as_emissary(client)
    make_mapping(client, "mnist")
    code, said = run("install", "--dry-run", "--take-over")
    assert "its conversion webhook would be taken away" in said
    assert client.get(CUSTOM_RESOURCE_DEFINITION, MAPPINGS)["spec"]["conversion"]["strategy"] == "Webhook"
    code, said = run("install", "--no-wait", "--take-over")
    assert code == 0
    found = client.get(CUSTOM_RESOURCE_DEFINITION, MAPPINGS)["spec"]
    assert found["conversion"] == {"strategy": "None"}
    ours = next(each for each in read_manifests() if each["metadata"].get("name") == MAPPINGS)
    assert found["versions"] == ours["spec"]["versions"]
    assert [each["metadata"]["name"] for each in client.list(MAPPING).items] == ["mnist"]
    # Emissary put them there, so they outlast us.
    run("uninstall", "--yes")
    assert exists(client, CUSTOM_RESOURCE_DEFINITION, MAPPINGS)


def test_what_kubectl_applied_before_goes_on_as_ours(run: Run, client: KubeClient, kubectl: Kubectl) -> None:
    kubectl("apply", "--server-side", "-f", "deploy/crds.yaml")
    kubectl("apply", "--server-side", "-k", "deploy/base")
    code, said = run("install", "--no-wait")
    assert (code, count(said, "created"), count(said, "changed")) == (0, 0, 0)
    code, said = run("uninstall")
    # Both were there before: who put them there may want them on.
    assert exists(client, NAMESPACE, HOME)
    assert exists(client, CUSTOM_RESOURCE_DEFINITION, MAPPINGS)
    assert said.count("it was there before the gateway was") == 15
    assert not exists(client, DEPLOYMENT, "kfambassador", HOME)


# Overlays, components and versions


def test_kubeflow_is_installed_into_a_kubeflow(run: Run, client: KubeClient) -> None:
    code, said = run("install", "--no-wait", "--overlay", "kubeflow")
    assert code == 2
    assert "VirtualService (networking.istio.io/v1), of Istio" in said
    assert "AuthorizationPolicy (security.istio.io/v1), of Istio" in said
    assert "namespace kubeflow" in said
    assert not exists(client, NAMESPACE, HOME)
    bring_istio(client)
    make_namespace(client, "kubeflow")
    code, said = run("install", "--no-wait", "--overlay", "kubeflow")
    assert (code, count(said, "created")) == (0, len(read_manifests("kubeflow")))
    # What it was stays so when nothing else is said.
    code, said = run("install", "--no-wait")
    assert "kubeflow in namespace kfambassador" in said
    assert (count(said, "created"), count(said, "changed"), count(said, "deleted")) == (0, 0, 0)
    code, said = run("install", "--no-wait", "--overlay", "base")
    assert count(said, "deleted") == 7
    assert "deleted   VirtualService kfambassador/kfambassador" in said
    code, said = run("uninstall")
    assert exists(client, NAMESPACE, "kubeflow")
    assert not exists(client, NAMESPACE, HOME)


def test_kubeflow_without_istio(run: Run, client: KubeClient) -> None:
    make_namespace(client, "kubeflow")
    assert run("install", "--no-wait", "--overlay", "kubeflow-ingress")[0] == 0
    assert {each["metadata"]["name"] for each in client.list(MAPPING).items} == {
        "centraldashboard",
        "dex",
        "oauth2-proxy",
    }
    # They are of the installation, and nobody is asked about them.
    assert run("uninstall")[0] == 0
    assert not exists(client, CUSTOM_RESOURCE_DEFINITION, MAPPINGS)


def test_components_are_added_and_taken_away(run: Run, client: KubeClient) -> None:
    run("install", "--no-wait", "--component", "read-api", "--component", "grafana-dashboard")
    dashboard = client.get(CONFIG_MAP, "kfambassador-dashboard", namespace=HOME)["data"]["kfambassador.json"]
    assert json.loads(dashboard)["title"] == "kfambassador"
    _, said = run("install", "--dry-run", "--component", "grafana-dashboard")
    assert count(said, "deleted") == 3
    _, said = run("install", "--no-wait", "--component", "grafana-dashboard")
    assert count(said, "deleted") == 3
    assert not exists(client, SERVICE, "kfambassador-read-api", HOME)
    assert run("install", "--component", "grafana")[0] == 2


def test_what_an_older_version_left_is_taken_away(run: Run, client: KubeClient) -> None:
    run("install", "--no-wait", "--image", "registry.example/ml/kfambassador:0.1.0")
    leave_behind(client, "old", manager=MANAGER)
    leave_behind(client, "anothers", manager="somebody")
    _, said = run("install", "--no-wait")
    assert f"kfambassador {__version__} instead of 0.0.9" in said
    assert "deleted   Service kfambassador/old" in said
    assert "kept      Service kfambassador/anothers" in said
    assert "somebody else has made it anew" in said
    assert f"image registry.example/ml/kfambassador:{__version__}" in said
    assert not exists(client, SERVICE, "old", HOME)
    assert exists(client, SERVICE, "anothers", HOME)
    kept = find_inventory(client, HOME)
    assert kept is not None
    assert kept.version == __version__
    assert {key.name for key in kept.objects} & {"old", "anothers"} == set()


def leave_behind(client: KubeClient, name: str, *, manager: str) -> None:
    """Make a Service of an older version's."""
    service = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name, "namespace": HOME}}
    client.apply({**service, "spec": {"ports": [{"port": 80}]}}, manager=manager)
    kept = client.get(CONFIG_MAP, NAME, namespace=HOME)["data"]
    data = {
        "version": "0.0.9",
        "image": "registry.example/ml/kfambassador:0.0.9",
        "objects": f"{kept['objects']}v1 Service {HOME}/{name}\n",
    }
    client.patch(CONFIG_MAP, NAME, {"data": data}, namespace=HOME)


def test_an_image_that_is_named_by_its_digest_must_be_said_anew(run: Run, client: KubeClient) -> None:
    digest = "registry.example/kfambassador@sha256:" + "0" * 64
    run("install", "--no-wait", "--image", digest)
    code, said = run("install", "--no-wait")
    assert code == 2
    assert "say this version's with --image" in said
    assert run("install", "--no-wait", "--image", digest)[0] == 0


def test_a_run_that_was_killed_leaves_nothing_that_nobody_knows_of(run: Run, client: KubeClient) -> None:
    before = list_all(client).keys()
    with start("install", "--no-wait") as process:
        assert process.stdout is not None
        assert any("ServiceAccount" in line for line in iter(process.stdout.readline, ""))
        process.kill()
    kept = find_inventory(client, HOME)
    assert kept is not None
    assert {Key.of(each) for each in read_manifests()} == kept.objects
    code, said = run("install", "--no-wait")
    assert code == 0
    assert 0 < count(said, "created") < len(read_manifests())
    assert run("uninstall")[0] == 0
    assert list_all(client).keys() == before


def test_another_namespace_has_a_gateway_of_its_own(run: Run, client: KubeClient) -> None:
    run("install", "--no-wait")
    code, said = run("install", "--no-wait", "--namespace", "models")
    assert code == 0
    assert "created   ClusterRoleBinding kfambassador-controller-models" in said
    assert exists(client, DEPLOYMENT, "kfambassador", "models")
    code, said = run("uninstall", "--namespace", "models")
    assert code == 0
    assert "the gateway in namespace kfambassador has it too" in said
    assert exists(client, CUSTOM_RESOURCE_DEFINITION, MAPPINGS)
    assert not exists(client, NAMESPACE, "models")
    assert exists(client, DEPLOYMENT, "kfambassador", HOME)
    code, said = run("install", "--dry-run")
    assert "nothing would change" in said


# Uninstalling


def test_uninstall_leaves_nothing(run: Run, client: KubeClient) -> None:
    before = list_all(client).keys()
    run("install", "--no-wait", "--component", "read-api")
    code, said = run("uninstall", "--dry-run")
    assert count(said, "deleted") == len(read_manifests("base", ["read-api"]))
    assert exists(client, DEPLOYMENT, "kfambassador", HOME)
    code, said = run("uninstall")
    assert code == 0
    assert list_all(client).keys() == before
    code, said = run("uninstall")
    assert code == 2
    assert "it has no ConfigMap kfambassador-install" in said


def test_nobodys_mappings_are_lost_without_a_word(run: Run, client: KubeClient) -> None:
    run("install", "--no-wait")
    make_mapping(client, "mnist")
    make_mapping(client, "iris")
    code, said = run("uninstall")
    assert code == 0
    assert f"kept      CustomResourceDefinition {MAPPINGS}" in said
    assert "2 Mappings (2 in team) would be lost with it" in said
    assert {each["metadata"]["name"] for each in client.list(MAPPING).items} == {"mnist", "iris"}
    assert not exists(client, CUSTOM_RESOURCE_DEFINITION, "modules.getambassador.io")
    assert not exists(client, NAMESPACE, HOME)
    # They are taken up again by the next installation.
    assert run("install", "--no-wait")[0] == 0
    assert len(client.list(MAPPING).items) == 2
    code, said = run("uninstall", "--yes")
    assert f"kept      CustomResourceDefinition {MAPPINGS}" not in said
    assert not exists(client, CUSTOM_RESOURCE_DEFINITION, MAPPINGS)


@pytest.mark.parametrize("answer", ["y", "n"])
def test_a_person_is_asked(answer: str, run: Run, client: KubeClient, monkeypatch: pytest.MonkeyPatch) -> None:
    run("install", "--no-wait")
    make_mapping(client, "mnist")
    asked: list[str] = []

    def type_answer(question: str, **_: object) -> bool:
        asked.append(question)
        return answer == "y"

    monkeypatch.setattr("sys.stdin.isatty", lambda: True)
    monkeypatch.setattr("typer.confirm", type_answer)
    run("uninstall")
    assert asked == ["1 Mapping (1 in team) would be deleted with their definition. Delete them?"]
    assert exists(client, CUSTOM_RESOURCE_DEFINITION, MAPPINGS) is (answer == "n")


def test_what_people_keep_in_the_namespace_stays(run: Run, client: KubeClient) -> None:
    run("install", "--no-wait")
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "certificate", "namespace": HOME}}
    client.create({**secret, "stringData": {"tls.key": "secret"}})
    code, said = run("uninstall")
    assert code == 0
    assert "kept      Namespace kfambassador" in said
    assert "namespace kfambassador also has Secret certificate" in said
    assert not exists(client, DEPLOYMENT, "kfambassador", HOME)
    assert not exists(client, CONFIG_MAP, NAME, HOME)


def test_a_cluster_that_is_not_there_is_told(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert run("install", "--context", "nowhere")[0] == 2
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "absent"))
    code, said = run("install")
    assert code == 2
    assert "Cannot connect with the kubeconfig" in said


def test_the_inventory_says_what_it_does_not_know() -> None:
    text = {"data": {"objects": "example.org/v9 Thing team/x\n"}}
    with pytest.raises(Exception, match=r"example.org/v9 Thing is no kind that this version installs"):
        Inventory.read(text)
