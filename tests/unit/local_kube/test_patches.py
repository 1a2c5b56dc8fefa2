"""The laws and the table of patches."""

import copy
import re
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kfambassador.local.kube.documents.document import Json
from kfambassador.local.kube.schemas.schema import STRING, array, read_schema, record
from kfambassador.local.kube.writes.patches import BadPatch, UnfitPatch, json_patch, merge_patch
from kfambassador.local.kube.writes.strategic import strategic_patch
from tests.unit.local_kube.schemas import keyed, table, unique


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
        ([{"op": "add", "path": "/a"}], UnfitPatch),
        ([{"op": "add", "value": 1}], UnfitPatch),
        ([{"op": "add", "path": "a", "value": 1}], UnfitPatch),
        ([{"op": "move", "path": "/a"}], UnfitPatch),
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


@pytest.mark.parametrize("operation", ["remove", "replace", "test"])
def test_a_path_that_is_missing_is_named_whole_and_as_it_was_written(operation: str) -> None:
    patch: Json = [{"op": operation, "path": "/metadata/annotations/a~1b~0c", "value": 1}]
    with pytest.raises(UnfitPatch, match=r"^the path '/metadata/annotations/a~1b~0c' does not exist$"):
        json_patch({"metadata": {"annotations": {}}}, patch)


def test_a_json_patch_changes_neither_its_object_nor_itself() -> None:
    target: Json = {"a": {"l": [1]}}
    patch: Json = [
        {"op": "copy", "from": "/a", "path": "/b"},
        {"op": "add", "path": "/b/l/-", "value": 2},
        {"op": "add", "path": "/c", "value": {}},
        {"op": "add", "path": "/c/d", "value": 3},
        {"op": "move", "from": "/b/l", "path": "/c/l"},
    ]
    given = copy.deepcopy((target, patch))
    assert json_patch(target, patch) == {"a": {"l": [1]}, "b": {}, "c": {"d": 3, "l": [1, 2]}}
    assert (target, patch) == given


def test_a_json_patch_moves_nothing_into_itself() -> None:
    with pytest.raises(UnfitPatch):
        json_patch({"a": {"b": 1}}, [{"op": "move", "from": "/a", "path": "/a/c"}])


MANY: Final = 5_000  # which took half a minute while each step looked through all there was


def test_a_json_patch_of_many_steps_to_a_large_object() -> None:
    patch: Json = [{"op": "add", "path": f"/more/{number}", "value": 1} for number in range(MANY)]
    patched = json_patch({"more": {f"k{number}": 1 for number in range(10 * MANY)}}, patch)
    assert isinstance(patched, dict)
    assert isinstance(patched["more"], dict)
    assert len(patched["more"]) == 11 * MANY


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
        (
            [{"port": 1, "$patch": "delete"}, {"port": 1}, {"port": 1, "name": "b"}],
            [{"port": 2}, {"port": 1, "name": "b"}],
        ),
        ([{"port": 9, "$patch": "delete"}], PORTS),
        ([{"port": True}], [{"port": 1, "name": "a", "tags": {"x": "1"}}, {"port": 2}, {"port": True}]),
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
    shown = re.escape("map: map[a:[1 <nil>] b:true name:x] does not contain declared merge key: port")
    with pytest.raises(BadPatch, match=shown):
        strategic_patch({"ports": PORTS}, {"ports": [{"name": "x", "a": [1, None], "b": True}]}, SCHEMA)


def test_a_strategic_patch_of_many_items() -> None:
    ports: list[Json] = [{"port": number} for number in range(MANY)]
    named: list[Json] = [{"port": number, "name": "b"} for number in reversed(range(MANY))]
    patch: Json = {"ports": named, "$setElementOrder/ports": [*named]}
    assert strategic_patch({"ports": ports}, patch, SCHEMA) == {"ports": named}
