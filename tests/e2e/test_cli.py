"""The command line against real gateways: the shared one, and one in the foreground."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from subprocess import PIPE
from tempfile import TemporaryDirectory
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

import kfambassador as kfa
from kfambassador.cli.app import main
from kfambassador.local.models import ModelServer
from kfambassador.names import CONFIG_ANNOTATION
from kfambassador.resources.documents import read_documents
from kfambassador.resources.fields import as_object
from tests.backends import EchoServer
from tests.cluster.conftest import kubectl_path
from tests.e2e.gateway import until
from tests.e2e.local_gateway import THEIRS

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("shared-gateway")]

COMMAND = (sys.executable, "-m", "kfambassador")


def annotated_service(annotation: str) -> dict[str, object]:
    """A Service that carries configuration."""
    metadata = {"name": "test", "namespace": "default", "annotations": {CONFIG_ANNOTATION: annotation}}
    return {"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": {"ports": [{"port": 80}]}}


class Foreground:
    """A gateway in the foreground, and what it says of itself."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        assert process.stdout is not None
        self._process = process
        self.url = process.stdout.readline().strip().removeprefix("gateway ready at ")

    def end(self) -> str:
        """End it, and give what it told on its error stream."""
        self._process.terminate()
        told = self._process.communicate(timeout=30)[1]
        assert self._process.returncode == 0
        return told


@contextmanager
def foreground(*options: str) -> Iterator[Foreground]:
    """Run a gateway in the foreground of a process of its own, which does not outlive the test."""
    with subprocess.Popen([*COMMAND, "local", *options], stdout=PIPE, stderr=PIPE, text=True) as process:
        try:
            yield Foreground(process)
        finally:
            process.kill()


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a command to its end."""
    return subprocess.run([*COMMAND, *arguments], capture_output=True, text=True, timeout=60, check=False)


def here(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    """Run a command in this process, which is quicker than a process for each."""
    with pytest.raises(SystemExit) as ended:
        main(list(arguments))
    said = capsys.readouterr()
    return int(ended.value.code or 0), said.out, said.err


@pytest.fixture(scope="module", autouse=True)
def nobody_elses() -> Iterator[None]:
    """A runtime directory of the tests' own, so that they never meet the gateway of whoever runs them."""
    # A short path: Envoy's sockets are below it.
    with TemporaryDirectory(prefix="kfa-") as directory, pytest.MonkeyPatch.context() as patch:
        patch.setenv("KFAMBASSADOR_RUNTIME_DIR", directory)
        patch.delenv("KFAMBASSADOR_TARGET", raising=False)
        yield


@pytest.fixture(scope="module")
def shared(nobody_elses: None) -> Iterator[str]:
    """A shared gateway: the commands under test start it and stop it."""
    started = run("local", "start")
    assert started.returncode == 0, started.stderr
    yield started.stdout.strip().removeprefix("gateway ready at ")
    assert run("local", "stop").stdout == "stopped\n"
    assert run("local", "stop").stdout == "it does not run\n"
    status = run("local", "status")
    assert (status.returncode, status.stdout.strip()) == (1, "no gateway: it does not run")


@pytest.fixture(scope="module")
def model() -> Iterator[ModelServer]:
    with ModelServer("mnist") as server:
        yield server


@pytest.fixture(scope="module")
def ragged(shared: str) -> Iterator[str]:
    """A published model that takes rows of one length only."""
    with EchoServer() as echo:
        assert run("expose", "ragged", str(echo.port), "--server", "kserve-v2").returncode == 0
        yield "ragged"
        assert run("delete", "ragged").returncode == 0


def test_a_model_is_published_shown_explained_and_taken_down(
    shared: str, model: ModelServer, capsys: pytest.CaptureFixture[str]
) -> None:
    exposed = run("expose", "mnist", str(model.url), "--set", "timeout_ms=6000", "--format", "json")
    assert exposed.returncode == 0, exposed.stderr
    assert json.loads(exposed.stdout)["url"] == f"{shared}/models/mnist/"
    with urlopen(f"{shared}/models/mnist") as answer:
        assert answer.status == 200
    routes = json.loads(here(capsys, "routes", "--format", "json")[1])["routes"]
    assert {split["attributes"]["timeout_ms"] for route in routes for split in route["splits"]} == {6000}
    assert "/models/mnist:*" in here(capsys, "routes")[1]
    code, out, _ = here(capsys, "explain", "POST", "/models/mnist:predict")
    assert (code, "default/mnist-verbs: matches" in out) == (0, True)
    code, out, err = here(capsys, "explain", "POST", "/models//mnist:predict", "--ask-envoy")
    assert code == 0, err
    assert out.splitlines()[-1].startswith("Envoy agrees: it chose default/mnist-verbs, cluster ")
    assert run("delete", "mnist").stdout == "deleted mnist\n"
    code, _, err = here(capsys, "delete", "mnist")
    assert (code, "Nothing is published as 'mnist'" in err) == (1, True)


def test_a_typo_ends_with_1_and_the_nearest_name(shared: str, model: ModelServer) -> None:
    done = run("expose", "mnist", str(model.port), "--set", "timout_ms=1")
    assert done.returncode == 1
    assert "did you mean timeout_ms?" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("expose", "m", "8501", "--set", "server=x"), "'server' is no attribute of a mapping; it is said by --server"),
        (("expose", "m", "8501", "--ttl", "99999999999d"), "ends before the year 10000"),
        (("expose", "m", "8501", "--model", "a/b"), "model: 'a/b' does not look like"),
        (("predict", "ragged", "[[1, 2], [3]]"), "input-0 is no array"),
        (("predict", "ragged", "[1]", "--header", "x: a\nb"), "holds line breaks"),
        (("test", "ragged", "--method", "BAD METHOD"), "BAD METHOD"),
        (("delete", "ragged,app.kubernetes.io/name"), "published there: ragged"),
        (("rollout", "ragged", "--error-rate", "5"), "error_rate: expected a part of the requests"),
    ],
    ids=str,
)
def test_a_mistake_gets_words_and_no_stack_trace(
    ragged: str, capsys: pytest.CaptureFixture[str], words: tuple[str, ...], said: str
) -> None:
    code, _, err = here(capsys, *words)
    told = " ".join(err.replace("│", " ").split())
    assert (code in {1, 2}, said in told, "Traceback" in told) == (True, True, False), told


def test_what_does_not_answer_ends_with_1(shared: str, capsys: pytest.CaptureFixture[str]) -> None:
    code, _, err = here(capsys, "expose", "dead", "127.0.0.1:1", "--timeout", "0.1")
    assert (code, "does not answer" in err) == (1, True)
    assert here(capsys, "delete", "dead")[0] == 0


def test_python_and_the_command_line_see_the_same_gateway(shared: str) -> None:
    script = "import kfambassador; gateway = kfambassador.connect(); print(gateway.url); gateway.close()"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.strip() == shared
    assert done.stderr == f"kfambassador: this machine: gateway at {shared}\n"


def test_status_shows_the_shared_gateway_without_its_tokens(shared: str, capsys: pytest.CaptureFixture[str]) -> None:
    status = run("local", "status", "--format", "json")
    shown = json.loads(status.stdout)
    runtime = json.loads((Path(os.environ["KFAMBASSADOR_RUNTIME_DIR"]) / "gateway.json").read_text())
    assert (status.returncode, shown["ready"], shown["url"]) == (0, True, shared)
    told = here(capsys, "local", "status")[1]
    for token in (runtime["api_token"], runtime["diagnostics_token"]):
        assert token not in status.stdout + told
    assert f"Kubernetes API {runtime['api_url']}; a kubeconfig for it: kfambassador local kubeconfig" in told
    where = f"{runtime['diagnostics_url']}/ambassador/v0"
    assert f"read API {where}; diagnostics_token in {shown['file']} opens it" in told
    given = Request(f"{where}/routes", headers={"Authorization": f"Bearer {runtime['diagnostics_token']}"})
    with urlopen(given) as answer:
        assert "routes" in json.load(answer)


def test_a_kubeconfig_is_printed_to_who_asks_for_it(shared: str, tmp_path: Path) -> None:
    done = run("local", "kubeconfig")
    assert (done.returncode, done.stderr) == (0, "")
    (tmp_path / "config").write_text(done.stdout)
    assert "namespace/default" in kubectl(tmp_path / "config", "get", "namespaces", "--output", "name")


def test_a_running_gateway_joins_a_kubeconfig_and_leaves_it_at_its_end(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    path = tmp_path / "config"
    path.write_text(THEIRS)
    with TemporaryDirectory(prefix="kfa-") as directory:
        monkeypatch.setenv("KFAMBASSADOR_RUNTIME_DIR", directory)
        assert run("local", "start").returncode == 0
        done = run("local", "start", "--kubeconfig", str(path))
        assert (done.returncode, done.stderr) == (
            0,
            f"{path} has context kfambassador-local, which is the current one now; before it was prod\n",
        )
        assert "namespace/default" in kubectl(path, "get", "namespaces", "--output", "name")
        assert run("local", "stop").stdout == "stopped\n"
    assert kubectl(path, "config", "get-contexts", "--output", "name") == "prod\n"
    assert "prod.example" in path.read_text()


def test_a_gateway_in_the_foreground_takes_its_context_along(tmp_path: Path) -> None:
    path = tmp_path / "config"
    path.write_text(THEIRS)
    with foreground("--kubeconfig", str(path)) as gateway:
        assert "namespace/default" in kubectl(path, "get", "namespaces", "--output", "name")
        gateway.end()
    assert kubectl(path, "config", "get-contexts", "--output", "name") == "prod\n"


def kubectl(kubeconfig: Path, *arguments: str) -> str:
    """Run kubectl with a kubeconfig."""
    command = [str(kubectl_path()), "--kubeconfig", str(kubeconfig), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def test_without_a_gateway_there_is_no_kubeconfig(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("KFAMBASSADOR_RUNTIME_DIR", str(tmp_path / "run"))
    done = run("local", "kubeconfig")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "Your gateway does not run. Start it first: kfambassador local start\n"


def test_what_is_no_kubeconfig_is_refused_in_words(shared: str, tmp_path: Path) -> None:
    path = tmp_path / "compose.yaml"
    path.write_text("services: {}\n")
    done = run("local", "start", "--kubeconfig", str(path))
    assert (done.returncode, path.read_text()) == (2, "services: {}\n")
    assert done.stderr.startswith(f"{path} is no kubeconfig: it has neither clusters nor users nor contexts.")


def test_an_option_before_a_command_is_told_where_it_belongs(capsys: pytest.CaptureFixture[str]) -> None:
    code, _, err = here(capsys, "local", "--rbac", "--kubeconfig", "config", "start")
    assert code == 2
    assert err.startswith("--kubeconfig, --rbac before 'start' has no effect.")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_gateway_in_the_foreground_ends_cleanly(number: signal.Signals, tmp_path: Path) -> None:
    kubeconfig = tmp_path / "kubeconfig"
    arguments = ("local", "--kubeconfig", str(kubeconfig), "--state", str(tmp_path / "state"))
    with subprocess.Popen([*COMMAND, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        ready = process.stdout.readline()
        assert ready.startswith("gateway ready at http://127.0.0.1:")
        assert kubeconfig.stat().st_mode & 0o777 == 0o600
        process.send_signal(number)
        out, err = process.communicate(timeout=30)
    assert (process.returncode, out) == (0, "")
    assert err.splitlines()[-1] == "Stopping"


MISTYPED = "{apiVersion: ambassador/v0, kind: Mapping, name: m, prefix: /m/, service: m, method: on}"


def test_one_in_the_foreground_is_the_one_to_share_and_tells_what_is_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    with TemporaryDirectory(prefix="kfa-") as directory, ExitStack() as stack:
        monkeypatch.setenv("KFAMBASSADOR_RUNTIME_DIR", directory)
        Path(directory, "gateway.log").write_text("of a gateway before\n")
        first, second = (stack.enter_context(foreground()) for _ in range(2))
        assert "log in the terminal where it runs" in run("local", "status").stdout
        with kfa.connect(quiet=True) as gateway:
            assert gateway.url == first.url
            gateway.client.apply(annotated_service(MISTYPED))
            until(lambda: bool(gateway.problems()))
        assert run("local", "stop").stdout == "stopped\n"
        assert "YAML reads on, off, yes and no as true and false" in first.end()
        assert "Another gateway is the shared one" in second.end()
        assert run("local", "status").returncode == 1


@contextmanager
def serving_mnist(*options: str) -> Iterator[str]:
    """Run a model server to try things with, which ends well when told to; give the model's URL."""
    arguments = [*COMMAND, "local", "model", "mnist", "--port", "0", *options]
    with subprocess.Popen(arguments, stdout=PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield process.stdout.readline().strip().removeprefix("model mnist answers at ")
        finally:
            process.terminate()
    assert process.returncode == 0


def test_a_model_server_to_try_things_with() -> None:
    with serving_mnist() as url, urlopen(f"{url}/metadata") as answer:
        assert json.load(answer)["model_spec"]["name"] == "mnist"


def test_a_model_server_that_fails_says_that_it_is_well() -> None:
    with serving_mnist("--failing") as url:
        with urlopen(url) as answer:
            assert json.load(answer)["model_version_status"][0]["state"] == "AVAILABLE"
        with pytest.raises(HTTPError, match="500"):
            urlopen(f"{url}:predict", data=b'{"instances": [1.0]}')


def test_a_signal_during_the_start_ends_it_cleanly() -> None:
    with subprocess.Popen([*COMMAND, "local"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        assert process.stderr.readline() == "Starting Envoy\n"
        process.terminate()
        out, err = process.communicate(timeout=30)
    assert (process.returncode, out) == (0, "")
    assert "Traceback" not in err


def test_a_state_directory_in_use_ends_with_2(tmp_path: Path) -> None:
    arguments = [*COMMAND, "local", "--state", str(tmp_path)]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        assert process.stdout is not None
        process.stdout.readline()
        second = run("local", "--state", str(tmp_path))
        process.terminate()
    assert second.returncode == 2
    assert str(tmp_path) in second.stderr
    assert "Traceback" not in second.stderr


def test_a_models_life_from_a_shell(shared: str, capsys: pytest.CaptureFixture[str]) -> None:
    with ModelServer("life") as first, ModelServer("life") as second:
        place = f"127.0.0.1:{first.port}"
        code, out, _ = here(capsys, "expose", "life", place, "--dry-run")
        assert (code, "+kind: Service" in out) == (0, True)
        assert here(capsys, "expose", "life", place, "--ttl", "8h")[0] == 0
        code, out, _ = here(capsys, "list")
        headings, *rows = out.splitlines()
        assert headings.split() == ["NAME", "NAMESPACE", "STATUS", "URL", "SERVICE", "OWNER"]
        assert any(row.split()[:4] == ["life", "default", "Answering", f"{shared}/models/life/"] for row in rows)
        assert json.loads(here(capsys, "predict", "life", "[1.0, 2.0]")[1]) == [2.5, 3.0]
        code, out, _ = here(capsys, "test", "life", '{"instances": [1.0]}')
        assert (code, "default/life-verbs → /v1/models/life:predict" in out) == (0, True)
        assert here(capsys, "test", "life", "--path", "nowhere", "--expect", "200")[0] == 1
        code, out, _ = here(capsys, "canary", "life", f"127.0.0.1:{second.port}", "--weight", "10", "--format", "json")
        shares = {variant: share["share"] for variant, share in json.loads(out).items()}
        assert shares == {"stable": "90%", "canary": "10%"}
        assert here(capsys, "split", "life")[1].splitlines()[0].split() == ["VARIANT", "SERVICE", "SHARE"]
        assert json.loads(here(capsys, "predict", "life", "--variant", "canary")[1]) == [[2.5]]
        code, out, _ = here(capsys, "rollout", "life", "--steps", "50,100", "--every", "0s", "--min-requests", "0")
        assert (code, [line.split()[0] for line in out.splitlines()]) == (0, ["SHARE", "50%", "100%"])
        assert f"127.0.0.1:{first.port}" in here(capsys, "rollback", "life")[1]
        assert "copy of 20%" in here(capsys, "shadow", "life", f"127.0.0.1:{second.port}", "--percent", "20")[1]
        counted = json.loads(here(capsys, "statistics", "life", "--format", "json")[1])
        assert sum(row["requests"] for row in counted) > 0
        assert "nothing is left over" in here(capsys, "leftovers")[1]
        assert here(capsys, "delete", "life")[1] == "deleted life\n"
        assert "life" not in here(capsys, "list")[1]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("canary", "nobody", "x:1"), "Nothing is published as 'nobody'"),
        (("predict", "nobody", "[1"), "Nothing is published as 'nobody'"),
        (("promote", "nobody"), "Nothing is published as 'nobody'"),
    ],
)
def test_what_is_not_published_is_said(
    shared: str, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], words: str
) -> None:
    code, _, err = here(capsys, *arguments)
    assert (code, words in err, "Traceback" in err) == (1, True, False)


def test_what_is_rendered_can_be_applied(shared: str, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = here(capsys, "render", "web", "web-server:3000", "--server", "http", "-s", "timeout_ms=5000")
    (document,) = read_documents(out)
    assert code == 0
    with kfa.connect(quiet=True) as gateway:
        gateway.client.apply({**as_object(document.value)})
        assert gateway.get_exposure("web").mappings[0].timeout_ms == 5000
        gateway.delete_exposure("web")
