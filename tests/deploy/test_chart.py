"""The Helm chart: it renders what kustomize makes, refuses what it does not know, and installs by Helm itself."""

import json
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from kfambassador import __version__
from kfambassador.controller.options import ControllerOptions
from kfambassador.installing.placing import place
from kfambassador.kube.client import KubeClient
from kfambassador.kube.kinds import CUSTOM_RESOURCE_DEFINITION, DEPLOYMENT
from tests.deploy.built import CHART, DEPLOY, Id, Manifest, build, build_with, index
from tests.deploy.checking import find_unknown

# Helm itself as a library has no wheel for Macs with Intel's processors.
helm = pytest.importorskip("helm_python", reason="Helm as a library has no wheel for this machine")

HOME = "kfambassador"
#: Settings that are the pod's business and not a person's: where files, sockets and ports are, and which pod it is.
PODS_OWN = {
    "admin_socket", "config", "context", "gateway_namespace", "health_address", "http_address", "http_port", "identity",
    "kubeconfig", "lease_namespace", "linger", "pod_ips", "ready_address", "state_dir", "xds_socket",
}  # fmt: skip


@cache
def schema() -> dict[str, Any]:
    found: dict[str, Any] = json.loads((CHART / "values.schema.json").read_text())
    return found


def render(values: dict[str, Any] | None = None, *, namespace: str = HOME) -> dict[Id, Manifest]:
    """Render the chart's objects."""
    return index(
        manifest
        for name, text in render_files(values, namespace=namespace).items()
        if not name.endswith(".txt")
        for manifest in yaml.safe_load_all(text)
        if manifest
    )


def render_files(values: dict[str, Any] | None = None, *, namespace: str = HOME) -> dict[str, str]:
    with helm.Chart.load(CHART) as chart:
        rendered: dict[str, str] = chart.render(values, name=HOME, namespace=namespace)
        return rendered


def without_namespace(manifests: dict[Id, Manifest]) -> dict[Id, Manifest]:
    """The namespace is whoever's installs the chart."""
    return {found: manifest for found, manifest in manifests.items() if found[0] != "Namespace"}


def gateway(rendered: dict[Id, Manifest], namespace: str = HOME) -> Manifest:
    deployment = rendered["Deployment", namespace, "kfambassador"]
    return dict(deployment["spec"])


def test_it_lints_without_a_warning() -> None:
    report = helm.lint(CHART, strict=True)
    assert report["errors"] == []
    worse_than_hints = [each for each in report["messages"] if each["severity"] > 1]
    assert worse_than_hints == []


@pytest.mark.parametrize(
    ("values", "folder"),
    [
        ({}, "base"),
        ({"kubeflow": "istio"}, "overlays/kubeflow"),
        ({"kubeflow": "ingress"}, "overlays/kubeflow-ingress"),
    ],
)
def test_it_renders_what_kustomize_makes(values: dict[str, Any], folder: str) -> None:
    assert render(values) == without_namespace(build(folder))


@pytest.mark.parametrize(
    ("value", "component"),
    [("readApi", "read-api"), ("serviceMonitor", "service-monitor"), ("grafanaDashboard", "grafana-dashboard")],
)
def test_it_renders_the_components_as_kustomize_does(value: str, component: str, tmp_path: Path) -> None:
    assert render({value: True}) == without_namespace(build_with(component, tmp_path))


def test_in_another_namespace_it_is_what_install_puts_there() -> None:
    moved = index(place(build("overlays/kubeflow").values(), namespace="models"))
    assert render({"kubeflow": "istio"}, namespace="models") == without_namespace(moved)


def test_the_definitions_are_those_that_are_made_from_the_models() -> None:
    with helm.Chart.load(CHART) as chart:
        found = [json.loads(each["data"]) if each["data"].startswith("{") else each["data"] for each in chart.crds]
    text = "".join(each if isinstance(each, str) else yaml.safe_dump(each) for each in found)
    assert list(yaml.safe_load_all(text)) == list(yaml.safe_load_all((DEPLOY / "crds.yaml").read_text()))


def test_its_version_is_the_packages() -> None:
    with helm.Chart.load(CHART) as chart:
        assert chart.version == chart.metadata["appVersion"] == __version__


VALUES: list[tuple[dict[str, Any], Callable[[dict[Id, Manifest]], object], object]] = [
    (
        {"image": {"repository": "registry.example/kfambassador", "tag": "1"}},
        lambda found: {each["image"] for each in gateway(found)["template"]["spec"]["containers"]},
        {"registry.example/kfambassador:1"},
    ),
    (
        {"image": {"digest": "sha256:" + "0" * 64}},
        lambda found: gateway(found)["template"]["spec"]["containers"][0]["image"],
        "kfambassador@sha256:" + "0" * 64,
    ),
    (
        {"image": {"pullSecrets": [{"name": "mine"}]}},
        lambda found: gateway(found)["template"]["spec"]["imagePullSecrets"],
        [{"name": "mine"}],
    ),
    (
        {"autoscaling": {"enabled": False}, "replicas": 3},
        lambda found: (gateway(found)["replicas"], "HorizontalPodAutoscaler" in {kind for kind, _, _ in found}),
        (3, False),
    ),
    (
        {"controller": {"settings": {"log_level": "debug", "lease_duration": 30, "events": False}}},
        lambda found: {
            each["name"]: each["value"]
            for each in gateway(found)["template"]["spec"]["containers"][0]["env"]
            if "value" in each
        },
        {
            "KFAMBASSADOR_LINGER": "30",
            "KFAMBASSADOR_EVENTS": "false",
            "KFAMBASSADOR_LEASE_DURATION": "30",
            "KFAMBASSADOR_LOG_LEVEL": "debug",
        },
    ),
    (
        {"envoy": {"drainTime": 120, "minDrainTime": 20}},
        lambda found: (
            gateway(found)["template"]["spec"]["terminationGracePeriodSeconds"],
            gateway(found)["template"]["spec"]["containers"][1]["args"],
        ),
        (150, ["envoy", "--drain-time=120", "--min-drain-time=20"]),
    ),
    (
        {"service": {"type": "LoadBalancer", "port": 8080, "annotations": {"a": "b"}}},
        lambda found: found["Service", HOME, "kfambassador"]["spec"]["ports"][0]["port"],
        8080,
    ),
    (
        {"networkPolicy": {"clients": [{"podSelector": {}}]}},
        lambda found: found["NetworkPolicy", HOME, "kfambassador-clients"]["spec"]["ingress"][0]["from"],
        [{"podSelector": {}}],
    ),
    (
        {"roles": False, "networkPolicy": {"enabled": False}, "podDisruptionBudget": {"enabled": False}},
        lambda found: {"ClusterRole", "Role", "NetworkPolicy", "PodDisruptionBudget"} & {kind for kind, _, _ in found},
        set(),
    ),
    (
        {
            "nodeSelector": {"disk": "fast"},
            "tolerations": [{"operator": "Exists"}],
            "priorityClassName": "high",
            "podLabels": {"team": "ml"},
            "podAnnotations": {"note": "yes"},
            "affinity": {"nodeAffinity": {}},
        },
        lambda found: gateway(found)["template"]["metadata"]["labels"]["team"],
        "ml",
    ),
]


@pytest.mark.parametrize(("values", "look", "expected"), VALUES, ids=[",".join(values) for values, _, _ in VALUES])
def test_each_value_has_its_effect_and_leaves_the_objects_valid(
    values: dict[str, Any], look: Callable[[dict[Id, Manifest]], object], expected: object
) -> None:
    rendered = render(values)
    assert look(rendered) == expected
    usual = render()
    changed = [manifest for found, manifest in rendered.items() if manifest != usual.get(found)]
    assert len(rendered) < len(usual) or changed
    assert not changed or find_unknown(changed, "1.37") == ""


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"replica": 3}, "replica"),
        ({"controller": {"settings": {"loglevel": "debug"}}}, "loglevel"),
        ({"controller": {"settings": {"xds_socket": "/tmp/x"}}}, "xds_socket"),
        ({"kubeflow": True}, "kubeflow"),
        ({"service": {"type": "ExternalName"}}, "type"),
        ({"image": {"digest": "sha256:1"}}, "digest"),
        ({"envoy": {"resources": {"limits": {"memory": "1 GB"}}}}, "memory"),
    ],
)
def test_a_value_that_it_does_not_know_is_refused_by_its_name(values: dict[str, Any], said: str) -> None:
    with helm.Chart.load(CHART) as chart, pytest.raises(helm.HelmError, match=said):
        chart.render(values, name=HOME, namespace=HOME)


def test_the_schema_knows_all_values_and_every_setting() -> None:
    values = yaml.safe_load((CHART / "values.yaml").read_text())
    assert schema()["properties"].keys() - {"global"} == values.keys()
    settings = schema()["properties"]["controller"]["properties"]["settings"]["propertyNames"]["enum"]
    assert {*settings} == ControllerOptions.model_fields.keys() - PODS_OWN


def test_its_notes_say_how_to_reach_it() -> None:
    notes = render_files()["kfambassador/templates/NOTES.txt"]
    assert "kubectl rollout status deployment/kfambassador --namespace kfambassador" in notes
    assert "of no registry" in notes
    elsewhere = render_files({"image": {"repository": "registry.example/kfa"}}, namespace="models")
    notes = elsewhere["kfambassador/templates/NOTES.txt"]
    assert "KFAMBASSADOR_NAMESPACE=models" in notes
    assert "of no registry" not in notes


def test_helm_installs_upgrades_and_uninstalls_it(kubeconfig: Path, client: KubeClient) -> None:
    with helm.Config(kubeconfig_path=kubeconfig, namespace=HOME) as config, helm.Chart.load(CHART) as chart:
        config.install(chart, HOME, create_namespace=True)
        assert client.get(DEPLOYMENT, "kfambassador", namespace=HOME)["spec"]["selector"]
        assert client.get(CUSTOM_RESOURCE_DEFINITION, "mappings.getambassador.io")
        config.upgrade(chart, HOME, values={"image": {"tag": "2"}})
        deployment = client.get(DEPLOYMENT, "kfambassador", namespace=HOME)
        assert deployment["spec"]["template"]["spec"]["containers"][0]["image"] == "kfambassador:2"
        config.uninstall(HOME)
        assert client.list(DEPLOYMENT, namespace=HOME).items == ()
        # Helm leaves definitions, and so everybody's Mappings.
        assert client.get(CUSTOM_RESOURCE_DEFINITION, "mappings.getambassador.io")
