"""Fairness: who asks for much holds nobody else up, and everybody sees all writes in their order."""

import json
import select
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from http.client import HTTPResponse

import pytest

from tests.cluster.raw_api import APPLY_PATCH, JSON_PATCH, MERGE_PATCH, Object, RawApi, config_map, connect
from tests.cluster.servers import Server
from tests.cluster.things import Things

pytestmark = pytest.mark.embedded

PORTS = 12_000
MANY = 1_500
ROUNDS = 6  # with two requests each: more than are answered until a server has read a large request
FEW_ROUNDS = 2  # the same where a request has no body
LONG = "x" * 10_000
LABELS = {"many": "yes"}


def many_ports(number: int = PORTS) -> Object:
    ports = [{"name": f"p{each}", "port": 1 + each, "targetPort": 1 + each} for each in range(number)]
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "large"}, "spec": {"ports": ports}}


class Request:
    """A request that is sent, and whose answer nobody waits for yet."""

    def __init__(
        self, server: Server, method: str, path: str, body: bytes = b"", media: str = "", accept: str = "*/*"
    ) -> None:
        self._socket = connect(server)
        self._head = f"Host: localhost\r\nAuthorization: Bearer {server.token}\r\n"
        self._send("GET", "/version")  # from now on nothing comes but the answer
        assert self.read() == 200
        self._head += f"Accept: {accept}\r\n"
        self._send(method, path, body, media)

    def _send(self, method: str, path: str, body: bytes = b"", media: str = "") -> None:
        about = f"Content-Type: {media}\r\nContent-Length: {len(body)}\r\n"
        self._socket.sendall(f"{method} {path} HTTP/1.1\r\n{self._head}{about}\r\n".encode() + body)

    def is_answered(self) -> bool:
        """Whether some of the answer is there."""
        return self._socket.pending() > 0 or bool(select.select([self._socket], [], [], 0)[0])

    def read(self) -> int:
        """Wait for the answer; give its status."""
        answer = HTTPResponse(self._socket)
        answer.begin()
        answer.read()
        return answer.status

    def close(self) -> None:
        self._socket.close()


@contextmanager
def sent(
    server: Server, method: str, path: str, body: object = None, media: str = "", accept: str = "*/*"
) -> Iterator[Request]:
    """Send a request and do something else."""
    text = json.dumps(body).encode() if body is not None else b""
    with closing(Request(server, method, path, text, media, accept)) as request:
        yield request


def look_around(api: RawApi, path: str, rounds: int = ROUNDS) -> None:
    """Ask for this and that, as others do."""
    for _ in range(rounds):
        assert api.is_ready()
        assert api.get(path).code == 200


def test_a_huge_apply_lets_others_read_watch_and_ask_for_health(
    cluster: Server, api: RawApi, services: str, config_maps: str
) -> None:
    api.create(config_maps, config_map("small"))
    large = f"{services}/large"
    with sent(cluster, "PATCH", f"{large}?fieldManager=me", many_ports(), APPLY_PATCH) as apply:
        look_around(api, f"{config_maps}/small")
        with api.watch(config_maps, fieldSelector="metadata.name=small") as events:
            assert next(events)["type"] == "ADDED"
        assert not apply.is_answered()
        assert api.get(large).code == 404
        assert apply.read() == 201
    assert len(api.get(large).object["spec"]["ports"]) == PORTS


def test_a_long_list_in_yaml_lets_others_read(cluster: Server, api: RawApi, services: str, config_maps: str) -> None:
    assert api.create(services, many_ports()).code == 201
    api.create(config_maps, config_map("small"))
    with sent(cluster, "GET", services, accept="application/yaml") as listed:
        look_around(api, f"{config_maps}/small")
        assert not listed.is_answered()
        assert listed.read() == 200


def test_a_small_change_of_a_huge_object_lets_others_read(
    cluster: Server, api: RawApi, services: str, config_maps: str
) -> None:
    large = f"{services}/large"
    assert api.create(services, many_ports()).code == 201
    api.create(config_maps, config_map("small"))
    with sent(cluster, "PATCH", large, {"metadata": {"labels": {"a": "b"}}}, MERGE_PATCH) as patch:
        look_around(api, f"{config_maps}/small")
        assert not patch.is_answered()
        assert "labels" not in api.get(large).object["metadata"]
        assert patch.read() == 200
    assert api.get(large).object["metadata"]["labels"] == {"a": "b"}


def test_a_small_patch_that_makes_much_of_little_lets_others_read(
    cluster: Server, api: RawApi, namespace: str, config_maps: str
) -> None:
    with Things.lent(api, namespace) as things:
        things.define({"type": "object", "x-kubernetes-preserve-unknown-fields": True})
        things.create("a", x=1)
        doubling = [{"op": "copy", "from": "/spec", "path": f"/spec/{each}"} for each in range(16)]
        with sent(cluster, "PATCH", f"{things.path}/a", doubling, JSON_PATCH) as patch:
            look_around(api, config_maps)
            assert not patch.is_answered()
            assert patch.read() == 200


def test_deleting_many_lets_others_read_and_watch(
    cluster: Server, api: RawApi, namespace: str, config_maps: str
) -> None:
    for number in range(MANY):
        api.create(config_maps, config_map(f"map-{number}", labels=LABELS))
    started = api.get(config_maps, limit=1).version
    with (
        api.again().watch(config_maps, resourceVersion=started) as events,
        sent(cluster, "DELETE", config_maps) as delete,
    ):
        look_around(api, f"/api/v1/namespaces/{namespace}", FEW_ROUNDS)
        assert next(events)["type"] == "DELETED"
        assert not delete.is_answered()
        assert delete.read() == 200
        seen = [next(events) for _ in range(MANY - 1)]
    versions = [int(event["object"]["metadata"]["resourceVersion"]) for event in seen]
    assert versions == sorted(set(versions))
    assert api.get(config_maps, labelSelector="many=yes").object["items"] == []


def test_deleting_what_owns_many_lets_others_read(
    cluster: Server, api: RawApi, services: str, config_maps: str
) -> None:
    owner = api.create(config_maps, config_map("owner")).object["metadata"]
    reference = {"apiVersion": "v1", "kind": "ConfigMap", "name": "owner", "uid": owner["uid"]}
    for number in range(MANY):
        api.create(config_maps, config_map(f"map-{number}", labels=LABELS, ownerReferences=[reference]))
    with sent(cluster, "DELETE", f"{config_maps}/owner") as delete:
        look_around(api, services, FEW_ROUNDS)
        assert not delete.is_answered()
        assert delete.read() == 200
    assert api.get(config_maps, labelSelector="many=yes").object["items"] == []


def test_a_write_waits_for_a_long_one_before_it_and_sees_what_that_wrote(
    cluster: Server, api: RawApi, services: str
) -> None:
    large = f"{services}/large"
    assert api.create(services, many_ports()).code == 201
    with sent(cluster, "PATCH", large, {"metadata": {"labels": {"first": "1"}}}, MERGE_PATCH) as patch:
        look_around(api, "/version")  # now it is under way
        answer = api.patch(large, {"metadata": {"labels": {"second": "2"}}})
        assert patch.is_answered()
        assert patch.read() == 200
    assert answer.object["metadata"]["labels"] == {"first": "1", "second": "2"}


def test_a_client_that_leaves_in_the_middle_of_a_long_write_holds_nobody_up(
    cluster: Server, api: RawApi, services: str, config_maps: str
) -> None:
    for _ in range(2):
        with sent(cluster, "PATCH", f"{services}/large?fieldManager=me", many_ports(), APPLY_PATCH):
            look_around(api, "/version")
    assert api.create(config_maps, config_map("next")).code == 201
    assert len(api.get(f"{services}/large").object["spec"]["ports"]) == PORTS


def test_everybody_sees_all_writes_long_and_short_in_the_order_of_their_revisions(
    api: RawApi, config_maps: str
) -> None:
    started = api.get(config_maps, limit=1).version

    def write(number: int) -> list[str]:
        mine = api.again()
        name, rest = f"map-{number}", LONG if number % 2 else ""
        first = mine.create(config_maps, config_map(name, labels=LABELS) | {"data": {"rest": rest}})
        later = [mine.patch(f"{config_maps}/{name}", {"data": {"count": str(each)}}) for each in range(10)]
        mine.close()
        return [answer.version for answer in (first, *later)]

    with ThreadPoolExecutor(4) as pool:
        acknowledged = [version for versions in pool.map(write, range(4)) for version in versions]
    with api.watch(config_maps, resourceVersion=started, labelSelector="many=yes") as events:
        seen = [next(events)["object"] for _ in acknowledged]
    versions = [int(each["metadata"]["resourceVersion"]) for each in seen]
    assert versions == sorted(map(int, acknowledged))
    for name in {each["metadata"]["name"] for each in seen}:
        counts = [each["data"].get("count", "none") for each in seen if each["metadata"]["name"] == name]
        assert counts == ["none", *map(str, range(10))]
