"""Who may ask, where no cluster is asked; and settings that would leave the read API open."""

import asyncio
from pathlib import Path

import pytest

from kfambassador.controller.access import OpenGuard, Refused, TokenGuard
from kfambassador.controller.reviews import ReviewSettings
from kfambassador.controller.settings import ControllerSettings
from kfambassador.controller.sight import OWNER
from kfambassador.errors import ConfigurationError

SOCKET = Path("xds.sock")


def test_an_open_guard_shows_everything_to_everybody() -> None:
    assert asyncio.run(OpenGuard().admit("", ["a"])) is OWNER


@pytest.mark.parametrize("given", ["", "secre", "secretx", "\udcff"])
def test_another_token_lets_nobody_in(given: str) -> None:
    guard = TokenGuard("secret")
    assert asyncio.run(guard.admit("secret", ["a"])) is OWNER
    assert "secret" not in repr(guard)
    with pytest.raises(Refused) as refused:
        asyncio.run(guard.admit(given, ["a"]))
    assert refused.value.status == 401


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "", "10.1.2.3", "gateway.example"])
def test_what_others_reach_needs_a_guard(host: str) -> None:
    with pytest.raises(ConfigurationError, match="nobody guards the read API"):
        ControllerSettings(SOCKET, diagnostics_host=host)
    for guarded in ({"diagnostics_token": "secret"}, {"reviews": ReviewSettings()}):
        settings = ControllerSettings(SOCKET, diagnostics_host=host, **guarded)
        assert settings.diagnostics_host == host
        assert "secret" not in repr(settings)


@pytest.mark.parametrize("host", ["127.0.0.1", "127.1.2.3", "localhost", "::1"])
def test_what_only_this_machine_reaches_may_be_open(host: str) -> None:
    assert ControllerSettings(SOCKET, diagnostics_host=host).diagnostics_host == host


def test_it_is_clear_who_guards() -> None:
    with pytest.raises(ConfigurationError, match="never by both"):
        ControllerSettings(SOCKET, diagnostics_token="secret", reviews=ReviewSettings())
    with pytest.raises(ConfigurationError, match="diagnostics_token is empty"):
        ControllerSettings(SOCKET, diagnostics_token=" ")
