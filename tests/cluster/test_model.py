"""Storage, watch and apply against a simple model, whatever is done in whatever order.

By default some examples are tried, always the same ones; with ``--deep`` many more, and others each time.
"""

import itertools
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from tests.cluster.model import ALWAYS, SELECTORS, Conflict, Leaf, Model, State, apply, write
from tests.cluster.raw_api import MADE, Answer, Object, RawApi

NAMES = st.sampled_from(["a", "b"])
VALUES = st.sampled_from(["1", "2"])
COLOURS = st.sampled_from(["red", "blue"])
LEAVES = st.fixed_dictionaries(
    {},
    optional={("data", "x"): VALUES, ("data", "y"): VALUES, ("labels", "colour"): COLOURS, ("labels", "size"): VALUES},
)
CHANGES = st.fixed_dictionaries(
    {},
    optional={
        ("data", "x"): VALUES | st.none(),
        ("data", "y"): VALUES | st.none(),
        ("labels", "colour"): COLOURS | st.none(),
    },
)
MANAGERS = st.sampled_from(["anna", "ben"])
VERSIONS = st.sampled_from(["right", "stale", "none"])
# Mostly for good, sometimes for show.
DRY = st.integers(0, 4).map(lambda number: number == 4)

_numbers = itertools.count()


def body(name: str, leaves: Mapping[Leaf, str | None]) -> Object:
    """A ConfigMap with these fields."""
    parts: dict[str, dict[str, str | None]] = {"data": {}, "labels": {}}
    for (part, key), value in leaves.items():
        parts[part][key] = value
    metadata = {"name": name, "labels": parts["labels"]}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": parts["data"]}


def read(found: Object) -> State:
    """An object as the model has it."""
    metadata = found["metadata"]
    leaves = {("data", key): value for key, value in found["data"].items()}
    leaves |= {("labels", key): value for key, value in metadata["labels"].items()}
    owners: dict[tuple[str, str], frozenset[Leaf]] = {}
    for entry in metadata["managedFields"]:
        fields = entry["fieldsV1"]
        held = {("data", key[2:]) for key in fields.get("f:data", {}) if key != "."}
        labels = fields.get("f:metadata", {}).get("f:labels", {})
        held |= {("labels", key[2:]) for key in labels if key != "."}
        owners[entry["manager"], entry["operation"]] = frozenset(held)
    return State(leaves, {owner: held for owner, held in owners.items() if held}, metadata["resourceVersion"])


class Cluster(RuleBasedStateMachine):
    """A namespace of a cluster beside its model."""

    api: ClassVar[RawApi]

    def __init__(self) -> None:
        super().__init__()
        self.model = Model()
        self.namespace = f"model-{next(_numbers)}"
        self.path = f"/api/v1/namespaces/{self.namespace}/configmaps"

    @initialize(leaves=LEAVES, changes=CHANGES)
    def make_namespace(self, leaves: dict[Leaf, str], changes: dict[Leaf, str | None]) -> None:
        namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": self.namespace}}
        assert self.api.create("/api/v1/namespaces", namespace).code == 201
        self.model.remember(self.api.get(self.path).version)
        for name in ("a", "b", "c"):
            self.create(name, leaves, dry=False)
        self.patch("b", changes, dry=False)

    def teardown(self) -> None:
        self.api.delete(f"/api/v1/namespaces/{self.namespace}")

    def written(self, name: str, answer: Answer, state: State, *, dry: bool) -> None:
        """See that a write was answered as the model has it, and keep it unless it was for show."""
        assert answer.code in {200, 201}, answer.message
        found = read(answer.object) if not dry else None
        if found:
            assert (found.leaves, found.owners) == (state.leaves, state.owners)
            self.model.put(name, state, found.version)

    @rule(name=NAMES, leaves=LEAVES, dry=DRY)
    def create(self, name: str, leaves: dict[Leaf, str], dry: bool) -> None:
        wanted = ALWAYS | leaves
        answer = self.api.create(self.path, body(name, wanted), fieldManager="writer", **_dry(dry))
        if name in self.model.objects:
            assert (answer.code, answer.reason) == (409, "AlreadyExists")
        else:
            self.written(name, answer, write(None, wanted, "writer"), dry=dry)

    @rule(name=NAMES, leaves=LEAVES, version=VERSIONS, dry=DRY)
    def replace(self, name: str, leaves: dict[Leaf, str], version: str, dry: bool) -> None:
        before, wanted = self.model.objects.get(name), ALWAYS | leaves
        whole = body(name, wanted)
        if version != "none":
            whole["metadata"]["resourceVersion"] = before.version if before and version == "right" else "1"
        answer = self.api.replace(f"{self.path}/{name}", whole, fieldManager="writer", **_dry(dry))
        if before is None:
            assert (answer.code, answer.reason) == (404, "NotFound")
        elif version == "stale":
            assert (answer.code, answer.reason) == (409, "Conflict")
        else:
            self.written(name, answer, write(before, wanted, "writer"), dry=dry)

    @rule(name=NAMES, changes=CHANGES, dry=DRY)
    def patch(self, name: str, changes: dict[Leaf, str | None], dry: bool) -> None:
        before = self.model.objects.get(name)
        answer = self.api.patch(f"{self.path}/{name}", body(name, changes), fieldManager="patcher", **_dry(dry))
        if before is None:
            assert (answer.code, answer.reason) == (404, "NotFound")
            return
        leaves = {leaf: value for leaf, value in {**before.leaves, **changes}.items() if value is not None}
        self.written(name, answer, write(before, leaves, "patcher"), dry=dry)

    @rule(name=NAMES, leaves=LEAVES, manager=MANAGERS, force=st.booleans(), dry=DRY)
    def apply(self, name: str, leaves: dict[Leaf, str], manager: str, force: bool, dry: bool) -> None:
        wanted = ALWAYS | leaves
        options = {"force": "true"} if force else {}
        answer = self.api.apply(f"{self.path}/{name}", body(name, wanted), manager, **options, **_dry(dry))
        try:
            state = apply(self.model.objects.get(name), wanted, manager, force=force)
        except Conflict:
            assert (answer.code, answer.reason) == (409, "Conflict")
            assert "Apply failed with" in answer.message
        else:
            self.written(name, answer, state, dry=dry)

    @precondition(lambda self: self.model.objects)
    @rule(name=NAMES, version=VERSIONS, dry=DRY)
    def delete(self, name: str, version: str, dry: bool) -> None:
        before = self.model.objects.get(name)
        wanted = before.version if before and version == "right" else "1"
        options: Object = {} if version == "none" else {"preconditions": {"resourceVersion": wanted}}
        # Where options are in the body, those in the query count for nothing.
        answer = self.api.delete(f"{self.path}/{name}", options | ({"dryRun": ["All"]} if dry else {}))
        if before is None:
            assert (answer.code, answer.reason) == (404, "NotFound")
        elif version == "stale":
            assert (answer.code, answer.reason) == (409, "Conflict")
        else:
            assert answer.code == 200
            if not dry:
                self.model.drop(name)

    @rule(name=NAMES, manager=MANAGERS)
    def share_all(self, name: str, manager: str) -> None:
        """What is there already can be applied by anybody, and is owned by all who did."""
        if before := self.model.objects.get(name):
            self.apply(name, dict(before.leaves), manager, force=False, dry=False)

    @rule(name=NAMES, manager=MANAGERS, data=st.data())
    def give_up(self, name: str, manager: str, data: st.DataObject) -> None:
        """Who leaves a field out that they applied gives it up; it goes unless others own it."""
        before = self.model.objects.get(name)
        held = before.owners.get((manager, "Apply"), frozenset()) - ALWAYS.keys() if before else frozenset()
        if before and held:
            gone = data.draw(st.sampled_from(sorted(held)))
            rest = {leaf: before.leaves[leaf] for leaf in held - {gone}}
            self.apply(name, rest, manager, force=False, dry=False)

    @precondition(lambda self: len(self.model.objects) > 3)
    @rule(selector=st.sampled_from([*SELECTORS]))
    def delete_some(self, selector: str) -> None:
        assert self.api.delete(self.path, labelSelector=selector, fieldSelector=MADE).code == 200
        for name in self.model.select(selector, self.model.objects):
            self.model.drop(name)

    @rule(selector=st.sampled_from([*SELECTORS]), limit=st.sampled_from([0, 1, 2]))
    def list_all(self, selector: str, limit: int) -> None:
        found, rest = [], ""
        while True:
            query = {"labelSelector": selector, "fieldSelector": MADE}
            query |= ({"limit": str(limit)} if limit else {}) | ({"continue": rest} if rest else {})
            answer = self.api.get(self.path, **query)
            assert answer.code == 200, answer.message
            found += answer.object["items"]
            rest = answer.object["metadata"].get("continue", "")
            if not rest:
                break
        assert [item["metadata"]["name"] for item in found] == self.model.select(selector, self.model.objects)
        assert all(read(item) == self.model.objects[item["metadata"]["name"]] for item in found)
        self.model.remember(answer.version)

    @rule(data=st.data(), selector=st.sampled_from([*SELECTORS]))
    def look_back(self, data: st.DataObject, selector: str) -> None:
        version, since, objects = data.draw(st.sampled_from(self.model.moments))
        self.list_as_it_was(version, objects, selector)
        self.watch(version, since, selector)

    def list_as_it_was(self, version: str, objects: Mapping[str, State], selector: str) -> None:
        query = {"resourceVersion": version, "resourceVersionMatch": "Exact"}
        query |= {"labelSelector": selector, "fieldSelector": MADE}
        answer = self.api.get(self.path, **query)
        assert (answer.code, answer.version) == (200, version)
        names = [item["metadata"]["name"] for item in answer.object["items"]]
        assert names == self.model.select(selector, objects)
        assert all(read(item) == objects[item["metadata"]["name"]] for item in answer.object["items"])

    def watch(self, version: str, since: int, selector: str) -> None:
        # Something that the selector takes comes last: so nothing was left out before it, and nothing came between.
        colour = {} if SELECTORS[selector]({}) else {("labels", "colour"): "red"}
        end = f"end-{next(_numbers)}"
        answer = self.api.create(self.path, body(end, ALWAYS | colour), fieldManager="writer")
        self.written(end, answer, write(None, ALWAYS | colour, "writer"), dry=False)
        expected = [*self.model.events(since, selector)]
        with self.api.watch(self.path, resourceVersion=version, labelSelector=selector, fieldSelector=MADE) as events:
            seen = [*itertools.islice(events, len(expected))]
        assert [(each["type"], each["object"]["metadata"]["name"]) for each in seen] == [each[:2] for each in expected]
        for event, (_, _, state) in zip(seen, expected, strict=True):
            found = read(event["object"])
            assert (found.leaves, found.owners) == (state.leaves, state.owners)
            assert event["type"] == "DELETED" or found.version == state.version
        versions = [int(event["object"]["metadata"]["resourceVersion"]) for event in seen]
        assert versions == sorted({*versions})
        assert all(each > int(version) for each in versions)

    @invariant()
    def revisions_grow(self) -> None:
        versions = [int(version) for version, *_ in self.model.moments]
        assert versions == sorted(versions)


def _dry(dry: bool) -> dict[str, Any]:
    return {"dryRun": "All"} if dry else {}


@pytest.fixture
def machine(api: RawApi) -> Iterator[type[Cluster]]:
    """Return the machine, speaking to the cluster."""
    Cluster.api = api
    yield Cluster
    del Cluster.api


def test_whatever_is_done_storage_watch_and_apply_are_as_the_model_has_them(
    machine: type[Cluster], request: pytest.FixtureRequest
) -> None:
    is_deep = request.config.getoption("--deep")
    options = settings(
        max_examples=1_000 if is_deep else 30,
        stateful_step_count=80 if is_deep else 30,
        derandomize=not is_deep,
        deadline=None,
        database=None,
        print_blob=True,
        suppress_health_check=[*HealthCheck],
    )
    run_state_machine_as_test(machine, settings=options)
