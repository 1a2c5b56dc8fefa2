"""lint, translate and explain over files: what they say, where they say it, and how they end."""

import io
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import kfambassador
from kfambassador.cli.app import main
from kfambassador.resources.documents import read_documents

MODEL = """\
---
apiVersion: ambassador/v0
kind: Mapping
name: tfserving-mapping-test-post
prefix: /models/test/
rewrite: /model/test/:predict
method: POST
service: test.kubeflow:8000
"""
SERVICE = """\
apiVersion: v1
kind: Service
metadata: {name: test, namespace: kubeflow, annotations: {getambassador.io/config: %s}}
spec: {type: ClusterIP, ports: [{port: 8000}]}
"""


@pytest.fixture
def good(tmp_path: Path) -> str:
    file = tmp_path / "good.yaml"
    file.write_text(SERVICE % json.dumps(MODEL))
    return str(file)


@pytest.fixture
def bad(tmp_path: Path) -> str:
    file = tmp_path / "bad.yaml"
    file.write_text(SERVICE % json.dumps(MODEL + MODEL.replace("method: POST", "method: on\ntimout_ms: 3")))
    return str(file)


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    """Run a command; give its exit code and what it said."""
    with pytest.raises(SystemExit) as ended:
        main(list(arguments))
    said = capsys.readouterr()
    code = ended.value.code
    assert isinstance(code, int)
    return code, said.out, said.err


def read_yaml(text: str) -> dict[str, object]:
    """Read the one document of a text."""
    (document,) = read_documents(text)
    assert isinstance(document.value, dict)
    return {**document.value}


def test_lint_is_silent_about_what_is_in_order(capsys: pytest.CaptureFixture[str], good: str) -> None:
    assert run(capsys, "lint", good) == (0, "", "1 mapping served\n")


def test_lint_tells_file_document_and_field(capsys: pytest.CaptureFixture[str], bad: str) -> None:
    code, out, err = run(capsys, "lint", bad)
    place = f"({bad}, Service kubeflow/test, annotation document 2)"
    assert code == 1
    assert [line for line in out.splitlines() if line.startswith("error: method: expected text, got true")]
    assert f"did you mean timeout_ms? {place}" in out
    assert all(line.endswith(place) for line in out.splitlines())
    assert err == "1 mapping served, 1 error, 1 warning\n"


def test_lint_for_programs(capsys: pytest.CaptureFixture[str], bad: str) -> None:
    code, out, _ = run(capsys, "lint", "--format", "json", bad)
    result = json.loads(out)
    assert (code, result["mappings"]) == (1, 1)
    assert {(problem["severity"], problem["path"], problem["document"]) for problem in result["problems"]} == {
        ("error", "method", 2),
        ("warning", "timout_ms", 2),
    }


def test_a_mapping_that_is_left_out_is_not_counted(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    file = tmp_path / "refused.yaml"
    file.write_text(MODEL.replace("method: POST", "method: P OST"))
    code, _, err = run(capsys, "lint", str(file))
    assert (code, err) == (1, "0 mappings served, 1 error\n")


def test_warnings_are_no_errors(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    file = tmp_path / "warned.yaml"
    file.write_text(MODEL.replace("method: POST", "method: post"))
    code, out, _ = run(capsys, "lint", str(file))
    assert (code, out.startswith("warning: method:")) == (0, True)


def test_endpoints_are_asked_for_only_where_files_tell_of_any(
    capsys: pytest.CaptureFixture[str], good: str, tmp_path: Path
) -> None:
    slices = tmp_path / "slice.yaml"
    slices.write_text(
        "{apiVersion: discovery.k8s.io/v1, kind: EndpointSlice, addressType: IPv4, endpoints: [], ports: [],\n"
        " metadata: {name: s, namespace: kubeflow, labels: {kubernetes.io/service-name: test}}}"
    )
    assert "no ready endpoint" not in run(capsys, "lint", good)[1]
    assert "no ready endpoint" in run(capsys, "lint", good, str(slices))[1]


def test_dash_is_standard_input(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(MODEL.replace("POST", "on").encode())))
    code, out, _ = run(capsys, "lint", "-")
    assert code == 1
    assert out.rstrip().endswith("(standard input, document 1)")


def test_translate_gives_the_routing_table(capsys: pytest.CaptureFixture[str], good: str) -> None:
    code, out, err = run(capsys, "translate", good)
    assert (code, err) == (0, "")
    assert json.loads(run(capsys, "translate", good, "--format", "json")[1]) == read_yaml(out)
    assert "/model/test/:predict" in out


@pytest.mark.parametrize("notation", ["yaml", "json"])
def test_translate_gives_envoys_words(capsys: pytest.CaptureFixture[str], good: str, notation: str) -> None:
    code, out, _ = run(capsys, "translate", good, "--output", "envoy", "--format", notation)
    value: dict[str, Any] = json.loads(out) if notation == "json" else read_yaml(out)
    assert code == 0
    assert list(value) == ["listeners", "route_configurations", "clusters", "endpoints"]
    assert value["route_configurations"][0]["name"] == "routes"
    assert value["clusters"][0]["type"] == "EDS"


def test_translate_leaves_out_what_is_at_fault_and_says_so(capsys: pytest.CaptureFixture[str], bad: str) -> None:
    code, out, err = run(capsys, "translate", bad, "--format", "json")
    assert code == 1
    assert len(json.loads(out)["routes"]) == 1
    assert "error: method: expected text" in err


def test_explain_over_files(capsys: pytest.CaptureFixture[str], good: str) -> None:
    code, out, _ = run(capsys, "explain", "POST", "/models/test/", "--file", good)
    assert code == 0
    mapping = "kubeflow/tfserving-mapping-test-post"
    assert out.splitlines() == [
        f"POST /models/test/ goes to test.kubeflow:8000 as /model/test/:predict, by {mapping}",
        f"  ✔ {mapping}: matches",
    ]


def test_explain_ends_with_1_when_no_route_takes_it(capsys: pytest.CaptureFixture[str], good: str) -> None:
    code, out, _ = run(capsys, "explain", "GET", "http://h/models/test/", "-f", good, "-H", "x: y", "--format", "json")
    explanation = json.loads(out)
    assert (code, explanation["winner"]) == (1, None)
    assert explanation["verdicts"][0]["reason"] == "method 'GET', not 'POST'"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["lint"], "Missing argument"),
        (["lint", "/there/is/no/such.yaml"], "No such file"),
        (["lint", "/"], "Is a directory"),
        (["translate", "-", "--output", "pictures"], "pictures"),
        (["explain", "GET", "/", "-f", "-", "-H", "nonsense"], "NAME:VALUE"),
        (["expose", "m", "80", "--set", "nonsense"], "NAME=VALUE"),
        (["expose", "m", "80", "--server", "http", "--model", "x"], "--model"),
        (["no-such-command"], "No such command"),
    ],
)
def test_misuse_ends_with_2(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, arguments: list[str], words: str
) -> None:
    monkeypatch.setenv("KFAMBASSADOR_TARGET", "no-such-context")  # nothing may be started
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"")))
    code, out, err = run(capsys, *arguments)
    assert (code, out) == (2, "")
    assert words in " ".join(err.replace("│", " ").split())


def test_a_file_that_is_no_text_is_named(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    file = tmp_path / "x.yaml"
    file.write_bytes(b"a: \xff")
    code, _, err = run(capsys, "lint", str(file))
    assert code == 2
    assert "byte 3 is not UTF-8" in " ".join(err.replace("│", " ").split())


def test_an_error_of_ours_is_words_and_no_trace(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KUBECONFIG", "/there/is/no/kubeconfig")
    monkeypatch.setenv("KFAMBASSADOR_URL", "http://127.0.0.1:1")
    monkeypatch.setenv("KFAMBASSADOR_DIAGNOSTICS_URL", "http://127.0.0.1:1")
    code, out, err = run(capsys, "routes", "--target", "staging")
    assert (code, out) == (2, "")
    assert err.startswith("Cannot connect with the kubeconfig /there/is/no/kubeconfig")
    assert "Traceback" not in err


def test_a_cluster_whose_gateway_is_not_known_is_refused(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    kubeconfig = tmp_path / "kubeconfig"
    context = {"name": "staging", "context": {"cluster": "c", "user": "u"}}
    clusters, users = [{"name": "c", "cluster": {"server": "http://127.0.0.1:1"}}], [{"name": "u", "user": {}}]
    kubeconfig.write_text(json.dumps({"contexts": [context], "clusters": clusters, "users": users}))
    monkeypatch.setenv("KUBECONFIG", str(kubeconfig))
    monkeypatch.delenv("KFAMBASSADOR_URL", raising=False)
    code, _, err = run(capsys, "routes", "--target", "staging")
    assert code == 2
    assert "the cluster of context 'staging'" in err
    assert "set KFAMBASSADOR_URL, or give connect(url=...)" in err
    code, _, err = run(capsys, "routes", "--target", "nosuch")
    assert code == 2
    assert "nosuch" in err
    assert "KFAMBASSADOR_URL" not in err


@pytest.mark.parametrize(
    "command",
    [
        ["demo"],
        ["local"],
        ["local", "start"],
        ["local", "stop"],
        ["local", "status"],
        ["local", "model"],
        ["expose"],
        ["routes"],
        ["explain"],
        ["delete"],
        ["lint"],
        ["translate"],
    ],
    ids=" ".join,
)
def test_every_command_has_help_with_an_example(capsys: pytest.CaptureFixture[str], command: list[str]) -> None:
    code, out, _ = run(capsys, *command, "--help")
    assert code == 0
    assert f"Example: kfambassador {' '.join(command)}" in " ".join(out.split())


def test_results_are_not_cut_in_a_pipe(good: str) -> None:
    command = [sys.executable, "-m", "kfambassador", "explain", "POST", "/models/test/", "-f", good]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "kubeflow/tfserving-mapping-test-post\n" in done.stdout


def test_the_version_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(capsys, "--version") == (0, f"kfambassador {kfambassador.__version__}\n", "")
