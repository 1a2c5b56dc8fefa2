"""First claim wins: one rule a row."""

from typing import Any

import pytest

from kfambassador.problems import Severity
from kfambassador.resources.meta import SourcedMapping
from kfambassador.routing.claims import find_conflicts
from kfambassador.routing.policy import TenancyPolicy
from tests.builders import sourced
from tests.candidates import candidate

HOME = "platform"
POLICY = TenancyPolicy(gateway_namespace=HOME)
Attributes = dict[str, Any]


def refused(*written: SourcedMapping, policy: TenancyPolicy = POLICY) -> list[str]:
    return list(find_conflicts([candidate(each) for each in written], policy))


def below_m(name: str, namespace: str, attributes: Attributes) -> SourcedMapping:
    """A mapping of /m/, where nothing else is said."""
    return sourced(name, namespace, **{"prefix": "/m/", **attributes})


def is_refused(senior: Attributes, junior: Attributes, *, owner: str = "one", other: str = "two") -> bool:
    found = refused(below_m("s", owner, senior), below_m("j", other, junior))
    assert found in ([], [f"{other}/j"])
    return bool(found)


def regex(expression: str, **more: object) -> Attributes:
    return {"prefix": expression, "prefix_regex": True, **more}


EXACT = {"prefix_exact": True}
ANY_CASE = {"case_sensitive": False}


@pytest.mark.parametrize(
    ("senior", "junior"),
    [
        pytest.param({}, {}, id="the same"),
        pytest.param({}, {"prefix": "/m/x/"}, id="longer"),
        pytest.param({}, {"prefix": "/m/x", **EXACT}, id="one path below"),
        pytest.param({}, {"prefix": "/m/x/", "precedence": -1}, id="longer and evaluated later"),
        pytest.param({"precedence": 1}, {"prefix": "/m/x/"}, id="longer below one raised"),
        pytest.param({}, {"prefix": "/", "precedence": 1}, id="shorter and raised"),
        pytest.param({}, {"prefix": "/m", "precedence": 1, "method": "GET"}, id="raised for one method"),
        pytest.param({"method": "POST"}, {"method": "GET"}, id="another method"),
        pytest.param({"method": "POST"}, {}, id="every other method"),
        pytest.param({"headers": {"x-a-long-name": "1"}}, {}, id="without the header"),
        pytest.param({"query_parameters": {"q": "1"}}, {}, id="without the parameter"),
        pytest.param({"headers": {":authority": True}}, {"host": "a.com"}, id="a host that must only be there"),
        pytest.param({}, regex("/m/[a-z]+"), id="expression below"),
        pytest.param({}, regex("/[a-z]+/.*"), id="longer expression over it"),
        pytest.param({}, regex(".*", precedence=1), id="raised expression over it"),
        pytest.param({}, regex("/(m|n)/x"), id="expression that might"),
        pytest.param(regex("/m/[a-z]+"), regex("/m/[a-z]+"), id="the same expression"),
        pytest.param(regex("/m/[a-z]+", method="POST"), regex("/m/[a-z]+"), id="the same expression, other methods"),
        pytest.param(regex("/m/.*"), {"prefix": "/m/longer/"}, id="longer than the expression's text"),
        pytest.param(regex("/m/[0-9]+"), {"prefix": "/m/123456789", **EXACT}, id="a path like the expression"),
        pytest.param(EXACT, {}, id="prefix of the one path"),
        pytest.param(EXACT | {"method": "POST"}, {}, id="prefix of the one path, other methods"),
        pytest.param({}, EXACT, id="the one path of the prefix"),
        pytest.param(EXACT, EXACT, id="the same path"),
        pytest.param(ANY_CASE, {"prefix": "/M/x/"}, id="longer in another case"),
        pytest.param({}, {"prefix": "/M/x/", **ANY_CASE}, id="longer in any case"),
        pytest.param({"method": "POST"}, ANY_CASE, id="the same in any case"),
        pytest.param({"prefix": "/É/"}, {"prefix": "/É/x/", **ANY_CASE}, id="longer in any case, beyond ASCII"),
        pytest.param({}, {"host": "a.com"}, id="one host of all"),
        pytest.param({"headers": {"x-a-long-name": "1"}}, {"host": "a.com"}, id="one host of all, evaluated later"),
        pytest.param({"host": "a.com"}, {"headers": {"x-a-very-long-name": "1"}}, id="all hosts, evaluated before"),
        pytest.param({"host": "a.com"}, {"prefix": "/m/x/"}, id="longer for all hosts"),
        pytest.param({"host": "a.com"}, {"host": "A.com:8080"}, id="the same host"),
        pytest.param({"host": "*.com"}, {"host": "a.com", "prefix": "/m/x/"}, id="a host of the glob"),
        pytest.param({"host": "*.com", "method": "POST"}, {"host": "a.com"}, id="a host of the glob, other methods"),
        pytest.param({"host": "a.com"}, {"host": "*.com", "prefix": "/m/x/"}, id="the glob of the host"),
        pytest.param({"host": "*.com"}, {"host": "*.a.com", "method": "GET"}, id="narrower glob"),
        pytest.param({"host": "*.com", "method": "POST"}, {"host": "*.a.com"}, id="narrower glob, other methods"),
        pytest.param({"host": "*.a.com"}, {"host": "*.com", "prefix": "/m/x/"}, id="longer for a wider glob"),
        pytest.param({"host": "a.*", "method": "POST"}, {"host": "a.b.*"}, id="narrower glob at the end"),
        pytest.param({"host": "a.*"}, {"host": "*.com", "prefix": "/m/x/"}, id="globs of both kinds"),
        pytest.param({"host": "[ab].com", "host_regex": True}, {"host": "a.com", "prefix": "/m/x/"}, id="host alike"),
        pytest.param(
            {"host": "[ab].com", "host_regex": True},
            {"host": "[bc].com", "host_regex": True, "prefix": "/m/x/"},
            id="expressions that might meet",
        ),
    ],
)
def test_what_belongs_to_another_namespace_is_refused(senior: Attributes, junior: Attributes) -> None:
    assert is_refused(senior, junior)
    assert not is_refused(senior, junior, other="one")


@pytest.mark.parametrize(
    ("senior", "junior"),
    [
        pytest.param({}, {"prefix": "/n/"}, id="elsewhere"),
        pytest.param({}, {"prefix": "/M/"}, id="in another case"),
        pytest.param({}, {"prefix": "/"}, id="shorter"),
        pytest.param({}, {"prefix": "/m"}, id="a slash shorter"),
        pytest.param({}, {"prefix": "/m", "method": "GET", "headers": {"x-a-long-name": "1"}}, id="shorter, more said"),
        pytest.param({"precedence": 1}, {"prefix": "/", "precedence": 1}, id="shorter, both raised"),
        pytest.param({"precedence": -1}, {"prefix": "/", "precedence": -1}, id="shorter, both lowered"),
        pytest.param({}, {"prefix": "/m", **EXACT}, id="the path above"),
        pytest.param(EXACT, {"prefix": "/m/x/"}, id="below one path"),
        pytest.param(EXACT, regex("/m/[a-z]+"), id="expression that the one path is not like"),
        pytest.param(regex("/m/[a-z]+"), {"prefix": "/m/123456789", **EXACT}, id="a path unlike the expression"),
        pytest.param(regex("/m/x+"), {"prefix": "/m/x", **EXACT}, id="one path, and the expression comes first"),
        pytest.param({"prefix": "/m/long/enough/"}, regex("/m/.*"), id="shorter expression"),
        pytest.param({}, regex("/nn/[a-z]+"), id="expression elsewhere"),
        pytest.param({}, regex("^/nn/[a-z]+$"), id="anchored expression elsewhere"),
        pytest.param({"host": "a.com"}, {"host": "b.com"}, id="another host"),
        pytest.param({"host": "a.com"}, {}, id="all other hosts"),
        pytest.param({"host": "a.com", "method": "POST"}, {}, id="all other hosts and methods"),
        pytest.param({"host": "*.a.com"}, {"host": "*.b.com"}, id="another glob"),
        pytest.param({"host": "*.a.com"}, {"host": "a.com"}, id="a host beside the glob"),
        pytest.param({"host": "a.*"}, {"host": "b.*"}, id="another glob at the end"),
        pytest.param({"host": "[ab].com", "host_regex": True}, {"host": "long.com"}, id="a host unlike the expression"),
    ],
)
def test_what_takes_nothing_from_another_namespace_is_free(senior: Attributes, junior: Attributes) -> None:
    assert not is_refused(senior, junior)


@pytest.mark.parametrize(
    ("home", "tenant", "expected"),
    [
        pytest.param({"prefix": "/"}, {}, False, id="below the dashboard"),
        pytest.param({}, {"prefix": "/m/x/"}, False, id="below any claim"),
        pytest.param({}, {"prefix": "/m/x", **EXACT}, False, id="one path below"),
        pytest.param({}, {"prefix": "/m/x/", "precedence": 9}, False, id="below and raised"),
        pytest.param({"precedence": 9}, {"prefix": "/m/x/"}, False, id="below one raised"),
        pytest.param(regex("/m/[a-z]+"), {"prefix": "/m/abcdefghi/"}, False, id="below an expression"),
        pytest.param({}, {}, True, id="the same"),
        pytest.param({}, EXACT, True, id="the same, one path"),
        pytest.param({}, {"host": "a.com"}, True, id="the same of one host"),
        pytest.param({"prefix": "/"}, {"method": "GET", "prefix": "/"}, True, id="the same of one method"),
        pytest.param({}, {"prefix": "/", "precedence": 1}, True, id="shorter and raised"),
        pytest.param({}, {"prefix": "/"}, False, id="shorter"),
        pytest.param({"prefix": "/"}, regex("/m/[a-z]+"), True, id="an expression below"),
        pytest.param({"prefix": "/m/long/enough/"}, regex("/m/.*"), False, id="an expression that comes later"),
    ],
)
def test_the_gateways_own_namespace_leaves_free_what_is_longer(
    home: Attributes, tenant: Attributes, expected: bool
) -> None:
    assert is_refused(home, tenant, owner=HOME) is expected


def test_the_gateways_own_namespace_takes_nothing_from_who_was_there_first() -> None:
    assert is_refused({}, {}, other=HOME)
    assert is_refused({}, {"prefix": "/m/x/"}, other=HOME)
    assert not is_refused({}, {"prefix": "/"}, other=HOME)


def test_where_no_namespace_is_the_gateways_none_leaves_what_is_longer_free() -> None:
    written = (sourced("s", "one", prefix="/"), sourced("j", "two", prefix="/m/"))
    assert refused(*written, policy=TenancyPolicy.laptop()) == ["two/j"]
    assert refused(*written, policy=TenancyPolicy(gateway_namespace="one")) == []


def test_without_claims_nobody_owns_anything() -> None:
    written = (sourced("s", "one", prefix="/m/"), sourced("j", "two", prefix="/m/"))
    assert refused(*written, policy=TenancyPolicy.permissive()) == []
    assert refused(*written) == ["two/j"]


def test_who_lost_claims_nothing() -> None:
    first, loser = sourced("a", "one", prefix="/m/x/"), sourced("b", "two", prefix="/m/x/y/")
    third = sourced("c", "three", prefix="/m/x", prefix_exact=True)
    assert refused(first, loser, third) == ["two/b"]
    raised = sourced("b", "two", prefix="/m/", precedence=5)
    assert refused(first, raised, sourced("c", "three", prefix="/m/z/")) == ["two/b"]


def test_the_same_claim_of_one_namespace_may_be_made_often() -> None:
    canaries = [sourced(name, "one", prefix="/m/", weight=50) for name in "ab"]
    assert refused(*canaries, sourced("c", "two", prefix="/m/"), sourced("d", "one", prefix="/m/x/")) == ["two/c"]


@pytest.mark.parametrize(
    ("senior", "junior", "owner", "expected"),
    [
        (
            {},
            {},
            "one",
            (
                "requests for /m/ on any host belong to mapping s of Service one/s, annotation document 1, which was "
                "there first; choose another prefix or another host, or ask namespace one to publish this service as "
                "its own"
            ),
        ),
        (
            {"host": "a.com"},
            {"prefix": "/m/x/"},
            "one",
            (
                "requests for /m/x/ on a.com belong to mapping s of Service one/s, annotation document 1, which was "
                "there first, but would go to this one, which is evaluated before it; choose another prefix or another "
                "host, or ask namespace one to publish this service as its own"
            ),
        ),
        (
            {"host": "*.com"},
            regex("/m/[a-z]+"),
            HOME,
            (
                "requests for paths like /m/[a-z]+ on *.com belong to mapping s of Service platform/s, annotation "
                "document 1, which was there first, but would go to this one, which is evaluated before it; choose a "
                "longer prefix that is no expression or another host, or ask namespace platform to publish this "
                "service as its own"
            ),
        ),
    ],
)
def test_a_refusal_says_what_is_contested_whose_it_is_and_what_to_do(
    senior: Attributes, junior: Attributes, owner: str, expected: str
) -> None:
    first, second = below_m("s", owner, senior), below_m("j", "two", junior)
    (problem,) = find_conflicts([candidate(first), candidate(second)], POLICY).values()
    assert problem.message == expected
    assert (problem.code, problem.path, problem.severity) == ("conflicting-route", "prefix", Severity.ERROR)
    assert problem.origin == second.origin


@pytest.mark.parametrize(
    ("senior", "junior", "contested"),
    [
        (regex("/m/.*"), {"prefix": "/m/longer/"}, "/m/longer/ on any host"),
        (regex("/m/[0-9]+"), {"prefix": "/m/123456789", **EXACT}, "/m/123456789 on any host"),
        (regex("/m/[0-9]+"), regex("/m/.*", precedence=1), "paths like /m/.* on any host"),
        (EXACT, {"host": "a.*"}, "/m/ on a.*"),
        (EXACT, {"host": "[ab]", "host_regex": True}, "/m/ on hosts like [ab]"),
        ({"host": "*.com"}, {"host": "a.com", "prefix": "/m/x"}, "/m/x on a.com"),
    ],
)
def test_the_contested_request_is_shown_as_closely_as_it_is_known(
    senior: Attributes, junior: Attributes, contested: str
) -> None:
    written = [candidate(below_m("s", "one", senior)), candidate(below_m("j", "two", junior))]
    (problem,) = find_conflicts(written, POLICY).values()
    assert problem.message.startswith(f"requests for {contested} belong to")
