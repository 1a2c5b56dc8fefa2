"""Which authorities this machine trusts."""

from pathlib import Path

import certifi
import pytest

from kfambassador.local import authorities
from kfambassador.local.authorities import find_authorities


def test_there_are_always_some() -> None:
    assert "BEGIN CERTIFICATE" in Path(find_authorities()).read_text()


def test_what_the_environment_says_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own = tmp_path / "own.pem"
    own.write_text("authorities")
    monkeypatch.setenv("SSL_CERT_FILE", str(own))
    assert find_authorities() == str(own)


def test_a_machine_without_its_own_takes_those_of_the_http_clients(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", "/nowhere")
    monkeypatch.setattr(authorities, "_USUAL", ())
    assert find_authorities() == certifi.where()
