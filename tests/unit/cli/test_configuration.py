"""lint, translate and explain over files: what they say, where they say it, and how they end."""

import io
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import trustme

import kfambassador
from kfambassador.cli.app import main
from kfambassador.resources.documents import read_documents, write_documents

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


def test_lint_is_silent_about_what_is_in_order(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    file = tmp_path / "good.yaml"
    file.write_text(MODEL.replace("/:predict", "/"))
    assert run(capsys, "lint", str(file)) == (0, "", "1 mapping served\n")


def test_lint_tells_of_a_trap_what_becomes_of_a_request(capsys: pytest.CaptureFixture[str], good: str) -> None:
    code, out, err = run(capsys, "lint", good)
    assert (code, err) == (0, "1 mapping served, 1 warning\n")
    assert out.splitlines() == [
        f"{good}, Service kubeflow/test, annotation document 1, line 1",
        (
            "  warning  rewrite: what follows the prefix is put right behind the rewrite: "
            "POST /models/test/abc -> /model/test/:predictabc; set prefix_exact if only /models/test/ is meant"
        ),
    ]


def test_lint_tells_problems_under_their_place_the_worst_first(capsys: pytest.CaptureFixture[str], bad: str) -> None:
    code, out, err = run(capsys, "lint", bad)
    lines = out.splitlines()
    place = lines.index(f"{bad}, Service kubeflow/test, annotation document 2, line 9")
    assert code == 1
    assert lines[place + 1].startswith("  error    method: expected text, got true")
    assert lines[place + 2].startswith("  warning  timout_ms: timout_ms is not an attribute")
    assert lines[place + 2].endswith("did you mean timeout_ms?")
    assert err == "1 mapping served, 1 error, 2 warnings\n"


OTHERS = """\
{apiVersion: ambassador/v1, kind: RateLimitService, name: r, service: s}
---
{apiVersion: getambassador.io/v2, kind: Filter, metadata: {name: f}, spec: {}}
---
{apiVersion: apps/v1, kind: Deployment, metadata: {name: d, namespace: team}}
---
{apiVersion: v1, kind: ConfigMap, metadata: {name: c}}
"""


def test_kinds_that_are_not_ours_are_notices(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    file = tmp_path / "others.yaml"
    file.write_text(OTHERS)
    code, out, err = run(capsys, "lint", str(file))
    assert (code, err) == (0, "0 mappings served, 4 notices\n")
    assert "this release does not act on it" in out
    assert "belongs to Ambassador Edge Stack" in out
    passed = "passed over, because a gateway reads nothing from them: ConfigMap default/c, Deployment team/d"
    assert out.splitlines()[-2:] == [str(file), f"  notice   {passed}"]


SHARED = """\
{apiVersion: ambassador/v1, kind: Module, name: ambassador, config: {}, namespace: kubeflow}
---
{apiVersion: ambassador/v1, kind: Mapping, name: here, prefix: /here/, service: "127.0.0.1:80", namespace: team}
---
{apiVersion: ambassador/v1, kind: Mapping, name: a, prefix: /a/, service: x.org, namespace: team}
---
{apiVersion: ambassador/v1, kind: Mapping, name: a, prefix: /a/, service: y.org, namespace: other}
"""


@pytest.mark.parametrize(
    ("options", "codes"),
    [
        ([], {"conflicting-route"}),
        (["--policy", "laptop"], {"conflicting-route"}),
        (["--policy", "strict"], {"not-the-gateways", "forbidden-target", "conflicting-route"}),
        (["--policy", "strict", "--gateway-namespace", "kubeflow"], {"forbidden-target", "conflicting-route"}),
        (["--policy", "permissive"], {"not-the-gateways", "forbidden-target"}),
        (["--policy", "permissive", "--gateway-namespace", "kubeflow"], {"forbidden-target"}),
    ],
)
def test_lint_judges_as_the_gateway_that_is_named(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, options: list[str], codes: set[str]
) -> None:
    file = tmp_path / "shared.yaml"
    file.write_text(SHARED)
    _, out, _ = run(capsys, "lint", str(file), "--format", "json", *options)
    told = json.loads(out)["problems"]
    assert {problem["code"] for problem in told if problem["severity"] == "error"} == codes


def test_lint_for_programs(capsys: pytest.CaptureFixture[str], bad: str) -> None:
    code, out, _ = run(capsys, "lint", "--format", "json", bad)
    result = json.loads(out)
    assert (code, result["mappings"]) == (1, 1)
    assert [(problem["severity"], problem["path"], problem["document"]) for problem in result["problems"]] == [
        ("warning", "rewrite", 1),
        ("error", "method", 2),
        ("warning", "timout_ms", 2),
    ]


def test_a_mapping_that_is_left_out_is_not_counted(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    file = tmp_path / "refused.yaml"
    file.write_text(MODEL.replace("method: POST", "method: P OST"))
    code, _, err = run(capsys, "lint", str(file))
    assert (code, err) == (1, "0 mappings served, 1 error, 1 warning\n")


def test_warnings_are_no_errors(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    file = tmp_path / "warned.yaml"
    file.write_text(MODEL.replace("method: POST", "method: post"))
    code, out, _ = run(capsys, "lint", str(file))
    assert (code, "  warning  method: " in out) == (0, True)


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
    assert out.startswith("standard input, document 1, line ")


def test_translate_gives_the_routing_table(capsys: pytest.CaptureFixture[str], good: str) -> None:
    code, out, err = run(capsys, "translate", good)
    assert code == 0
    assert err.startswith("warning: rewrite: ")
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


@pytest.mark.parametrize("output", ["envoy", "routes"])
def test_translate_shows_no_private_key(capsys: pytest.CaptureFixture[str], tmp_path: Path, output: str) -> None:
    own = trustme.CA().issue_cert("gateway.example")
    texts = {"tls.crt": own.cert_chain_pems[0].bytes().decode(), "tls.key": own.private_key_pem.bytes().decode()}
    written = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "own"}, "stringData": texts}
    flat = {"apiVersion": "ambassador/v1"}
    context = {**flat, "kind": "TLSContext", "name": "c", "secret": "own"}
    mapping = {**flat, "kind": "Mapping", "name": "m", "prefix": "/m/", "service": "a.example.org", "tls": "c"}
    file = tmp_path / "tls.yaml"
    file.write_text(write_documents(written, context, mapping))
    code, out, err = run(capsys, "translate", str(file), "--output", output)
    assert (code, err) == (0, "")
    assert "PRIVATE KEY" not in out
    assert "CERTIFICATE" in out or output == "routes"


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


KINDS = """\
{apiVersion: ambassador/v1, kind: Mapping, name: old, prefix: /old/, service: "https://b.com", host_redirect: true}
---
{apiVersion: ambassador/v1, kind: Mapping, name: a, prefix: /m/, service: a.com, weight: 30}
---
{apiVersion: ambassador/v1, kind: Mapping, name: b, prefix: /m/, service: b.com, rewrite: /b/}
---
{apiVersion: ambassador/v1, kind: Mapping, name: c, prefix: /m/, service: c.com, shadow: true, weight: 5}
"""


@pytest.mark.parametrize(
    ("url", "code", "lines"),
    [
        (
            "/old/x?y=1",
            0,
            ["GET /old/x is sent to https://b.com/old/x?y=1 (301 moved permanently), by default/old"],
        ),
        (
            "/m//x",
            0,
            [
                "GET /m/x goes to a.com as /x (30%), by default/a",
                "GET /m/x goes to b.com as /b/x (70%), by default/b",
                "  5% of them are copied to c.com, by default/c",
            ],
        ),
        (
            "/m/%2f",
            1,
            ["GET /m/%2f is refused with 400: %2f in a path could mean two things, so no service is shown one"],
        ),
        ("/x", 1, ["GET /x is taken by no route: it is answered 404"]),
    ],
)
def test_explain_tells_every_fate(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, url: str, code: int, lines: list[str]
) -> None:
    file = tmp_path / "kinds.yaml"
    file.write_text(KINDS)
    ended, out, _ = run(capsys, "explain", "GET", url, "--file", str(file))
    assert (ended, out.splitlines()[: len(lines)]) == (code, lines)


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
        (["lint", "-", "--gateway-namespace", "x"], "--policy strict"),
        (["lint", "-", "--policy", "lax"], "lax"),
        (["explain", "GET", "/", "-f", "-", "--ask-envoy"], "--ask-envoy"),
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


def test_a_cluster_that_does_not_answer_is_said(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    kubeconfig = tmp_path / "kubeconfig"
    context = {"name": "staging", "context": {"cluster": "c", "user": "u"}}
    clusters, users = [{"name": "c", "cluster": {"server": "http://127.0.0.1:1"}}], [{"name": "u", "user": {}}]
    kubeconfig.write_text(json.dumps({"contexts": [context], "clusters": clusters, "users": users}))
    monkeypatch.setenv("KUBECONFIG", str(kubeconfig))
    monkeypatch.delenv("KFAMBASSADOR_URL", raising=False)
    code, _, err = run(capsys, "routes", "--target", "staging")
    assert code == 1
    assert "http://127.0.0.1:1" in err
    assert "Traceback" not in err
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
