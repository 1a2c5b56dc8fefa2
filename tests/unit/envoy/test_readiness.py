"""The listener that probes ask: it is judged by Envoy itself, and holds nobody up."""

import json
from pathlib import Path, PurePath

import pytest

from kfambassador.envoy.bootstrap import BootstrapSettings, build_bootstrap, write_bootstrap
from kfambassador.envoy.readiness import build_ready_listener
from tests.unit.envoy.test_bootstrap import validate


@pytest.mark.e2e
@pytest.mark.parametrize("address", ["0.0.0.0", "127.0.0.1", "::", "::1"])
def test_envoy_accepts_it(address: str, tmp_path: Path) -> None:
    settings = BootstrapSettings(
        tmp_path, admin_socket="a.sock", xds_socket="/run/x.sock", ready_address=(address, 8082), max_heap=2**30
    )
    config = tmp_path / "envoy.json"
    config.write_text(write_bootstrap(settings))
    verdict = validate(config)
    assert verdict.returncode == 0, verdict.stderr
    assert "deprecated" not in verdict.stderr.lower()


def test_a_gateway_at_its_limits_is_still_ready() -> None:
    listener = build_ready_listener("0.0.0.0", 8082)
    assert listener.ignore_global_conn_limit
    assert listener.bypass_overload_manager


@pytest.mark.parametrize(("address", "both"), [("::", True), ("::1", False), ("0.0.0.0", False)])
def test_every_ipv6_address_is_every_ipv4_address_too(address: str, both: bool) -> None:
    assert build_ready_listener(address, 1).address.socket_address.ipv4_compat == both


def test_scrapes_go_to_the_admin_wherever_its_socket_is() -> None:
    settings = BootstrapSettings(PurePath("/run"), admin_socket="/other/admin.sock", ready_address=("0.0.0.0", 8082))
    bootstrap = build_bootstrap(settings)
    assert bootstrap.admin.address.pipe.path == "/other/admin.sock"
    [cluster] = [each for each in bootstrap.static_resources.clusters if each.name == "envoy-admin"]
    [locality] = cluster.load_assignment.endpoints
    assert locality.lb_endpoints[0].endpoint.address.pipe.path == "/other/admin.sock"


def test_without_an_address_there_is_neither_listener_nor_way_to_the_admin() -> None:
    told = json.loads(write_bootstrap(BootstrapSettings(PurePath("/run"))))
    assert [cluster["name"] for cluster in told["static_resources"]["clusters"]] == ["xds"]
    assert "listeners" not in told["static_resources"]
