"""The store against a simple model of it, and its history."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kfambassador.local.kube.store.history import Compacted
from kfambassador.local.kube.store.storage import Key, Store

INDEXES = {"colour": lambda key, document: [document["colour"]] if "colour" in document else []}

keys = st.builds(Key, st.sampled_from(["maps", "pods"]), st.sampled_from(["a", "b"]), st.sampled_from("xyz"))
writes = st.lists(st.tuples(keys, st.sampled_from(["red", "blue", None])), max_size=25)

MAP = Key("maps", "a", "x")


def play(store: Store, script: list[tuple[Key, str | None]]) -> list[dict[Key, str]]:
    """Play writes (a colour puts, None removes); return the state at each revision."""
    states: list[dict[Key, str]] = [{}]
    for key, colour in script:
        state = dict(states[-1])
        if colour is None and store.get(key) is None:
            continue
        if colour is None:
            store.remove(key, {"metadata": {"name": key.name}})
            del state[key]
        else:
            store.put(key, {"colour": colour})
            state[key] = colour
        states.append(state)
    return states


def colours(store: Store, resource: str) -> dict[Key, str]:
    return {record.key: record.document["colour"] for record in store.records(resource)}


@given(writes)
def test_the_store_is_what_was_written(script: list[tuple[Key, str | None]]) -> None:
    store = Store(None, indexes=INDEXES)
    states = play(store, script)
    assert store.revision == len(states) - 1
    for resource in ("maps", "pods"):
        assert colours(store, resource) == {key: value for key, value in states[-1].items() if key.resource == resource}
    for colour in ("red", "blue"):
        assert store.find("colour", colour) == {key for key, value in states[-1].items() if value == colour}
    store.close()


@given(writes)
def test_every_earlier_moment_can_be_listed(script: list[tuple[Key, str | None]]) -> None:
    store = Store(None, indexes=INDEXES)
    for version, state in enumerate(play(store, script)):
        found = {record.key: record.document["colour"] for record in store.records_at("maps", "", version=version)}
        assert found == {key: value for key, value in state.items() if key.resource == "maps"}
        of_a = [record.key for record in store.records_at("maps", "a", version=version)]
        assert of_a == sorted(key for key in found if key.namespace == "a")
    store.close()


@given(writes)
def test_changes_lead_from_any_moment_to_the_present(script: list[tuple[Key, str | None]]) -> None:
    store = Store(None, indexes=INDEXES)
    states = play(store, script)
    for version, state in enumerate(states):
        replayed = dict(state)
        for change in store.changes("maps", version):
            if change.after is None:
                del replayed[change.last.key]
            else:
                replayed[change.last.key] = change.after.document["colour"]
        of_maps = {key: value for key, value in replayed.items() if key.resource == "maps"}
        assert of_maps == {key: value for key, value in states[-1].items() if key.resource == "maps"}
    store.close()


def test_a_restart_forgets_changes_and_nothing_else(tmp_path: Path) -> None:
    store = Store(tmp_path / "db", indexes=INDEXES)
    record = store.put(MAP, {"colour": "red"})
    store.put(Key("maps", "a", "y"), {})
    store.remove(Key("maps", "a", "y"), {})
    store.close()
    again = Store(tmp_path / "db", indexes=INDEXES)
    assert again.get(MAP) == record
    assert again.revision == 3
    assert again.find("colour", "red") == {MAP}
    assert again.changes("maps", 3) == []
    with pytest.raises(Compacted):
        again.changes("maps", 2)
    assert again.put(MAP, {}).version == 4
    again.close()


def test_the_history_is_bounded() -> None:
    store = Store(None, indexes={}, history=10)
    for _ in range(100):
        store.put(MAP, {})
    assert 10 <= len(store.changes("maps", 90)) <= 20
    with pytest.raises(Compacted) as error:
        store.changes("maps", 0)
    assert store.changes("maps", error.value.oldest)[0].version == error.value.oldest + 1
    assert store.changes("pods", 0) == []
    store.close()


def test_listeners_are_told_after_the_write() -> None:
    store = Store(None, indexes={})
    told: list[tuple[bool, bool, int]] = []
    store.listen(lambda change: told.append((change.before is None, change.after is None, store.revision)))
    store.put(MAP, {})
    store.put(MAP, {"colour": "red"})
    removed = store.remove(MAP, {"colour": "red"})
    assert told == [(True, False, 1), (False, False, 2), (False, True, 3)]
    assert removed.document["metadata"]["resourceVersion"] == "3"
    assert b'"resourceVersion":"3"' in removed.body
    store.close()


def test_the_history_is_bounded_by_what_it_holds() -> None:
    store = Store(None, indexes={}, history_bytes=10_000)
    large = {"text": "x" * 1_000}
    store.put(Key("pods", "a", "x"), {"colour": "red"})
    for _ in range(100):
        store.put(MAP, large)
    with pytest.raises(Compacted) as error:
        store.changes("maps", 0)
    kept = store.changes("maps", error.value.oldest)
    assert 4 <= len(kept) <= 10
    assert kept[-1].version == store.revision
    assert len(store.changes("pods", 0)) == 1  # what is small does not go for what is large
    store.close()


def test_old_changes_are_kept_as_texts_and_still_tell_all() -> None:
    store = Store(None, indexes={})
    for number in range(1_000):
        store.put(MAP, {"number": number})
    store.remove(MAP, {"number": 1_000})
    changes = store.changes("maps", 0)
    assert [change.last.document["number"] for change in changes] == [*range(1_001)]
    assert [change.before.document["number"] for change in changes if change.before] == [*range(1_000)]
    store.close()
