"""Tokens and their time, by a clock of the test's own."""

from collections.abc import Iterator

import pytest

from kfambassador.local.kube.access.authentication import ISSUER, Authentication, BadToken
from kfambassador.local.kube.access.signing import KEY_LENGTH, TokenKey
from kfambassador.local.kube.store.storage import Key, Store

ACCOUNT = {"metadata": {"namespace": "team", "name": "notebook", "uid": "1"}}


class Clock:
    """A clock that stands still until it is set."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    """Return a clock."""
    return Clock()


@pytest.fixture
def authentication(clock: Clock) -> Iterator[Authentication]:
    """Return the authentication of a cluster with one ServiceAccount."""
    store = Store(None, indexes={})
    store.put(Key("serviceaccounts", "team", "notebook"), ACCOUNT)
    yield Authentication(store, administrator_token="admin", key=TokenKey(bytes(KEY_LENGTH)), clock=clock)
    store.close()


def test_a_token_lives_until_its_end(authentication: Authentication, clock: Clock) -> None:
    token, end = authentication.issue(ACCOUNT, seconds=60)
    assert end == 1060
    for now in (1000.0, 1059.9):
        clock.now = now
        assert authentication.identify(token).user.name == "system:serviceaccount:team:notebook"
    clock.now = 1060.0
    with pytest.raises(BadToken, match="service account token has expired"):
        authentication.identify(token)
    clock.now = 999.0
    with pytest.raises(BadToken, match="service account token is not valid yet"):
        authentication.identify(token)


def test_the_administrators_token_has_no_end(authentication: Authentication, clock: Clock) -> None:
    clock.now = 1e12
    found = authentication.identify("admin")
    assert found.user.name == "kubernetes-admin"
    assert found.audiences == (ISSUER,)


@pytest.mark.parametrize("token", ["", "Admin", "admin ", "a.b.c", "..", "\udcff", "é"])
def test_anything_else_is_nobodys(authentication: Authentication, token: str) -> None:
    with pytest.raises(BadToken, match=r"^invalid bearer token$"):
        authentication.identify(token)


def test_two_tokens_differ(authentication: Authentication) -> None:
    assert authentication.issue(ACCOUNT, seconds=60) != authentication.issue(ACCOUNT, seconds=60)
