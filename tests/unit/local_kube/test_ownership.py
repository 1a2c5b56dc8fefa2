"""The laws of server-side apply."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kfambassador.local.kube.documents.document import Document
from kfambassador.local.kube.kinds.ownership import ApplyConflict, Owner, apply, owners_of, record_update, with_owners
from kfambassador.local.kube.schemas.fields import (
    PRESENT,
    Path,
    list_fields,
    list_nodes,
    read_fields,
    remove_fields,
    write_fields,
)
from kfambassador.local.kube.schemas.schema import INTEGER, STRING, array, read_schema, record
from tests.unit.local_kube.schemas import atomic, keyed, table, unique

SCHEMA = read_schema(
    record(
        spec=record(
            size=INTEGER,
            labels=table(STRING),
            selector=atomic(table(STRING)),
            names=unique(STRING),
            whole=array(INTEGER),
            ports=keyed(record(port=INTEGER, name=STRING), "port"),
        ),
    )
)
ME, YOU = (Owner(name, "Apply", "v1") for name in ("me", "you"))

words = st.sampled_from(["a", "b", "c"])
ports = st.lists(
    st.fixed_dictionaries({"port": st.integers(1, 3)}, optional={"name": words}),
    min_size=1,
    max_size=3,
    unique_by=lambda port: port["port"],
)
specs = st.fixed_dictionaries(
    {},
    optional={
        "size": st.integers(0, 2),
        "labels": st.dictionaries(words, words, max_size=2),
        "selector": st.dictionaries(words, words, max_size=2),
        "names": st.lists(words, min_size=1, max_size=3, unique=True),
        "whole": st.lists(st.integers(0, 2), max_size=2),
        "ports": ports,
    },
)
configurations = st.fixed_dictionaries({"spec": specs})


def applied(live: Document | None, configuration: Document, owner: Owner, *, force: bool = True) -> Document:
    """The live object after an apply."""
    done = apply(SCHEMA, live, configuration, owner=owner, force=force)
    return with_owners(done.document, done.owners, before=live, now="now")


def holds(document: Document, fields: dict[Path, object]) -> bool:
    """Whether an object has all of these fields; one that was empty may have been filled."""
    there = list_fields(SCHEMA, document)
    filled = {path[:length] for path in there for length in range(len(path))}
    return all(there.get(path) == value or (value is PRESENT and path in filled) for path, value in fields.items())


@given(configurations)
def test_fields_survive_writing_and_reading(configuration: Document) -> None:
    paths = frozenset(list_fields(SCHEMA, configuration))
    assert read_fields(write_fields(paths)) == paths


@given(configurations, configurations)
def test_apply_does_the_same_twice(mine: Document, yours: Document) -> None:
    live = applied(applied(None, yours, YOU), mine, ME)
    assert applied(live, mine, ME, force=False) == live


@given(configurations, configurations)
def test_what_is_applied_is_there_and_owned(mine: Document, yours: Document) -> None:
    live = applied(applied(None, yours, YOU), mine, ME)
    assert holds(live, list_fields(SCHEMA, mine))
    assert owners_of(live).get(ME, frozenset()) == frozenset(list_fields(SCHEMA, mine))


@given(configurations, configurations)
def test_an_only_owner_can_change_everything(first: Document, second: Document) -> None:
    live = applied(applied(None, first, ME), second, ME, force=False)
    assert list_fields(SCHEMA, live) == list_fields(SCHEMA, second)


@given(configurations, configurations)
def test_giving_everything_up_leaves_what_others_own(mine: Document, yours: Document) -> None:
    live = applied(applied(None, yours, YOU), mine, ME)
    there = list_fields(SCHEMA, live)
    kept = {path: there.get(path, PRESENT) for path in owners_of(live).get(YOU, frozenset())}
    assert holds(applied(live, {}, ME, force=False), kept)


@given(configurations, configurations)
def test_no_field_of_others_changes_unforced(mine: Document, yours: Document) -> None:
    before = applied(None, yours, YOU)
    try:
        after = applied(before, mine, ME, force=False)
    except ApplyConflict as conflict:
        assert conflict.conflicts  # noqa: PT017 - the other branch is a success
        return
    assert holds(after, list_fields(SCHEMA, before))


@given(configurations, configurations)
def test_an_update_owns_what_it_changed(before: Document, after: Document) -> None:
    editor = Owner("editor", "Update", "v1")
    live = applied(None, before, ME)
    edited = record_update(SCHEMA, after, before=live, owner=editor, now="now")
    old, new = list_nodes(SCHEMA, before), list_nodes(SCHEMA, after)
    owners = owners_of(edited)
    changed = {path for path, value in new.items() if old.get(path, object()) != value}
    assert owners.get(editor, frozenset()) == changed
    assert owners.get(ME, frozenset()) == list_fields(SCHEMA, before).keys() & new.keys() - changed


@given(configurations)
def test_removing_every_field_leaves_nothing(configuration: Document) -> None:
    left = remove_fields(SCHEMA, configuration, frozenset(list_fields(SCHEMA, configuration)))
    assert isinstance(left, dict)
    assert list_fields(SCHEMA, left) == {}


def test_a_field_that_nobody_changes_keeps_its_time() -> None:
    live = with_owners({"spec": {}}, {ME: frozenset({("f:spec",)})}, before=None, now="then")
    again = with_owners(live, {ME: frozenset({("f:spec",)})}, before=live, now="now")
    assert again == live


@pytest.mark.parametrize("junk", [1, "x", ["y"], {"f:a": 1, "f:b": {}}])
def test_fields_that_are_none_are_passed_over(junk: object) -> None:
    entry = {"manager": "me", "operation": "Apply", "apiVersion": "v1", "fieldsV1": {"f:spec": junk}}
    (paths,) = owners_of({"metadata": {"managedFields": [entry]}}).values()
    assert paths <= {("f:spec", "f:b")}


def test_conflicts_are_told_by_owner() -> None:
    controller = Owner("controller", "Update", "apps/v1", "status")
    one = ApplyConflict(((controller, ("f:status", "f:replicas")),))
    expected = 'conflict with "controller" with subresource "status" using apps/v1: .status.replicas'
    assert str(one) == f"Apply failed with 1 conflict: {expected}"
