"""The manifests by real kubectl against the embedded Kubernetes API: tried, applied, applied anew, changed, deleted."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from kfambassador.kube.client import KubeClient
from kfambassador.kube.kinds import CUSTOM_RESOURCE_DEFINITION, NAMESPACE
from tests.deploy.built import BUILDS, DEPLOY, build
from tests.deploy.others import HOME, bring_istio, make_mapping, make_namespace

Kubectl = Callable[..., str]

CRDS = str(DEPLOY / "crds.yaml")


@pytest.fixture
def cluster(client: KubeClient, kubectl: Kubectl) -> KubeClient:
    """A cluster with Istio's and Kubeflow's parts, and the definitions of Ambassador's kinds."""
    bring_istio(client)
    make_namespace(client, "kubeflow")
    kubectl("apply", "--server-side", "-f", CRDS)
    return client


def read_versions(kubectl: Kubectl, folder: str) -> dict[str, str]:
    """The resourceVersion of each object of a folder."""
    listed = json.loads(kubectl("get", "-k", str(DEPLOY / folder), "-o", "json"))
    return {
        f"{each['kind']} {each['metadata']['name']}": each["metadata"]["resourceVersion"] for each in listed["items"]
    }


@pytest.mark.parametrize("folder", BUILDS)
def test_applied_twice_nothing_changes_and_deleted_nothing_is_left(
    folder: str, cluster: KubeClient, kubectl: Kubectl
) -> None:
    path = str(DEPLOY / folder)
    kubectl("apply", "--server-side", "-k", path)
    first = read_versions(kubectl, folder)
    assert len(first) == len(build(folder))
    said = kubectl("apply", "--server-side", "--dry-run=server", "-k", path)
    assert said.count("serverside-applied (server dry run)") == len(first)
    kubectl("apply", "--server-side", "-k", path)
    assert read_versions(kubectl, folder) == first
    assert kubectl("diff", "--server-side", "-k", path) == ""
    # The namespace takes with it what is in it, so some of it is gone when its turn comes.
    kubectl("delete", "-k", path, "--ignore-not-found", "--timeout=30s")
    assert HOME not in {each["metadata"]["name"] for each in cluster.list(NAMESPACE).items}
    left = kubectl("get", "clusterroles,clusterrolebindings,rolebindings", "-A", "-o", "name")
    assert "kfambassador" not in left


def test_without_server_side_apply_it_is_the_same(cluster: KubeClient, kubectl: Kubectl) -> None:
    path = str(DEPLOY / "base")
    kubectl("apply", "-k", path)
    first = read_versions(kubectl, "base")
    kubectl("apply", "-k", path)
    assert read_versions(kubectl, "base") == first


def test_a_dry_run_is_answered_by_the_server_where_the_namespace_is_there(
    cluster: KubeClient, kubectl: Kubectl
) -> None:
    make_namespace(cluster, HOME)
    kubectl("apply", "--dry-run=server", "-k", str(DEPLOY / "base"))
    assert kubectl("get", "all", "--namespace", HOME).strip() == "No resources found in kfambassador namespace."


def test_deleting_the_gateway_takes_nobodys_mappings(cluster: KubeClient, kubectl: Kubectl) -> None:
    kubectl("apply", "--server-side", "-k", str(DEPLOY / "base"))
    make_mapping(cluster, "mnist")
    kubectl("delete", "-k", str(DEPLOY / "base"), "--ignore-not-found", "--timeout=30s")
    assert "mnist" in kubectl("get", "mappings", "--namespace", "team")
    assert cluster.get(CUSTOM_RESOURCE_DEFINITION, "mappings.getambassador.io")


def test_a_newer_version_changes_what_it_changes(cluster: KubeClient, kubectl: Kubectl, tmp_path: Path) -> None:
    newer = tmp_path / "base"
    kubectl("apply", "--server-side", "-k", str(DEPLOY / "base"))
    before = read_versions(kubectl, "base")
    shutil.copytree(DEPLOY / "base", newer)
    said = yaml.safe_load((newer / "kustomization.yaml").read_text())
    image = {"name": "kfambassador", "newName": "registry.example/kfambassador", "newTag": "0.2.0"}
    (newer / "kustomization.yaml").write_text(yaml.safe_dump({**said, "images": [image]}))
    kubectl("apply", "--server-side", "-k", str(newer))
    after = read_versions(kubectl, "base")
    assert [each for each in before if before[each] != after[each]] == ["Deployment kfambassador"]
    deployment: dict[str, Any] = json.loads(kubectl("get", "deployment", "-n", HOME, "kfambassador", "-o", "json"))
    images = {each["image"] for each in deployment["spec"]["template"]["spec"]["containers"]}
    assert images == {"registry.example/kfambassador:0.2.0"}


def test_kubeflows_own_policies_are_applied_to_a_profile(cluster: KubeClient, kubectl: Kubectl) -> None:
    make_namespace(cluster, "ann")
    file = str(DEPLOY / "components" / "kubeflow-istio" / "profile.yaml")
    kubectl("apply", "--namespace", "ann", "-f", file)
    assert "kfambassador-models" in kubectl("get", "networkpolicies,authorizationpolicies", "--namespace", "ann")
