"""What somebody is told of a request that another namespace's route takes."""

import json
from dataclasses import replace

import pytest

from kfambassador.controller.asking import EnvoyAnswer
from kfambassador.controller.sight import OWNER
from kfambassador.controller.telling import tell_answer, tell_explanation
from kfambassador.routing.describe import describe_explanation
from kfambassador.routing.explain import Explanation, explain
from kfambassador.routing.policy import TenancyPolicy
from kfambassador.routing.requests import RequestLine
from tests.builders import document, service
from tests.unit.controller.seen import sight_of, work_of

CANARY = "tweety"
TEAM = sight_of("team")


def ask(path: str, host: str = "any.example") -> Explanation:
    """Ask a table that two tenants share."""
    documents = (
        document(f"{CANARY}-a", prefix="/theirs/", service=CANARY, rewrite=f"/{CANARY}/"),
        document(f"{CANARY}-h", prefix="/hosted/", host="their.example", service=CANARY, headers={CANARY: True}),
        document(f"{CANARY}-r", prefix=f"/(like|{CANARY})/.*", prefix_regex=True, service=CANARY),
        document(f"{CANARY}-p", prefix="/pattern/", host=f"their[.](example|{CANARY})", host_regex=True),
    )
    own = (document("own", prefix="/own/"), document("behind", prefix="/", service="own"))
    policy = TenancyPolicy(gateway_namespace="ambassador")
    work = work_of(service(CANARY, "other", *documents), service("own", "team", *own), policy=policy)
    return explain(work.compiled.table, RequestLine.read("GET", path, {"Host": host, CANARY: "yes"}))


@pytest.mark.parametrize(
    ("path", "host", "match"),
    [
        ("/theirs/x", "any.example", {"prefix": "/theirs/"}),
        ("/hosted/x", "their.example", {"prefix": "/hosted/", "host": "their.example"}),
        ("/like/x", "any.example", {"regex": "(an expression)"}),
        ("/pattern/x", "their.example", {"prefix": "/pattern/", "host": "(a pattern)"}),
    ],
)
def test_it_is_told_that_it_is_so_and_nothing_that_was_not_asked(path: str, host: str, match: object) -> None:
    explanation = ask(path, host)
    told = tell_explanation(explanation, TEAM)
    assert told["winner"] is None
    assert told["elsewhere"] == {"words": "a route of another namespace takes this request", "match": match}
    assert (told["hidden"], len(explanation.verdicts)) == (4, 6)
    assert CANARY not in json.dumps(told)


def test_ones_own_route_is_told_whole() -> None:
    explanation = ask("/own/x")
    told = tell_explanation(explanation, TEAM)
    whole = describe_explanation(explanation)
    assert told["winner"] == whole["winner"]
    assert told["upstream_paths"] == {"team/own": "/x"}
    assert "elsewhere" not in told
    assert CANARY not in json.dumps(told)
    assert tell_explanation(explanation, OWNER) == whole


def test_whom_the_gateway_asks_first_is_told_to_its_owner_only() -> None:
    explanation = replace(ask("/own/x"), asks=f"{CANARY}.ambassador:80")
    told = tell_explanation(explanation, TEAM)
    assert told["asks"] == "the gateway's authorization service"
    assert CANARY not in json.dumps(told)
    assert tell_explanation(explanation, OWNER)["asks"] == f"{CANARY}.ambassador:80"


def test_what_envoy_says_is_told_of_ones_own_only() -> None:
    explanation = ask("/theirs/x")
    answer = EnvoyAnswer(f"other/{CANARY}-a", f"cluster_{CANARY}", "/theirs/x")
    told = tell_answer(explanation, answer, TEAM)
    assert CANARY not in json.dumps(told)
    assert (told["route"], told["cluster"], told["path"]) == ("", "", "/theirs/x")
    assert (
        told["difference"]
        == "the table and Envoy differ, about a route of another namespace; the gateway's owner can see which"
    )
    assert tell_answer(explanation, answer, OWNER)["route"] == f"other/{CANARY}-a"
    own = ask("/own/x")
    wrong = EnvoyAnswer(f"other/{CANARY}-a", "", "/own/x")
    assert CANARY not in json.dumps(tell_answer(own, wrong, TEAM))
    right = EnvoyAnswer("team/own", own.winner.splits[0].cluster if own.winner else "", "/own/x")
    assert tell_answer(own, right, TEAM) == {**tell_answer(own, right, OWNER), "agrees": True, "route": "team/own"}
