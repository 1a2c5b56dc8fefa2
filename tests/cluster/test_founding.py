"""What a cluster has by itself: namespaces, its API's Service, and an account and whom to trust in each namespace."""

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from kfambassador.local.kube.server import KubeServer
from tests.cluster.conftest import Kubectl
from tests.cluster.raw_api import Object, RawApi

pytestmark = pytest.mark.controllers

_PATIENCE = 30.0  # seconds a cluster's controllers have


def wait_for(api: RawApi, path: str, is_so: Callable[[Object], object]) -> Object:
    """What an object is once something is so."""
    end = time.monotonic() + _PATIENCE
    while (found := api.get(path)).code != 200 or not is_so(found.object):
        assert time.monotonic() < end, found.object
        time.sleep(0.05)
    return found.object


def test_the_namespaces_of_a_cluster_are_there(api: RawApi) -> None:
    names = {item["metadata"]["name"] for item in api.get("/api/v1/namespaces").object["items"]}
    assert {"default", "kube-node-lease", "kube-public", "kube-system"} <= names


def test_the_api_has_a_service(api: RawApi) -> None:
    found = api.get("/api/v1/namespaces/default/services/kubernetes").object
    assert found["metadata"]["labels"] == {"component": "apiserver", "provider": "kubernetes"}
    [port] = found["spec"]["ports"]
    assert (port["name"], port["port"], found["spec"]["type"]) == ("https", 443, "ClusterIP")
    assert found["spec"]["clusterIP"].endswith(".0.1")


def test_the_service_of_the_api_comes_back(api: RawApi) -> None:
    path = "/api/v1/namespaces/default/services/kubernetes"
    first = api.get(path).object
    assert api.delete(path).code == 200
    second = wait_for(api, path, lambda found: found["metadata"]["uid"] != first["metadata"]["uid"])
    assert second["spec"]["clusterIP"] == first["spec"]["clusterIP"]


def test_every_namespace_is_told_whom_to_trust(api: RawApi, config_maps: str) -> None:
    path = f"{config_maps}/kube-root-ca.crt"
    told = wait_for(api, path, lambda found: found["data"]["ca.crt"])
    assert told["data"]["ca.crt"].startswith("-----BEGIN CERTIFICATE-----")
    api.patch(path, {"data": {"ca.crt": "nobody", "more": "x"}})
    assert wait_for(api, path, lambda found: found["data"] == told["data"])
    api.delete(path)
    again = wait_for(api, path, lambda found: found["metadata"]["uid"] != told["metadata"]["uid"])
    assert again["data"] == told["data"]


@pytest.mark.embedded
def test_whom_to_trust_is_told_anew_when_it_is_another(tmp_path: Path) -> None:
    path = "/api/v1/namespaces/default/configmaps/kube-root-ca.crt"
    for _ in range(2):
        with KubeServer(state=tmp_path) as server:
            client = RawApi(server.url, server.token, server.authority)
            assert client.get(path).object["data"] == {"ca.crt": server.authority}
            client.close()
        (tmp_path / "kubernetes-ca.pem").unlink()


def test_every_namespace_has_a_service_account(api: RawApi, namespace: str) -> None:
    path = f"/api/v1/namespaces/{namespace}/serviceaccounts"
    first = api.get(f"{path}/default").object["metadata"]
    api.delete(f"{path}/default")
    second = api.get(f"{path}/default").object["metadata"]
    assert first["uid"] != second["uid"]
    api.delete(f"/api/v1/namespaces/{namespace}")
    assert api.get(f"{path}/default").code == 404


def test_a_dry_run_of_a_namespace_makes_no_account(api: RawApi) -> None:
    named = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "not-yet"}}
    assert api.create("/api/v1/namespaces", named, dryRun="All").code == 201
    assert api.get("/api/v1/namespaces/not-yet/serviceaccounts/default").code == 404


def test_a_token_of_the_default_account_can_be_had(kubectl: Kubectl) -> None:
    assert kubectl("create", "token", "default").count(".") == 2
