"""`kfambassador controller` as in a cluster: a process beside Envoy, with settings, and an end in good order."""

import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest

from kfambassador.kube.kinds import SERVICE
from kfambassador.names import ADMIN_SOCKET, CONFIG_ANNOTATION, XDS_SOCKET
from tests.cluster.raw_api import RawApi
from tests.e2e.controller_command import (
    PATIENCE,
    Cluster,
    ControllerCommand,
    controller_command,
    envoy_beside,
    running_cluster,
    until,
)
from tests.e2e.installed import make_namespace
from tests.e2e.people import give_role, make_person, write_kubeconfig

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("controller_command")]

HOME = "gateway"


@pytest.fixture(scope="module")
def place() -> Iterator[tuple[Cluster, Path]]:
    with running_cluster(rbac=True) as (cluster, directory):
        for name in (HOME, "team", "other"):
            make_namespace(cluster.client, name)
        yield cluster, directory


@pytest.fixture
def cluster(place: tuple[Cluster, Path]) -> Iterator[Cluster]:
    cluster, _ = place
    yield cluster
    for namespace in (HOME, "team", "other", "default"):
        for item in cluster.client.list(SERVICE, namespace=namespace).items:
            cluster.client.delete(SERVICE, item["metadata"]["name"], namespace=namespace)


@pytest.fixture
def directory(place: tuple[Cluster, Path], request: pytest.FixtureRequest) -> Path:
    made = place[1] / f"{abs(hash(request.node.name)) % 10_000}"
    made.mkdir(mode=0o700)
    return made


def service(name: str, *, namespace: str = "default", labels: dict[str, str] | None = None) -> dict[str, Any]:
    """A Service that sends whoever asks for ``/NAME/`` elsewhere: that needs no server behind Envoy."""
    annotation = (
        f"{{apiVersion: getambassador.io/v2, kind: Mapping, name: {name}, prefix: /{name}/, "
        "service: models.example, host_redirect: true}"
    )
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {
            "name": name,
            "namespace": namespace,
            "labels": labels or {},
            "annotations": {CONFIG_ANNOTATION: annotation},
        },
        "spec": {"ports": [{"port": 80}]},
    }


def serves(command: ControllerCommand, name: str) -> bool:
    return command.ask(f"explain?url=/{name}/&verdicts=none").json()["winner"] is not None


def ask(command: ControllerCommand, name: str) -> int:
    """Send a request through Envoy; give its status, of which 301 is the mapping's answer."""
    connection = HTTPConnection("127.0.0.1", command.http_port, timeout=10)
    try:
        connection.request("GET", f"/{name}/")
        return connection.getresponse().status
    finally:
        connection.close()


def test_a_service_that_is_annotated_is_answered_and_sigterm_ends_it_in_good_order(
    cluster: Cluster, directory: Path
) -> None:
    kubeconfig = str(cluster.kubeconfig)
    with controller_command(directory, "--kubeconfig", kubeconfig) as command, envoy_beside(command) as envoy:
        command.until_ready()
        assert ask(command, "mnist") == 404
        cluster.client.apply(service("mnist"))
        until(lambda: ask(command, "mnist") == 301)

        assert command.end(signal.SIGTERM) == 0
        assert not (directory / XDS_SOCKET).exists()
        # Envoy goes on with what it holds.
        assert ask(command, "mnist") == 301
        assert (directory / ADMIN_SOCKET).is_socket()
        envoy.tell(signal.SIGTERM)
        envoy.end()
    generations = [line["generation"] for line in command.lines if "routes" in line]
    assert generations == sorted(set(generations))  # type: ignore[type-var]
    changed = [line for line in command.lines if "Service default/mnist added" in str(line["message"])]
    assert [line["routes"] for line in changed] == [1]
    assert {"time", "level", "logger", "message"} <= set.intersection(*map(set, command.lines))
    assert cluster.server.token not in str(command.lines)


def test_told_to_end_it_goes_on_for_an_envoy_that_drains(cluster: Cluster, directory: Path) -> None:
    options = ("--kubeconfig", str(cluster.kubeconfig), "--linger", "600")
    with controller_command(directory, *options) as command, envoy_beside(command) as envoy:
        command.until_ready()
        command.process.send_signal(signal.SIGTERM)
        until(lambda: command.says("It was told to end"))
        # Envoy still hears what changes.
        cluster.client.apply(service("late"))
        until(lambda: ask(command, "late") == 301)
        envoy.tell(signal.SIGTERM)
        envoy.end()
        assert command.process.wait(PATIENCE) == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_who_tells_it_twice_does_not_wait(cluster: Cluster, directory: Path, number: signal.Signals) -> None:
    options = ("--kubeconfig", str(cluster.kubeconfig), "--linger", "600")
    with controller_command(directory, *options) as command, envoy_beside(command):
        command.until_ready()
        command.process.send_signal(number)
        until(lambda: command.says("It was told to end"))
        command.end(number)
    assert not command.says("Traceback")


def test_its_log_level_changes_while_it_runs(cluster: Cluster, directory: Path) -> None:
    options = ("--kubeconfig", str(cluster.kubeconfig), "--log-level", "error")
    with controller_command(directory, *options) as command:
        command.until_listening()
        until(lambda: command.ask("generation").json()["generation"] == 1)
        assert command.ask("log-level").json()["level"] == "error"
        refused = command.ask("log-level", method="PUT", body=b"loud")
        assert refused.status == 400
        assert "'loud' is no level; those are debug, info, warning, error" in refused.body
        assert command.ask("log-level", method="PUT", body=b"info").json()["level"] == "info"
        cluster.client.apply(service("told"))
        until(lambda: command.says("Service default/told added"))
        assert command.end() == 0
    assert not command.says("Generation 1:")


def test_a_variable_that_is_misspelt_is_told(
    cluster: Cluster, directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KFAMBASSADOR_LOG_LEVLE", "debug")
    with controller_command(directory, "--kubeconfig", str(cluster.kubeconfig)) as command:
        until(lambda: command.says("KFAMBASSADOR_LOG_LEVLE is no setting and has no effect"))


def test_its_sockets_and_its_state_are_its_users_alone(cluster: Cluster, directory: Path) -> None:
    with controller_command(directory, "--kubeconfig", str(cluster.kubeconfig)) as command, envoy_beside(command):
        command.until_ready()
        kept = directory / "state" / "last-known-good"
        until(kept.exists)
        for path in (directory / XDS_SOCKET, directory / ADMIN_SOCKET, kept):
            assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, path
        assert command.end(signal.SIGINT) == 0


def test_what_has_not_the_labels_is_not_heard_unless_it_is_the_gateways_own(cluster: Cluster, directory: Path) -> None:
    options = ["--kubeconfig", str(cluster.kubeconfig), "--label-selector", "stage in (live, canary)"]
    cluster.client.apply(service("labelled", labels={"stage": "live"}))
    cluster.client.apply(service("bare"))
    cluster.client.apply(service("own", namespace=HOME))
    mapping = {
        "apiVersion": "getambassador.io/v3alpha1",
        "kind": "Mapping",
        "metadata": {"name": "resource", "namespace": "team"},
        "spec": {"hostname": "*", "prefix": "/resource/", "service": "models.example", "host_redirect": True},
    }
    cluster.client.apply(mapping)
    with controller_command(directory, *options, AMBASSADOR_NAMESPACE=HOME) as command:
        command.until_listening()
        until(lambda: serves(command, "labelled"))
        assert [serves(command, name) for name in ("own", "bare", "resource")] == [True, False, False]
        # Labels that come and go are followed.
        cluster.client.apply(service("bare", labels={"stage": "canary"}))
        labelled = {**mapping, "metadata": {**mapping["metadata"], "labels": {"stage": "live"}}}  # type: ignore[dict-item]
        cluster.client.apply(labelled)
        until(lambda: serves(command, "bare") and serves(command, "resource"))
        cluster.client.apply(service("labelled", labels={"stage": "test"}))
        cluster.client.apply({**mapping, "metadata": {**mapping["metadata"], "labels": {}}})  # type: ignore[dict-item]
        until(lambda: not serves(command, "labelled") and not serves(command, "resource"))
        assert command.end() == 0


def follower(namespace: str) -> dict[str, Any]:
    """What a controller that follows one namespace, its own, is allowed: all of it in that namespace."""
    read = ["get", "list", "watch"]
    kinds = {
        "": ["services", "secrets"],
        "discovery.k8s.io": ["endpointslices"],
        "networking.k8s.io": ["ingresses"],
        "getambassador.io": ["*"],
    }
    return {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "Role",
        "metadata": {"name": "follower", "namespace": namespace},
        "rules": [{"apiGroups": [group], "resources": names, "verbs": read} for group, names in kinds.items()],
    }


def test_a_role_is_enough_for_a_gateway_of_one_namespace(cluster: Cluster, directory: Path) -> None:
    api = RawApi(cluster.server.url, cluster.server.token, cluster.server.authority)
    token = make_person(api, "controller", namespace="team")
    give_role(api, follower("team"), namespace="team", account="controller", home="team")
    api.close()
    access = {"url": cluster.server.url, "token": token, "authority": cluster.server.authority}
    kubeconfig = write_kubeconfig(directory / "kubeconfig", **access, namespace="team")
    cluster.client.apply(service("here", namespace="team"))
    cluster.client.apply(service("there", namespace="other"))
    quiet = ("--no-update-mapping-status", "--no-events", "--kubeconfig", str(kubeconfig))
    scope = {"AMBASSADOR_NAMESPACE": "team", "AMBASSADOR_SINGLE_NAMESPACE": "true"}
    with controller_command(directory, *quiet, **scope) as command, envoy_beside(command):
        command.until_ready()
        assert ask(command, "here") == 301
        assert ask(command, "there") == 404
        assert not command.says("cannot be followed")
        assert command.end() == 0


def test_what_is_meant_for_another_gateway_is_passed_over(cluster: Cluster, directory: Path) -> None:
    manifest = service("mine")
    annotations = manifest["metadata"]["annotations"]
    annotations[CONFIG_ANNOTATION] = annotations[CONFIG_ANNOTATION].replace("}", ", ambassador_id: inner}")
    cluster.client.apply(manifest)
    cluster.client.apply(service("everybodys"))
    with controller_command(directory, "--kubeconfig", str(cluster.kubeconfig), AMBASSADOR_ID="inner") as command:
        command.until_listening()
        until(lambda: serves(command, "mine"))
        assert not serves(command, "everybodys")


def run(*options: str) -> tuple[int, str]:
    command = [sys.executable, "-m", "kfambassador", "controller", *options]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    return done.returncode, done.stderr


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--log-format", "yaml"], "--log-format: expected 'json' or 'text', got 'yaml'"),
        (["--kubeconfig", "/nonexistent"], "Cannot connect with the kubeconfig /nonexistent: there is no such file"),
        (["--config", "/nonexistent"], "The settings in /nonexistent cannot be read: No such file or directory."),
        (["--diagnostics-address", "0.0.0.0:1"], "Let the cluster review who asks (diagnostics_reviews)"),
        (["--no-such-flag"], "No such option"),
    ],
)
def test_a_mistake_is_told_in_words_with_exit_code_2(options: list[str], told: str) -> None:
    code, words = run(*options)
    assert code == 2
    assert told in words
    assert "Traceback" not in words


@pytest.mark.parametrize(
    ("option", "told"),
    [
        ("--xds-socket=/nonexistent/xds.sock", "The socket /nonexistent/xds.sock cannot be opened"),
        ("--state-dir=/proc/state", "Nothing can be kept in the state directory /proc/state"),
        ("--health-address=127.0.0.1:{port}", "is taken by another process"),
        ("--diagnostics-address=127.0.0.1:{port}", "is taken by another process"),
    ],
)
def test_what_is_not_to_be_had_is_told_in_words_with_exit_code_2(
    cluster: Cluster, directory: Path, option: str, told: str
) -> None:
    option = option.format(port=cluster.server.url.rpartition(":")[2])
    options = ["--kubeconfig", str(cluster.kubeconfig), f"--xds-socket={directory / XDS_SOCKET}"]
    others = [f"--state-dir={directory}", "--health-address=127.0.0.1:0", "--diagnostics-address=127.0.0.1:0"]
    code, words = run(*options, *others, option)
    assert code == 2, words
    assert told in words
    assert "Traceback" not in words
