"""Which pages of other origins may call the service."""

import re

import pytest

from kfambassador.attributes.cors import FILTER, write_origin
from kfambassador.envoy.protos import CorsPolicy
from tests.unit.attributes.messages import route_of


def policy_of(**cors: object) -> CorsPolicy:
    policy = CorsPolicy()
    assert route_of(cors=cors).typed_per_filter_config[FILTER].Unpack(policy)
    return policy


def test_nobody_may_unless_somebody_says_so() -> None:
    assert FILTER not in route_of().typed_per_filter_config


@pytest.mark.parametrize("origins", ["https://a.com,  https://b.com", ["https://a.com", "https://b.com"]])
def test_origins_are_text_or_a_list(origins: object) -> None:
    assert [each.exact for each in policy_of(origins=origins).allow_origin_string_match] == [
        "https://a.com",
        "https://b.com",
    ]


def test_everything_else_is_text_with_commas_for_envoy() -> None:
    policy = policy_of(
        origins="https://a.com",
        methods=["GET", "PUT"],
        headers="a,b",
        exposed_headers=["c"],
        credentials=True,
        max_age=60,
    )
    assert (policy.allow_methods, policy.allow_headers, policy.expose_headers) == ("GET, PUT", "a, b", "c")
    assert policy.allow_credentials.value
    assert policy.max_age == "60"


def test_credentials_are_never_sent_unless_somebody_says_so() -> None:
    assert not policy_of(origins="https://a.com").HasField("allow_credentials")


def test_a_question_that_is_answered_with_no_goes_no_further() -> None:
    policy = policy_of(origins="https://a.com")
    assert policy.HasField("forward_not_matching_preflights")
    assert not policy.forward_not_matching_preflights.value


def test_an_expression_is_taken_as_it_is() -> None:
    (matcher,) = policy_of(origins=[{"regex": "https://[a-z]+"}]).allow_origin_string_match
    assert matcher.safe_regex.regex == "https://[a-z]+"


@pytest.mark.parametrize(
    ("written", "origin", "taken"),
    [
        ("https://*.a.com", "https://b.a.com", True),
        ("https://*.a.com", "https://c.b.a.com", True),
        ("https://*.a.com", "https://a.com", False),
        ("https://*.a.com", "https://b.a.com.evil.com", False),
        ("https://*.a.com", "https://evil.com/.a.com", False),
        ("https://*.a.com", "https://evil.com:1.a.com", False),
        ("https://*.a.com", "https://bxa.com", False),
        ("https://*.A.com", "https://b.a.com", True),
        ("http://localhost:*", "http://localhost:8888", True),
        ("http://localhost:*", "http://localhost", False),
        ("https://*", "https://a.com", True),
        ("https://*", "*", False),
    ],
)
def test_a_star_stands_for_a_piece_of_the_host(written: str, origin: str, taken: bool) -> None:
    kind, expression = write_origin(written)
    assert kind == "regex"
    assert bool(re.fullmatch(expression, origin)) is taken
