"""Steps with nothing but what ``deploy/overlays/kubeflow`` gives to the accounts of pipelines; and without it."""

import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml
from kfp import dsl

from kfambassador import pipelines
from kfambassador.controller.reviews import ReviewSettings
from kfambassador.kube.client import KubeClient
from kfambassador.kube.kinds import SERVICE
from kfambassador.kube.permissions import KUBEFLOW_ACCOUNTS
from kfambassador.local.models import ModelServer
from kfambassador.local.stack import LocalStack
from kfambassador.names import GATEWAY_LABELS, INSTALL_NAMESPACE
from tests.cluster.conftest import kubectl_path
from tests.cluster.raw_api import RawApi
from tests.e2e.installed import make_namespace
from tests.e2e.people import RBAC, make_person, write_kubeconfig
from tests.pipelines.running import Run, Runner

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.xdist_group("pipelines"),
    pytest.mark.filterwarnings("ignore:You may be attemping to run a task:RuntimeWarning"),
]

OVERLAY = Path(__file__).parents[2] / "deploy" / "overlays" / "kubeflow"
PROFILE, BARE = "profile", "bare"
#: Where a pipeline of each account runs and publishes.
ACCOUNTS = {"default-editor": PROFILE, "pipeline-runner": "kubeflow"}
assert ACCOUNTS.keys() == KUBEFLOW_ACCOUNTS.keys()
EDIT_LABEL = "rbac.authorization.kubeflow.org/aggregate-to-kubeflow-edit"


@dsl.pipeline(name="whole-life")
def whole_life(name: str, service: str, canary: str) -> None:
    with dsl.ExitHandler(pipelines.delete_route(name=name)):
        published = pipelines.publish_route(name=name, service=service, model="mnist", timeout=30.0)
        tested = pipelines.test_route(name=name, inputs=[1.0], expected=[2.5]).after(published)
        shifted = pipelines.shift_traffic(
            name=name, service=canary, steps=[50], every="0.2s", min_requests=0, promote=False
        ).after(tested)
        promoted = pipelines.promote_route(name=name, service=canary).after(shifted)
        rolled_back = pipelines.rollback_route(name=name, service=canary).after(promoted)
        pipelines.list_routes(name=name).after(rolled_back)


def read_overlay() -> list[dict[str, Any]]:
    """What it gives to people and accounts; the gateway itself runs here already."""
    built = subprocess.run([kubectl_path(), "kustomize", OVERLAY], capture_output=True, text=True, check=True)
    return [each for each in yaml.safe_load_all(built.stdout) if each["apiVersion"].startswith("rbac.")]


@pytest.fixture(scope="module")
def stack() -> Iterator[LocalStack]:
    with LocalStack(rbac=True, reviews=ReviewSettings(remembered=0.0)) as stack:
        yield stack


@pytest.fixture(scope="module")
def api(stack: LocalStack) -> Iterator[RawApi]:
    api = RawApi(stack.endpoint.api_url, stack.endpoint.api_token, stack.endpoint.api_authority)
    yield api
    api.close()


@pytest.fixture(scope="module")
def tokens(stack: LocalStack, api: RawApi) -> Iterator[dict[str, str]]:
    """A Kubeflow with the gateway in it and the overlay applied; the token of each account."""
    with (
        KubeClient.connect(
            stack.endpoint.api_url, token=stack.endpoint.api_token, authority=stack.endpoint.api_authority
        ) as admin,
        ModelServer("mnist") as model,
    ):
        for namespace in (INSTALL_NAMESPACE, PROFILE, BARE, "kubeflow"):
            make_namespace(admin, namespace)
        describe_gateway(admin, stack)
        for manifest in read_overlay():
            place = (
                f"{RBAC}/namespaces/{manifest['metadata']['namespace']}" if "Cluster" not in manifest["kind"] else RBAC
            )
            assert api.create(f"{place}/{manifest['kind'].lower()}s", manifest).code == 201
        bind_editors(api)
        for namespace in ACCOUNTS.values():
            for name in ("server", "better"):
                describe_model(admin, name, namespace=namespace, port=model.port)
        made = {name: make_person(api, name, namespace=namespace) for name, namespace in ACCOUNTS.items()}
        yield {**made, "nobody": make_person(api, "nobody", namespace=BARE)}


def describe_gateway(admin: KubeClient, stack: LocalStack) -> None:
    """The gateway's Service as a load balancer has it; in a pod its name would lead there."""
    metadata = {"name": "gateway", "namespace": INSTALL_NAMESPACE, "labels": {**GATEWAY_LABELS}}
    port = urlsplit(stack.endpoint.url).port
    spec = {"type": "LoadBalancer", "ports": [{"name": "http", "port": port}]}
    admin.apply({"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": spec})
    status = {"status": {"loadBalancer": {"ingress": [{"ip": "127.0.0.1"}]}}}
    admin.patch_status(SERVICE, "gateway", status, namespace=INSTALL_NAMESPACE)


def describe_model(admin: KubeClient, name: str, *, namespace: str, port: int) -> None:
    metadata = {"name": name, "namespace": namespace}
    ports = [{"name": "rest", "port": 8501}]
    admin.create({"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": {"ports": ports}})
    admin.create(
        {
            "apiVersion": "discovery.k8s.io/v1",
            "kind": "EndpointSlice",
            "metadata": {**metadata, "labels": {"kubernetes.io/service-name": name}},
            "addressType": "IPv4",
            "endpoints": [{"addresses": ["127.0.0.1"], "conditions": {"ready": True}}],
            "ports": [{"name": "rest", "port": port}],
        }
    )


def bind_editors(api: RawApi) -> None:
    """Make what Kubeflow makes: the ClusterRole that gathers what is labelled so, bound in each profile."""
    version = {"apiVersion": "rbac.authorization.k8s.io/v1"}
    rule = {"clusterRoleSelectors": [{"matchLabels": {EDIT_LABEL: "true"}}]}
    role = {**version, "kind": "ClusterRole", "metadata": {"name": "kubeflow-edit"}, "aggregationRule": rule}
    assert api.create(f"{RBAC}/clusterroles", {**role, "rules": []}).code == 201
    binding = {
        **version,
        "kind": "RoleBinding",
        "metadata": {"name": "default-editor"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "kubeflow-edit"},
        "subjects": [{"kind": "ServiceAccount", "name": "default-editor", "namespace": PROFILE}],
    }
    assert api.create(f"{RBAC}/namespaces/{PROFILE}/rolebindings", binding).code == 201


@pytest.fixture
def run_as(
    stack: LocalStack, tokens: dict[str, str], runner: Runner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Any:
    """Run a pipeline as an account does: known by its token, to Kubernetes and to the gateway, and by nothing else."""

    def run(account: str, namespace: str, pipeline: Any, **arguments: Any) -> Run:
        token = tokens[account]
        api = stack.endpoint
        path = write_kubeconfig(
            tmp_path / "config", url=api.api_url, token=token, authority=api.api_authority, namespace=namespace
        )
        monkeypatch.setenv("KUBECONFIG", str(path))
        monkeypatch.setenv("KFAMBASSADOR_TARGET", "c")
        monkeypatch.setenv("KFAMBASSADOR_DIAGNOSTICS_URL", stack.endpoint.diagnostics_url)
        monkeypatch.setenv("KFAMBASSADOR_DIAGNOSTICS_TOKEN", token)
        monkeypatch.delenv("KFAMBASSADOR_URL", raising=False)
        return runner.run(pipeline, **arguments)

    return run


@pytest.mark.parametrize("account", ACCOUNTS)
def test_the_overlay_is_all_that_a_pipeline_needs(
    account: str, run_as: Any, stack: LocalStack, tokens: dict[str, str]
) -> None:
    namespace = ACCOUNTS[account]
    done = run_as(account, namespace, whole_life, name=namespace, service="server", canary="better")
    assert done.error == "", done.said
    assert f"{namespace} answers at {stack.endpoint.url}/models/{namespace}/" in done.said
    assert f"{namespace} is taken down" in done.said
    with KubeClient.connect(
        stack.endpoint.api_url, token=stack.endpoint.api_token, authority=stack.endpoint.api_authority
    ) as admin:
        left = [each["metadata"]["name"] for each in admin.list(SERVICE, namespace=namespace).items]
    assert sorted(left) == ["better", "server"]


def test_a_permission_that_is_missing_is_told_with_the_role_and_the_binding(
    run_as: Any, tokens: dict[str, str]
) -> None:
    done = run_as("nobody", BARE, pipelines.publish_route, name="mnist", service="server")
    assert done.error
    words = " ".join(done.words)
    assert f"Missing is the permission to list services in namespace '{BARE}'." in words
    assert (
        f"kubectl create rolebinding kfambassador-publisher-nobody --namespace {BARE} "
        f"--clusterrole kfambassador-publisher --serviceaccount {BARE}:nobody"
    ) in words
    assert tokens["nobody"] not in done.said
