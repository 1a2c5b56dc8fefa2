"""Helm itself, with charts of the usual shapes: definitions, roles, webhooks, workloads, hooks and claims."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cluster.conftest import Kubectl
from tests.cluster.raw_api import Object, RawApi
from tests.cluster.things import DEFINITIONS

helm: Any = pytest.importorskip("helm_python", reason="Helm as a library has no wheel for this machine")

CHARTS = Path(__file__).parent / "charts"
OPERATOR, APP = CHARTS / "operator", CHARTS / "app"
MODELS = f"{DEFINITIONS}/models.serving.example.com"
MONITORS = f"{DEFINITIONS}/servicemonitors.monitoring.coreos.com"
QUIET = {"migrate": False}


@pytest.fixture
def releases(api: RawApi, namespace: str, kubectl_environment: dict[str, str]) -> Iterator[Any]:
    """Return what installs releases in the test's namespace; what outlives them goes at the end."""
    with helm.Config(kubeconfig_path=kubectl_environment["KUBECONFIG"], namespace=namespace) as config:
        yield config
        for release in config.list():
            config.uninstall(release["name"])
    for left in (MODELS, MONITORS):
        api.delete(left)


def names(api: RawApi, path: str) -> set[str]:
    """The names of a list's objects."""
    return {item["metadata"]["name"] for item in api.get(path).object["items"]}


def monitors() -> Object:
    """A definition as monitoring brings it, of which charts ask whether it is there."""
    spec = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    schema = {"openAPIV3Schema": {"type": "object", "properties": {"spec": spec}}}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": MONITORS.rpartition("/")[2]},
        "spec": {
            "group": "monitoring.coreos.com",
            "scope": "Namespaced",
            "names": {"plural": "servicemonitors", "kind": "ServiceMonitor"},
            "versions": [{"name": "v1", "served": True, "storage": True, "schema": schema}],
        },
    }


def test_an_operator_is_installed_upgraded_rolled_back_and_removed(
    api: RawApi, namespace: str, releases: Any, deployments: str, config_maps: str
) -> None:
    assert releases.install(OPERATOR, "op")["status"] == "deployed"
    models = f"/apis/serving.example.com/v1/namespaces/{namespace}/models"
    model = api.get(f"{models}/op-first").object
    assert (model["spec"]["replicas"], model["spec"]["resources"]["limits"]["cpu"]) == (1, 1)
    installed = api.get(f"{deployments}/op").object
    assert installed["metadata"]["annotations"]["meta.helm.sh/release-name"] == "op"
    assert releases.upgrade(OPERATOR, "op", {"replicas": 2})["revision"] == 2
    upgraded = api.get(f"{deployments}/op").object
    assert (upgraded["spec"]["replicas"], upgraded["metadata"]["generation"]) == (2, 2)
    assert api.get(f"{config_maps}/op-before").object["data"] == {"revision": "2"}
    releases.rollback("op", version=1)
    rolled_back = api.get(f"{deployments}/op").object
    assert rolled_back["spec"] == installed["spec"]
    assert [each["status"] for each in releases.history("op")] == ["superseded", "superseded", "deployed"]
    releases.uninstall("op")
    for path in (deployments, models, f"/apis/policy/v1/namespaces/{namespace}/poddisruptionbudgets"):
        assert names(api, path) == set()
    assert api.get(f"/apis/rbac.authorization.k8s.io/v1/clusterroles/{namespace}-op").code == 404
    assert api.get(MODELS).code == 200  # Helm never takes definitions away


def test_a_chart_asks_what_there_is(
    api: RawApi, namespace: str, releases: Any, kubectl_environment: dict[str, str]
) -> None:
    assert "ServiceMonitor" not in releases.install(OPERATOR, "op")["manifest"]
    assert api.create(DEFINITIONS, monitors()).code == 201
    path = f"/apis/monitoring.coreos.com/v1/namespaces/{namespace}/servicemonitors"
    while api.get(path).code != 200:
        """A cluster takes a moment to serve what was defined."""
    with helm.Config(kubeconfig_path=kubectl_environment["KUBECONFIG"], namespace=namespace) as later:
        later.upgrade(OPERATOR, "op")
    assert names(api, path) == {"op"}


def test_an_application_keeps_its_password_and_its_files(
    api: RawApi, namespace: str, releases: Any, kubectl: Kubectl
) -> None:
    releases.install(APP, "app", QUIET)
    secret = f"/api/v1/namespaces/{namespace}/secrets/app-auth"
    password = api.get(secret).object["data"]
    releases.upgrade(APP, "app", QUIET | {"note": "changed"})
    assert api.get(secret).object["data"] == password
    assert "8Gi" in kubectl("get", "statefulset", "app-db", "-o", "jsonpath={.spec.volumeClaimTemplates}")
    releases.uninstall("app")
    assert names(api, f"/api/v1/namespaces/{namespace}/persistentvolumeclaims") == {"app-files"}


def test_what_would_be_installed_can_be_seen_first(api: RawApi, namespace: str, releases: Any) -> None:
    planned = releases.install(APP, "app", QUIET, dry_run="server")
    assert "kind: StatefulSet" in planned["manifest"]
    assert names(api, f"/apis/apps/v1/namespaces/{namespace}/statefulsets") == set()
    assert releases.list() == []


def test_the_chart_that_every_chart_begins_as_is_installed(
    api: RawApi, namespace: str, releases: Any, tmp_path: Path, deployments: str
) -> None:
    more = {"autoscaling": {"enabled": True}, "ingress": {"enabled": True}}
    with helm.Chart.create("standard", str(tmp_path)):
        releases.install(tmp_path / "standard", "web", more)
    assert names(api, deployments) == {"web-standard"}
    assert names(api, f"/apis/autoscaling/v2/namespaces/{namespace}/horizontalpodautoscalers") == {"web-standard"}
    assert names(api, f"/apis/networking.k8s.io/v1/namespaces/{namespace}/ingresses") == {"web-standard"}


@pytest.mark.embedded
def test_who_waits_for_a_release_learns_at_once_that_nothing_runs_it(releases: Any) -> None:
    with pytest.raises(helm.HelmReleaseError, match="Progress deadline exceeded"):
        releases.install(OPERATOR, "op", wait="watcher", timeout=60)


@pytest.mark.embedded
def test_a_hook_that_nothing_runs_fails_at_once(releases: Any, kubectl: Kubectl) -> None:
    with pytest.raises(helm.HelmReleaseError, match=r"failed pre-install: resource Job/.*/app-migrate not ready"):
        releases.install(APP, "app", timeout=60)
    assert "starts no containers" in kubectl("describe", "job", "app-migrate")


@pytest.mark.parametrize("way", [[], ["--server-side"]], ids=["client", "server"])
def test_what_helm_renders_is_applied_by_kubectl(
    api: RawApi, namespace: str, releases: Any, kubectl: Kubectl, way: list[str]
) -> None:
    with helm.Chart.load(OPERATOR) as chart:
        rendered = chart.render(name="op", namespace=namespace)
        [definitions] = [each["data"] for each in chart.crds]
    manifests = "\n---\n".join(text for path, text in rendered.items() if path.endswith(".yaml"))
    kubectl("apply", *way, "-f", "-", given=definitions)
    kubectl("wait", "--for=condition=Established", "crd/models.serving.example.com", "--timeout=60s")
    first = kubectl("apply", *way, "-f", "-", given=manifests)
    assert len(first.splitlines()) == manifests.count("\nkind:")
    kubectl("diff", *way, "-f", "-", given=manifests)  # fails where something would change
    again = kubectl("apply", *way, "-f", "-", given=manifests)
    assert " created" not in again
    kubectl("delete", "-f", "-", given=manifests)
    assert json.loads(kubectl("get", "deploy,mdl,pdb", "-o", "json"))["items"] == []
