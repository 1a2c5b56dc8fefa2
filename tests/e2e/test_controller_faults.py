"""What clients see when the API server, or the controller itself, goes away and comes back."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from kfambassador.controller.runtime import ControllerThread
from kfambassador.controller.settings import ControllerSettings
from kfambassador.envoy.bootstrap import BootstrapSettings, write_bootstrap
from kfambassador.envoy.listeners import ListenerSettings
from kfambassador.kube.client import KubeClient
from kfambassador.kube.reflector import ReflectorSettings
from kfambassador.local.envoy_process import EnvoyProcess, private_directory
from kfambassador.local.kube.server import KubeServer
from kfambassador.local.kube.store.state import StateDirectory
from kfambassador.local.models import ModelServer
from kfambassador.names import XDS_SOCKET
from kfambassador.routing.policy import TenancyPolicy
from tests.e2e.gateway import Parts, until
from tests.ports import free_port

pytestmark = pytest.mark.e2e

TOKEN = "a-token-that-both-lives-of-the-server-share"


class Scene:
    """A gateway whose API server and controller can be taken away one by one."""

    def __init__(self, state: Path, directory: Path) -> None:
        self.api_port, self.http_port = free_port(), free_port()
        self.state = state
        with StateDirectory(self.state) as opened:
            authority = opened.read_authority().certificate
        self.client = KubeClient.connect(f"https://127.0.0.1:{self.api_port}", token=TOKEN, authority=authority)
        self.settings = ControllerSettings(
            xds_socket=directory / XDS_SOCKET,
            listener=ListenerSettings(port=self.http_port),
            policy=TenancyPolicy.laptop(),
            reflector=ReflectorSettings(shortest_pause=0.01, longest_pause=0.1),
        )
        self.envoy = EnvoyProcess(directory)
        self.bootstrap = write_bootstrap(BootstrapSettings(directory=directory))
        self.model = ModelServer()

    def api(self) -> KubeServer:
        return KubeServer(state=self.state, port=self.api_port, token=TOKEN)

    def controller(self) -> ControllerThread:
        return ControllerThread(self.client, self.settings)

    def parts(self, controller: ControllerThread) -> Parts:
        return Parts(self.client, controller, self.envoy, f"http://127.0.0.1:{self.http_port}")

    def mapping(self, name: str) -> str:
        return (
            f"{{apiVersion: ambassador/v1, kind: Mapping, name: {name}, prefix: /{name}/, "
            f"rewrite: /v1/models/half_plus_two, service: '127.0.0.1:{self.model.port}'}}"
        )


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    with private_directory() as directory, ExitStack() as stack:
        scene = Scene(tmp_path, directory)
        stack.enter_context(scene.client)
        stack.enter_context(scene.model)
        stack.enter_context(scene.envoy)
        yield scene


@contextmanager
def served_once(scene: Scene) -> Iterator[Parts]:
    """Everything running, with one route served."""
    with scene.api(), scene.controller() as controller:
        scene.envoy.start(scene.bootstrap)
        parts = scene.parts(controller)
        version = parts.apply_service("a", scene.mapping("a"))
        assert parts.source("a", version=version)["state"] == "serving"
        yield parts


def test_routes_outlive_the_api_server_and_what_was_missed_is_made_up_for(scene: Scene) -> None:
    api = scene.api()
    api.start()
    with scene.controller() as controller:
        scene.envoy.start(scene.bootstrap)
        gateway = scene.parts(controller)
        version = gateway.apply_service("a", scene.mapping("a"))
        gateway.source("a", version=version)
        api.close()
        until(lambda: "services" in str(gateway.ask("diag/?json=true").json()["lost"]))
        assert gateway.request("/a/").status == 200
        with scene.api():
            version = gateway.apply_service("b", scene.mapping("b"))
            assert gateway.source("b", version=version)["state"] == "serving"
            assert [gateway.request(path).status for path in ("/a/", "/b/")] == [200, 200]
            # Each kind is followed again in its own time.
            until(lambda: gateway.ask("diag/?json=true").json()["lost"] == {})


def test_routes_outlive_the_controller_and_a_new_one_takes_nothing_away(scene: Scene) -> None:
    with scene.api():
        with scene.controller() as controller:
            scene.envoy.start(scene.bootstrap)
            gateway = scene.parts(controller)
            gateway.source("a", version=gateway.apply_service("a", scene.mapping("a")))
        assert gateway.request("/a/").status == 200
        with scene.controller() as controller:
            gateway = scene.parts(controller)
            until(lambda: gateway.ask("check_ready").status == 200)
            assert gateway.request("/a/").status == 200


def test_a_controller_that_cannot_list_serves_nothing_rather_than_an_empty_table(scene: Scene) -> None:
    with served_once(scene) as gateway:
        assert gateway.request("/a/").status == 200
    with scene.controller() as controller:
        blind = scene.parts(controller)
        until(lambda: "No Kubernetes API answers" in blind.ask("check_ready").body)
        missing = blind.ask("check_ready")
        assert missing.status == 503
        assert "the first list of services" in missing.body
        assert blind.request("/a/").status == 200
