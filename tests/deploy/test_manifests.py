"""What the manifests say: valid, hardened, and the same as the programs that they run."""

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from kfambassador import __version__
from kfambassador.cli.app import build_app
from kfambassador.controller.options import PREFIX, ControllerOptions
from kfambassador.installing.manifests import list_components, list_overlays, read_manifests
from kfambassador.names import GATEWAY_LABELS, INSTALL_NAMESPACE, READ_API_LABELS, READ_API_PORT
from kfambassador.pipelines.image import IMAGE
from kfambassador.routing.policy import TenancyPolicy
from kfambassador.sdk.reviewing import compile_texts
from tests.deploy.built import BUILDS, DEPLOY, OPTIONAL, build, build_with, identify, index, kustomize
from tests.deploy.checking import find_check, find_unknown

#: The oldest release of Kubernetes that the manifests are for, and the newest whose schemas the validator has.
RELEASES = ("1.30", "1.37")
#: Groups of others, whose schemas the validator does not have.
OTHERS = ("monitoring.coreos.com", "networking.istio.io", "security.istio.io", "getambassador.io")

BASE = build("base")
GATEWAY = BASE["Deployment", INSTALL_NAMESPACE, "kfambassador"]
POD = GATEWAY["spec"]["template"]["spec"]
CONTAINERS = {each["name"]: each for each in POD["containers"]}


def everything() -> list[dict[str, Any]]:
    return [manifest for folder in BUILDS for manifest in build(folder).values()]


@pytest.mark.parametrize("overlay", list_overlays())
def test_install_reads_what_kustomize_makes(overlay: str) -> None:
    ours = index(each for each in read_manifests(overlay) if each["kind"] != "CustomResourceDefinition")
    assert ours == build("base" if overlay == "base" else f"overlays/{overlay}")


@pytest.mark.parametrize("component", OPTIONAL)
def test_install_adds_the_components_that_kustomize_adds(component: str, tmp_path: Path) -> None:
    ours = index(each for each in read_manifests("base", [component]) if each["kind"] != "CustomResourceDefinition")
    assert ours == build_with(component, tmp_path)
    assert len(ours) > len(BASE)


def test_each_component_is_optional_or_in_an_overlay() -> None:
    used = {
        Path(name).name
        for path in (*DEPLOY.glob("overlays/*/kustomization.yaml"), *DEPLOY.glob("components/*/kustomization.yaml"))
        for name in yaml.safe_load(path.read_text()).get("components", ())
    }
    assert used | {*OPTIONAL} == {*list_components()}


def test_the_definitions_are_installed_first_of_all() -> None:
    definitions = [each for each in read_manifests() if each["kind"] == "CustomResourceDefinition"]
    assert definitions == list(yaml.safe_load_all((DEPLOY / "crds.yaml").read_text()))


@pytest.mark.parametrize("folder", BUILDS)
def test_kubernetes_schemas_know_every_field(folder: str) -> None:
    known = [each for each in build(folder).values() if each["apiVersion"].partition("/")[0] not in OTHERS]
    assert find_unknown(known, *RELEASES) == ""


@pytest.mark.parametrize("release", RELEASES)
def test_the_validator_finds_a_field_that_does_not_exist(release: str) -> None:
    wrong = {**GATEWAY, "spec": {**GATEWAY["spec"], "replica": 2}}
    assert "replica" in find_unknown([GATEWAY, wrong], release)


def test_checkov_finds_nothing_but_what_is_excepted_with_its_reason(tmp_path: Path) -> None:
    files = [tmp_path / f"{folder.replace('/', '-')}.yaml" for folder in BUILDS]
    for folder, file in zip(BUILDS, files, strict=True):
        file.write_text(kustomize(folder))
    command = [
        str(find_check("checkov")),
        "--directory",
        str(tmp_path),
        "--framework",
        "kubernetes",
        "--skip-download",
        "--output",
        "json",
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)
    found = json.loads(done.stdout)
    assert [(each["check_id"], each["resource"]) for each in found["results"]["failed_checks"]] == []
    assert not found["results"]["parsing_errors"]
    assert found["summary"]["passed"] > 100 * len(BUILDS)
    skipped = {
        (each["check_id"], each["check_result"]["suppress_comment"]) for each in found["results"]["skipped_checks"]
    }
    annotations = GATEWAY["metadata"]["annotations"]
    assert skipped == {
        tuple(each.split("=", 1)) for name, each in annotations.items() if name.startswith("checkov.io/")
    }
    assert all(len(reason) > 40 for _, reason in skipped)


def test_everything_carries_the_label_and_is_in_the_gateways_namespace() -> None:
    for manifest in everything():
        metadata = manifest["metadata"]
        assert metadata["labels"]["app.kubernetes.io/name"] == "kfambassador", identify(manifest)
        elsewhere = {"kfambassador-publisher-pipeline-runner": "kubeflow"}
        if "namespace" in metadata:
            assert metadata["namespace"] == elsewhere.get(metadata["name"], INSTALL_NAMESPACE)


# The gateway's pod


def test_both_containers_run_the_image_of_this_version_by_commands_that_there_are() -> None:
    assert {each["image"] for each in CONTAINERS.values()} == {IMAGE} == {f"kfambassador:{__version__}"}
    known = {
        command.name or command.callback.__name__ for command in build_app().registered_commands if command.callback
    }
    assert {each["args"][0] for each in CONTAINERS.values()} == {"controller", "envoy"} <= known


def test_what_the_controller_is_told_are_settings_of_it() -> None:
    told = [each["name"] for each in CONTAINERS["controller"]["env"]]
    read_api = build("overlays/kubeflow")["ConfigMap", INSTALL_NAMESPACE, "kfambassador-read-api"]["data"]
    for name in (*told, *read_api):
        assert name.removeprefix(PREFIX).lower() in ControllerOptions.model_fields
    said = {name.removeprefix(PREFIX).lower(): value for name, value in read_api.items()}
    assert ControllerOptions(**said).settings().reviews is not None


def test_the_ports_and_paths_are_where_the_programs_write_and_listen() -> None:
    options = ControllerOptions()
    ports = {port["name"]: port["containerPort"] for each in CONTAINERS.values() for port in each["ports"]}
    assert ports == {"health": int(options.health_address.rpartition(":")[2]), "http": options.http_port, "ready": 8082}
    mounts = {
        name: {each["mountPath"]: each["name"] for each in found["volumeMounts"]} for name, found in CONTAINERS.items()
    }
    assert mounts["controller"][str(options.xds_socket.parent)] == mounts["envoy"][str(options.admin_socket.parent)]
    assert mounts["controller"][str(options.state_dir)] == "state"
    sockets = next(each for each in POD["volumes"] if each["name"] == "sockets")
    assert sockets["emptyDir"]["medium"] == "Memory"


def test_probes_ask_each_container_what_it_answers() -> None:
    asked = {
        name: {kind: found[f"{kind}Probe"]["httpGet"] for kind in ("startup", "liveness", "readiness")}
        for name, found in CONTAINERS.items()
    }
    health = {"path": "/healthz", "port": "health"}
    ready = {"path": "/ready", "port": "ready"}
    assert asked == {
        "controller": {"startup": health, "liveness": health, "readiness": {"path": "/readyz", "port": "health"}},
        "envoy": {"startup": ready, "liveness": ready, "readiness": ready},
    }


def test_the_pod_may_do_nothing_that_it_does_not_need() -> None:
    assert POD["securityContext"] == {
        "fsGroup": 65532,
        "fsGroupChangePolicy": "OnRootMismatch",
        "runAsGroup": 65532,
        "runAsNonRoot": True,
        "runAsUser": 65532,
        "seccompProfile": {"type": "RuntimeDefault"},
    }
    for each in CONTAINERS.values():
        assert each["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
            "readOnlyRootFilesystem": True,
        }
        assert each["resources"].keys() == {"requests", "limits"}
        assert {*each["resources"]["requests"]} == {*each["resources"]["limits"]} == {"cpu", "memory"}


def test_the_token_is_the_controllers_alone() -> None:
    assert POD["automountServiceAccountToken"] is False
    (holder,) = [name for name, each in CONTAINERS.items() if "token" in {v["name"] for v in each["volumeMounts"]}]
    assert holder == "controller"
    token = next(each for each in POD["volumes"] if each["name"] == "token")
    assert {key for source in token["projected"]["sources"] for key in source} == {
        "serviceAccountToken",
        "configMap",
        "downwardAPI",
    }


def test_ending_takes_no_longer_than_the_pod_is_given() -> None:
    options = dict(each.removeprefix("--").split("=") for each in CONTAINERS["envoy"]["args"][1:])
    drain, least = int(options["drain-time"]), int(options["min-drain-time"])
    assert 0 < least < drain < POD["terminationGracePeriodSeconds"]
    told = {each["name"]: each.get("value") for each in CONTAINERS["controller"]["env"]}
    assert told["KFAMBASSADOR_LINGER"] == str(drain)


def test_there_are_two_pods_at_least_on_different_machines() -> None:
    scaler = BASE["HorizontalPodAutoscaler", INSTALL_NAMESPACE, "kfambassador"]["spec"]
    assert scaler["minReplicas"] == 2
    assert scaler["scaleTargetRef"] == {"apiVersion": "apps/v1", "kind": "Deployment", "name": "kfambassador"}
    assert scaler["metrics"][0]["containerResource"]["container"] in CONTAINERS
    # Whoever says how many there are as well takes them away from the autoscaler at each apply.
    assert "replicas" not in GATEWAY["spec"]
    assert [each["topologyKey"] for each in POD["topologySpreadConstraints"]] == [
        "kubernetes.io/hostname",
        "topology.kubernetes.io/zone",
    ]
    assert BASE["PodDisruptionBudget", INSTALL_NAMESPACE, "kfambassador"]["spec"]["maxUnavailable"] == 1


def test_what_selects_pods_selects_the_gateways() -> None:
    labels = GATEWAY["spec"]["template"]["metadata"]["labels"]
    assert labels == GATEWAY_LABELS
    for manifest in everything():
        spec = manifest.get("spec", {})
        selector = spec.get("podSelector") or spec.get("selector")
        if manifest["kind"] == "AuthorizationPolicy" or "matchLabels" in (selector or {}):
            selector = selector["matchLabels"]
        if selector is not None:
            assert selector == labels, identify(manifest)


def test_the_sdk_finds_one_gateway_and_one_read_api() -> None:
    for folder, read_apis in (("base", 0), ("overlays/kubeflow", 1)):
        services = [each for each in build(folder).values() if each["kind"] == "Service"]
        assert len([each for each in services if GATEWAY_LABELS.items() <= each["metadata"]["labels"].items()]) == 1
        found = [each for each in services if READ_API_LABELS.items() <= each["metadata"]["labels"].items()]
        assert [[port["name"] for port in each["spec"]["ports"]] for each in found] == [[READ_API_PORT]] * read_apis


def test_ports_that_are_named_are_ports_of_the_pod() -> None:
    names = {port["name"] for each in CONTAINERS.values() for port in each["ports"]}
    named = re.findall(r"(?:targetPort|port): ([a-z]+)$", "\n".join(map(kustomize, BUILDS)), re.MULTILINE)
    assert names == {*named}


# Who may do what, and who may speak with whom


def test_bindings_give_roles_that_there_are_to_accounts_that_there_are() -> None:
    for folder in BUILDS:
        found = build(folder)
        for manifest in found.values():
            if manifest["kind"] not in {"RoleBinding", "ClusterRoleBinding"}:
                continue
            role = manifest["roleRef"]
            place = "" if role["kind"] == "ClusterRole" else manifest["metadata"]["namespace"]
            assert (role["kind"], place, role["name"]) in found
            for subject in manifest["subjects"]:
                if subject["kind"] == "ServiceAccount" and subject["namespace"] == INSTALL_NAMESPACE:
                    assert ("ServiceAccount", INSTALL_NAMESPACE, subject["name"]) in found
    assert POD["serviceAccountName"] == "kfambassador"


def test_the_controllers_account_has_the_controllers_roles_and_no_others() -> None:
    given = {
        each["roleRef"]["name"]
        for each in everything()
        if {"kind": "ServiceAccount", "name": "kfambassador", "namespace": INSTALL_NAMESPACE}
        in each.get("subjects", [])
    }
    assert given == {"kfambassador-controller", "kfambassador-controller-reviews"}


def test_network_policies_keep_all_out_but_what_is_named() -> None:
    found = BASE["NetworkPolicy", INSTALL_NAMESPACE, "kfambassador"]["spec"]
    assert found["policyTypes"] == ["Ingress", "Egress"]
    (measured,) = found["ingress"]
    assert {port["port"] for port in measured["ports"]} == {"health", "ready"}
    everywhere = found["egress"][1]["to"]
    excepted = [each for block in everywhere if "ipBlock" in block for each in block["ipBlock"]["except"]]
    assert {"169.254.0.0/16", "fe80::/10"} <= {*excepted}
    clients = BASE["NetworkPolicy", INSTALL_NAMESPACE, "kfambassador-clients"]["spec"]["ingress"]
    assert clients == [{"ports": [{"port": "http", "protocol": "TCP"}]}]
    narrow = build("overlays/kubeflow")["NetworkPolicy", INSTALL_NAMESPACE, "kfambassador-clients"]["spec"]["ingress"]
    assert [rule["ports"] for rule in narrow] == [clients[0]["ports"]]
    assert len(narrow[0]["from"]) == 3


# Kubeflow


def test_kubeflows_routes_are_served_as_they_are_written() -> None:
    text = (DEPLOY / "components" / "kubeflow-ingress" / "routes.yaml").read_text()
    # The Services they lead to, as Kubeflow has them, each with its owner's consent.
    services = [
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {
                "name": name,
                "namespace": namespace,
                "annotations": {"kfambassador.io/allowed-namespaces": INSTALL_NAMESPACE},
            },
            "spec": {"ports": [{"port": port}]},
        }
        for name, namespace, port in (
            ("centraldashboard", "kubeflow", 80),
            ("dex", "auth", 5556),
            ("oauth2-proxy", "oauth2-proxy", 80),
        )
    ]
    policy = TenancyPolicy(gateway_namespace=INSTALL_NAMESPACE)
    compiled = compile_texts([("routes.yaml", text), ("services.yaml", yaml.safe_dump_all(services))], policy)
    assert [str(each) for each in compiled.problems] == []


def test_istio_leads_below_models_to_the_gateways_service() -> None:
    found = build("overlays/kubeflow")
    (rule,) = found["VirtualService", INSTALL_NAMESPACE, "kfambassador"]["spec"]["http"]
    assert rule["match"] == [{"uri": {"prefix": "/models/"}}]
    service = found["Service", INSTALL_NAMESPACE, "kfambassador"]
    target = rule["route"][0]["destination"]
    assert target["host"] == f"{service['metadata']['name']}.{INSTALL_NAMESPACE}.svc.cluster.local"
    assert target["port"]["number"] == service["spec"]["ports"][0]["port"]


def test_one_ingress_leads_everything_to_the_gateway() -> None:
    found = build("overlays/kubeflow-ingress")
    (ingress,) = [each for each in found.values() if each["kind"] == "Ingress"]
    ((path,),) = [rule["http"]["paths"] for rule in ingress["spec"]["rules"]]
    assert (path["path"], path["pathType"]) == ("/", "Prefix")
    assert path["backend"]["service"] == {"name": "kfambassador", "port": {"name": "http"}}
    # All of Kubeflow is behind it: who asks must be found out.
    asked = found["AuthService", INSTALL_NAMESPACE, "kubeflow"]["spec"]
    assert "kubeflow-userid" in asked["allowed_authorization_headers"]
    open_to_all = {
        each["spec"]["prefix"]
        for each in found.values()
        if each["kind"] == "Mapping" and each["spec"].get("bypass_auth")
    }
    assert open_to_all == {"/oauth2/", "/dex/"}


def test_the_policies_for_a_profile_are_valid() -> None:
    policies = list(yaml.safe_load_all((DEPLOY / "components" / "kubeflow-istio" / "profile.yaml").read_text()))
    istio, network = policies
    assert find_unknown([network], *RELEASES) == ""
    assert istio["spec"]["selector"]["matchLabels"] == network["spec"]["podSelector"]["matchLabels"]
    gateway = network["spec"]["ingress"][0]["from"][1]
    assert gateway["podSelector"]["matchLabels"] == GATEWAY_LABELS
