"""What a change comes to in words, and as lines."""

from copy import deepcopy
from typing import Any

import pytest

from kfambassador.kube.client import KubeClient
from kfambassador.kube.kinds import SERVICE
from kfambassador.local.kube.server import KubeServer
from kfambassador.names import CONFIG_ANNOTATION, EXPOSURE_ANNOTATION
from kfambassador.resources.documents import write_documents
from kfambassador.sdk.publishing.difference import Difference

Manifest = dict[str, Any]


def mapping(name: str, **attributes: object) -> Manifest:
    written = {"apiVersion": "getambassador.io/v2", "kind": "Mapping", "name": name, "prefix": "/m/"}
    return written | {"service": "mnist:8501"} | attributes


def service(*mappings: Manifest, note: str = "1", **labels: str) -> Manifest:
    annotations = {CONFIG_ANNOTATION: write_documents(*mappings), EXPOSURE_ANNOTATION: note}
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "mnist", "namespace": "default", "labels": labels, "annotations": annotations},
        "spec": {"clusterIP": "None", "ports": [{"name": "http-8501", "port": 8501, "protocol": "TCP"}]},
    }


def words(before: Manifest | None, after: Manifest | None) -> list[str]:
    return repr(Difference.between(before, after)).splitlines()


def test_nothing_is_said_of_nothing() -> None:
    difference = Difference.between(service(mapping("mnist")), service(mapping("mnist")))
    assert not difference
    assert (repr(difference), difference.yaml) == ("nothing changes", "")
    assert not Difference.between(None, None)


def test_a_new_service_is_told_with_its_mappings() -> None:
    after = service(mapping("mnist"), mapping("mnist-canary", weight=10, service="mnist-v2:8501"))
    assert words(None, after) == [
        "Service default/mnist: new",
        "mapping mnist: new, to mnist:8501",
        "mapping mnist-canary: new, 10% to mnist-v2:8501",
    ]
    assert words(after, None) == [
        "Service default/mnist: deleted",
        "mapping mnist: removed",
        "mapping mnist-canary: removed",
    ]


def test_changed_attributes_are_told_with_both_values() -> None:
    before = service(mapping("mnist", timeout_ms=3000, host="a.com"), mapping("old"))
    after = service(
        mapping("mnist", timeout_ms=60000, cors={"origins": "*"}), mapping("copy", shadow=True, weight=5), note="2"
    )
    assert words(before, after) == [
        "mapping mnist: timeout_ms 3000 -> 60000; host a.com -> unsaid; cors unsaid -> {'origins': '*'}",
        "mapping copy: new, copies of 5% to mnist:8501",
        "mapping old: removed",
    ]


def test_labels_owner_and_time_to_live_are_told() -> None:
    before, after = service(tier="a"), service(tier="b", team="x")
    before["metadata"]["annotations"] |= {"kfambassador/owner": "alice", "note": "x"}
    after["metadata"]["annotations"] |= {"kfambassador/owner": "bob", "kfambassador/expires-at": "2026-11-26T12:00:00Z"}
    after["spec"]["clusterIP"] = "10.0.0.1"
    assert words(before, after) == [
        "Service default/mnist: label tier a -> b",
        "Service default/mnist: label team unsaid -> x",
        "Service default/mnist: owner alice -> bob",
        "Service default/mnist: expires at unsaid -> 2026-11-26T12:00:00Z",
        "Service default/mnist: annotation note x -> unsaid",
        "Service default/mnist: clusterIP None -> 10.0.0.1",
    ]


def test_another_spelling_says_the_same_and_is_a_change() -> None:
    after = service(mapping("mnist"))
    after["metadata"]["annotations"][CONFIG_ANNOTATION] += "# a comment\n"
    difference = Difference.between(service(mapping("mnist")), after)
    assert difference
    assert repr(difference) == "Service default/mnist: what is written there is spelled anew, and says the same"
    assert "+# a comment\n" in difference.yaml


def test_documents_of_others_that_cannot_be_read_are_told_by_their_place() -> None:
    before, after = service(mapping("mnist")), service(mapping("mnist"))
    after["metadata"]["annotations"][CONFIG_ANNOTATION] += "---\n{[\n"
    assert words(before, after) == ["document 2: new"]


def test_the_lines_show_the_object_and_its_documents_apart() -> None:
    difference = Difference.between(
        service(mapping("mnist", timeout_ms=1)), service(mapping("mnist", timeout_ms=2), t="x")
    )
    lines = difference.yaml.splitlines()
    assert lines[:2] == ["--- Service default/mnist (stored)", "+++ Service default/mnist (wanted)"]
    assert [line for line in lines if line[:1] in {"+", "-"} and line[:3] not in {"+++", "---"}] == [
        "-  labels: {}",
        "+  labels:",
        "+    t: x",
        "-timeout_ms: 1",
        "+timeout_ms: 2",
    ]
    assert "--- Service default/mnist getambassador.io/config (stored)" in lines


def test_differences_add_up() -> None:
    one, two = Difference.between(None, service()), Difference.between(service(), None)
    assert (one + two).changes == ("Service default/mnist: new", "Service default/mnist: deleted")
    assert (one + two).yaml == one.yaml + two.yaml
    assert one + Difference() == one


@pytest.fixture
def stored() -> Manifest:
    """Return a Service as the API keeps it: applied by us, and written in by somebody else."""
    with (
        KubeServer() as server,
        KubeClient.connect(server.url, token=server.token, authority=server.authority) as client,
    ):
        client.apply(service(mapping("mnist"), tier="a"))
        path = {"metadata": {"annotations": {"theirs": "1"}}, "spec": {"sessionAffinity": "ClientIP"}}
        patched = client.patch(SERVICE, "mnist", path, namespace="default")
    # The patch was ours as well: hand what it wrote to somebody else.
    entries = [
        {**entry, "manager": "kubectl"} if entry["operation"] == "Update" else entry for entry in _managers(patched)
    ]
    return {**patched, "metadata": {**patched["metadata"], "managedFields": entries}}


def _managers(manifest: Manifest) -> list[Manifest]:
    entries: list[Manifest] = manifest["metadata"]["managedFields"]
    return entries


def test_what_the_server_and_others_wrote_is_no_change(stored: Manifest) -> None:
    assert stored["spec"]["clusterIPs"] == ["None"]
    assert not Difference.between(stored, service(mapping("mnist"), tier="a"))


def test_what_is_ours_and_no_longer_wanted_is_a_change(stored: Manifest) -> None:
    assert words(stored, service(mapping("mnist"))) == ["Service default/mnist: label tier a -> unsaid"]


def test_a_dry_run_may_be_compared_as_well(stored: Manifest) -> None:
    wanted = deepcopy(stored)
    wanted["metadata"] |= {"labels": {}, "resourceVersion": "99", "generation": 7}
    assert words(stored, wanted) == ["Service default/mnist: label tier a -> unsaid"]
