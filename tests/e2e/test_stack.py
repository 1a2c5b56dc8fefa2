"""The whole gateway in one process: it starts or says why not, survives its Envoy, and leaves nothing behind."""

import json
import logging
import socket
import tempfile
import threading
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError
from pathlib import Path

import pytest

from kfambassador.errors import ConfigurationError, MissingExtra, NoGateway, PortInUse, StateInUse
from kfambassador.kube.client import KubeClient
from kfambassador.kube.kinds import MAPPING
from kfambassador.local import envoy_process
from kfambassador.local.envoy_process import private_directory
from kfambassador.local.kube.server import KubeServer
from kfambassador.local.models import ModelServer
from kfambassador.local.ports import check_port, free_port
from kfambassador.local.stack import LocalStack
from tests.e2e.gateway import fetch, until
from tests.e2e.local_gateway import ask_model, find_envoys, find_processes, is_ready, kill_envoy, linux_only, publish

pytestmark = pytest.mark.e2e

STEPS = (
    "Starting Envoy",
    "Starting the Kubernetes API",
    "Starting the controller",
    "Waiting until the gateway answers",
)


@pytest.fixture
def temporary(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The place of all temporary directories, so that one that is left is seen."""
    with private_directory() as directory:
        monkeypatch.setattr(tempfile, "tempdir", str(directory))
        yield directory


EARLIER: set[threading.Thread] = set()


@pytest.fixture(autouse=True)
def earlier() -> None:
    """Take note of what runs before the test: others in this process may keep servers of their own."""
    EARLIER.clear()
    EARLIER.update(threading.enumerate())


def threads() -> set[str]:
    """The threads of ours that the test has started."""
    return {each.name for each in threading.enumerate() if each not in EARLIER and each.name.startswith("kfa-")}


# Starting


def test_a_published_model_answers(model: ModelServer) -> None:
    with LocalStack() as stack:
        assert is_ready(stack.endpoint)
        assert fetch(stack.endpoint.url).status == 404
        publish(stack.endpoint, model)
        assert ask_model(stack.endpoint) == 200


def test_a_mapping_as_a_custom_resource_is_served_at_once(model: ModelServer) -> None:
    spec = {"hostname": "*", "prefix": "/custom/", "service": f"127.0.0.1:{model.port}"}
    mapping = {"apiVersion": MAPPING.api_version, "kind": "Mapping", "metadata": {"name": "custom"}, "spec": spec}
    with LocalStack() as stack, KubeClient.connect(stack.endpoint.api_url, token=stack.endpoint.api_token) as client:
        client.create(mapping)
        until(lambda: fetch(f"{stack.endpoint.url}/custom/v1/models/half_plus_two").status == 200)


def test_it_tells_what_it_does(model: ModelServer) -> None:
    told: list[str] = []
    stack = LocalStack()
    try:
        stack.start(told.append)
    finally:
        stack.close()
    assert told == list(STEPS)


def test_both_apis_ask_for_their_tokens() -> None:
    with LocalStack() as stack:
        endpoint = stack.endpoint
        assert fetch(f"{endpoint.api_url}/api/v1/services").status == 401
        assert fetch(f"{endpoint.api_url}/api/v1/services", token=endpoint.diagnostics_token).status == 401
        assert fetch(f"{endpoint.diagnostics_url}/ambassador/v0/routes").status == 401
        assert fetch(f"{endpoint.diagnostics_url}/ambassador/v0/routes", token=endpoint.api_token).status == 401
        assert endpoint.api_token not in repr(endpoint) + repr(stack)
        assert endpoint.diagnostics_token not in repr(endpoint) + repr(stack)


def test_what_was_written_is_served_again_from_its_state_directory(tmp_path: Path, model: ModelServer) -> None:
    with LocalStack(state=tmp_path) as stack:
        assert stack.endpoint.state == tmp_path
        publish(stack.endpoint, model)
    with LocalStack(state=tmp_path) as stack:
        assert ask_model(stack.endpoint) == 200


def test_a_kubeconfig_is_written_for_its_owner(tmp_path: Path) -> None:
    path = tmp_path / "kubeconfig"
    with LocalStack(kubeconfig=path) as stack:
        config = json.loads(path.read_text())
        assert path.stat().st_mode & 0o777 == 0o600
        assert config["users"][0]["user"]["token"] == stack.endpoint.api_token


def test_it_listens_where_it_is_told(model: ModelServer) -> None:
    http, api = free_port(), free_port()
    with LocalStack(http_port=http, api_port=api) as stack:
        assert (stack.endpoint.port, stack.endpoint.api_url) == (http, f"http://127.0.0.1:{api}")
        assert fetch(f"http://127.0.0.1:{http}").status == 404


# Failing to start


@pytest.mark.parametrize("port", ["http_port", "api_port"])
def test_a_port_in_use_is_named_and_nothing_is_left(port: str, temporary: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        number = taken.getsockname()[1]
        stack = LocalStack(**{port: number})
        with pytest.raises(PortInUse, match=f"Port {number} .*in use"):
            stack.start()
    assert_nothing_left(temporary)


def test_a_state_directory_in_use_is_told_and_nothing_is_left(temporary: Path, tmp_path: Path) -> None:
    with KubeServer(state=tmp_path), pytest.raises(StateInUse, match=str(tmp_path)):
        LocalStack(state=tmp_path).start()
    assert_nothing_left(temporary)


def test_without_envoy_nothing_is_started(temporary: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(name: str) -> None:
        raise PackageNotFoundError(name)

    told: list[str] = []
    monkeypatch.setattr(envoy_process, "distribution", absent)
    with pytest.raises(MissingExtra, match=r"pip install 'kfambassador\[local\]'"):
        LocalStack().start(told.append)
    assert not told
    assert_nothing_left(temporary)


def test_an_envoy_that_does_not_start_is_quoted(
    temporary: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "envoy"
    program.write_text("#!/bin/sh\necho no such luck\nexit 1\n")
    program.chmod(0o700)
    monkeypatch.setenv("KFAMBASSADOR_ENVOY", str(program))
    with pytest.raises(ConfigurationError, match=r"Envoy did not start\.[^$]*no such luck"):
        LocalStack().start()
    assert_nothing_left(temporary)


@pytest.mark.parametrize("step", STEPS)
def test_an_interrupt_at_any_step_leaves_nothing(step: str, temporary: Path) -> None:
    def interrupt(words: str) -> None:
        if words == step:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        LocalStack().start(interrupt)
    assert_nothing_left(temporary)


# Envoy dies


@linux_only
def test_an_envoy_that_dies_is_started_anew_on_the_same_port(model: ModelServer) -> None:
    with private_directory() as directory, LocalStack(directory=directory) as stack:
        publish(stack.endpoint, model)
        for _ in range(2):
            kill_envoy(directory)
            until(lambda: ask_model(stack.endpoint) == 200)


@linux_only
def test_an_envoy_that_dies_too_often_is_left_alone_and_the_rest_goes_on(caplog: pytest.LogCaptureFixture) -> None:
    with private_directory() as directory, LocalStack(directory=directory) as stack:
        for _ in range(4):
            kill_envoy(directory)
        until(lambda: "kfa-envoy" not in threads())
        until(lambda: not is_ready(stack.endpoint))
        assert not find_envoys(directory)
        levels = [record.levelno for record in caplog.records if "Envoy ended" in record.message]
        assert levels == [logging.WARNING, logging.WARNING, logging.WARNING, logging.ERROR]
        assert "too often: it is left alone" in caplog.text
        assert fetch(f"{stack.endpoint.api_url}/api/v1/services", token=stack.endpoint.api_token).status == 200


# Ending


def test_closing_leaves_nothing(temporary: Path) -> None:
    stack = LocalStack()
    stack.start()
    port = stack.endpoint.port
    stack.close()
    stack.close()
    check_port("127.0.0.1", port)
    assert_nothing_left(temporary)
    with pytest.raises(NoGateway, match="does not run"):
        _ = stack.endpoint


def test_it_can_be_started_again(temporary: Path) -> None:
    stack = LocalStack()
    for _ in range(2):
        with stack:
            assert is_ready(stack.endpoint)
    assert_nothing_left(temporary)


@linux_only
def test_closing_while_envoy_is_being_started_anew_leaves_no_envoy(temporary: Path) -> None:
    with private_directory() as directory:
        with LocalStack(directory=directory):
            kill_envoy(directory)
        assert not find_processes(directory)


def test_requests_through_the_gateway_and_writes_to_its_api_are_activity(model: ModelServer) -> None:
    with LocalStack() as stack:
        idle = stack.activity()
        assert stack.activity() == idle
        fetch(stack.endpoint.url)
        asked = stack.activity()
        assert asked != idle
        publish(stack.endpoint, model)
        assert stack.activity() != asked
    assert stack.activity() is None


def assert_nothing_left(temporary: Path) -> None:
    assert not threads()
    assert not list(temporary.iterdir())
    if Path("/proc").exists():
        assert not find_processes(temporary)
