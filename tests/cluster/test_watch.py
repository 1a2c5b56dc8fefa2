"""Watches: every change once, in order, from any version that is still known."""

from itertools import islice
from pathlib import Path

import pytest
import requests

from kfambassador.local.kube.server import KubeServer
from tests.cluster.raw_api import MADE, Object, RawApi, Trusting, config_map

TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io"


def seen(event: Object) -> tuple[str, str]:
    return event["type"], event["object"]["metadata"]["name"]


def test_changes_arrive_in_order(api: RawApi, config_maps: str) -> None:
    start = api.get(config_maps).version
    with api.watch(config_maps, resourceVersion=start) as events:
        api.create(config_maps, config_map("a"))
        api.patch(f"{config_maps}/a", {"data": {"key": "other"}})
        api.delete(f"{config_maps}/a")
        found = list(islice(events, 3))
    assert [seen(event) for event in found] == [("ADDED", "a"), ("MODIFIED", "a"), ("DELETED", "a")]
    versions = [int(event["object"]["metadata"]["resourceVersion"]) for event in found]
    assert versions == sorted(versions)
    assert versions[0] > int(start)


def test_a_watch_takes_up_where_another_ended(api: RawApi, config_maps: str) -> None:
    first = api.create(config_maps, config_map("a"))
    api.create(config_maps, config_map("b"))
    with api.watch(config_maps, resourceVersion=first.version) as events:
        assert seen(next(events)) == ("ADDED", "b")


@pytest.mark.parametrize("version", [{}, {"resourceVersion": "0"}])
def test_a_watch_without_a_version_begins_with_the_present(
    api: RawApi, config_maps: str, version: dict[str, str]
) -> None:
    api.create(config_maps, config_map("a"))
    with api.watch(config_maps, fieldSelector=MADE, **version) as events:
        assert seen(next(events)) == ("ADDED", "a")
        api.create(config_maps, config_map("b"))
        assert seen(next(events)) == ("ADDED", "b")


def test_initial_events_end_with_a_bookmark(api: RawApi, config_maps: str) -> None:
    api.create(config_maps, config_map("a"))
    query = {"sendInitialEvents": "true", "allowWatchBookmarks": "true", "resourceVersionMatch": "NotOlderThan"}
    with api.watch(config_maps, fieldSelector=MADE, **query) as events:
        added, bookmark = islice(events, 2)
    assert seen(added) == ("ADDED", "a")
    assert bookmark["type"] == "BOOKMARK"
    assert bookmark["object"]["metadata"]["annotations"] == {"k8s.io/initial-events-end": "true"}


def test_a_quiet_watch_ends_with_a_bookmark(api: RawApi, config_maps: str) -> None:
    start = api.create(config_maps, config_map("a")).version
    with api.watch(config_maps, resourceVersion=start, timeoutSeconds=1, allowWatchBookmarks="true") as events:
        (bookmark,) = events
    assert (bookmark["type"], bookmark["object"]["kind"]) == ("BOOKMARK", "ConfigMap")
    assert int(bookmark["object"]["metadata"]["resourceVersion"]) >= int(start)


def test_a_selector_sees_objects_come_and_go(api: RawApi, config_maps: str) -> None:
    start = api.create(config_maps, config_map("a")).version
    with api.watch(config_maps, resourceVersion=start, labelSelector="on=yes") as events:
        for value in ("yes", "yes", "no", "yes"):
            api.patch(f"{config_maps}/a", {"metadata": {"labels": {"on": value}}, "data": {"key": value}})
        api.patch(f"{config_maps}/a", {"data": {"key": "x"}})
        found = [seen(event)[0] for event in islice(events, 4)]
    assert found == ["ADDED", "DELETED", "ADDED", "MODIFIED"]


def test_one_object_can_be_watched(api: RawApi, config_maps: str) -> None:
    start = api.create(config_maps, config_map("a")).version
    with api.watch(f"{config_maps}/b", resourceVersion=start) as events:
        api.patch(f"{config_maps}/a", {"data": {"key": "x"}})
        api.create(config_maps, config_map("b"))
        assert seen(next(events)) == ("ADDED", "b")


def test_the_old_paths_of_watches_are_served(api: RawApi, config_maps: str, namespace: str) -> None:
    start = api.create(config_maps, config_map("a")).version
    api.create(config_maps, config_map("b"))
    of_namespace = f"/api/v1/watch/namespaces/{namespace}/configmaps"
    for path in (of_namespace, f"{of_namespace}/b", "/api/v1/watch/configmaps"):
        with api.watch(path, watch="", resourceVersion=start) as events:
            assert seen(next(events)) == ("ADDED", "b")
    assert api.delete(of_namespace).code == 405
    assert api.get("/api/v1/watch/nothing").code == 404


def test_other_namespaces_are_not_seen(api: RawApi, config_maps: str) -> None:
    start = api.get(config_maps).version
    elsewhere = "/api/v1/namespaces/default/configmaps"
    with api.watch(config_maps, resourceVersion=start) as events:
        api.create(elsewhere, config_map("elsewhere"))
        api.create(config_maps, config_map("here"))
        assert seen(next(events)) == ("ADDED", "here")
    api.delete(f"{elsewhere}/elsewhere")


def test_a_version_that_is_no_longer_known_is_gone(tmp_path: Path) -> None:
    # A server that was restarted knows its objects, and no changes from before.
    with KubeServer(state=tmp_path) as server:
        before = RawApi(server.url, server.token, server.authority)
        first = before.create("/api/v1/namespaces/default/configmaps", config_map("a"))
        before.create("/api/v1/namespaces/default/configmaps", config_map("b"))
        before.close()
    with KubeServer(state=tmp_path) as server:
        after = RawApi(server.url, server.token, server.authority)
        with after.watch("/api/v1/configmaps", resourceVersion=first.version) as events:
            (event,) = events
        after.close()
    assert event["type"] == "ERROR"
    assert (event["object"]["code"], event["object"]["reason"]) == (410, "Expired")
    assert "too old resource version" in event["object"]["message"]


def test_a_version_that_is_no_number_is_refused(api: RawApi, config_maps: str) -> None:
    assert api.get(config_maps, watch="1", resourceVersion="x").code == 400


def test_present_objects_of_a_version_to_come_time_out(api: RawApi, config_maps: str) -> None:
    query = {"sendInitialEvents": "true", "allowWatchBookmarks": "true", "resourceVersionMatch": "NotOlderThan"}
    answer = api.get(config_maps, watch="1", resourceVersion=10**9, **query)
    assert (answer.code, answer.reason) == (504, "Timeout")
    assert "Too large resource version" in answer.message


def test_a_watch_may_begin_without_the_present(api: RawApi, config_maps: str) -> None:
    api.create(config_maps, config_map("a"))
    query = {"sendInitialEvents": "false", "resourceVersionMatch": "NotOlderThan"}
    with api.watch(config_maps, fieldSelector=MADE, **query) as events:
        api.create(config_maps, config_map("b"))
        assert seen(next(events)) == ("ADDED", "b")


def test_events_can_be_rows_of_a_table(api: RawApi, config_maps: str) -> None:
    start = api.create(config_maps, config_map("a")).version
    with api.watch(config_maps, accept=TABLE, resourceVersion=start) as events:
        api.create(config_maps, config_map("b"))
        api.patch(f"{config_maps}/b", {"data": {"more": "x"}})
        api.delete(f"{config_maps}/b")
        found = list(islice(events, 3))
    assert [event["type"] for event in found] == ["ADDED", "MODIFIED", "DELETED"]
    assert {event["object"]["kind"] for event in found} == {"Table"}
    rows = [row for event in found for row in event["object"]["rows"]]
    assert [row["cells"][:2] for row in rows] == [["b", 1], ["b", 2], ["b", 2]]
    assert {row["object"]["kind"] for row in rows} == {"PartialObjectMetadata"}
    columns = [column["name"] for column in found[0]["object"]["columnDefinitions"]]
    assert columns == ["Name", "Data", "Age"]


@pytest.mark.parametrize("text", ["", "true", "1", "yes"])
def test_a_watch_is_asked_for_in_several_words(api: RawApi, config_maps: str, text: str) -> None:
    start = api.create(config_maps, config_map("a")).version
    api.create(config_maps, config_map("b"))
    with api.watch(config_maps, resourceVersion=start, watch=text) as events:
        assert seen(next(events)) == ("ADDED", "b")


def test_a_watch_ends_when_the_server_does() -> None:
    server = KubeServer().start()
    url = f"{server.url}/api/v1/secrets?watch=1"
    with requests.Session() as session:
        session.mount("https://", Trusting(server.authority))
        with session.get(url, headers={"Authorization": f"Bearer {server.token}"}, stream=True) as response:
            server.close()
            assert response.content == b""
