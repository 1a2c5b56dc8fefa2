"""A state directory keeps its administrator's token and its port, for their owner alone."""

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from kfambassador.errors import ConfigurationError
from kfambassador.local.kept_access import keep_port, recall_port, recall_token


def test_the_token_is_made_once_and_stays(tmp_path: Path) -> None:
    state = tmp_path / "state"
    token = recall_token(state)
    assert recall_token(state) == token
    assert recall_token(tmp_path / "other") != token
    [file] = state.iterdir()
    assert (stat.S_IMODE(file.stat().st_mode), stat.S_IMODE(state.stat().st_mode)) == (0o600, 0o700)


def test_who_asks_at_once_gets_the_same_token(tmp_path: Path) -> None:
    with ThreadPoolExecutor(16) as askers:
        assert len(set(askers.map(recall_token, [tmp_path] * 64))) == 1
    assert len(list(tmp_path.iterdir())) == 1


@pytest.mark.parametrize("text", ["", "short", "a" * 43 + "\nmore", "ä" * 43, " " * 43])
def test_a_token_that_was_not_made_is_told_and_not_used(tmp_path: Path, text: str) -> None:
    (tmp_path / "kubernetes.token").write_text(text)
    with pytest.raises(ConfigurationError, match=r"The token .*kubernetes\.token is not what was made\. Remove it"):
        recall_token(tmp_path)


def test_a_directory_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ConfigurationError, match=r"cannot be used: Not a directory\. .* another state directory"):
        recall_token(tmp_path / "file" / "state")


def test_the_port_is_the_last_one(tmp_path: Path) -> None:
    assert recall_port(tmp_path) == 0
    for port in (6443, 65535):
        keep_port(tmp_path, port)
        assert recall_port(tmp_path) == port
    [file] = tmp_path.iterdir()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


@pytest.mark.parametrize("text", ["", "-1", "65536", "six", "9" * 5000, "٣"])
def test_what_is_no_port_is_none(tmp_path: Path, text: str) -> None:
    (tmp_path / "kubernetes.port").write_text(text)
    assert recall_port(tmp_path) == 0


def test_a_port_that_cannot_be_kept_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"The port in .* cannot be kept: No such file or directory"):
        keep_port(tmp_path / "absent", 6443)
