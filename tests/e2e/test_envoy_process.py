"""Envoy as a process: it starts or says why not, ends in good order, and never outlives its owner."""

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from http.client import HTTPConnection
from pathlib import Path
from threading import Thread

import pytest

from kfambassador.envoy.bootstrap import BootstrapSettings, write_bootstrap
from kfambassador.envoy.listeners import ROUTES, ListenerSettings, build_listener
from kfambassador.envoy.protos import MessageToDict, RouteConfiguration, pack
from kfambassador.envoy.snapshot import Snapshot, TypeUrl, XdsResource
from kfambassador.errors import ConfigurationError, PortInUse
from kfambassador.local.envoy_process import EnvoyProcess, private_directory
from kfambassador.names import XDS_SOCKET
from kfambassador.xds.server import XdsServer
from tests.backends import Echo, EchoServer
from tests.static_envoy import get, route_to, send_raw, static_bootstrap, static_listener

pytestmark = pytest.mark.e2e

linux_only = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc, or needs a parent-death signal")


@pytest.fixture
def directory() -> Iterator[Path]:
    with private_directory() as directory:
        yield directory


@pytest.fixture(scope="module")
def backend() -> Iterator[EchoServer]:
    with EchoServer() as backend:
        yield backend


@pytest.fixture
def bootstrap(directory: Path, backend: EchoServer) -> str:
    return bootstrap_to(backend, directory)


def bootstrap_to(backend: EchoServer, directory: Path, *, port: int = 0) -> str:
    hosts: list[dict[str, object]] = [{"name": "any", "domains": ["*"], "routes": [route_to("echo")]}]
    listener = ListenerSettings(port=port)
    bootstrap = BootstrapSettings(directory)
    return static_bootstrap(bootstrap, virtual_hosts=hosts, backends={"echo": backend}, listener=listener)


# Starting


def test_it_answers_once_started_and_tells_the_port_it_got(directory: Path, bootstrap: str) -> None:
    with EnvoyProcess(directory) as envoy:
        envoy.start(bootstrap)
        assert envoy.running
        address, port = envoy.address()
        assert address == "127.0.0.1"
        assert send_raw((address, port), get("/x")).status == 200
    assert not envoy.running


def test_only_its_owner_can_reach_its_files_and_its_admin(directory: Path, bootstrap: str) -> None:
    with EnvoyProcess(directory) as envoy:
        envoy.start(bootstrap)
        assert directory.stat().st_mode & 0o777 == 0o700
        modes = {path.name: path.stat().st_mode & 0o777 for path in directory.iterdir()}
    assert modes == {"admin.sock": 0o600, "envoy.json": 0o600, "envoy.log": 0o600}


def test_a_port_in_use_is_named_with_the_way_out(directory: Path, backend: EchoServer) -> None:
    with EnvoyProcess(directory) as envoy, socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(PortInUse, match=f"Port {port} on 127.0.0.1 .* --http-port N; 0 takes any"):
            envoy.start(bootstrap_to(backend, directory, port=port))


def test_a_second_gateway_does_not_share_the_port_of_the_first(directory: Path, backend: EchoServer) -> None:
    with private_directory() as other, EnvoyProcess(directory) as first, EnvoyProcess(other) as second:
        first.start(bootstrap_to(backend, directory))
        _, port = first.address()
        with pytest.raises(PortInUse, match=str(port)):
            second.start(bootstrap_to(backend, other, port=port))


def test_a_listener_that_comes_later_and_finds_its_port_taken_is_told_of(directory: Path) -> None:
    with EnvoyProcess(directory) as envoy, socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        later = MessageToDict(pack(static_listener(ListenerSettings(port=port), [])))
        (directory / "listeners.json").write_text(json.dumps({"resources": [later]}))
        bootstrap = json.loads(write_bootstrap(BootstrapSettings(directory)))
        source = {"path_config_source": {"path": str(directory / "listeners.json")}, "resource_api_version": "V3"}
        bootstrap["dynamic_resources"] = {"lds_config": source}
        envoy.start(json.dumps(bootstrap))
        with pytest.raises(PortInUse, match=str(port)):
            envoy.address()


def test_what_envoy_says_of_a_bad_bootstrap_is_quoted(directory: Path) -> None:
    with EnvoyProcess(directory) as envoy, pytest.raises(ConfigurationError, match="no_such_field") as error:
        envoy.start('{"no_such_field": 1}')
    assert str(error.value).startswith("Envoy did not start.")


def test_a_program_that_cannot_run_is_named(directory: Path, tmp_path: Path) -> None:
    program = tmp_path / "envoy"
    program.write_bytes(b"no program\n")
    program.chmod(0o700)
    with EnvoyProcess(directory, binary=program) as envoy, pytest.raises(ConfigurationError) as error:
        envoy.start("{}")
    assert f"Cannot run {program}: Exec format error" in str(error.value)
    assert "Traceback" not in str(error.value)


def test_an_envoy_that_nobody_tells_what_to_serve_is_not_ready(directory: Path) -> None:
    with EnvoyProcess(directory) as envoy:
        with pytest.raises(ConfigurationError, match=r"not ready within 0\.3 s"):
            envoy.start(write_bootstrap(BootstrapSettings(directory)), timeout=0.3)
        assert not envoy.running


def test_a_listener_it_does_not_have_is_an_error(directory: Path, bootstrap: str) -> None:
    with EnvoyProcess(directory) as envoy:
        envoy.start(bootstrap)
        with pytest.raises(ConfigurationError, match="no listener 'grpc'"):
            envoy.address("grpc")


def test_the_admin_answers_or_it_is_an_error(directory: Path, bootstrap: str) -> None:
    with EnvoyProcess(directory) as envoy:
        envoy.start(bootstrap)
        assert '"state": "LIVE"' in envoy.admin("/server_info")
        with pytest.raises(ConnectionError, match="404 to /no-such-thing"):
            envoy.admin("/no-such-thing")
    with pytest.raises(OSError, match="Errno"):
        envoy.admin("/server_info")


def test_its_environment_is_empty(directory: Path, backend: EchoServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KFA_SECRET", "canary")
    route = route_to("echo") | {
        "request_headers_to_add": [{"header": {"key": "x-leak", "value": "%ENVIRONMENT(KFA_SECRET)%"}}]
    }
    hosts: list[dict[str, object]] = [{"name": "any", "domains": ["*"], "routes": [route]}]
    with EnvoyProcess(directory) as envoy:
        envoy.start(static_bootstrap(BootstrapSettings(directory), virtual_hosts=hosts, backends={"echo": backend}))
        answer = send_raw(envoy.address(), get("/x"))
    assert Echo.read(answer.body).header("x-leak") in {None, "", "-"}
    assert b"canary" not in answer.body


# Over xDS


def snapshot(answer: str) -> Snapshot:
    """The gateway's listener, one route that answers by itself, and no clusters."""
    route = {"match": {"prefix": "/"}, "direct_response": {"status": 200, "body": {"inline_string": answer}}}
    hosts = [{"name": "any", "domains": ["*"], "routes": [route]}]
    routes = XdsResource.of(ROUTES, RouteConfiguration(name=ROUTES, virtual_hosts=hosts).SerializeToString())
    listener = build_listener(ListenerSettings(port=0))
    return Snapshot(
        {TypeUrl.LISTENER: {listener.name: listener}, TypeUrl.ROUTE_CONFIGURATION: {ROUTES: routes}}, generation=1
    )


@asynccontextmanager
async def control_plane(directory: Path, answer: str) -> AsyncIterator[None]:
    server = XdsServer(f"unix:{directory / XDS_SOCKET}")
    await server.start()
    server.publish(snapshot(answer))
    try:
        yield
    finally:
        await server.stop()


def test_it_is_ready_when_told_what_to_serve_and_outlives_its_control_plane(directory: Path) -> None:
    async def live_through_a_restart(envoy: EnvoyProcess) -> None:
        async with control_plane(directory, "first"):
            await asyncio.to_thread(envoy.start, write_bootstrap(BootstrapSettings(directory)))
            address = await asyncio.to_thread(envoy.address)
        assert (await asyncio.to_thread(send_raw, address, get("/"))).body == b"first"
        async with control_plane(directory, "second"):
            while (await asyncio.to_thread(send_raw, address, get("/"))).body == b"first":
                assert envoy.running
        assert (await asyncio.to_thread(send_raw, address, get("/"))).body == b"second"

    with EnvoyProcess(directory) as envoy:
        asyncio.run(asyncio.wait_for(live_through_a_restart(envoy), timeout=60))


# Ending


def test_stopping_waits_for_requests_in_flight(directory: Path) -> None:
    with EchoServer() as backend, EnvoyProcess(directory) as envoy:
        envoy.start(bootstrap_to(backend, directory))
        client = HTTPConnection(*envoy.address(), timeout=10)
        with backend.hold() as arrivals:
            client.request("GET", "/slow")
            arrivals.get(timeout=10)
            stopping = Thread(target=envoy.stop)
            stopping.start()
            while "DRAINING" not in envoy.admin("/server_info"):
                assert stopping.is_alive()
        answer = client.getresponse()
        assert (answer.status, answer.getheader("connection")) == (200, "close")
        client.close()
        stopping.join()
        assert envoy.wait() == 0


def test_stopping_gives_up_on_requests_that_never_end(directory: Path) -> None:
    with EchoServer() as backend, EnvoyProcess(directory) as envoy:
        envoy.start(bootstrap_to(backend, directory))
        client = HTTPConnection(*envoy.address(), timeout=10)
        with backend.hold() as arrivals:
            client.request("GET", "/endless")
            arrivals.get(timeout=10)
            envoy.stop(grace=0.1)
            assert not envoy.running
        client.close()


def test_stopping_what_does_not_run_does_nothing(directory: Path, bootstrap: str) -> None:
    with EnvoyProcess(directory) as envoy:
        envoy.stop()
        assert envoy.wait() is None
        envoy.start(bootstrap)
        envoy.stop()
        envoy.stop()
        assert envoy.wait() == 0


def test_waiting_can_have_an_end(directory: Path, bootstrap: str) -> None:
    with EnvoyProcess(directory) as envoy:
        envoy.start(bootstrap)
        assert envoy.wait(timeout=0.01) is None


def test_an_owner_that_waits_learns_of_a_stop(directory: Path, bootstrap: str) -> None:
    codes: list[int | None] = []
    with EnvoyProcess(directory) as envoy:
        envoy.start(bootstrap)
        waiting = Thread(target=lambda: codes.append(envoy.wait()))
        waiting.start()
        envoy.stop()
        waiting.join()
    assert codes == [0]


def test_it_can_be_stopped_while_a_forked_child_holds_its_pipe(directory: Path, bootstrap: str) -> None:
    with EnvoyProcess(directory) as envoy:
        envoy.start(bootstrap)
        assert envoy._guard is not None
        assert envoy._guard.stdin is not None
        copy = os.dup(envoy._guard.stdin.fileno())
        envoy.stop()
        os.close(copy)
        assert envoy.wait() == 0


def test_starting_again_replaces_the_one_that_runs(directory: Path, bootstrap: str) -> None:
    with EnvoyProcess(directory) as envoy:
        envoy.start(bootstrap)
        with connected(envoy.address()) as ended:
            envoy.start(bootstrap)
            assert ended()
        assert send_raw(envoy.address(), get("/x")).status == 200


@linux_only
def test_an_owner_learns_that_envoy_crashed_and_can_start_it_anew(directory: Path, bootstrap: str) -> None:
    with EnvoyProcess(directory) as envoy:
        envoy.start(bootstrap)
        os.kill(child_of(child_of(os.getpid(), running=str(directory))), signal.SIGKILL)
        assert envoy.wait() == 128 + signal.SIGKILL
        assert not envoy.running
        envoy.start(bootstrap)
        assert send_raw(envoy.address(), get("/x")).status == 200


def test_it_does_not_end_with_the_thread_that_started_it(directory: Path, bootstrap: str) -> None:
    with EnvoyProcess(directory) as envoy:
        thread = Thread(target=envoy.start, args=[bootstrap])
        thread.start()
        thread.join()
        assert send_raw(envoy.address(), get("/x")).status == 200
        assert envoy.running


OWNER = """
import os, sys
from pathlib import Path
from kfambassador.local.envoy_process import EnvoyProcess

envoy = EnvoyProcess(Path(sys.argv[1]))
envoy.start(Path(sys.argv[2]).read_text())
print(*envoy.address(), flush=True)
if sys.argv[3] == "forks":
    os.fork()
sys.stdin.read()
"""


@contextmanager
def owner(directory: Path, bootstrap: str, *, forks: bool = False) -> Iterator[tuple[int, tuple[str, int]]]:
    """Another process that owns an Envoy: its id, and where its Envoy listens."""
    config = directory / "bootstrap.json"
    config.write_text(bootstrap)
    command = [sys.executable, "-c", OWNER, str(directory), str(config), "forks" if forks else ""]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        address, port = process.stdout.readline().split()
        yield process.pid, (address, int(port))
        process.kill()


@contextmanager
def connected(address: tuple[str, int]) -> Iterator[Callable[[], bool]]:
    """Hold a connection to Envoy, which the system closes when Envoy is no more."""
    with socket.create_connection(address, timeout=10) as connection:

        def ended() -> bool:
            try:
                return connection.recv(1) == b""
            except ConnectionResetError:
                return True

        yield ended


def child_of(parent: int, *, running: str = "") -> int:
    """The one child of a process, or the one that runs a file."""
    children = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
    [child] = [int(child) for child in children if running in Path(f"/proc/{child}/cmdline").read_text()]
    return child


@pytest.mark.parametrize("forks", [False, True], ids=["alone", "with a child that holds its pipes"])
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_it_ends_with_its_owner_however_that_ends(
    directory: Path, bootstrap: str, how: signal.Signals, forks: bool
) -> None:
    with owner(directory, bootstrap, forks=forks) as (process, address), connected(address) as ended:
        os.kill(process, how)
        assert ended()


@linux_only
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM, signal.SIGHUP])
def test_it_ends_with_its_guard_however_that_ends(directory: Path, bootstrap: str, how: signal.Signals) -> None:
    with owner(directory, bootstrap) as (process, address), connected(address) as ended:
        os.kill(child_of(process), how)
        assert ended()
