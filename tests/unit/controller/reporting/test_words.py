"""What may be a secret is in no words of ours, whatever somebody wrote wrongly around it."""

import pytest

from kfambassador.controller.reporting.words import word
from kfambassador.problems import ObjectKey, Origin, Problem, Veil
from tests.builders import compiled, service

CANARY = "tweety"
WRONG = (
    "add_request_headers: {Authorization: {value: 'Bearer tweety', x: tweety}}",
    "add_request_headers: {Authorization: [tweety]}",
    "add_request_headers: 'Authorization: tweety'",
    'add_request_headers: {x-api-key: "tweety\\n"}',
    "add_response_headers: {Set-Cookie: [a=tweety]}",
    "headers: {Authorization: [tweety]}",
    "headers: 'Authorization: tweety'",
    "regex_headers: {Authorization: 'tweety('}",
    "service: 'http://ana:tweety@host:80/x'",
    "password: tweety",
)


@pytest.mark.parametrize("wrong", WRONG)
def test_no_secret_is_told(wrong: str) -> None:
    target = "" if wrong.startswith("service") else "service: s, "
    text = f"{{apiVersion: ambassador/v1, kind: Mapping, name: m, prefix: /m/, {target}{wrong}}}"
    problems = compiled(service("s", "team", annotation=text)).problems
    # Without a problem nothing would be tried here.
    assert [each for each in problems if each.code != "no-endpoints"]
    for problem in problems:
        assert CANARY not in word(problem), str(problem)


def test_no_secret_is_told_of_a_custom_resource_either() -> None:
    origin = Origin(ObjectKey("Mapping", "team", "m"))
    for path in ("spec.headers", "spec.headers.Authorization", "spec.add_request_headers.x-any"):
        assert CANARY not in word(Problem("wrong-type", "expected text, got 'tweety'", origin, path=path))


def test_what_is_no_secret_is_told_with_its_value_and_the_rule() -> None:
    origin = Origin(ObjectKey("Service", "team", "s"))
    told = word(Problem("wrong-type", "expected a number, got 'soon'", origin, path="timeout_ms"))
    assert told == "timeout_ms: expected a number, got 'soon'"


def test_what_is_of_another_namespace_is_told_behind_its_veil() -> None:
    problem = Problem("conflicting-route", "it belongs to other/m", Origin(), veil=Veil("other", "it is taken"))
    assert word(problem) == "it is taken"
