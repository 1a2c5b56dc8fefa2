"""The laws and the table of patches."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kfambassador.local.kube.documents import Json
from kfambassador.local.kube.patches import BadPatch, UnfitPatch, json_patch, merge_patch
from kfambassador.local.kube.schema import STRING, array, keyed, read_schema, record, table, unique
from kfambassador.local.kube.strategic import strategic_patch


def objects_of(inner: st.SearchStrategy[Json]) -> st.SearchStrategy[dict[str, Json]]:
    return st.dictionaries(st.sampled_from("abc"), inner, max_size=3)


scalars = st.booleans() | st.integers(-3, 3) | st.text("ab", max_size=2)
values = st.recursive(scalars, lambda inner: st.lists(inner, max_size=3) | objects_of(inner), max_leaves=8)


objects = objects_of(values)


def difference(before: Json, after: Json) -> Json:
    """The merge patch that leads from one value to another."""
    if not isinstance(before, dict) or not isinstance(after, dict):
        return after
    gone: dict[str, Json] = dict.fromkeys(before.keys() - after.keys())
    return gone | {
        name: difference(before.get(name), value) for name, value in after.items() if before.get(name) != value
    }


@given(objects, objects)
def test_a_merge_patch_can_lead_anywhere(before: dict[str, Json], after: dict[str, Json]) -> None:
    assert merge_patch(before, difference(before, after)) == after


@given(values, values)
def test_a_merge_patch_does_the_same_twice(target: Json, patch: Json) -> None:
    once = merge_patch(target, patch)
    assert merge_patch(once, patch) == once


@given(objects)
def test_without_keys_a_strategic_patch_is_a_merge_patch(target: dict[str, Json]) -> None:
    patch: Json = {"a": {"b": None, "c": [1]}, "b": None}
    assert strategic_patch(target, patch, read_schema({})) == merge_patch(target, patch)


@pytest.mark.parametrize(
    ("target", "patch", "expected"),
    [
        ({"a": "b"}, {"a": "c"}, {"a": "c"}),
        ({"a": "b"}, {"b": "c"}, {"a": "b", "b": "c"}),
        ({"a": [{"b": "c"}]}, {"a": [1]}, {"a": [1]}),
        ({"a": {"b": 1}}, {"a": {"b": None}}, {"a": {}}),
        ({"e": None}, {"a": 1}, {"e": None, "a": 1}),
        ([1, 2], {"a": "b", "c": None}, {"a": "b"}),
        ({}, {"a": {"b": {"c": None}}}, {"a": {"b": {}}}),
    ],
)
def test_merge_patch(target: Json, patch: Json, expected: Json) -> None:
    assert merge_patch(target, patch) == expected


@pytest.mark.parametrize(
    ("target", "patch", "expected"),
    [
        ({"a": 1}, [{"op": "add", "path": "/b", "value": 2}], {"a": 1, "b": 2}),
        ({"a": [1]}, [{"op": "add", "path": "/a/-", "value": 2}], {"a": [1, 2]}),
        ({"a": [1]}, [{"op": "add", "path": "/a/0", "value": 0}], {"a": [0, 1]}),
        ({"a": 1}, [{"op": "add", "path": "", "value": {}}], {}),
        ({"a": {"b": 1}}, [{"op": "remove", "path": "/a/b"}], {"a": {}}),
        ({"a": [1, 2]}, [{"op": "remove", "path": "/a/0"}], {"a": [2]}),
        ({"a/b": 1, "~": 2}, [{"op": "remove", "path": "/a~1b"}, {"op": "remove", "path": "/~0"}], {}),
        ({"a": 1}, [{"op": "replace", "path": "/a", "value": None}], {"a": None}),
        ({"a": 1}, [{"op": "move", "from": "/a", "path": "/b"}], {"b": 1}),
        ({"a": 1}, [{"op": "copy", "from": "/a", "path": "/b"}], {"a": 1, "b": 1}),
        ({"a": 1}, [{"op": "test", "path": "/a", "value": 1}], {"a": 1}),
    ],
)
def test_json_patch(target: Json, patch: Json, expected: Json) -> None:
    assert json_patch(target, patch) == expected


@pytest.mark.parametrize(
    ("patch", "error"),
    [
        ({}, BadPatch),
        ([1], BadPatch),
        ([{"op": "add", "path": "/a"}], BadPatch),
        ([{"op": "add", "value": 1}], BadPatch),
        ([{"op": "add", "path": "a", "value": 1}], BadPatch),
        ([{"op": "move", "path": "/a"}], BadPatch),
        ([{"op": "remove", "path": ""}], UnfitPatch),
        ([{"op": "remove", "path": "/b"}], UnfitPatch),
        ([{"op": "replace", "path": "/b", "value": 1}], UnfitPatch),
        ([{"op": "add", "path": "/a/b", "value": 1}], UnfitPatch),
        ([{"op": "add", "path": "/l/2", "value": 1}], UnfitPatch),
        ([{"op": "add", "path": "/l/-1", "value": 1}], UnfitPatch),
        ([{"op": "test", "path": "/a", "value": 2}], UnfitPatch),
    ],
)
def test_a_json_patch_that_does_not_fit(patch: Json, error: type[Exception]) -> None:
    with pytest.raises(error):
        json_patch({"a": 1, "l": [1]}, patch)


SCHEMA = read_schema(
    record(
        ports=keyed(record(port=STRING, name=STRING, tags=table(STRING)), "port", "protocol"),
        names=unique(STRING),
        whole=array(STRING),
    )
)
PORTS: Json = [{"port": 1, "name": "a", "tags": {"x": "1"}}, {"port": 2}]


@pytest.mark.parametrize(
    ("patch", "expected"),
    [
        ([{"port": 1, "name": "b"}], [{"port": 1, "name": "b", "tags": {"x": "1"}}, {"port": 2}]),
        ([{"port": 3}], [{"port": 1, "name": "a", "tags": {"x": "1"}}, {"port": 2}, {"port": 3}]),
        ([{"port": 1, "tags": {"x": None, "y": "2"}}], [{"port": 1, "name": "a", "tags": {"y": "2"}}, {"port": 2}]),
        ([{"port": 1, "$patch": "delete"}], [{"port": 2}]),
        ([{"port": 1, "$patch": "replace"}], [{"port": 1}, {"port": 2}]),
        ([{"$patch": "replace"}, {"port": 9}], [{"port": 9}]),
    ],
)
def test_strategic_lists(patch: Json, expected: Json) -> None:
    assert strategic_patch({"ports": PORTS}, {"ports": patch}, SCHEMA) == {"ports": expected}


@pytest.mark.parametrize(
    ("target", "patch", "expected"),
    [
        ({"whole": ["a"]}, {"whole": ["b"]}, {"whole": ["b"]}),
        ({"names": ["a", "b"]}, {"names": ["b", "c"]}, {"names": ["a", "b", "c"]}),
        ({"names": ["a", "b"]}, {"$deleteFromPrimitiveList/names": ["a"]}, {"names": ["b"]}),
        ({"a": 1, "b": 2}, {"$retainKeys": ["b"], "b": 3}, {"b": 3}),
        ({"a": 1}, {"$patch": "replace", "b": 2}, {"b": 2}),
        ({"a": {"b": 1}}, {"a": {"$patch": "delete"}}, {"a": {}}),
        (
            {"ports": PORTS},
            {"$setElementOrder/ports": [{"port": 2}, {"port": 1}]},
            {"ports": [{"port": 2}, {"port": 1, "name": "a", "tags": {"x": "1"}}]},
        ),
    ],
)
def test_strategic_directives(target: Json, patch: Json, expected: Json) -> None:
    assert strategic_patch(target, patch, SCHEMA) == expected


def test_a_strategic_item_needs_its_key() -> None:
    with pytest.raises(BadPatch, match="does not contain declared merge key: port"):
        strategic_patch({"ports": PORTS}, {"ports": [{"name": "x"}]}, SCHEMA)
