"""Where the SDK's contract is tested: an embedded Kubernetes API, or the cluster of ``--kubeconfig``, unchanged."""

from base64 import b64decode
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

import kfambassador as kfa
from kfambassador.local.stack import LocalStack
from tests.sdk.front import Front, standing_before
from tests.sdk.kubelet import running_kubelet
from tests.sdk.team import IMAGE, Place, Team


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let the tests be pointed at a cluster."""
    group = parser.getgroup("kfambassador")
    group.addoption("--gateway-url", default="", help="where its models answer, if that cannot be found")
    group.addoption("--diagnostics-url", default="", help="where its read API answers, if that cannot be found")
    group.addoption("--pod-image", default="", help="an image with Python, for the tests' pods")


@pytest.fixture(scope="session")
def place(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """Return the cluster."""

    def option(name: str) -> str:
        return str(request.config.getoption(name, default="") or "")

    if kubeconfig := option("--kubeconfig"):
        image = option("--pod-image") or IMAGE
        yield Place(Path(kubeconfig), option("--gateway-url"), option("--diagnostics-url"), image=image)
        return
    path = tmp_path_factory.mktemp("kube") / "config"
    with LocalStack(kubeconfig=path, rbac=True) as stack:
        endpoint = stack.endpoint
        with running_kubelet(endpoint.api_url, token=endpoint.api_token, authority=endpoint.api_authority):
            yield Place(path, endpoint.url, endpoint.diagnostics_url, endpoint.diagnostics_token, patience=20.0)


@pytest.fixture
def team(place: Place, tmp_path: Path) -> Iterator[Team]:
    """Return a namespace that lasts as long as the test."""
    with Team.move_in(place, tmp_path) as team:
        yield team


@pytest.fixture
def gateway(team: Team) -> kfa.Gateway:
    """Return a gateway to publish from that namespace."""
    return team.gateway


@pytest.fixture
def front(request: pytest.FixtureRequest, place: Place) -> Iterator[Front]:
    """Return a front before the Kubernetes API."""
    if request.config.getoption("--kubeconfig", default=None):
        pytest.skip("stands before the embedded API, to hold requests back")
    config = yaml.safe_load(place.kubeconfig.read_text())
    authority = b64decode(config["clusters"][0]["cluster"]["certificate-authority-data"]).decode()
    with place.connect("default") as gateway, standing_before(gateway.client.server, authority) as front:
        yield front
