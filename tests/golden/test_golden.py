"""What is made of each golden input is what it was made of it before; a difference is a decision, not an accident.

``make golden`` rewrites the outputs; the difference is then read like any other change.
"""

import subprocess
from pathlib import Path

import pytest

from kfambassador.envoy.bootstrap import BootstrapSettings, build_bootstrap
from kfambassador.envoy.listeners import CONNECTION_MANAGER
from kfambassador.envoy.protos import Cluster, HttpConnectionManager, Listener, MessageToJson, RouteConfiguration
from kfambassador.envoy.snapshot import Snapshot, TypeUrl
from kfambassador.local.authorities import find_authorities
from kfambassador.local.envoy_process import find_envoy, private_directory
from kfambassador.routing.policy import TenancyPolicy
from tests.golden.cases import FOLDER, Case, find_cases

CASES = find_cases()


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_outputs_are_what_they_were(case: Case, request: pytest.FixtureRequest) -> None:
    rewrite = request.config.getoption("rewrite_golden", default=False)
    for kind, text in case.outputs().items():
        path = case.output(kind)
        if rewrite:
            write(path, text)
        # Compared after a rewrite too: what was written must be what is read.
        assert (path.read_text() if path.exists() else "") == text, f"{path.name}: make golden rewrites it"


def write(path: Path, text: str) -> None:
    if text:
        path.write_text(text)
    else:
        path.unlink(missing_ok=True)


def test_every_output_has_its_input() -> None:
    kinds = ("routes", "envoy", "problems")
    expected = {case.path for case in CASES} | {case.output(kind) for case in CASES for kind in kinds}
    assert set(FOLDER.rglob("*.yaml")) - expected == set()


def test_reading_what_was_read_again_changes_nothing() -> None:
    assert [case.outputs() for case in CASES] == [case.outputs() for case in CASES]


@pytest.mark.e2e
def test_envoy_takes_every_output() -> None:
    with private_directory() as directory:
        bootstrap = build_bootstrap(BootstrapSettings(directory))
        for case in CASES:
            # The file with this machine's authorities must be there: Envoy reads it.
            snapshot = case.translate(TenancyPolicy.laptop(trusted_ca=find_authorities()))
            bootstrap.static_resources.listeners.append(listen(case.name, snapshot))
            known = {cluster.name for cluster in bootstrap.static_resources.clusters}
            clusters = (Cluster.FromString(each.body) for each in snapshot.of_type(TypeUrl.CLUSTER).values())
            bootstrap.static_resources.clusters.extend(each for each in clusters if each.name not in known)
        config = directory / "envoy.json"
        config.write_text(MessageToJson(bootstrap))
        command = [str(find_envoy()), "--mode", "validate", "--config-path", str(config), "--log-level", "error"]
        judged = subprocess.run(command, capture_output=True, text=True, check=False)
    assert judged.returncode == 0, judged.stderr + judged.stdout


def listen(name: str, snapshot: Snapshot) -> Listener:
    """The case's listener, with its routes inside and on any free port."""
    (built,) = snapshot.of_type(TypeUrl.LISTENER).values()
    listener = Listener.FromString(built.body)
    listener.name = name
    listener.address.socket_address.port_value = 0
    (routes,) = snapshot.of_type(TypeUrl.ROUTE_CONFIGURATION).values()
    manager = HttpConnectionManager()
    shipped = listener.filter_chains[0].filters[0]
    assert shipped.name == CONNECTION_MANAGER
    shipped.typed_config.Unpack(manager)
    manager.route_config.CopyFrom(RouteConfiguration.FromString(routes.body))
    shipped.typed_config.Pack(manager)
    return listener
