"""What a cluster says of tokens, written down: whatever is no clear yes lets nobody in, and tells nothing."""

import asyncio
import logging

import pytest

from kfambassador.controller.access import Refused
from kfambassador.controller.reviews import ClusterGuard
from kfambassador.controller.sight import Sight
from kfambassador.kube.client import KubeClient
from tests.unit.kube.scripted_api import TOKEN, Answer, answer, refusal, scripted_api

KNOWN = {"authenticated": True, "user": {"username": "ann"}}
NO = {"allowed": False}


def review(status: object) -> Answer:
    return answer({"status": status}, status=201)


def admit(*script: Answer) -> Sight:
    """Let somebody in who asks about one namespace; whether they see all is found out before."""
    with scripted_api(*script) as api, KubeClient.connect(api.url, token="own") as client:
        guard = ClusterGuard(client)
        try:
            return asyncio.run(guard.admit(TOKEN, ["team"], needed=["team"]))
        finally:
            guard.close()


@pytest.mark.parametrize(
    ("script", "status"),
    [
        ([{**KNOWN, "authenticated": False}], 401),
        ([{"user": {"username": "ann"}}], 401),
        ([{"authenticated": True, "user": {}}], 401),
        ([{"authenticated": True, "user": {"username": 7}}], 401),
        ([None], 401),
        ([KNOWN, NO, NO], 403),
        ([KNOWN, {"allowed": True, "denied": True}], 403),
        ([KNOWN, {"allowed": "yes"}], 403),
        ([KNOWN, {}], 403),
    ],
)
def test_what_is_no_clear_yes_lets_nobody_in(script: list[object], status: int) -> None:
    with pytest.raises(Refused) as refused:
        admit(*map(review, script))
    assert refused.value.status == status
    assert admit(*map(review, [KNOWN, NO, {"allowed": True}])) == Sight(frozenset({"team"}))


@pytest.mark.parametrize("status", [400, 500])
def test_a_cluster_that_quotes_the_token_is_not_quoted_with_it(status: int, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with pytest.raises(Refused) as refused:
        admit(refusal(status, "Broken", f"cannot review {TOKEN}"))
    assert refused.value.status == 503
    assert "cannot review ..." in caplog.text
    assert TOKEN not in caplog.text + str(refused.value)
