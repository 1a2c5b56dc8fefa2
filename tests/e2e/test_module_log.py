"""The log a Module asks for: one line a request, in Envoy's own log here and in the container's elsewhere."""

import json

import pytest

from kfambassador.envoy.bootstrap import BootstrapSettings
from kfambassador.local.envoy_process import EnvoyProcess, private_directory
from kfambassador.resources.module import Module
from tests.static_envoy import get, send_raw, static_bootstrap

pytestmark = pytest.mark.e2e

HOSTS: list[dict[str, object]] = [{"name": "all", "domains": ["*"], "routes": []}]


def logged(requests: tuple[bytes, ...], **options: object) -> list[str]:
    """What Envoy has written when it has answered the requests and is gone."""
    module = Module.model_validate({"name": "ambassador", **options})
    with private_directory() as directory:
        with EnvoyProcess(directory, concurrency=1) as envoy:
            envoy.start(static_bootstrap(BootstrapSettings(directory), virtual_hosts=HOSTS, backends={}, module=module))
            for request in requests:
                assert send_raw(envoy.address(), request).status == 404
        return envoy.log.read_text().splitlines()


@pytest.mark.parametrize("path", ["/dev/stdout", "/dev/fd/2"])
def test_a_line_is_written_for_each_request(path: str) -> None:
    lines = logged((get("/one"), get("/two")), envoy_log_path=path, envoy_log_format="%REQ(:PATH)% %RESPONSE_CODE%")
    assert [line for line in lines if line.startswith("/")] == ["/one 404", "/two 404"]


def test_a_line_may_be_an_object() -> None:
    (line,) = [
        each
        for each in logged((get("/one"),), envoy_log_type="json", envoy_log_format={"path": "%REQ(:PATH)%"})
        if each.startswith("{")
    ]
    assert json.loads(line) == {"path": "/one"}


def test_the_usual_lines_say_what_was_asked_and_answered() -> None:
    (text,) = [line for line in logged((get("/one"),), envoy_log_type="text") if line.startswith("ACCESS ")]
    assert '"GET /one HTTP/1.1" 404 NR 0 0 ' in text
    (line,) = [line for line in logged((get("/one"),), envoy_log_type="json") if line.startswith("{")]
    assert (json.loads(line)["path"], json.loads(line)["response_code"]) == ("/one", 404)


def test_nothing_is_written_unless_it_is_asked_for() -> None:
    assert [line for line in logged((get("/one"),)) if "/one" in line] == []
