"""Rules in CEL that a definition's schema holds."""

from collections.abc import Iterator

import pytest

from tests.cluster.raw_api import Object, RawApi
from tests.cluster.things import DEFINITIONS, Things

TEXT: Object = {"type": "string"}
WHOLE: Object = {"type": "integer"}


@pytest.fixture
def things(api: RawApi, namespace: str) -> Iterator[Things]:
    """Return Things that can be defined."""
    with Things.lent(api, namespace) as lent:
        yield lent


def of(*rules: Object, **properties: Object) -> Object:
    """The schema of an object that keeps rules."""
    return {"type": "object", "properties": properties} | ({"x-kubernetes-validations": [*rules]} if rules else {})


def rule(text: str, **more: object) -> Object:
    return {"rule": text} | more


def array(items: Object, **more: object) -> Object:
    return {"type": "array", "items": items, "maxItems": 10} | more


@pytest.mark.parametrize(
    ("schema", "good", "bad", "message"),
    [
        (
            of(rule("self.low <= self.high"), low=WHOLE, high=WHOLE),
            {"low": 1, "high": 2},
            {"low": 2, "high": 1},
            'spec: Invalid value: "object": failed rule: self.low <= self.high',
        ),
        (
            of(rule("self.low > 0", message="low must be positive"), low=WHOLE),
            {"low": 1},
            {"low": 0},
            'spec: Invalid value: "object": low must be positive',
        ),
        (
            of(rule("self.low > 0", messageExpression="'low is ' + string(self.low)"), low=WHOLE),
            {"low": 1},
            {"low": -3},
            'spec: Invalid value: "object": low is -3',
        ),
        (
            of(rule("self.low > 0", message="positive", fieldPath=".low", reason="FieldValueForbidden"), low=WHOLE),
            {"low": 1},
            {"low": 0},
            "spec.low: Forbidden: positive",
        ),
        (
            of(low=WHOLE | {"x-kubernetes-validations": [rule("self % 2 == 0", message="must be even")]}),
            {"low": 2},
            {"low": 1},
            'spec.low: Invalid value: "integer": must be even',
        ),
        (
            of(rule("!has(self.a) || !has(self.b)", message="not both"), a=TEXT, b=TEXT),
            {"a": "x"},
            {"a": "x", "b": "y"},
            "not both",
        ),
        (
            of(rule("self.names.all(n, n.startsWith('a'))", message="all begin with a"), names=array(TEXT)),
            {"names": ["a", "ab"]},
            {"names": ["a", "b"]},
            "all begin with a",
        ),
        (
            of(parts=array(of(rule("self.x != 3", message="not three"), x=WHOLE))),
            {"parts": [{"x": 1}]},
            {"parts": [{"x": 1}, {"x": 3}]},
            'spec.parts[1]: Invalid value: "object": not three',
        ),
        (
            of(rule("self.my__dash__field == self.__namespace__"), **{"my-field": TEXT, "namespace": TEXT}),
            {"my-field": "a", "namespace": "a"},
            {"my-field": "a", "namespace": "b"},
            "failed rule: ",
        ),
        (
            of(rule("quantity(self.size).isLessThan(quantity('1Gi'))", message="too large"), size=TEXT),
            {"size": "512Mi"},
            {"size": "2G"},
            "too large",
        ),
        (
            of(rule("isURL(self.url) && url(self.url).getHost() == 'example.com'"), url=TEXT),
            {"url": "https://example.com/x"},
            {"url": "https://example.org/x"},
            "failed rule: ",
        ),
        (of(rule("self.text.find('[0-9]+') == '12'"), text=TEXT), {"text": "a12b"}, {"text": "ab"}, "failed rule: "),
        (
            of(rule("self.list.isSorted() && self.list.sum() < 10"), list=array(WHOLE)),
            {"list": [1, 2]},
            {"list": [2, 1]},
            "failed rule: ",
        ),
        (
            of(rule("self.list.all(at, item, item >= at)"), list=array(WHOLE)),
            {"list": [0, 1]},
            {"list": [0, 0]},
            "failed rule: ",
        ),
        (
            of(rule("self.text.findAll('[0-9]', 2) == ['1', '2']"), text=TEXT),
            {"text": "123"},
            {"text": "321"},
            "failed rule: ",
        ),
        (
            of(rule("ip.isCanonical(self.ip) && !ip(self.ip).isLinkLocalUnicast()"), ip=TEXT),
            {"ip": "2001:db8::1"},
            {"ip": "2001:db8:0::1"},
            "failed rule: ",
        ),
        (
            of(rule("cidr(self.net).masked() == cidr('10.0.0.0/8')"), net=TEXT),
            {"net": "10.1.0.0/8"},
            {"net": "10.1.0.0/16"},
            "failed rule: ",
        ),
        (
            of(rule("cidr(self.net).containsIP('10.1.2.3')"), net=TEXT),
            {"net": "10.0.0.0/8"},
            {"net": "192.168.0.0/16"},
            "",
        ),
        (
            of(rule("self.n > 1.5"), n={"type": "number"}),
            {"n": 2},
            {"n": 1},
            "failed rule: ",
        ),
        (
            of(rule("self.low > 0"), low=WHOLE),
            {"low": 1},
            {},
            "no such key: low evaluating rule: self.low > 0",
        ),
    ],
    ids=lambda value: str(value)[:50],
)
def test_an_object_keeps_the_rules(things: Things, schema: Object, good: Object, bad: Object, message: str) -> None:
    things.define(schema)
    accepted = things.create("good", **good)
    assert accepted.code == 201, accepted.message
    answer = things.create("bad", **bad)
    assert (answer.code, answer.reason) == (422, "Invalid")
    assert message in answer.message


def test_a_rule_may_speak_of_the_change(things: Things) -> None:
    fixed = TEXT | {"x-kubernetes-validations": [rule("self == oldSelf", message="is immutable")]}
    by_name = array(
        of(name=TEXT, size=WHOLE | {"x-kubernetes-validations": [rule("self >= oldSelf", message="may not shrink")]})
        | {"required": ["name"]},
        **{"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"]},
    )
    things.define(of(fixed=fixed, note=TEXT, parts=by_name))
    assert things.create("a", fixed="x", parts=[{"name": "p", "size": 3}]).code == 201
    path = f"{things.path}/a"
    assert things.api.patch(path, {"spec": {"note": "n"}}).code == 200
    refused = things.api.patch(path, {"spec": {"fixed": "y"}})
    assert refused.code == 422
    assert 'spec.fixed: Invalid value: "string": is immutable' in refused.message
    grown = [{"name": "new", "size": 1}, {"name": "p", "size": 4}]
    assert things.api.patch(path, {"spec": {"parts": grown}}).code == 200
    shrunk = things.api.patch(path, {"spec": {"parts": [{"name": "p", "size": 3}]}})
    assert 'spec.parts[0].size: Invalid value: "integer": may not shrink' in shrunk.message


def test_rules_wait_for_an_object_that_fits_its_schema(things: Things) -> None:
    things.define(of(rule("self.low > 0"), low=WHOLE, name=TEXT) | {"required": ["name"]})
    answer = things.create(low=0)
    assert "spec.name: Required value" in answer.message
    assert "some validation rules were not checked because the object was invalid" in answer.message
    assert "failed rule" not in answer.message


@pytest.mark.parametrize(
    ("broken", "field", "message"),
    [
        (rule(" "), "rule", "Required value: rule is not specified"),
        (rule("self.low >"), "rule", "compilation failed: ERROR: <input>:1:11: Syntax error"),
        (rule("1 + 1"), "rule", "cel expression must evaluate to a bool"),
        (rule("self.low.isSmall()"), "rule", "undeclared reference to 'isSmall'"),
        (rule("isSmall(self.low)"), "rule", "undeclared reference to 'isSmall'"),
        (rule("math.greatest(self.low, 1) > 1"), "rule", "undeclared reference to 'math'"),
        (rule("self.lowest > low"), "rule", "undeclared reference to 'low'"),
        (rule("self.low > 0", messageExpression="1"), "messageExpression", "must evaluate to a string"),
        (rule("self.low > 0", reason="Odd"), "reason", 'Unsupported value: "Odd": supported values: '),
        (rule("self.low > 0 &&\nself.low < 3"), "message", "message must be specified if rule contains line breaks"),
    ],
    ids=str,
)
def test_a_rule_that_is_none_is_refused(api: RawApi, things: Things, broken: Object, field: str, message: str) -> None:
    answer = api.create(DEFINITIONS, things.definition(of(broken, low=WHOLE)))
    assert answer.code == 422
    assert f"openAPIV3Schema.properties[spec].x-kubernetes-validations[0].{field}: " in answer.message
    assert message in answer.message


def test_where_items_cannot_be_told_apart_no_rule_speaks_of_before(api: RawApi, things: Things) -> None:
    item = TEXT | {"x-kubernetes-validations": [rule("self == oldSelf")]}
    answer = api.create(DEFINITIONS, things.definition(of(list=array(item))))
    assert answer.code == 422
    assert "oldSelf cannot be used on the uncorrelatable portion of the schema" in answer.message


@pytest.mark.embedded
def test_a_rule_that_cannot_be_evaluated_here_is_told_and_holds_nothing_up(things: Things) -> None:
    when = TEXT | {"format": "date-time"}
    early = rule("self.when < timestamp('2000-01-01T00:00:00Z')")
    answer = things.define(of(early, rule("self.low > 0"), when=when, low=WHOLE))
    assert "properties[spec].x-kubernetes-validations[0]: this rule is not evaluated here" in answer.headers["Warning"]
    assert things.create("a", when="2024-01-01T00:00:00Z", low=1).code == 201
    assert things.create("b", when="2024-01-01T00:00:00Z", low=0).code == 422


#: A rule that takes the square of its list's length.
PAIRS = rule("self.list.all(one, self.list.all(two, one >= 0 && two >= 0))")


def test_a_rule_may_take_thousands_of_steps(things: Things) -> None:
    things.define(of(PAIRS, list=array(WHOLE, maxItems=200)))
    assert things.create("few", list=[1] * 20).code == 201
    assert things.create("many", list=[1] * 164).code == 201
    assert things.create("broken", list=[-1] * 20).code == 422


@pytest.mark.embedded
def test_a_rule_that_takes_too_many_steps_is_told_and_holds_nothing_up(things: Things) -> None:
    things.define(of(PAIRS, rule("self.list.size() > 1"), list=array(WHOLE, maxItems=200)))
    answer = things.create("many", list=[1] * 164)
    assert "spec: this rule takes too many steps to be evaluated here: self.list.all(" in answer.headers["Warning"]
    assert "Warning" not in things.create("few", list=[1] * 20).headers
    refused = things.create("one", list=[1])
    assert "failed rule: self.list.size() > 1" in refused.message


@pytest.mark.embedded
def test_what_only_newer_clusters_have_is_told_and_holds_nothing_up(things: Things) -> None:
    named = rule("!format.dns1123Label().validate(self.label).hasValue()")
    answer = things.define(of(named, label=TEXT))
    assert "this rule is not evaluated here: " in answer.headers["Warning"]
    assert things.create("a", label="-").code == 201
