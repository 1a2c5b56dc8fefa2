"""The runtime directory: whose it is, and that nobody reads half a file."""

import os
from dataclasses import replace
from pathlib import Path

import pytest

from kfambassador.errors import ConfigurationError
from kfambassador.local.endpoint import GatewayEndpoint
from kfambassador.local.runtime_directory import (
    RuntimeDirectory,
    open_runtime_directory,
    read_endpoint,
    write_endpoint,
)

ENDPOINT = GatewayEndpoint(
    url="http://127.0.0.1:8080",
    api_url="https://127.0.0.1:6443",
    api_token="api-secret",
    api_authority="-----BEGIN CERTIFICATE-----",
    diagnostics_url="http://127.0.0.1:8877",
    diagnostics_token="read-secret",
    pid=812,
    started=1.5,
    state=Path("/data"),
)


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


def test_the_variable_comes_first(tmp_path: Path) -> None:
    named = tmp_path / "a" / "b"
    runtime = open_runtime_directory({"KFAMBASSADOR_RUNTIME_DIR": str(named), "XDG_RUNTIME_DIR": str(tmp_path)})
    assert runtime.path == named
    assert mode(named) == 0o700


def test_the_session_s_directory_comes_next(tmp_path: Path) -> None:
    assert open_runtime_directory({"XDG_RUNTIME_DIR": str(tmp_path)}).path == tmp_path / "kfambassador"


@pytest.mark.parametrize("session", [None, "", "/no/such/directory"])
def test_without_one_it_is_a_user_s_own_among_the_temporary(
    session: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    environment = {} if session is None else {"XDG_RUNTIME_DIR": session}
    assert open_runtime_directory(environment).path == tmp_path / f"kfambassador-{os.geteuid()}"


def test_somebody_else_s_session_is_not_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    session = tmp_path / "session"
    session.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr("os.geteuid", lambda: 4711)
    with pytest.raises(ConfigurationError, match="not a directory of yours"):  # made by this user, asked for by another
        open_runtime_directory({"XDG_RUNTIME_DIR": str(session)})
    assert not list(session.iterdir())


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir(mode=0o700)
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(ConfigurationError, match=r"not a directory of yours.*KFAMBASSADOR_RUNTIME_DIR"):
        open_runtime_directory({"KFAMBASSADOR_RUNTIME_DIR": str(tmp_path / "link")})


def test_a_directory_others_may_enter_is_refused_with_the_way_out(tmp_path: Path) -> None:
    tmp_path.chmod(0o750)
    with pytest.raises(ConfigurationError, match=f"chmod 700 {tmp_path}"):
        open_runtime_directory({"KFAMBASSADOR_RUNTIME_DIR": str(tmp_path)})


def test_a_directory_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ConfigurationError, match="cannot be made: Not a directory"):
        open_runtime_directory({"KFAMBASSADOR_RUNTIME_DIR": str(tmp_path / "file" / "below")})


@pytest.mark.parametrize("endpoint", [ENDPOINT, replace(ENDPOINT, state=None)], ids=["with state", "without"])
def test_an_endpoint_is_read_as_it_was_written(tmp_path: Path, endpoint: GatewayEndpoint) -> None:
    runtime = RuntimeDirectory(tmp_path)
    write_endpoint(runtime, endpoint)
    assert read_endpoint(runtime) == endpoint
    assert mode(runtime.file) == 0o600
    assert list(tmp_path.iterdir()) == [runtime.file]


@pytest.mark.parametrize("text", [None, "", "{", "[]", "7", "{}", '{"state": null}', '{"state": null, "pid": 1}'])
def test_what_tells_of_no_gateway_is_read_as_none(tmp_path: Path, text: str | None) -> None:
    runtime = RuntimeDirectory(tmp_path)
    if text is not None:
        runtime.file.write_text(text)
    assert read_endpoint(runtime) is None


def test_no_token_is_shown() -> None:
    assert "secret" not in repr(ENDPOINT)
