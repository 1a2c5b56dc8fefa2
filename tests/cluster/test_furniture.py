"""Objects that a server has from the start."""

from pathlib import Path

import pytest

from kfambassador.kube.client import KubeClient, Manifest
from kfambassador.kube.kinds import CUSTOM_RESOURCE_DEFINITION, MAPPING
from kfambassador.local.definitions import read_definitions
from kfambassador.local.kube.server import KubeServer

pytestmark = pytest.mark.embedded

MANIFEST: Manifest = {
    "apiVersion": MAPPING.api_version,
    "kind": MAPPING.kind,
    "metadata": {"name": "m", "namespace": "default"},
    "spec": {"prefix": "/m/", "service": "m", "unknown": {"deep": 1}},
}


def test_it_is_there_at_once_and_written_once(tmp_path: Path) -> None:
    versions = []
    for _ in range(2):
        with (
            KubeServer(state=tmp_path, furniture=read_definitions()) as server,
            KubeClient.connect(server.url, token=server.token, authority=server.authority) as client,
        ):
            listing = client.list(CUSTOM_RESOURCE_DEFINITION)
            versions.append({item["metadata"]["name"]: item["metadata"]["resourceVersion"] for item in listing.items})
            # What a definition does not know is kept.
            assert client.apply(MANIFEST)["spec"]["unknown"] == {"deep": 1}
    assert versions[0] == versions[1]
    assert len(versions[0]) == len(read_definitions())


def test_it_follows_a_newer_release(tmp_path: Path) -> None:
    [definition] = [each for each in read_definitions() if each["spec"]["names"]["kind"] == "Mapping"]
    older = definition | {"spec": definition["spec"] | {"names": definition["spec"]["names"] | {"categories": ["old"]}}}
    for furniture, category in ((older, "old"), (definition, "ambassador-crds")):
        with (
            KubeServer(state=tmp_path, furniture=[furniture]) as server,
            KubeClient.connect(server.url, token=server.token, authority=server.authority) as client,
        ):
            stored = client.get(CUSTOM_RESOURCE_DEFINITION, "mappings.getambassador.io")
            assert stored["spec"]["names"]["categories"] == [category]


def test_a_status_is_written_apart_and_does_not_count_as_a_new_generation(tmp_path: Path) -> None:
    with (
        KubeServer(furniture=read_definitions()) as server,
        KubeClient.connect(server.url, token=server.token, authority=server.authority) as client,
    ):
        client.create(MANIFEST | {"status": {"state": "Running"}})
        assert "status" not in client.get(MAPPING, "m")
        stored = client.patch_status(MAPPING, "m", {"status": {"state": "Inactive"}, "spec": {"prefix": "/other/"}})
        assert stored["status"] == {"state": "Inactive"}
        assert (stored["spec"]["prefix"], stored["metadata"]["generation"]) == ("/m/", 1)
