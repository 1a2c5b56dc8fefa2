"""A gateway that starts while its cluster is away serves what Envoy last acknowledged, and follows once it can."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from kfambassador.controller.keeping.keeper import FILE
from kfambassador.kube.kinds import SERVICE
from tests.e2e.controller_command import (
    Cluster,
    ControllerCommand,
    controller_command,
    envoy_beside,
    running_cluster,
    until,
)
from tests.e2e.test_controller_command import ask, serves, service

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("controller_command")]


@pytest.fixture
def place() -> Iterator[tuple[Cluster, Path]]:
    with running_cluster() as (cluster, directory):
        yield cluster, directory


def run_once(cluster: Cluster, directory: Path, *names: str) -> None:
    """Let a gateway serve Services, until they are kept."""
    for name in names:
        cluster.client.apply(service(name))
    with controller_command(directory, "--kubeconfig", str(cluster.kubeconfig)) as command, envoy_beside(command):
        command.until_ready()
        until(lambda: all(ask(command, name) == 301 for name in names))
        assert command.end() == 0


def gauge(command: ControllerCommand, name: str) -> float:
    [value] = re.findall(rf"^kfambassador_{name} (\S+)$", command.probe("/metrics").body, re.MULTILINE)
    return float(value)


def test_what_was_acknowledged_is_served_at_once_and_replaced_in_one_step(place: tuple[Cluster, Path]) -> None:
    cluster, directory = place
    run_once(cluster, directory, "stays", "goes")
    cluster.client.delete(SERVICE, "goes")
    cluster.client.apply(service("comes"))
    cluster.stop()

    with controller_command(directory, "--kubeconfig", str(cluster.kubeconfig)) as command:
        command.until_listening()
        with envoy_beside(command):
            until(lambda: answers(command, "stays"))
            assert [ask(command, name) for name in ("stays", "goes", "comes")] == [301, 301, 404]
            ready = command.probe("/readyz")
            assert ready.status == 503
            assert "what Envoy acknowledged in an earlier run is served meanwhile" in ready.body
            assert gauge(command, "last_known_good_in_use") == 1
            assert command.says("What Envoy acknowledged in an earlier run is served in its place")
            # Nothing of it is taken for what was asked.
            assert command.ask("generation").json() == {"generation": 0, "served": None}

            cluster.start()
            command.until_ready()
            assert [ask(command, name) for name in ("stays", "goes", "comes")] == [301, 404, 301]
            assert gauge(command, "last_known_good_in_use") == 0
            assert command.end() == 0
    assert command.says("The cluster was read: what it says is served")
    # Never half: the first generation that was made holds all there is.
    generations = [line for line in command.lines if line.get("generation") == 1]
    assert generations[0]["routes"] == 2


def answers(command: ControllerCommand, name: str) -> bool:
    try:
        return ask(command, name) == 301
    except OSError:
        return False


@pytest.mark.parametrize("damage", ["cut", "settings"])
def test_what_cannot_be_trusted_is_not_served_and_the_log_says_why(place: tuple[Cluster, Path], damage: str) -> None:
    cluster, directory = place
    run_once(cluster, directory, "stays")
    cluster.stop()
    kept = directory / "state" / FILE
    options = ["--kubeconfig", str(cluster.kubeconfig)]
    if damage == "cut":
        kept.write_bytes(kept.read_bytes()[:-1])
        reason = "it is damaged: its checksum is another"
    else:
        options += ["--policy", "permissive"]
        reason = "the gateway's settings were others"
    with controller_command(directory, *options) as command:
        command.until_listening()
        until(lambda: command.says(f"{kept} is not used: {reason}"))
        until(lambda: command.says("cannot be followed"))
        assert gauge(command, "last_known_good_in_use") == 0
        cluster.start()
        until(lambda: serves(command, "stays"))


def test_an_envoy_that_holds_something_newer_is_not_led_back(place: tuple[Cluster, Path]) -> None:
    cluster, directory = place
    run_once(cluster, directory, "old")
    kept = (directory / "state" / FILE).read_bytes()
    cluster.client.apply(service("new"))
    options = ("--kubeconfig", str(cluster.kubeconfig))
    with controller_command(directory, *options) as first, envoy_beside(first):
        first.until_ready()
        until(lambda: ask(first, "new") == 301)
        first.process.kill()
        first.process.wait()
        cluster.stop()
        # As if it had been killed before it could write.
        (directory / "state" / FILE).write_bytes(kept)
        with controller_command(directory, *options) as second:
            second.until_listening()
            until(lambda: second.says("is served in its place"))
            until(lambda: gauge(second, "connected_envoys") == 1)
            assert [ask(first, name) for name in ("old", "new")] == [301, 301]
            cluster.start()
            second.until_ready()
            assert [ask(first, name) for name in ("old", "new")] == [301, 301]
