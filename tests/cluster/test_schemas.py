"""What a definition's schema says of its objects."""

from collections.abc import Iterator

import pytest

from tests.cluster.raw_api import Object, RawApi
from tests.cluster.things import DEFINITIONS, Things


@pytest.fixture
def things(api: RawApi, namespace: str) -> Iterator[Things]:
    """Return Things that can be defined."""
    with Things.lent(api, namespace) as lent:
        yield lent


def of(**properties: Object) -> Object:
    """The schema of an object."""
    return {"type": "object", "properties": properties}


def test_a_pattern_takes_no_longer_than_its_text(things: Things) -> None:
    # A backtracking engine would need longer for this than anybody waits.
    things.define(of(letters={"type": "string", "pattern": "^(a+)+$"}))
    answer = things.create(letters="a" * 50_000 + "!")
    assert answer.code == 422
    assert "spec.letters in body should match '^(a+)+$'" in answer.message
    assert things.create(letters="a" * 50_000).code == 201


def test_a_pattern_is_in_the_language_of_re2(things: Things) -> None:
    things.define(of(word={"type": "string", "pattern": r"^\p{L}+$"}))
    assert things.create("a", word="Größe").code == 201
    assert things.create("b", word="Größe 3").code == 422


@pytest.mark.parametrize("pattern", ["^(", "(?!x)", "[a"])
def test_a_pattern_that_is_none_is_refused(api: RawApi, things: Things, pattern: str) -> None:
    answer = api.create(DEFINITIONS, things.definition(of(word={"type": "string", "pattern": pattern})))
    assert answer.code == 422
    assert "properties[word].pattern" in answer.message
    assert "must be a valid regular expression, but isn't: error parsing regexp: " in answer.message


TEXT: Object = {"type": "string"}
WHOLE: Object = {"type": "integer"}


@pytest.mark.parametrize(
    ("schema", "good", "bad", "message"),
    [
        (WHOLE | {"minimum": 2}, 2, 1, "spec.field in body should be greater than or equal to 2"),
        (WHOLE | {"minimum": 2, "exclusiveMinimum": True}, 3, 2, "spec.field in body should be greater than 2"),
        (WHOLE | {"maximum": 2, "exclusiveMaximum": True}, 1, 2, "spec.field in body should be less than 2"),
        ({"type": "number", "multipleOf": 0.1}, 0.3, 0.35, "spec.field in body should be a multiple of 0.1"),
        (TEXT | {"minLength": 2}, "ab", "a", "spec.field in body should be at least 2 chars long"),
        (TEXT | {"maxLength": 2}, "ab", "abc", "spec.field: Too long: may not be "),
        ({"type": "array", "items": TEXT, "minItems": 1}, ["a"], [], "spec.field in body should have at least 1 items"),
        (
            {"type": "array", "items": TEXT, "maxItems": 1},
            ["a"],
            ["a", "b"],
            "spec.field: Too many: 2: must have at most",
        ),
        (
            {"type": "object", "additionalProperties": TEXT, "minProperties": 1},
            {"a": "b"},
            {},
            "spec.field in body should have at least 1 properties",
        ),
        (
            {"type": "object", "additionalProperties": TEXT, "maxProperties": 1},
            {"a": "b"},
            {"a": "b", "c": "d"},
            "spec.field: Too many: 2: must have at most",
        ),
        (TEXT | {"format": "date-time"}, "2024-01-02T03:04:05Z", "yesterday", 'must be of type date-time: "yesterday"'),
        (TEXT | {"format": "date"}, "2024-02-29", "2023-02-29", 'must be of type date: "2023-02-29"'),
        (TEXT | {"format": "ipv4"}, "10.0.0.1", "10.0.0", 'must be of type ipv4: "10.0.0"'),
        (TEXT | {"format": "ipv6"}, "::1", "10.0.0.1", 'must be of type ipv6: "10.0.0.1"'),
        (TEXT | {"format": "cidr"}, "10.0.0.0/8", "10.0.0.0", 'must be of type cidr: "10.0.0.0"'),
        (TEXT | {"format": "uri"}, "http://a/b", "a b", 'must be of type uri: "a b"'),
        (TEXT | {"format": "email"}, "a@b.org", "a", 'must be of type email: "a"'),
        (TEXT | {"format": "duration"}, "1h30m", "soon", 'must be of type duration: "soon"'),
        (TEXT | {"format": "byte"}, "aGk=", "a-b", 'must be of type byte: "a-b"'),
        (TEXT | {"format": "uuid"}, "123e4567-e89b-12d3-a456-426614174000", "1", 'must be of type uuid: "1"'),
        (TEXT | {"format": "of-my-own"}, "anything", 1, 'must be of type string: "integer"'),
        (WHOLE | {"format": "int32"}, 2**31 - 1, 2**31, "must be of type integer with format int32"),
        (
            TEXT | {"anyOf": [{"pattern": "^a"}, {"pattern": "b$"}]},
            "xb",
            "xx",
            '"spec.field" must validate at least one schema (anyOf)',
        ),
        (
            TEXT | {"oneOf": [{"pattern": "^a"}, {"pattern": "b$"}]},
            "ax",
            "ab",
            '"spec.field" must validate one and only one schema (oneOf). Found 2 valid alternatives',
        ),
        (
            TEXT | {"oneOf": [{"pattern": "^a"}, {"pattern": "b$"}]},
            "xb",
            "xx",
            '"spec.field" must validate one and only one schema (oneOf). Found none valid',
        ),
        (
            TEXT | {"allOf": [{"pattern": "^a"}, {"pattern": "b$"}]},
            "ab",
            "ax",
            '"spec.field" must validate all the schemas (allOf)',
        ),
        (TEXT | {"not": {"pattern": "^a"}}, "b", "a", '"spec.field" must not validate the schema (not)'),
        ({"x-kubernetes-int-or-string": True}, "1", 1.5, 'must be of type integer,string: "number"'),
        (WHOLE | {"enum": [1, 2]}, 1, 3, 'spec.field: Unsupported value: 3: supported values: "1", "2"'),
        (
            {"type": "array", "items": TEXT, "x-kubernetes-list-type": "set"},
            ["a", "b"],
            ["a", "b", "a"],
            'spec.field[2]: Duplicate value: "a"',
        ),
    ],
    ids=lambda value: str(value)[:40],
)
def test_a_keyword_is_a_rule(things: Things, schema: Object, good: object, bad: object, message: str) -> None:
    things.define(of(field=schema))
    assert things.create("good", field=good).code == 201
    answer = things.create("bad", field=bad)
    assert (answer.code, answer.reason) == (422, "Invalid")
    assert message in answer.message


def test_alternatives_of_an_object_speak_of_its_fields(things: Things) -> None:
    either = {"oneOf": [{"required": ["url"]}, {"required": ["service"]}]}
    things.define(of(url=TEXT, service=TEXT) | either)
    assert things.create("a", url="x").code == 201
    for name, spec in (("b", {}), ("c", {"url": "x", "service": "y"})):
        answer = things.create(name, **spec)
        assert answer.code == 422
        assert '"spec" must validate one and only one schema (oneOf)' in answer.message


def test_null_is_kept_where_it_may_stand_and_absent_elsewhere(things: Things) -> None:
    things.define(
        of(
            kept=TEXT | {"nullable": True, "default": "x"},
            dropped=TEXT,
            filled=TEXT | {"default": "y"},
            demanded=TEXT | {"nullable": True},
        )
        | {"required": ["demanded"]}
    )
    created = things.create(kept=None, dropped=None, filled=None, demanded=None)
    assert created.code == 201
    assert created.object["spec"] == {"kept": None, "filled": "y", "demanded": None}


def test_a_default_is_filled_in_below_a_default(things: Things) -> None:
    inner = of(size=WHOLE | {"default": 3}, name=TEXT) | {"default": {"name": "n"}}
    things.define(of(inner=inner, list={"type": "array", "items": of(size=WHOLE | {"default": 1})}))
    assert things.create(list=[{}, {"size": 2}]).object["spec"] == {
        "inner": {"name": "n", "size": 3},
        "list": [{"size": 1}, {"size": 2}],
    }


def test_an_embedded_resource_is_an_object_of_its_own(things: Things) -> None:
    things.define(of(pod={"type": "object", "x-kubernetes-embedded-resource": True, "properties": {"extra": TEXT}}))
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p", "labels": {"a": "b"}}, "extra": "e"}
    assert things.create("a", pod=pod | {"odd": 1}).object["spec"]["pod"] == pod
    answer = things.create("b", pod={"metadata": {"name": "p"}})
    assert answer.code == 422
    assert "spec.pod.apiVersion: Required value: must not be empty" in answer.message
    assert "spec.pod.kind: Required value: must not be empty" in answer.message


def test_a_field_may_be_left_to_its_owner(things: Things) -> None:
    things.define(of(free={"type": "object", "x-kubernetes-preserve-unknown-fields": True, "properties": {"n": WHOLE}}))
    free = {"n": 1, "deep": [{"anything": None}]}
    assert things.create("a", free=free).object["spec"]["free"] == free
    assert things.create("b", free={"n": "one"}).code == 422


ITEMS = of(name=TEXT, count=WHOLE, parts={"type": "array", "items": TEXT}) | {"required": ["name"]}
BY_KEY = {"type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"], "items": ITEMS}


@pytest.mark.parametrize(
    ("field", "place", "message"),
    [
        ({}, ".type", "Required value: must not be empty for specified object fields"),
        ({"type": "array"}, ".items", "Required value: must be specified"),
        ({"type": "array", "items": {}}, ".items.type", "Required value: must not be empty for specified array items"),
        ({"type": "foo"}, ".type", 'Unsupported value: "foo": supported values: '),
        (TEXT | {"$ref": "#/x"}, ".$ref", "Forbidden: $ref is not supported"),
        (TEXT | {"uniqueItems": True}, ".uniqueItems", "Forbidden: uniqueItems cannot be set to true"),
        (
            of(a=TEXT) | {"additionalProperties": TEXT},
            ".additionalProperties",
            "Forbidden: additionalProperties and properties are mutual exclusive",
        ),
        (TEXT | {"anyOf": [{"type": "string"}]}, ".anyOf[0].type", "Forbidden: must be empty to be structural"),
        (TEXT | {"not": {"default": "a"}}, ".not.default", "Forbidden: must be undefined to be structural"),
        (
            of(a=TEXT) | {"oneOf": [{"properties": {"b": {"pattern": "x"}}}]},
            ".properties[b]",
            "Required value: because it is defined in ",
        ),
        (WHOLE | {"default": "a"}, ".default", 'must be of type integer: "string"'),
        (of(a=TEXT) | {"default": {"b": 1}}, ".default", "Invalid value"),
        (
            {key: BY_KEY[key] for key in ("type", "items", "x-kubernetes-list-type")},
            ".x-kubernetes-list-map-keys",
            "Required value: must not be empty if x-kubernetes-list-type is map",
        ),
        (
            BY_KEY | {"x-kubernetes-list-map-keys": ["nothing"]},
            ".x-kubernetes-list-map-keys",
            "entries must all be names of item properties",
        ),
        (
            BY_KEY | {"x-kubernetes-list-map-keys": ["name", "count"]},
            ".items.properties[count].default",
            "this property is in x-kubernetes-list-map-keys, so it must have a default or be a required property",
        ),
        (
            BY_KEY | {"x-kubernetes-list-map-keys": ["name", "parts"]},
            ".items.properties[parts].type",
            "must be a scalar type if parent array's x-kubernetes-list-type is map",
        ),
        (
            TEXT | {"x-kubernetes-list-map-keys": ["a"]},
            ".x-kubernetes-list-type",
            "must be map if x-kubernetes-list-map-keys is non-empty",
        ),
        (TEXT | {"x-kubernetes-list-type": "set"}, ".type", "must be array if x-kubernetes-list-type is specified"),
        (TEXT | {"x-kubernetes-map-type": "atomic"}, ".type", "must be object if x-kubernetes-map-type is specified"),
        (
            {"type": "array", "items": TEXT, "x-kubernetes-list-type": "bag"},
            ".x-kubernetes-list-type",
            'Unsupported value: "bag"',
        ),
        (
            {"type": "array", "items": of(a=TEXT), "x-kubernetes-list-type": "set"},
            ".items.x-kubernetes-map-type",
            "must be atomic as item of a list with x-kubernetes-list-type=set",
        ),
        (
            TEXT | {"x-kubernetes-embedded-resource": True},
            ".type",
            "must be object if x-kubernetes-embedded-resource is true",
        ),
        (
            {"type": "object", "x-kubernetes-preserve-unknown-fields": False},
            ".x-kubernetes-preserve-unknown-fields",
            "must be true or undefined",
        ),
        ({"type": "array", "items": [TEXT]}, ".items", "items must be a schema object and not an array"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_a_schema_must_be_structural(api: RawApi, things: Things, field: Object, place: str, message: str) -> None:
    answer = api.create(DEFINITIONS, things.definition(of(field=field)))
    assert (answer.code, answer.reason) == (422, "Invalid")
    assert f"openAPIV3Schema.properties[spec].properties[field]{place}" in answer.message
    assert message in answer.message


@pytest.mark.parametrize(
    ("schema", "message"),
    [
        ({}, "openAPIV3Schema.type: Required value: must not be empty at the root"),
        ({"type": "string"}, 'openAPIV3Schema.type: Invalid value: "string": must be object at the root'),
        (
            {"type": "object", "additionalProperties": TEXT},
            "openAPIV3Schema.additionalProperties: Forbidden: must not be used at the root",
        ),
        (
            of(metadata=of(labels={"type": "object", "additionalProperties": TEXT})),
            "must not specify anything other than name and generateName, but metadata is implicitly specified",
        ),
        (of(kind=WHOLE), "openAPIV3Schema.properties[kind].type: Invalid value: "),
        (
            of(kind=TEXT | {"default": "Thing"}),
            "openAPIV3Schema.properties[kind].default: Forbidden: must not be set in top-level kind",
        ),
        (
            {"type": "object", "nullable": True},
            "openAPIV3Schema.nullable: Forbidden: nullable cannot be true at the root",
        ),
    ],
    ids=lambda value: str(value)[:40],
)
def test_the_root_of_a_schema_has_rules_of_its_own(api: RawApi, things: Things, schema: Object, message: str) -> None:
    answer = api.create(DEFINITIONS, things.definition(schema={"openAPIV3Schema": schema}))
    assert answer.code == 422
    assert message in answer.message


@pytest.mark.parametrize(
    "field",
    [
        {"x-kubernetes-int-or-string": True, "anyOf": [{"type": "integer"}, {"type": "string"}]},
        {
            "x-kubernetes-int-or-string": True,
            "allOf": [{"anyOf": [{"type": "integer"}, {"type": "string"}]}, {"maxLength": 4}],
        },
        {"x-kubernetes-preserve-unknown-fields": True},
        {"type": "object", "x-kubernetes-map-type": "atomic", "properties": {"a": TEXT}},
        {"type": "object", "x-kubernetes-embedded-resource": True, "x-kubernetes-preserve-unknown-fields": True},
        {"type": "array", "x-kubernetes-list-type": "set", "items": TEXT},
        BY_KEY,
        TEXT | {"title": "t", "description": "d", "example": "e", "externalDocs": {"url": "https://example.com"}},
    ],
    ids=lambda value: str(value)[:40],
)
def test_a_structural_schema_is_accepted(things: Things, field: Object) -> None:
    things.define(of(field=field))
