"""crds and convert: what they write, and that it is what was read."""

import json
from pathlib import Path
from typing import Any

import pytest

from kfambassador.cli.app import main
from kfambassador.resources.crd import build_definitions
from kfambassador.resources.documents import FILE_LIMITS, read_documents
from kfambassador.resources.manifests import read_manifests

SERVICE = """\
apiVersion: v1
kind: Service
metadata: {name: test, NAMESPACE annotations: {getambassador.io/config: ANNOTATION}}
spec: {ports: [{port: 80}]}
"""
OLD = """\
---
{apiVersion: ambassador/v0, kind: Mapping, name: My_Model, prefix: /m/, service: m, host: a.com, circuit_breaker: few,
 outlier_detection: strict, use_websocket: true}
---
{apiVersion: ambassador/v0, kind: CircuitBreaker, name: few, max_connections: 7, max_pending: 8}
---
{apiVersion: ambassador/v0, kind: OutlierDetection, name: strict, consecutive_5xx: 3}
---
{apiVersion: ambassador/v1, kind: Module, name: ambassador, config: {cluster_request_timeout_ms: 9}}
"""


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, list[Any], str]:
    """Run a command; give its exit code, the documents it wrote and what it told."""
    with pytest.raises(SystemExit) as ended:
        main(list(arguments))
    said = capsys.readouterr()
    code = ended.value.code
    assert isinstance(code, int)
    return code, [document.value for document in read_documents(said.out, FILE_LIMITS)], said.err


def write(folder: Path, annotation: str, *, namespace: str = "") -> str:
    file = folder / "service.yaml"
    placed = f"namespace: {namespace}," if namespace else ""
    file.write_text(SERVICE.replace("ANNOTATION", json.dumps(annotation)).replace("NAMESPACE", placed))
    return str(file)


def test_crds_prints_the_definitions(capsys: pytest.CaptureFixture[str]) -> None:
    code, printed, told = run(capsys, "crds")
    assert (code, printed, told) == (0, list(build_definitions()), "")
    assert {"Mapping", "Host", "Listener"} <= {each["spec"]["names"]["kind"] for each in printed}


def test_an_annotation_becomes_custom_resources_with_what_it_names(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    code, manifests, told = run(capsys, "convert", write(tmp_path, OLD, namespace="kubeflow"))
    assert code == 0
    module, mapping = manifests
    assert module["spec"] == {"config": {"cluster_request_timeout_ms": 9}}
    assert mapping["apiVersion"] == "getambassador.io/v3alpha1"
    assert mapping["metadata"]["namespace"] == "kubeflow"
    assert mapping["metadata"]["name"].startswith("my-model-")
    assert mapping["spec"]["hostname"] == "a.com"
    assert mapping["spec"]["circuit_breakers"] == [{"max_connections": 7, "max_pending_requests": 8}]
    assert mapping["spec"]["outlier_detection"]["consecutive_5xx"] == 3
    assert "circuit_breaker" not in mapping["spec"]
    assert "'My_Model' is no name for a Kubernetes object" in told
    assert told.count("mappings converted with it hold its limits") == 2
    assert "warning" not in told


def test_what_is_converted_is_read_as_it_was_and_converts_back(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    text = "{apiVersion: ambassador/v1, kind: Mapping, name: m, prefix: /m/, service: m, host: a.com, tls: true}"
    file = write(tmp_path, text, namespace="kubeflow")
    [before] = read_manifests([(file, Path(file).read_text())]).mappings
    _, [newest], _ = run(capsys, "convert", file)
    converted = tmp_path / "newest.json"
    converted.write_text(json.dumps(newest))
    _, [old], told = run(capsys, "convert", str(converted), "--to", "v2")
    assert told == ""
    assert newest["spec"] == {"hostname": "a.com", "prefix": "/m/", "service": "https://m"}
    # The scheme says of TLS what a boolean said.
    assert old["spec"] == {"prefix": "/m/", "service": "https://m", "host": "a.com"}
    [after] = read_manifests([("old", json.dumps(old))]).mappings
    assert after.namespace == before.namespace
    assert after.mapping.model_copy(update={"service": "m", "tls": True}) == before.mapping


def test_a_namespace_that_nobody_said_is_left_open(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    text = "{apiVersion: ambassador/v1, kind: Mapping, name: m, prefix: /m/, service: m}"
    bare = tmp_path / "bare.yaml"
    bare.write_text(text)
    _, manifests, _ = run(capsys, "convert", write(tmp_path, text), str(bare))
    assert [manifest["metadata"] for manifest in manifests] == [{"name": "m"}] * 2


def test_what_is_at_fault_is_told_and_left_out(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    good = "{apiVersion: ambassador/v1, kind: Mapping, name: m, prefix: /m/, service: m}\n---\n"
    code, manifests, told = run(capsys, "convert", write(tmp_path, good + good.replace("prefix: /m/,", "")))
    assert (code, len(manifests)) == (1, 1)
    assert "prefix is missing" in told
