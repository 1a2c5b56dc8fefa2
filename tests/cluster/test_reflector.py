"""The reflector against a Kubernetes API in a process of its own, which is frozen, killed and started again."""

import json
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from queue import Queue

import pytest

from kfambassador.kube.client import KubeClient, Manifest
from kfambassador.kube.kinds import CUSTOM_RESOURCE_DEFINITION, MAPPING, SERVICE, Kind
from kfambassador.kube.reflector import Changed, Listed, Lost, News, Reflector, ReflectorSettings

pytestmark = pytest.mark.embedded

TOKEN = "token-of-the-test"
PATIENCE = 20.0  # seconds after which a test gives up; nothing takes so long
QUICK = ReflectorSettings(read_timeout=1.0, watch=600.0, shortest_pause=0.05, longest_pause=0.2, missing=0.1)

SERVER = """
import json
import sys
from pathlib import Path
from kfambassador.local.kube.server import KubeServer
with KubeServer(state=Path(sys.argv[1]), port=int(sys.argv[2]), token=sys.argv[3]) as server:
    print(json.dumps([server.url, server.authority]), flush=True)
    sys.stdin.read()
"""


class ServerProcess:
    """An API with a state directory, in a process that can be frozen and killed."""

    def __init__(self, state: Path, *, port: int = 0) -> None:
        arguments = [sys.executable, "-c", SERVER, str(state), str(port), TOKEN]
        self._process = subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        self.url, self.authority = json.loads(self._process.stdout.readline())
        self.port = int(self.url.rpartition(":")[2])

    @contextmanager
    def frozen(self) -> Iterator[None]:
        self._process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self._process.send_signal(signal.SIGCONT)

    def kill(self) -> None:
        self._process.kill()
        self._process.communicate()


class Seen:
    """What a reflector told."""

    def __init__(self) -> None:
        self.news: Queue[News] = Queue()

    def wait_for(self, wanted: Callable[[News], bool]) -> News:
        """Skip to the first news that is wanted."""
        while True:
            news = self.news.get(timeout=PATIENCE)
            if wanted(news):
                return news

    def wait_for_listing(self) -> set[str]:
        """Skip to the next listing and return its names."""
        listed = self.wait_for(lambda news: isinstance(news, Listed))
        assert isinstance(listed, Listed)
        return {item["metadata"]["name"] for item in listed.items}

    def wait_for_change(self, name: str) -> None:
        """Skip to a change of an object."""
        self.wait_for(lambda news: isinstance(news, Changed) and news.event.manifest["metadata"]["name"] == name)

    def wait_for_loss(self, reason: str) -> None:
        """Skip to a loss for a reason."""
        self.wait_for(lambda news: isinstance(news, Lost) and reason in news.error)


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    """Return what closes everything after the test."""
    with ExitStack() as stack:
        yield stack


def serve(stack: ExitStack, state: Path, *, port: int = 0) -> ServerProcess:
    server = ServerProcess(state, port=port)
    stack.callback(server.kill)
    return server


def follow(stack: ExitStack, client: KubeClient, kind: Kind = SERVICE) -> Seen:
    seen = Seen()
    reflector = Reflector(client, kind, seen.news.put, namespace="default", settings=QUICK)
    stack.callback(reflector.stop)
    reflector.start()
    return seen


def service(name: str) -> Manifest:
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name, "namespace": "default"},
        "spec": {"ports": [{"port": 80}]},
    }


def test_a_change_is_told_after_the_listing(stack: ExitStack, tmp_path: Path) -> None:
    server = serve(stack, tmp_path)
    client = stack.enter_context(KubeClient.connect(server.url, token=TOKEN, authority=server.authority))
    client.apply(service("before"))
    seen = follow(stack, client)
    assert "before" in seen.wait_for_listing()
    client.apply(service("after"))
    seen.wait_for_change("after")


def test_a_frozen_server_is_noticed_and_followed_again(stack: ExitStack, tmp_path: Path) -> None:
    server = serve(stack, tmp_path)
    client = stack.enter_context(KubeClient.connect(server.url, token=TOKEN, authority=server.authority))
    seen = follow(stack, client)
    seen.wait_for_listing()
    with server.frozen():
        # A quiet watch is silent too; a listing is so only when nobody is there.
        seen.wait_for_loss("said nothing for 1 s: is it stopped or overloaded? (while trying to watch services")
        seen.wait_for_loss("said nothing for 1 s: is it stopped or overloaded? (while trying to list services")
    seen.wait_for_listing()
    client.apply(service("after"))
    seen.wait_for_change("after")


def test_a_server_killed_and_started_again_is_followed_again(stack: ExitStack, tmp_path: Path) -> None:
    server = serve(stack, tmp_path)
    client = stack.enter_context(KubeClient.connect(server.url, token=TOKEN, authority=server.authority))
    client.apply(service("kept"))
    seen = follow(stack, client)
    seen.wait_for_listing()
    server.kill()
    seen.wait_for_loss("No Kubernetes API answers")
    serve(stack, tmp_path, port=server.port)
    assert "kept" in seen.wait_for_listing()
    client.apply(service("after"))
    seen.wait_for_change("after")


def test_a_server_that_lost_its_memory_is_believed(stack: ExitStack, tmp_path: Path) -> None:
    server = serve(stack, tmp_path / "first")
    client = stack.enter_context(KubeClient.connect(server.url, token=TOKEN, authority=server.authority))
    for number in range(50):
        client.apply(service(f"s{number}"))
    seen = follow(stack, client)
    assert "s49" in seen.wait_for_listing()
    server.kill()
    (tmp_path / "second").mkdir()
    shutil.copy(tmp_path / "first" / "kubernetes-ca.pem", tmp_path / "second")
    serve(stack, tmp_path / "second", port=server.port)
    assert "s49" not in seen.wait_for_listing()
    client.apply(service("after"))
    seen.wait_for_change("after")


def test_a_kind_is_followed_once_its_definition_is_there(stack: ExitStack, tmp_path: Path) -> None:
    server = serve(stack, tmp_path)
    client = stack.enter_context(KubeClient.connect(server.url, token=TOKEN, authority=server.authority))
    client.delete(CUSTOM_RESOURCE_DEFINITION, "mappings.getambassador.io")
    seen = follow(stack, client, MAPPING)
    assert seen.wait_for_listing() == set()
    client.apply(
        {
            "apiVersion": CUSTOM_RESOURCE_DEFINITION.api_version,
            "kind": "CustomResourceDefinition",
            "metadata": {"name": "mappings.getambassador.io"},
            "spec": {
                "group": MAPPING.group,
                "scope": "Namespaced",
                "names": {"kind": "Mapping", "plural": "mappings", "singular": "mapping", "listKind": "MappingList"},
                "versions": [
                    {
                        "name": MAPPING.version,
                        "served": True,
                        "storage": True,
                        "schema": {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}},
                    }
                ],
            },
        }
    )
    listed = seen.wait_for(lambda news: isinstance(news, Listed) and news.resource_version != "")
    assert isinstance(listed, Listed)
    client.apply(
        {
            "apiVersion": MAPPING.api_version,
            "kind": "Mapping",
            "metadata": {"name": "mnist", "namespace": "default"},
            "spec": {"prefix": "/mnist/", "service": "mnist"},
        }
    )
    seen.wait_for_change("mnist")
