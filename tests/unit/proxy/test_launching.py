"""What is run in Envoy's container, decided before anything starts."""

import json
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePath
from typing import Any

import pytest
from typer.main import get_command
from typer.testing import CliRunner

from kfambassador.cli.app import build_app
from kfambassador.envoy.bootstrap import BootstrapSettings
from kfambassador.errors import ConfigurationError
from kfambassador.local.envoy_process import private_directory
from kfambassador.proxy.command import LogLevel
from kfambassador.proxy.launching import Launch, become

REFERENCE = Path(__file__).parents[3] / "docs" / "reference" / "envoy.md"

BOOTSTRAP = BootstrapSettings(
    PurePath("/run/kfambassador"), xds_socket="/run/other/xds.sock", ready_address=("0.0.0.0", 8082)
)


def launch(bootstrap: BootstrapSettings = BOOTSTRAP) -> Launch:
    return Launch(
        Path("/bin/envoy"), bootstrap, drain_time=45.5, min_drain_time=5, concurrency=3, log_level=LogLevel.INFO
    )


def test_the_command_line_tells_both_programs_all_they_need() -> None:
    command = launch().command()
    begin = command.index("kfambassador.proxy.supervisor") + 1
    assert command[begin : begin + 4] == ["/run/kfambassador/admin.sock", "45.5", "5", "/bin/envoy"]
    rest = command[begin + 4 :]
    assert rest[rest.index("--concurrency") + 1] == "3"
    assert rest[rest.index("--log-level") + 1] == "info"
    told = json.loads(rest[rest.index("--config-yaml") + 1])
    assert told["admin"]["address"]["pipe"]["path"] == "/run/kfambassador/admin.sock"
    assert "/run/other/xds.sock" in json.dumps(told["static_resources"]["clusters"])
    [listener] = told["static_resources"]["listeners"]
    assert listener["address"]["socket_address"]["port_value"] == 8082


def test_without_a_number_envoy_chooses_its_workers() -> None:
    assert "--concurrency" not in Launch(Path("/bin/envoy"), BOOTSTRAP, drain_time=1, min_drain_time=0).command()


def test_a_socket_that_cannot_be_is_refused_before_anything_starts(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="too long"):
        become(launch(BootstrapSettings(tmp_path / ("deep" * 25))))


#: Nobody's, and what a pod without securityContext.fsGroup would meet.
STRANGER = 65532


@pytest.mark.parametrize("below", ["", "further"])
def test_a_directory_of_somebody_else_is_told_with_the_way_out(below: str) -> None:
    with private_directory() as directory:
        (directory / below).mkdir(mode=0o500, exist_ok=True)
        directory.chmod(0o500)
        with as_stranger(), pytest.raises(ConfigurationError) as error:
            become(launch(BootstrapSettings(directory / below)))
    assert f"may not write to {directory / below}. Let the directory be its own" in str(error.value)


@contextmanager
def as_stranger() -> Iterator[None]:
    """Be another user than root, who may write anywhere; whoever is not root stays who they are."""
    before = os.geteuid()
    if before == 0:
        os.seteuid(STRANGER)
    try:
        yield
    finally:
        os.seteuid(before)


def misuse(*options: str) -> str:
    result = CliRunner().invoke(build_app(), ["envoy", *options], env={"COLUMNS": "300"})
    assert result.exit_code == 2
    # What is held back here would be held back for good from all that this process starts.
    assert signal.pthread_sigmask(signal.SIG_BLOCK, ()) == set()
    return result.output


@pytest.mark.parametrize(
    "address", ["8082", ":8082", "0.0.0.0", "0.0.0.0:65536", "::1:8082", "[1.2.3.4]:1", "ready:8082"]
)
def test_an_address_has_to_be_one(address: str) -> None:
    assert f"'{address}' is no address and port" in misuse("--ready-address", address)


def test_what_must_be_a_part_cannot_be_longer_than_the_whole() -> None:
    assert "--min-drain-time 9 is longer than --drain-time 3" in misuse("--drain-time", "3", "--min-drain-time", "9")


def test_a_level_that_envoy_does_not_have_is_refused_with_those_it_has() -> None:
    assert "critical" in misuse("--log-level", "loud")


def test_every_setting_has_its_place_in_the_reference() -> None:
    command: Any = get_command(build_app())
    settings = [each for each in command.commands["envoy"].params if each.name != "help"]
    rows = [line.split("|") for line in REFERENCE.read_text().splitlines() if line.startswith("| `--")]
    told = [tuple(cell.strip(" `") for cell in row[1:4]) for row in rows]
    assert told == [
        (each.opts[0], each.envvar, "" if each.default is None else str(getattr(each.default, "value", each.default)))
        for each in settings
    ]
