"""The shared gateway: one for a user, found, replaced, ended; and nothing is left of it."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from importlib.metadata import PackageNotFoundError
from pathlib import Path
from typing import Any

import pytest
import yaml

from kfambassador.errors import ConfigurationError, MissingExtra, PortInUse, StateInUse
from kfambassador.kube.client import KubeClient
from kfambassador.kube.kinds import NAMESPACE
from kfambassador.local import daemon, envoy_process
from kfambassador.local.announcing import share_kubeconfig
from kfambassador.local.daemon import ensure_gateway, find_gateway, gateway_status, hold_lease, stop_gateway
from kfambassador.local.envoy_process import private_directory
from kfambassador.local.kube.server import KubeServer
from kfambassador.local.lock import find_holder, is_held
from kfambassador.local.models import ModelServer
from kfambassador.local.runtime_directory import RuntimeDirectory, read_endpoint, write_endpoint
from tests.e2e.gateway import until
from tests.e2e.local_gateway import (
    ask_model,
    find_envoys,
    find_processes,
    is_ready,
    kill_envoy,
    linux_only,
    publish,
)
from tests.ports import free_port

pytestmark = [pytest.mark.e2e, linux_only]

#: What the process tells while it starts.
STEPS = (
    "Starting Envoy",
    "Starting the Kubernetes API",
    "Starting the controller",
    "Waiting until the gateway answers",
)


@pytest.fixture
def runtime() -> Iterator[RuntimeDirectory]:
    """A user's runtime directory, in which no gateway is left running."""
    with runtime_directory() as runtime:
        yield runtime


@pytest.fixture(scope="module")
def standing() -> Iterator[RuntimeDirectory]:
    """A runtime directory with a gateway that many tests look at and none ends."""
    with runtime_directory() as runtime:
        ensure_gateway(state=runtime.path / "state")
        yield runtime


@contextmanager
def runtime_directory() -> Iterator[RuntimeDirectory]:
    with private_directory() as directory, pytest.MonkeyPatch.context() as environment:
        environment.setenv("KFAMBASSADOR_RUNTIME_DIR", str(directory))
        yield RuntimeDirectory(directory)
        stop_gateway()
        until(lambda: not find_processes(directory))


def assert_nothing_left(runtime: RuntimeDirectory) -> None:
    """Neither a process nor a socket nor a file that tells of a gateway; its log and its lock's file stay."""
    until(lambda: not is_held(runtime.lock) and not find_processes(runtime.path))
    left = {path.name for path in runtime.path.iterdir()}
    assert left <= {"gateway.lock", "gateway.log", "leases"}, runtime.log.read_text()


# One gateway


def test_it_is_started_once_found_and_stopped(runtime: RuntimeDirectory, model: ModelServer) -> None:
    assert find_gateway() is None
    endpoint = ensure_gateway()
    assert is_ready(endpoint)
    assert ensure_gateway() == find_gateway() == endpoint
    publish(endpoint, model)
    assert ask_model(endpoint) == 200
    assert stop_gateway()
    assert_nothing_left(runtime)
    assert find_gateway() is None
    assert not stop_gateway()


def test_several_that_start_at_once_end_with_one_that_outlives_them(runtime: RuntimeDirectory) -> None:
    code = "from kfambassador.local.daemon import ensure_gateway; input(); print(ensure_gateway())"
    command = [sys.executable, "-c", code]
    starters = [subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(4)]
    for starter in starters:
        assert starter.stdin is not None
        starter.stdin.write("\n")
        starter.stdin.flush()
    told = {starter.communicate()[0] for starter in starters}
    assert told == {f"{find_gateway()}\n"}
    assert len(find_envoys(runtime.envoy)) == 1


def test_it_tells_what_it_does(runtime: RuntimeDirectory) -> None:
    told: list[str] = []
    ensure_gateway(progress=told.append)
    assert tuple(told) == STEPS
    ensure_gateway(progress=told.append)
    assert tuple(told) == STEPS


def test_only_its_user_can_read_how_to_reach_it(standing: RuntimeDirectory) -> None:
    endpoint = ensure_gateway()
    modes = {path.name: path.stat().st_mode & 0o777 for path in standing.path.iterdir() if path != standing.leases}
    files = {"gateway.json": 0o600, "gateway.lock": 0o600, "gateway.log": 0o600}
    assert modes == files | {"envoy": 0o700, "state": 0o700}
    told = standing.log.read_text() + Path(f"/proc/{endpoint.pid}/cmdline").read_text()
    assert endpoint.api_token not in told
    assert endpoint.diagnostics_token not in told


def test_it_lives_apart_from_who_started_it(standing: RuntimeDirectory) -> None:
    endpoint = ensure_gateway()
    process = Path(f"/proc/{endpoint.pid}")
    assert endpoint.pid != os.getpid()
    assert os.getsid(endpoint.pid) != os.getsid(0)
    assert (process / "cwd").readlink() == Path("/")
    streams = [(process / "fd" / str(number)).readlink() for number in range(3)]
    assert streams == [Path("/dev/null"), standing.log, standing.log]


@pytest.mark.parametrize(
    ("wanted", "words"),
    [
        ({"http_port": 1}, r"on port \d+, not 1\. Stop it first: kfambassador local stop"),
        ({"api_port": 1}, r"with its Kubernetes API on port \d+, not 1\. Stop it first: kfambassador local stop"),
        ({"state": Path("/elsewhere")}, "with the state directory /.*/state. Stop it first: kfambassador local stop"),
    ],
    ids=["port", "port of the API", "state"],
)
def test_to_ask_for_another_one_than_runs_is_an_error(
    standing: RuntimeDirectory, wanted: dict[str, Any], words: str
) -> None:
    with pytest.raises(ConfigurationError, match=words):
        ensure_gateway(**wanted)


def test_to_ask_for_the_one_that_runs_gives_it(standing: RuntimeDirectory) -> None:
    endpoint = ensure_gateway()
    assert ensure_gateway(http_port=endpoint.port, state=standing.path / "state") == endpoint


def test_its_status_tells_who_uses_it_and_what_is_missing(runtime: RuntimeDirectory) -> None:
    assert gateway_status().missing == "it does not run"
    endpoint = ensure_gateway()
    hold_lease()
    hold_lease()
    status = gateway_status()
    assert (status.endpoint, status.missing, status.users, status.log) == (endpoint, None, 1, runtime.log)
    for _ in range(4):
        kill_envoy(runtime.envoy)
    until(lambda: "it is left alone" in (gateway_status().missing or ""))
    assert "no Envoy is connected" in (gateway_status().missing or "")


# Kubeconfigs


def test_a_kubeconfig_is_joined_when_somebody_asks_and_left_at_the_end(
    runtime: RuntimeDirectory, tmp_path: Path
) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    endpoint = ensure_gateway()
    assert not runtime.kubeconfigs.exists()
    for path in (first, second, first):
        assert "is the current one now" in share_kubeconfig(runtime, path, endpoint)
        assert reaches(path)
    assert stop_gateway()
    assert_nothing_left(runtime)
    for path in (first, second):
        assert yaml.safe_load(path.read_text())["clusters"] == []


def test_what_leads_to_a_state_directory_stays_good(runtime: RuntimeDirectory, tmp_path: Path) -> None:
    path = tmp_path / "config"
    share_kubeconfig(runtime, path, ensure_gateway(state=tmp_path / "state", api_port=free_port()))
    assert stop_gateway()
    assert_nothing_left(runtime)
    before = path.read_bytes()
    ensure_gateway(state=tmp_path / "state")
    assert path.read_bytes() == before
    assert reaches(path)


def test_one_that_replaces_a_gateway_that_crashed_is_reached_by_the_same_kubeconfig(
    runtime: RuntimeDirectory, tmp_path: Path
) -> None:
    good, spoilt = tmp_path / "good", tmp_path / "spoilt"
    before = ensure_gateway()
    for path in (good, spoilt):
        share_kubeconfig(runtime, path, before)
    os.kill(before.pid, signal.SIGKILL)
    until(lambda: not find_processes(runtime.path))
    spoilt.write_text("services: {}\n")
    assert ensure_gateway().api_token != before.api_token
    assert reaches(good)
    assert "spoilt is no kubeconfig" in runtime.log.read_text()
    assert stop_gateway()
    assert (yaml.safe_load(good.read_text())["clusters"], spoilt.read_text()) == ([], "services: {}\n")


def test_one_that_was_stopped_after_it_crashed_is_in_no_kubeconfig(runtime: RuntimeDirectory, tmp_path: Path) -> None:
    path = tmp_path / "config"
    endpoint = ensure_gateway()
    share_kubeconfig(runtime, path, endpoint)
    os.kill(endpoint.pid, signal.SIGKILL)
    until(lambda: not find_processes(runtime.path))
    stop_gateway()
    assert yaml.safe_load(path.read_text())["clusters"] == []
    ensure_gateway()
    assert yaml.safe_load(path.read_text())["clusters"] == []


def reaches(path: Path) -> bool:
    """Whether a kubeconfig leads to a Kubernetes API that lets its user in."""
    with KubeClient.from_kubeconfig(path=path) as client:
        return bool(client.list(NAMESPACE).items)


# Failing to start


def test_a_port_in_use_is_told_in_the_same_words(runtime: RuntimeDirectory) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(PortInUse, match=f"Port {port} on 127.0.0.1 .* --http-port"):
            ensure_gateway(http_port=port)
    assert_nothing_left(runtime)


def test_a_state_directory_in_use_is_told_in_the_same_words(runtime: RuntimeDirectory, tmp_path: Path) -> None:
    with KubeServer(state=tmp_path), pytest.raises(StateInUse, match=f"{tmp_path} is in use by process {os.getpid()}"):
        ensure_gateway(state=tmp_path)
    assert_nothing_left(runtime)


def test_without_envoy_the_message_is_the_pip_command(
    runtime: RuntimeDirectory, monkeypatch: pytest.MonkeyPatch
) -> None:
    def absent(name: str) -> None:
        raise PackageNotFoundError(name)

    monkeypatch.setattr(envoy_process, "distribution", absent)
    with pytest.raises(MissingExtra, match=r"pip install 'kfambassador\[local\]'"):
        ensure_gateway()
    assert_nothing_left(runtime)


def test_what_ends_the_process_otherwise_is_told_from_its_log(
    runtime: RuntimeDirectory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONHOME", "/nowhere")
    with pytest.raises(
        ConfigurationError, match=r"did not start\. The end of its log, .*gateway\.log:\n(.*\n)*.*/nowhere"
    ):
        ensure_gateway()
    assert_nothing_left(runtime)


# Crashing


@pytest.mark.parametrize("keeps", [True, False], ids=["with a state directory", "in memory"])
def test_one_that_is_killed_takes_envoy_along_and_is_replaced(
    runtime: RuntimeDirectory, model: ModelServer, tmp_path: Path, keeps: bool
) -> None:
    before = ensure_gateway(state=tmp_path if keeps else None)
    publish(before, model)
    os.kill(before.pid, signal.SIGKILL)
    until(lambda: not find_processes(runtime.path))
    assert find_gateway() is None
    after = ensure_gateway()
    assert (after.url, after.api_url, after.state) == (before.url, before.api_url, before.state)
    assert after.diagnostics_token != before.diagnostics_token
    assert (after.api_token == before.api_token) == keeps
    assert ask_model(after) == (200 if keeps else 404)


def test_one_that_was_stopped_is_not_gone_on_with(runtime: RuntimeDirectory, tmp_path: Path) -> None:
    ensure_gateway(state=tmp_path)
    stop_gateway()
    assert ensure_gateway().state is None


def test_one_that_does_not_answer_is_replaced(
    runtime: RuntimeDirectory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hung = ensure_gateway(state=tmp_path)
    os.kill(hung.pid, signal.SIGSTOP)
    monkeypatch.setattr(daemon, "ANSWER_TIMEOUT", 0.5)
    until(lambda: find_gateway() is None)
    after = ensure_gateway()
    assert after.pid != hung.pid
    assert after.state == tmp_path
    assert is_ready(after)


def test_a_file_that_a_crash_left_is_no_gateway_even_when_its_number_lives_again(runtime: RuntimeDirectory) -> None:
    endpoint = ensure_gateway()
    stop_gateway()
    write_endpoint(runtime, replace(endpoint, pid=os.getpid()))
    assert find_gateway() is None
    assert not stop_gateway()
    assert read_endpoint(runtime) is None


@pytest.mark.parametrize(("step", "how"), [*((step, signal.SIGTERM) for step in STEPS), (STEPS[-1], signal.SIGKILL)])
def test_one_that_is_ended_while_it_starts_leaves_nothing(
    runtime: RuntimeDirectory, step: str, how: signal.Signals
) -> None:
    def end(words: str) -> None:
        holder = find_holder(runtime.lock)
        if words == step and holder is not None:
            os.kill(holder.pid, how)

    with suppress(ConfigurationError):  # on a busy machine the start may win
        ensure_gateway(progress=end)
    until(lambda: not find_processes(runtime.path))
    assert find_gateway() is None
    if how == signal.SIGTERM:
        assert_nothing_left(runtime)
    else:
        assert is_ready(ensure_gateway())


# Ending


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGHUP])
def test_signals_end_it_clean(runtime: RuntimeDirectory, how: signal.Signals) -> None:
    endpoint = ensure_gateway()
    os.kill(endpoint.pid, how)
    until(lambda: not is_held(runtime.lock))
    assert_nothing_left(runtime)


def test_a_second_signal_does_not_break_off_its_end(runtime: RuntimeDirectory) -> None:
    endpoint = ensure_gateway()
    for _ in range(20):
        os.kill(endpoint.pid, signal.SIGTERM)
        os.kill(endpoint.pid, signal.SIGINT)
    until(lambda: not is_held(runtime.lock))
    assert_nothing_left(runtime)
    assert "Traceback" not in runtime.log.read_text()


def test_one_that_does_not_end_when_told_is_made_to(runtime: RuntimeDirectory) -> None:
    endpoint = ensure_gateway()
    os.kill(endpoint.pid, signal.SIGSTOP)
    assert stop_gateway(timeout=0.2)
    until(lambda: not find_processes(runtime.path))
    assert read_endpoint(runtime) is None


def test_it_ends_when_nobody_uses_it(runtime: RuntimeDirectory) -> None:
    ensure_gateway(idle_timeout=0.4)
    until(lambda: not is_held(runtime.lock))
    assert "Nobody has used the gateway" in runtime.log.read_text()
    assert_nothing_left(runtime)


def test_it_does_not_end_before_a_process_that_uses_it(
    runtime: RuntimeDirectory, monkeypatch: pytest.MonkeyPatch
) -> None:
    with user() as using:
        used = ensure_gateway(idle_timeout=0.4)
        with private_directory() as other, monkeypatch.context() as elsewhere:
            elsewhere.setenv("KFAMBASSADOR_RUNTIME_DIR", str(other))
            ensure_gateway(idle_timeout=0.8)
            until(lambda: find_gateway() is None)
            until(lambda: not find_processes(other))
        assert find_gateway() == used
        using.kill()
    until(lambda: not is_held(runtime.lock))
    assert_nothing_left(runtime)


@contextmanager
def user() -> Iterator["subprocess.Popen[str]"]:
    """A process that uses the shared gateway until it is killed."""
    code = "from kfambassador.local.daemon import hold_lease; hold_lease(); print(flush=True); input()"
    command = [sys.executable, "-c", code]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        process.stdout.readline()
        yield process
        process.kill()
