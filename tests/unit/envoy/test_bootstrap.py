"""Envoy's first configuration: it is judged by Envoy itself, and keeps its promises."""

import json
import subprocess
from pathlib import Path, PurePath

import pytest

from kfambassador.envoy.bootstrap import BootstrapSettings, build_bootstrap, write_bootstrap
from kfambassador.local.envoy_process import find_envoy
from kfambassador.names import REGEX_MAX_PROGRAM_SIZE

SETTINGS = BootstrapSettings(PurePath("/run/kfambassador"))


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
    check: list[str | Path] = [find_envoy(), "--mode", "validate", "--config-path", config]
    verdict = subprocess.run(check, capture_output=True, text=True, check=False)
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


def test_envoy_refuses_the_same_regexes_as_we_do() -> None:
    limits = json.loads(write_bootstrap(SETTINGS))["layered_runtime"]["layers"][0]["static_layer"]
    assert limits == {"re2.max_program_size.error_level": REGEX_MAX_PROGRAM_SIZE}


def test_without_a_heap_limit_nothing_watches_the_heap() -> None:
    limited = BootstrapSettings(PurePath("/run/kfambassador"), max_heap=2**30)
    assert "fixed_heap" in write_bootstrap(limited)
    assert "fixed_heap" not in write_bootstrap(SETTINGS)


def test_equal_settings_give_equal_text() -> None:
    assert write_bootstrap(SETTINGS) == write_bootstrap(BootstrapSettings(PurePath("/run/kfambassador")))
