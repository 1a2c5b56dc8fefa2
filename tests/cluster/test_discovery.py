"""Discovery, OpenAPI, tables, and the official client that lives on them."""

import gc
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from kubernetes import client, config, dynamic

from tests.cluster.raw_api import RawApi, config_map, service
from tests.cluster.servers import Server, write_kubeconfig

AGGREGATED = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json"
TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json"


def test_groups_and_resources_are_listed(api: RawApi) -> None:
    assert api.get("/api").object["versions"] == ["v1"]
    groups = {group["name"] for group in api.get("/apis").object["groups"]}
    assert {"discovery.k8s.io", "apiextensions.k8s.io", "networking.k8s.io", "coordination.k8s.io"} <= groups
    listed = {resource["name"]: resource for resource in api.get("/api/v1").object["resources"]}
    assert listed["services"]["kind"] == "Service"
    assert listed["services"]["shortNames"] == ["svc"]
    assert listed["services"]["namespaced"] is True
    assert listed["namespaces"]["namespaced"] is False
    assert listed["services/status"]["verbs"] == ["get", "patch", "update"]
    assert api.get("/apis/discovery.k8s.io").object["preferredVersion"]["version"] == "v1"
    assert api.get("/apis/discovery.k8s.io/v1").object["resources"][0]["name"] == "endpointslices"
    assert api.get("/apis/discovery.k8s.io/v9").code == 404


def test_discovery_can_be_had_in_one(api: RawApi) -> None:
    answer = api.accept("/apis", AGGREGATED)
    assert "as=APIGroupDiscoveryList" in answer.headers["Content-Type"]
    (group,) = [item for item in answer.object["items"] if item["metadata"]["name"] == "discovery.k8s.io"]
    (resource,) = group["versions"][0]["resources"]
    assert resource["responseKind"] == {"group": "discovery.k8s.io", "version": "v1", "kind": "EndpointSlice"}
    assert resource["scope"] == "Namespaced"
    core = api.accept("/api", AGGREGATED).object["items"][0]["versions"][0]["resources"]
    assert "services" in {resource["resource"] for resource in core}


def test_openapi_describes_what_is_served(api: RawApi) -> None:
    paths = api.get("/openapi/v3").object["paths"]
    document = api.get(paths["api/v1"]["serverRelativeURL"]).object
    services = "/api/v1/namespaces/{namespace}/services"
    assert document["paths"][services].keys() >= {"get", "post", "delete"}
    assert document["paths"][f"{services}/{{name}}"].keys() >= {"get", "put", "patch", "delete"}
    assert document["paths"][f"{services}/{{name}}/status"].keys() >= {"get", "put", "patch"}
    assert "get" in document["paths"]["/api/v1/services"]
    assert "delete" not in document["paths"]["/api/v1/namespaces"]
    patch = document["paths"][f"{services}/{{name}}"]["patch"]
    assert {"fieldValidation", "force"} <= {parameter["name"] for parameter in patch["parameters"]}
    listing = document["paths"][services]["get"]
    assert {"watch", "labelSelector", "continue"} <= {parameter["name"] for parameter in listing["parameters"]}
    assert (
        "/apis/apps/v1/namespaces/{namespace}/deployments/{name}/scale"
        in api.get("/openapi/v3/apis/apps/v1").object["paths"]
    )


def test_openapi_names_its_schemas_as_kubernetes_does(api: RawApi) -> None:
    document = api.get("/openapi/v3/api/v1").object
    post = document["paths"]["/api/v1/namespaces/{namespace}/pods"]["post"]
    named = post["requestBody"]["content"]["application/json"]["schema"]["$ref"].rpartition("/")[2]
    assert named == "io.k8s.api.core.v1.Pod"
    schemas = document["components"]["schemas"]
    ports = schemas["io.k8s.api.core.v1.ServiceSpec"]["properties"]["ports"]
    assert ports["x-kubernetes-list-map-keys"] == ["port", "protocol"]
    assert ports["x-kubernetes-patch-merge-key"] == "port"
    assert ports["items"] == {"$ref": "#/components/schemas/io.k8s.api.core.v1.ServicePort"}
    assert "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta" in schemas
    old = api.get("/openapi/v2").object["definitions"]
    assert old["io.k8s.api.core.v1.ServiceSpec"]["properties"]["ports"]["items"] == {
        "$ref": "#/definitions/io.k8s.api.core.v1.ServicePort"
    }


@pytest.mark.parametrize("path", ["/openapi/v3/api/v1", "/openapi/v3/apis/apps/v1", "/openapi/v2"])
def test_everything_openapi_refers_to_is_there(api: RawApi, path: str) -> None:
    document = api.get(path).object
    schemas = document["definitions"] if "definitions" in document else document["components"]["schemas"]
    references = set(re.findall(r'"\$ref": "#/(?:definitions|components/schemas)/([^"]+)"', json.dumps(document)))
    assert references
    assert references <= schemas.keys()


def test_the_version_and_the_probes_answer(api: RawApi) -> None:
    assert api.get("/version").object["gitVersion"].startswith("v1.")


def test_a_table_shows_what_matters(api: RawApi, services: str) -> None:
    api.create(services, service("web"))
    table = api.accept(services, TABLE).object
    columns = [column["name"] for column in table["columnDefinitions"]]
    assert columns == ["Name", "Type", "Cluster-IP", "External-IP", "Port(s)", "Age", "Selector"]
    (row,) = table["rows"]
    assert row["cells"][0:2] == ["web", "ClusterIP"]
    assert row["cells"][3:5] == ["<none>", "80/TCP"]
    assert row["object"]["kind"] == "PartialObjectMetadata"
    assert "object" not in api.accept(services, TABLE, includeObject="None").object["rows"][0]
    assert api.accept(f"{services}/web", TABLE).object["kind"] == "Table"


def test_metadata_can_be_had_alone(api: RawApi, config_maps: str) -> None:
    api.create(config_maps, config_map("a"))
    partial = "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io"
    answer = api.accept(config_maps, partial).object
    assert answer["kind"] == "PartialObjectMetadataList"
    assert answer["items"][0].keys() == {"kind", "apiVersion", "metadata"}


def test_the_one_user_may_do_everything(api: RawApi) -> None:
    attributes = {"verb": "delete", "resource": "namespaces"}
    review = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SelfSubjectAccessReview",
        "spec": {"resourceAttributes": attributes},
    }
    answer = api.create("/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", review)
    assert (answer.code, answer.object["status"]["allowed"]) == (201, True)


@pytest.fixture
def official(cluster: Server, tmp_path: Path) -> Iterator[client.ApiClient]:
    """Return the official client, connected by the kubeconfig."""
    write_kubeconfig(cluster, tmp_path / "config")
    with config.new_client_from_config(str(tmp_path / "config")) as connected:
        yield connected
        connected.rest_client.pool_manager.clear()
    gc.collect()


def test_the_typed_client_works(official: client.ApiClient, namespace: str) -> None:
    core = client.CoreV1Api(official)
    core.create_namespaced_service(namespace, service("web"))
    found = core.read_namespaced_service("web", namespace)
    assert found.spec.ports[0].target_port == 80
    core.patch_namespaced_service("web", namespace, {"metadata": {"annotations": {"a": "b"}}})
    found = core.read_namespaced_service("web", namespace)
    assert found.metadata.annotations == {"a": "b"}
    core.replace_namespaced_service("web", namespace, found)
    assert [item.metadata.name for item in core.list_namespaced_service(namespace).items] == ["web"]
    core.delete_namespaced_service("web", namespace)
    with pytest.raises(client.ApiException) as error:
        core.read_namespaced_service("web", namespace)
    assert error.value.status == 404


def test_the_dynamic_client_works(official: client.ApiClient, namespace: str) -> None:
    resources = dynamic.DynamicClient(official)
    services = resources.resources.get(api_version="v1", kind="Service")
    services.create(body=service("web"), namespace=namespace)
    services.server_side_apply(
        body={"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web", "labels": {"a": "b"}}},
        name="web",
        namespace=namespace,
        field_manager="me",
    )
    assert services.get(name="web", namespace=namespace).metadata.labels.a == "b"
    (event,) = services.watch(namespace=namespace, timeout=1)
    assert (event["type"], event["object"].metadata.name) == ("ADDED", "web")
    services.delete(name="web", namespace=namespace)
    assert services.get(namespace=namespace).items == []
