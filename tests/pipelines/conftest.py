"""A laptop as kfp's local runner meets it: the shared gateway, which every step's process finds by itself."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

import kfambassador as kfa
from kfambassador.local.daemon import ensure_gateway, stop_gateway
from kfambassador.local.endpoint import GatewayEndpoint
from kfambassador.local.envoy_process import private_directory
from kfambassador.local.models import ModelServer
from tests.e2e.gateway import until
from tests.e2e.local_gateway import find_processes
from tests.pipelines.running import Runner

RUNTIME = "KFAMBASSADOR_RUNTIME_DIR"
#: Who runs the pipelines.
PERSON = "ana"


@pytest.fixture(scope="session")
def shared_gateway() -> Iterator[tuple[Path, GatewayEndpoint]]:
    """The gateway of a user's own, and the directory by which it is found."""
    with private_directory() as directory:
        with pytest.MonkeyPatch.context() as environment:
            environment.setenv(RUNTIME, str(directory))
            endpoint = ensure_gateway()
        try:
            yield directory, endpoint
        finally:
            with pytest.MonkeyPatch.context() as environment:
                environment.setenv(RUNTIME, str(directory))
                stop_gateway()
            until(lambda: not find_processes(directory))


@pytest.fixture
def laptop(shared_gateway: tuple[Path, GatewayEndpoint], monkeypatch: pytest.MonkeyPatch) -> Iterator[kfa.Gateway]:
    """The gateway, as the steps find it; what a test publishes is taken down after it."""
    directory, endpoint = shared_gateway
    monkeypatch.setenv(RUNTIME, str(directory))
    monkeypatch.setenv("LOGNAME", PERSON)
    for name in ("KFAMBASSADOR_TARGET", "KFAMBASSADOR_URL", "KFAMBASSADOR_NAMESPACE"):
        monkeypatch.delenv(name, raising=False)
    with kfa.Gateway.at(endpoint, quiet=True) as gateway:
        yield gateway
        for exposure in gateway.list_exposures():
            exposure.delete()


@pytest.fixture
def runner(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Runner:
    """Runs pipelines as somebody does on a laptop."""
    return Runner(tmp_path / "runs", capsys)


@pytest.fixture(scope="session")
def servers() -> Iterator[tuple[ModelServer, ModelServer]]:
    """Two versions of a model."""
    with ExitStack() as parts:
        yield parts.enter_context(ModelServer("mnist")), parts.enter_context(ModelServer("mnist"))
