"""Pruning, defaults and validation by schema."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kfambassador.local.kube.documents.document import Document, Json
from kfambassador.local.kube.schemas import structure
from kfambassador.local.kube.schemas.schema import STRING, array, open_record, read_schema, record
from kfambassador.local.kube.schemas.structure import check, fill, prune
from tests.unit.local_kube.schemas import default, keyed, table, unique

SCHEMA = read_schema(
    record(
        {"kind": STRING},
        required=("kind",),
        spec=record(
            mode=default({"type": "string", "enum": ["a", "b"]}, "a"),
            items=array(record(required=("name",), name=STRING, port=default({"type": "integer", "minimum": 1}, 80))),
            keyed=keyed(record(name=STRING, zone=default(STRING, "z")), "name", "zone"),
            names=unique(STRING),
            labels=table(STRING),
            free=open_record(known=STRING),
            nothing={"type": "string", "nullable": True},
        ),
    )
)


@pytest.mark.parametrize(
    ("value", "kept", "unknown"),
    [
        ({"kind": "x", "odd": 1}, {"kind": "x"}, ("odd",)),
        ({"spec": {"items": [{"name": "a", "b": 1}]}}, {"spec": {"items": [{"name": "a"}]}}, ("spec.items[0].b",)),
        ({"spec": {"labels": {"any": "x"}}}, {"spec": {"labels": {"any": "x"}}}, ()),
        ({"spec": {"free": {"odd": {"deep": None}}}}, {"spec": {"free": {"odd": {"deep": None}}}}, ()),
        ({"spec": {"mode": None}}, {"spec": {}}, ()),
        ({"spec": {"nothing": None}}, {"spec": {"nothing": None}}, ()),
        ({"spec": "text"}, {"spec": "text"}, ()),
    ],
)
def test_prune(value: Json, kept: Json, unknown: tuple[str, ...]) -> None:
    pruned = prune(SCHEMA, value)
    assert (pruned.value, pruned.unknown) == (kept, unknown)


def test_null_is_absent_where_it_may_not_stand() -> None:
    value: Json = {"spec": {"labels": None, "nothing": None}}
    assert prune(SCHEMA, value).value == {"spec": {"nothing": None}}


def test_fill_goes_deep_but_invents_no_parents() -> None:
    assert fill(SCHEMA, {"kind": "x"}) == {"kind": "x"}
    assert fill(SCHEMA, {"spec": {"items": [{"name": "a"}]}}) == {
        "spec": {"mode": "a", "items": [{"name": "a", "port": 80}]}
    }


def wrong_type(field: str, wanted: str, found: str) -> str:
    return f'{field}: Invalid value: "{found}": {field} in body must be of type {wanted}: "{found}"'


@pytest.mark.parametrize(
    ("spec", "faults"),
    [
        ({"mode": "a"}, []),
        ({"mode": "c"}, ['spec.mode: Unsupported value: "c": supported values: "a", "b"']),
        ({"items": [{}]}, ["spec.items[0].name: Required value"]),
        (
            {"items": [{"name": "a", "port": 0}]},
            ["spec.items[0].port: Invalid value: 0: spec.items[0].port in body should be greater than or equal to 1"],
        ),
        ({"items": {}}, [wrong_type("spec.items", "array", "object")]),
        ({"items": [{"name": True}]}, [wrong_type("spec.items[0].name", "string", "boolean")]),
        ({"items": [{"name": "a", "port": True}]}, [wrong_type("spec.items[0].port", "integer", "boolean")]),
        ({"names": ["a", "a"]}, ['spec.names[1]: Duplicate value: "a"']),
        (
            {"keyed": [{"name": "a"}, {"name": "a", "zone": "z"}]},
            ['spec.keyed[1]: Duplicate value: {"name": "a", "zone": "z"}'],
        ),
        ({"keyed": [{"name": "a"}, {"name": "a", "zone": "y"}]}, []),
        ({"nothing": None}, []),
        ({"labels": None}, [wrong_type("spec.labels", "object", "null")]),
    ],
)
def test_check(spec: Document, faults: list[str]) -> None:
    assert [str(fault) for fault in check(SCHEMA, {"kind": "x", "spec": spec})] == faults


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["kind", "spec", "items", "name", "port", "odd", "keyed"]), inner, max_size=3)
    ),
    max_leaves=12,
)


@given(anything)
def test_whatever_comes_is_pruned_and_checked_without_an_error(value: Json) -> None:
    pruned = prune(SCHEMA, value)
    assert prune(SCHEMA, pruned.value).unknown == ()
    filled = fill(SCHEMA, pruned.value)
    assert fill(SCHEMA, filled) == filled
    assert all(str(fault) for fault in check(SCHEMA, filled))


@given(anything)
def test_a_quick_look_overlooks_nothing(value: Json) -> None:
    if structure.conforms(SCHEMA, value):
        assert not list(structure._check(SCHEMA, value, ""))


@pytest.mark.parametrize(
    "value",
    [
        {"kind": "x"},
        {
            "kind": "x",
            "spec": {"mode": "b", "items": [{"name": "a", "port": 2}], "names": ["a", "b"], "free": {"o": 1}},
        },
        {"kind": "x", "spec": {"keyed": [{"name": "a"}, {"name": "a", "zone": "y"}], "labels": {"a": "b"}}},
    ],
)
def test_a_quick_look_is_enough_for_what_has_no_fault(value: Json) -> None:
    assert structure.conforms(SCHEMA, value)


@pytest.mark.parametrize(
    "value",
    [
        {},
        {"kind": "x", "odd": 1},
        {"kind": "x", "spec": {"mode": "c"}},
        {"kind": "x", "spec": {"names": ["a", "a"]}},
        {"kind": "x", "spec": {"items": [{"name": "a", "port": 0}]}},
        {"kind": "x", "spec": {"labels": {"a": None}}},
        {"kind": "x", "spec": {"labels": []}},
    ],
)
def test_a_quick_look_sees_each_fault(value: Json) -> None:
    assert not structure.conforms(SCHEMA, value)
