"""`kfambassador envoy`, the container beside the controller: what it serves, and how it ends."""

import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from http.client import HTTPConnection
from pathlib import Path

import pytest

from kfambassador.local.envoy_process import find_envoy, private_directory
from tests.backends import EchoServer
from tests.e2e.envoy_command import (
    PATIENCE,
    EnvoyCommand,
    ServiceLoad,
    children_of,
    control_plane,
    envoy_command,
    serving_envoy,
    until,
)
from tests.ports import free_port
from tests.static_envoy import get

pytestmark = pytest.mark.e2e

linux_only = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc, or needs a parent-death signal")

#: Longer than any test takes: whoever waits for its end fails.
ENDLESS = ("--drain-time", "600", "--min-drain-time", "0")


@pytest.fixture
def directory() -> Iterator[Path]:
    with private_directory() as directory:
        yield directory


@pytest.fixture
def backend() -> Iterator[EchoServer]:
    with EchoServer() as backend:
        yield backend


@pytest.fixture
def served(directory: Path, backend: EchoServer) -> Iterator[int]:
    """The port on which Envoys of the directory serve the backend."""
    port = free_port()
    with control_plane(directory, backend, http_port=port):
        yield port


# What it serves


@pytest.fixture(scope="module")
def running() -> Iterator[EnvoyCommand]:
    with serving_envoy() as command:
        yield command


def test_it_serves_what_the_controller_tells(running: EnvoyCommand) -> None:
    client = HTTPConnection(*running.http, timeout=10)
    client.request("GET", "/m")
    assert client.getresponse().status == 200
    client.close()


def test_prometheus_finds_its_figures(running: EnvoyCommand) -> None:
    client = HTTPConnection(*running.ready, timeout=10)
    client.request("GET", "/stats/prometheus")
    answer = client.getresponse()
    assert answer.status == 200
    assert b"envoy_server_live" in answer.read()
    client.close()


def test_whoever_scrapes_without_measure_is_refused_and_holds_up_no_probe(running: EnvoyCommand) -> None:
    with ExitStack() as stack:
        many = [stack.enter_context(socket.create_connection(running.ready, timeout=PATIENCE)) for _ in range(50)]
        for each in many:
            each.sendall(get("/stats/prometheus"))
        assert running.probe() == 200
        answers = {each.recv(12) for each in many}
    assert answers == {b"HTTP/1.1 200", b"HTTP/1.1 503"}


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/stats",
        "/config_dump",
        "/quitquitquit",
        "/healthcheck/fail",
        "/ready/",
        "/ready/../config_dump",
        "/stats/prometheus/",
        "/stats/prometheus/../../quitquitquit",
        "/stats/prometheus%2f..%2f..%2fquitquitquit",
        "//stats/prometheus",
        "/server_info?/stats/prometheus",
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_nothing_else_of_the_admin_can_be_reached(running: EnvoyCommand, path: str, method: str) -> None:
    assert running.probe(path, method=method) == 404
    assert running.probe() == 200


@pytest.mark.parametrize("method", ["POST", "HEAD", "DELETE"])
@pytest.mark.parametrize("path", ["/ready", "/stats/prometheus"])
def test_what_can_be_reached_is_only_read(running: EnvoyCommand, path: str, method: str) -> None:
    assert running.probe(path, method=method) == 404


def test_it_is_known_by_its_pods_name_and_keeps_its_admin_to_itself(running: EnvoyCommand) -> None:
    assert f'"id": "{socket.gethostname()}"' in running.admin.ask("/server_info")
    assert f"{running.ready[1]}" in running.admin.ask("/listeners")


@linux_only
def test_envoy_has_no_environment_and_no_share_in_ctrl_c(running: EnvoyCommand) -> None:
    assert Path(f"/proc/{running.envoy}/environ").read_bytes() == b""
    assert os.getpgid(running.envoy) == running.envoy


# Starting


def test_until_it_is_told_what_to_serve_it_is_not_ready_and_ends_at_once(directory: Path) -> None:
    with envoy_command(directory, 0, "--drain-time", "600", "--min-drain-time", "600") as command:
        until((directory / "admin.sock").exists)
        assert command.probe() is None
        command.tell(signal.SIGTERM)
        code, words = command.end()
    assert code == 0
    assert "it was not ready" in words


def test_a_socket_that_a_crash_left_is_no_hindrance(directory: Path, served: int) -> None:
    for _ in range(2):
        with envoy_command(directory, served) as command:
            command.wait_ready()
            command.tell(signal.SIGKILL)
            command.end()
        assert (directory / "admin.sock").is_socket()


def test_a_port_in_use_ends_it_with_envoys_words_and_code(directory: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        place = f"127.0.0.1:{taken.getsockname()[1]}"
        with envoy_command(directory, 0, "--ready-address", place) as command:
            code, words = command.end()
    assert code == 1
    assert "Address already in use" in words
    assert "Envoy has ended by itself, with exit code 1" in words


def test_without_a_directory_for_its_sockets_it_says_what_to_do(directory: Path) -> None:
    with envoy_command(directory / "none", 0) as command:
        code, words = command.end()
    assert code == 2
    assert f"there is no directory {directory / 'none'}. Mount one there" in words


def test_a_program_that_cannot_run_is_named(directory: Path) -> None:
    program = directory / "envoy"
    program.write_bytes(b"no program\n")
    program.chmod(0o700)
    with envoy_command(directory, 0, binary=program) as command:
        code, words = command.end()
    assert (code, words) == (126, f"kfambassador envoy: Cannot run {program}: Exec format error\n")


# Ending in good order


def test_sigterm_under_load_loses_no_request(backend: EchoServer) -> None:
    with ExitStack() as stack:
        envoys = [stack.enter_context(pod(backend)) for _ in range(2)]
        load = ServiceLoad(envoys, lag=0.5)
        with load.running(clients=4):
            until(lambda: load.count(0) > 200 and load.count(1) > 200)
            envoys[0].tell(signal.SIGTERM)
            until(lambda: load.ready == [1])
            code, _ = envoys[0].end()
            last = load.count(0)
            until(lambda: load.count(1) > 1000)
        assert load.failed == {}
        assert code == 0
        assert load.count(0) == last


def test_the_load_would_notice_an_envoy_that_is_not_drained(backend: EchoServer) -> None:
    with ExitStack() as stack:
        envoys = [stack.enter_context(pod(backend)) for _ in range(2)]
        load = ServiceLoad(envoys, lag=0.5)
        with load.running(clients=4):
            until(lambda: load.count(0) > 200)
            os.kill(envoys[0].envoy, signal.SIGTERM)
            until(lambda: load.ready == [1])
        assert load.failed


@contextmanager
def pod(backend: EchoServer) -> Iterator[EnvoyCommand]:
    """A command with a directory and a control plane of its own, ready."""
    port = free_port()
    with (
        private_directory() as directory,
        control_plane(directory, backend, http_port=port),
        envoy_command(directory, port, "--drain-time", "60", "--min-drain-time", "2") as command,
    ):
        command.wait_ready()
        yield command


@contextmanager
def waiting(command: EnvoyCommand, backend: EchoServer) -> Iterator[HTTPConnection]:
    """A request that is in flight until the block ends."""
    client = HTTPConnection(*command.http, timeout=PATIENCE)
    with backend.hold() as arrivals:
        client.request("GET", "/slow")
        arrivals.get(timeout=PATIENCE)
        yield client


def read_last(client: HTTPConnection) -> None:
    """Read an answer that asks for the connection to be closed, and close it."""
    with client.getresponse() as answer:
        answer.read()
    assert (answer.status, answer.getheader("connection")) == (200, "close")
    client.close()


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_long_request_is_finished_while_probes_are_told_that_it_ends(
    directory: Path, served: int, backend: EchoServer, how: signal.Signals
) -> None:
    with envoy_command(directory, served, *ENDLESS) as command:
        command.wait_ready()
        with waiting(command, backend) as client:
            command.tell(how)
            until(lambda: command.probe() == 503)
        read_last(client)
        # It ends long before the drain time: nobody is connected any more.
        assert command.end()[0] == 0


def test_a_connection_that_is_only_kept_holds_it_up_too(directory: Path, served: int) -> None:
    with envoy_command(directory, served, *ENDLESS) as command:
        command.wait_ready()
        client = HTTPConnection(*command.http, timeout=PATIENCE)
        client.request("GET", "/first")
        client.getresponse().read()
        command.tell(signal.SIGTERM)
        until(lambda: command.probe() == 503)
        client.request("GET", "/second")
        read_last(client)
        assert command.end()[0] == 0


def test_for_a_while_it_accepts_connections_in_any_case(directory: Path, served: int) -> None:
    with envoy_command(directory, served, "--drain-time", "600", "--min-drain-time", "600") as command:
        command.wait_ready()
        command.tell(signal.SIGTERM)
        until(lambda: command.probe() == 503)
        for _ in range(3):
            client = HTTPConnection(*command.http, timeout=10)
            client.request("GET", "/m")
            read_last(client)


def test_when_the_drain_time_is_over_it_ends_whoever_is_connected(
    directory: Path, served: int, backend: EchoServer
) -> None:
    with envoy_command(directory, served, "--drain-time", "1", "--min-drain-time", "0") as command:
        command.wait_ready()
        with waiting(command, backend) as client:
            command.tell(signal.SIGTERM)
            assert command.end()[0] == 0
            client.close()


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_told_a_second_time_it_ends_at_once(
    directory: Path, served: int, backend: EchoServer, how: signal.Signals
) -> None:
    with envoy_command(directory, served, *ENDLESS) as command:
        command.wait_ready()
        with waiting(command, backend) as client:
            command.tell(signal.SIGTERM)
            until(lambda: command.probe() == 503)
            command.tell(how)
            assert command.end()[0] == 0
            client.close()


# Ending in bad order


@linux_only
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGSEGV])
def test_an_envoy_that_crashes_ends_it_with_words(directory: Path, served: int, how: signal.Signals) -> None:
    with envoy_command(directory, served) as command:
        command.wait_ready()
        os.kill(command.envoy, how)
        code, words = command.end()
    assert code == 128 + how
    assert f"by signal {how} ({how.name})" in words


@linux_only
def test_an_envoy_that_ends_while_it_drains_ends_it_too(directory: Path, served: int, backend: EchoServer) -> None:
    with envoy_command(directory, served, *ENDLESS) as command:
        command.wait_ready()
        with waiting(command, backend) as client:
            command.tell(signal.SIGTERM)
            until(lambda: command.probe() == 503)
            os.kill(command.envoy, signal.SIGKILL)
            assert command.end()[0] == 128 + signal.SIGKILL
            client.close()


@linux_only
def test_killed_it_takes_envoy_with_it(directory: Path, served: int) -> None:
    with envoy_command(directory, served) as command:
        command.wait_ready()
        with socket.create_connection(command.http, timeout=PATIENCE) as connection:
            command.tell(signal.SIGKILL)
            with suppress(ConnectionResetError):
                assert connection.recv(1) == b""


# As the first process of a container

STRAY = """#!/bin/sh
(sleep 0.2 & echo $! > {file})
exec {envoy} "$@"
"""

SUBREAPER = """
import ctypes, os, sys
assert ctypes.CDLL(None).prctl(36, 1, 0, 0, 0) == 0
os.execv(sys.argv[1], sys.argv[1:])
"""


@linux_only
def test_orphans_leave_nothing_behind(directory: Path, served: int) -> None:
    stray, program = directory / "stray", directory / "envoy"
    program.write_text(STRAY.format(file=stray, envoy=find_envoy()))
    program.chmod(0o700)
    # Linux hands it orphans as it hands them to the first process of a container.
    before = [sys.executable, "-c", SUBREAPER]
    with envoy_command(directory, served, before=before, binary=program) as command:
        command.wait_ready()
        orphan = int(stray.read_text())
        until(lambda: not Path(f"/proc/{orphan}").exists())
        assert children_of(command.process.pid) == [command.envoy]


def may_make_containers() -> bool:
    tried = [shutil.which("unshare") or "", "--user", "--map-root-user", "--pid", "--fork", "true"]
    return bool(tried[0]) and subprocess.run(tried, capture_output=True, check=False).returncode == 0


@linux_only
@pytest.mark.skipif(not may_make_containers(), reason="this machine lets nobody have processes of their own numbering")
@pytest.mark.parametrize("serves", [True, False])
def test_as_the_first_process_it_hears_signals(directory: Path, backend: EchoServer, serves: bool) -> None:
    port = free_port()
    before = ["unshare", "--user", "--map-root-user", "--pid", "--fork", "--kill-child"]
    with ExitStack() as stack:
        if serves:
            stack.enter_context(control_plane(directory, backend, http_port=port))
        command = stack.enter_context(envoy_command(directory, port, before=before))
        until((directory / "admin.sock").exists)
        if serves:
            command.wait_ready()
        [first] = children_of(command.process.pid)
        os.kill(first, signal.SIGTERM)
        assert command.end()[0] == 0
