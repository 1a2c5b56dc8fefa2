"""Envoy's first configuration: it is judged by Envoy itself, and keeps its promises."""

import subprocess
from pathlib import Path, PurePath

import pytest
import re2

from kfambassador.envoy.bootstrap import BootstrapSettings, build_bootstrap, write_bootstrap
from kfambassador.local.envoy_process import find_envoy
from kfambassador.names import REGEX_MAX_PROGRAM_SIZE
from tests.static_envoy import static_bootstrap

SETTINGS = BootstrapSettings(PurePath("/run/kfambassador"))


def validate(config: Path) -> "subprocess.CompletedProcess[str]":
    check: list[str | Path] = [find_envoy(), "--mode", "validate", "--config-path", config]
    return subprocess.run(check, capture_output=True, text=True, check=False)


@pytest.mark.e2e
@pytest.mark.parametrize(
    "settings",
    [
        SETTINGS,
        BootstrapSettings(PurePath("/run/kfambassador"), node="node-7", max_connections=10, max_heap=2**30),
    ],
    ids=["defaults", "everything set"],
)
def test_envoy_accepts_it(settings: BootstrapSettings, tmp_path: Path) -> None:
    config = tmp_path / "envoy.json"
    config.write_text(write_bootstrap(settings))
    verdict = validate(config)
    assert verdict.returncode == 0, verdict.stderr
    assert "deprecated" not in verdict.stderr.lower()


def test_both_sockets_are_in_the_directory_and_only_their_owner_may_open_the_admins() -> None:
    bootstrap = build_bootstrap(SETTINGS)
    assert bootstrap.admin.address.pipe.path == "/run/kfambassador/admin.sock"
    assert bootstrap.admin.address.pipe.mode == 0o600
    assert '"path": "/run/kfambassador/xds.sock"' in write_bootstrap(SETTINGS)


def test_nothing_listens_on_the_network() -> None:
    assert "socket_address" not in write_bootstrap(SETTINGS)
    assert not build_bootstrap(SETTINGS).static_resources.listeners


@pytest.mark.e2e
@pytest.mark.parametrize("size", [REGEX_MAX_PROGRAM_SIZE, REGEX_MAX_PROGRAM_SIZE + 1])
def test_envoy_takes_a_regex_up_to_the_size_we_check_and_no_larger(size: int, tmp_path: Path) -> None:
    regex = "/" + "a" * (size - 5)
    assert re2.compile(regex).programsize == size
    route = {"match": {"safe_regex": {"regex": regex}}, "direct_response": {"status": 200}}
    hosts: list[dict[str, object]] = [{"name": "any", "domains": ["*"], "routes": [route]}]
    config = tmp_path / "envoy.json"
    config.write_text(static_bootstrap(SETTINGS, virtual_hosts=hosts, backends={}))
    assert (validate(config).returncode == 0) == (size <= REGEX_MAX_PROGRAM_SIZE)


def test_without_a_heap_limit_nothing_watches_the_heap() -> None:
    limited = BootstrapSettings(PurePath("/run/kfambassador"), max_heap=2**30)
    assert "fixed_heap" in write_bootstrap(limited)
    assert "fixed_heap" not in write_bootstrap(SETTINGS)


def test_equal_settings_give_equal_text() -> None:
    assert write_bootstrap(SETTINGS) == write_bootstrap(BootstrapSettings(PurePath("/run/kfambassador")))
