"""What ``kind/name`` stands for in a cluster: an existing Service, a Deployment's pods, a model of KServe's."""

import itertools
from collections.abc import Iterator
from typing import Any

import pytest

from kfambassador.errors import MappingRejected
from kfambassador.kube.client import KubeClient
from kfambassador.local.kube.server import KubeServer
from kfambassador.problems import ObjectKey
from kfambassador.sdk.publishing.sources import Source, read_reference, resolve_source
from kfambassador.sdk.servers.base import ModelServer
from kfambassador.sdk.servers.kserve import KServeV1, KServeV2
from kfambassador.sdk.servers.tfserving import TFServing
from tests.cluster.raw_api import RawApi

Manifest = dict[str, Any]

_numbers = itertools.count()

KSERVE = "/apis/serving.kserve.io"


@pytest.fixture(scope="module")
def server() -> Iterator[KubeServer]:
    with KubeServer() as server:
        yield server


@pytest.fixture(scope="module")
def api(server: KubeServer) -> Iterator[RawApi]:
    api = RawApi(server.url, server.token, server.authority)
    yield api
    api.close()


@pytest.fixture(scope="module")
def client(server: KubeServer) -> Iterator[KubeClient]:
    with KubeClient.connect(server.url, token=server.token, authority=server.authority) as client:
        yield client


@pytest.fixture
def team(api: RawApi) -> str:
    """Return a namespace of the test's own."""
    name = f"team-{next(_numbers)}"
    api.create("/api/v1/namespaces", {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
    return name


@pytest.fixture(scope="module")
def kserve(api: RawApi) -> None:
    """Install KServe's kinds, without their schemas."""
    for kind, version, scope in (
        ("InferenceService", "v1beta1", "Namespaced"),
        ("ServingRuntime", "v1alpha1", "Namespaced"),
        ("ClusterServingRuntime", "v1alpha1", "Cluster"),
    ):
        schema = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
        served = {"name": version, "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}}
        names = {"kind": kind, "plural": f"{kind.lower()}s", "singular": kind.lower()}
        spec = {"group": "serving.kserve.io", "names": names, "scope": scope, "versions": [served]}
        definition = {
            "apiVersion": "apiextensions.k8s.io/v1",
            "kind": "CustomResourceDefinition",
            "metadata": {"name": f"{kind.lower()}s.serving.kserve.io"},
            "spec": spec,
        }
        assert api.create("/apis/apiextensions.k8s.io/v1/customresourcedefinitions", definition).code == 201


class World:
    """Makes objects in a namespace, and asks what they stand for."""

    def __init__(self, api: RawApi, client: KubeClient, namespace: str) -> None:
        self.api, self.client, self.namespace = api, client, namespace

    def make(self, base: str, kind: str, name: str, **fields: Any) -> None:
        group = base.removeprefix("/apis/").removeprefix("/api/")
        metadata = {"name": name, "namespace": self.namespace, **fields.pop("metadata", {})}
        body = {"apiVersion": group, "kind": kind, "metadata": metadata, **fields}
        answer = self.api.create(f"{base}/namespaces/{self.namespace}/{kind.lower()}s", body)
        assert answer.code == 201, answer.message

    def make_service(self, name: str, *ports: Manifest, **spec: Any) -> None:
        said = {"selector": {"app": name}, "ports": list(ports)} | spec
        self.make("/api/v1", "Service", name, spec={key: value for key, value in said.items() if value})

    def make_deployment(self, name: str, *ports: Manifest, selector: Manifest | None = None, **spec: Any) -> None:
        container = {"name": "server", "image": "server", "ports": list(ports)}
        template = {"metadata": {"labels": {"app": name}}, "spec": {"containers": [container]}}
        chosen = selector or {"matchLabels": {"app": name}}
        self.make("/apis/apps/v1", "Deployment", name, spec={"selector": chosen, "template": template, **spec})

    def make_model(self, name: str, predictor: Manifest, *, status: Manifest | None = None, mode: str = "") -> None:
        metadata = {"annotations": {"serving.kserve.io/deploymentMode": mode}} if mode else {}
        spec = {"predictor": predictor}
        self.make(f"{KSERVE}/v1beta1", "InferenceService", name, metadata=metadata, spec=spec, status=status or {})

    def resolve(self, text: str, *, name: str = "mnist", server: ModelServer | None = None) -> Source:
        source = resolve_source(self.client, text, name=name, namespace=self.namespace, server=server)
        assert source is not None
        return source

    def refuse(self, text: str) -> str:
        with pytest.raises(MappingRejected) as refused:
            resolve_source(self.client, text, name="mnist", namespace=self.namespace)
        (problem,) = refused.value.problems
        assert problem.path == "service"
        return problem.message


@pytest.fixture
def world(api: RawApi, client: KubeClient, team: str) -> World:
    return World(api, client, team)


READY = {"conditions": [{"type": "Ready", "status": "True"}]}
MODEL = {"model": {"modelFormat": {"name": "sklearn"}}}


@pytest.mark.parametrize(
    "text", ["mnist", "mnist.team:8501", "http://mnist/", "https://mnist:1/x", "127.0.0.1:8501", "pod/mnist", "/a/b"]
)
def test_what_names_no_kind_is_left_to_others(client: KubeClient, text: str) -> None:
    assert resolve_source(client, text, name="mnist", namespace="default") is None


@pytest.mark.parametrize("text", ["svc/", "svc/a/b", "svc/a:", "svc/A", "deploy/a:0", "deploy/a:65536", "svc/a b"])
def test_a_kind_without_a_name_is_refused(world: World, text: str) -> None:
    assert "expected a name and perhaps a port" in world.refuse(text)


def test_kinds_go_by_the_names_kubectl_knows() -> None:
    for text in ("svc/a", "service/a", "Services/a", "deploy/a", "deployment.apps/a", "isvc/a"):
        assert read_reference(text) is not None
    found = read_reference("inferenceservices.serving.kserve.io/a:80")
    assert found is not None
    assert (found.kind.plural, found.name, found.port) == ("inferenceservices", "a", "80")


def test_an_existing_service_carries_its_mappings_itself(world: World) -> None:
    world.make_service("mnist", {"name": "grpc", "port": 8500}, {"name": "rest", "port": 8501})
    assert world.resolve("svc/mnist") == Source(
        f"mnist.{world.namespace}:8501", carrier=ObjectKey("Service", world.namespace, "mnist")
    )
    assert world.resolve("svc/mnist:8500").service.endswith(":8500")
    assert world.resolve("svc/mnist:grpc").service.endswith(":8500")


def test_a_port_that_a_service_does_not_have_is_refused(world: World) -> None:
    world.make_service("mnist", {"name": "grpc", "port": 8500}, {"port": 8501, "name": "rest"})
    assert world.refuse("svc/mnist:80").endswith("has no port 80; its ports are: 8500 (grpc), 8501 (rest)")
    assert "has no port http" in world.refuse("svc/mnist:http")


def test_the_servers_usual_port_counts_where_names_say_nothing(world: World) -> None:
    world.make_service("mnist", {"name": "a", "port": 8500}, {"name": "b", "port": 8501})
    assert world.resolve("svc/mnist", server=TFServing()).service.endswith(":8501")
    words = world.refuse("svc/mnist")
    assert "its ports are: 8500 (a), 8501 (b)" in words
    assert "'svc/mnist:8501'" in words


def test_a_name_elsewhere_is_fine(world: World) -> None:
    world.make_service("far", type="ExternalName", externalName="models.example.com", selector=None)
    assert world.resolve("svc/far").service == f"far.{world.namespace}"
    assert world.resolve("svc/far:8080").service == f"far.{world.namespace}:8080"


def test_a_deployment_gets_a_service_before_its_pods(world: World) -> None:
    world.make_deployment("mnist-v2", {"containerPort": 8500, "name": "grpc"}, {"containerPort": 8501, "name": "http"})
    source = world.resolve("deployment/mnist-v2")
    assert source.service == f"mnist-to-mnist-v2.{world.namespace}:8501"
    assert source.carrier is None
    (made,) = source.manifests
    assert made == {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "mnist-to-mnist-v2", "namespace": world.namespace},
        "spec": {
            "selector": {"app": "mnist-v2"},
            "ports": [{"name": "http", "port": 8501, "targetPort": 8501, "protocol": "TCP"}],
        },
    }
    world.client.apply(made)


def test_a_containers_port_need_not_be_told(world: World) -> None:
    world.make_deployment("bare")
    assert world.resolve("deploy/bare:9000").service.endswith(":9000")
    assert world.resolve("deploy/bare", server=TFServing()).service.endswith(":8501")
    assert "it tells of no ports. Write it, as in 'deploy/bare:8501'" in world.refuse("deploy/bare")
    assert "has no port http" in world.refuse("deploy/bare:http")


def test_the_only_port_is_meant(world: World) -> None:
    world.make_deployment("one", {"containerPort": 7000, "name": "odd"}, {"containerPort": 53, "protocol": "UDP"})
    assert world.resolve("deploy/one", server=TFServing()).service.endswith(":7000")


def test_pods_that_a_service_cannot_select_are_refused(world: World) -> None:
    expression = {"key": "app", "operator": "In", "values": ["odd"]}
    world.make_deployment("odd", selector={"matchLabels": {"app": "odd"}, "matchExpressions": [expression]})
    assert "selects its pods by expressions, which a Service cannot" in world.refuse("deploy/odd:80")


def test_a_deployment_without_pods_is_told(world: World) -> None:
    world.make_deployment("none", replicas=0)
    world.make_deployment("some")
    assert world.resolve("deploy/none:80").message.endswith(
        "Deployment " + f"{world.namespace}/none is scaled to 0 replicas"
    )
    assert world.resolve("deploy/some:80").message.endswith("has no available pod yet")


def test_long_names_still_name_a_service_each(world: World) -> None:
    names = set()
    for deployment in ("a" * 60 + "-1", "a" * 60 + "-2", "dotted.name", "dotted-name"):
        world.make_deployment(deployment)
        (made,) = world.resolve(f"deploy/{deployment}:80", name="m" * 57).manifests
        world.client.apply(made)
        names.add(made["metadata"]["name"])  # type: ignore[index]
    assert len(names) == 4


def test_what_is_not_there_is_told_with_what_is(world: World) -> None:
    assert world.refuse("svc/mnist") == f"'svc/mnist': there is no Service {world.namespace}/mnist"
    world.make_service("mnist-v1", {"port": 80})
    world.make_service("other", {"port": 80})
    assert world.refuse("svc/mnist").endswith("; did you mean mnist-v1?")
    assert world.refuse("svc/zzz").endswith("; there are: mnist-v1, other")


def test_without_kserve_it_is_said_what_to_name_instead() -> None:
    with (
        KubeServer() as server,
        KubeClient.connect(server.url, token=server.token, authority=server.authority) as client,
        pytest.raises(MappingRejected, match="this cluster has no KServe"),
    ):
        resolve_source(client, "isvc/iris", name="iris", namespace="default")


@pytest.mark.usefixtures("kserve")
class TestInferenceServices:
    """Models of KServe's."""

    def test_a_raw_deployment_is_reached_by_its_service(self, world: World) -> None:
        world.make_model("iris", MODEL, status=READY, mode="RawDeployment")
        world.make_service("iris-predictor", {"port": 80, "targetPort": 8080})
        assert world.resolve("isvc/iris") == Source(
            f"iris-predictor.{world.namespace}:80", server=KServeV1(model="iris")
        )

    def test_an_older_kserves_service_is_found_first(self, world: World) -> None:
        world.make_model("iris", MODEL, status=READY)
        world.make_service("iris-predictor", {"port": 80})
        world.make_service("iris-predictor-default", {"port": 80})
        source = world.resolve("isvc/iris")
        assert source.service == f"iris-predictor-default.{world.namespace}:80"
        assert not source.attributes

    def test_a_serverless_model_is_asked_for_by_its_host(self, world: World) -> None:
        world.make_model("iris", MODEL, status=READY)
        gateway = "knative-local-gateway.istio-system.svc.cluster.local"
        world.make_service("iris-predictor", type="ExternalName", externalName=gateway, selector=None)
        host = f"iris-predictor.{world.namespace}.svc.cluster.local"
        source = world.resolve("isvc/iris")
        assert (source.service, source.attributes) == (f"iris-predictor.{world.namespace}:80", {"host_rewrite": host})

    @pytest.mark.parametrize("said", ["Serverless", "Knative"])
    def test_its_status_says_the_mode_and_the_host(self, world: World, said: str) -> None:
        address = {"address": {"url": "http://iris-predictor.far.svc.example.org"}}
        status = {**READY, "deploymentMode": said, "components": {"predictor": address}}
        world.make_model("iris", MODEL, status=status, mode="RawDeployment")
        assert world.resolve("isvc/iris").attributes == {"host_rewrite": "iris-predictor.far.svc.example.org"}

    def test_a_transformer_takes_the_requests(self, world: World) -> None:
        spec = {"predictor": MODEL, "transformer": {"containers": [{"args": ["--model_name", "flowers"]}]}}
        world.make(f"{KSERVE}/v1beta1", "InferenceService", "iris", spec=spec, status=READY)
        source = world.resolve("isvc/iris")
        assert source.service == f"iris-transformer.{world.namespace}:80"
        assert source.server == KServeV1(model="flowers")

    def test_model_mesh_has_one_service_for_all(self, world: World) -> None:
        world.make_model("iris", MODEL, status=READY, mode="ModelMesh")
        source = world.resolve("isvc/iris")
        assert source.service == f"modelmesh-serving.{world.namespace}:8008"
        assert source.server == KServeV2(model="iris")

    @pytest.mark.parametrize(
        ("predictor", "expected"),
        [
            ({"model": {"modelFormat": {"name": "sklearn"}, "protocolVersion": "v2"}}, KServeV2(model="iris")),
            ({"model": {"modelFormat": {"name": "sklearn"}, "protocolVersion": "v1"}}, KServeV1(model="iris")),
            ({"model": {"modelFormat": {"name": "triton"}}}, KServeV2(model="iris")),
            ({"model": {"modelFormat": {"name": "sklearn"}, "runtime": "kserve-mlserver"}}, KServeV2(model="iris")),
            ({"model": {"protocolVersion": "grpc-v2"}}, KServeV2(model="iris", grpc_port=80)),
            ({"sklearn": {"storageUri": "gs://x"}}, KServeV1(model="iris")),
            ({"sklearn": {"protocolVersion": "v2"}}, KServeV2(model="iris")),
            ({"triton": {"storageUri": "gs://x"}}, KServeV2(model="iris")),
            ({"containers": [{"env": [{"name": "PROTOCOL", "value": "v2"}]}]}, KServeV2(model="iris")),
            ({"containers": [{"args": ["--model-name=flowers"]}]}, KServeV1(model="flowers")),
            ({"containers": [{"args": ["--model_name={{.Name}}"]}]}, KServeV1(model="iris")),
            ({"model": {"env": [{"name": "MLSERVER_MODEL_NAME", "value": "x"}]}}, KServeV1(model="x")),
        ],
    )
    def test_what_it_speaks_chooses_the_server(self, world: World, predictor: Manifest, expected: ModelServer) -> None:
        world.make_model("iris", predictor, status=READY)
        assert world.resolve("isvc/iris").server == expected

    def test_a_runtime_says_what_it_speaks(self, world: World, api: RawApi) -> None:
        cluster_wide = {
            "metadata": {"name": f"wide-{world.namespace}"},
            "spec": {"protocolVersions": ["grpc-v2", "v2"]},
        }
        named = {"apiVersion": "serving.kserve.io/v1alpha1", "kind": "ClusterServingRuntime"}
        assert api.create(f"{KSERVE}/v1alpha1/clusterservingruntimes", named | cluster_wide).code == 201
        world.make(f"{KSERVE}/v1alpha1", "ServingRuntime", "own", spec={"protocolVersions": ["v1", "v2"]})
        for name, runtime in (("a", f"wide-{world.namespace}"), ("b", "own"), ("c", "gone")):
            world.make_model(name, {"model": {"runtime": runtime}}, status=READY)
        found = [world.resolve(f"isvc/{name}").server for name in "abc"]
        assert found == [KServeV2(model="a"), KServeV1(model="b"), KServeV1(model="c")]

    def test_one_that_is_not_ready_is_found_and_told(self, world: World) -> None:
        condition = {"type": "Ready", "status": "False", "reason": "RevisionFailed", "message": "no memory"}
        world.make_model("iris", MODEL, status={"conditions": [condition]}, mode="Standard")
        world.make_model("fresh", MODEL)
        told = f"InferenceService {world.namespace}/iris: KServe says it is not ready: RevisionFailed: no memory"
        assert world.resolve("isvc/iris").message == told
        assert world.resolve("isvc/fresh").message.endswith("KServe has said nothing of it yet")

    def test_its_port_may_be_said(self, world: World) -> None:
        world.make_model("iris", MODEL, status=READY)
        assert world.resolve("isvc/iris:8080").service.endswith(":8080")
        assert "a port of an InferenceService is a number" in world.refuse("isvc/iris:http")

    def test_a_model_name_that_no_path_can_hold_is_refused(self, world: World) -> None:
        world.make_model("iris", {"model": {"args": ["--model_name=meta/llama"]}}, status=READY)
        assert "calls the model 'meta/llama'" in world.refuse("isvc/iris")

    def test_one_that_is_not_there_is_told(self, world: World) -> None:
        world.make_model("iris", MODEL)
        assert world.refuse("isvc/irsi").endswith("; did you mean iris?")
