"""The xDS server over its real socket, spoken to by a small client."""

import asyncio
import logging
import socket
import stat

import grpc
import pytest

from kfambassador.envoy.snapshot import TypeUrl, content_version
from kfambassador.errors import ConfigurationError
from kfambassador.local.envoy_process import private_directory
from kfambassador.xds.server import XdsServer
from kfambassador.xds.session import NodeStatus
from tests.snapshots import build_snapshot
from tests.xds_client import xds_client
from tests.xds_world import World, in_a_world

MODEL = {"clusters": "a", "endpoints": "a", "listeners": "http", "routes": "main"}


def test_a_client_gets_what_is_published_and_its_acknowledgement_is_told() -> None:
    async def test(world: World) -> None:
        async with xds_client(world.path) as client:
            await client.ask(TypeUrl.CLUSTER, node="envoy-1")
            world.server.publish(build_snapshot(1, clusters="a"))
            response = await client.receive()
            assert [resource.name for resource in response.resources] == ["a"]
            await client.accept(response)
            await world.until(lambda: world.newest.acknowledged == 1)
            assert world.server.nodes() == (NodeStatus("envoy-1", acknowledged=1, goal=1),)

    in_a_world(test)


def test_a_refusal_is_told_in_the_clients_words() -> None:
    async def test(world: World) -> None:
        world.server.publish(build_snapshot(1, clusters="a"))
        async with xds_client(world.path) as client:
            await client.ask(TypeUrl.CLUSTER)
            await client.refuse(await client.receive(), "missing ]: [")
            await world.until(lambda: world.newest.rejection is not None)
            [node] = world.server.nodes()
            assert node.rejection is not None
            assert (node.rejection.message, node.rejection.resources) == ("missing ]: [", ("a",))

    in_a_world(test)


def test_a_slow_client_gets_the_newest_snapshot_only() -> None:
    async def test(world: World) -> None:
        world.server.publish(build_snapshot(0, clusters="a@0"))
        async with xds_client(world.path) as client:
            await client.ask(TypeUrl.CLUSTER)
            first = await client.receive()
            for generation in range(1, 1000):
                world.server.publish(build_snapshot(generation, clusters=f"a@{generation}"))
                await asyncio.sleep(0)
            await client.accept(first)
            [resource] = (await client.receive()).resources
            assert resource.version == content_version(b"999")

    in_a_world(test)


def test_large_snapshots_pass() -> None:
    async def test(world: World) -> None:
        clusters = " ".join(f"cluster-{number}@{'x' * 1000}" for number in range(20_000))
        world.server.publish(build_snapshot(1, clusters=clusters))
        async with xds_client(world.path) as client:
            await client.ask(TypeUrl.CLUSTER)
            assert len((await client.receive()).resources) == 20_000

    in_a_world(test)


def test_each_client_goes_its_own_way() -> None:
    async def test(world: World) -> None:
        async with xds_client(world.path) as one, xds_client(world.path) as other:
            await one.ask(TypeUrl.CLUSTER, node="one")
            await other.ask(TypeUrl.CLUSTER, node="other")
            world.server.publish(build_snapshot(1, clusters="a"))
            await one.accept(await one.receive())
            await other.refuse(await other.receive(), "no")
            await world.until(lambda: len(ended := world.server.nodes()) == 2 and all(map(_has_answered, ended)))
            nodes = {node.node_id: node for node in world.server.nodes()}
            assert nodes["one"].acknowledged == 1
            assert nodes["other"].acknowledged is None

    in_a_world(test)


def _has_answered(node: NodeStatus) -> bool:
    return node.acknowledged is not None or node.rejection is not None


def test_a_client_that_left_is_listed_no_more() -> None:
    async def test(world: World) -> None:
        async with xds_client(world.path) as client:
            await client.ask(TypeUrl.CLUSTER, node="envoy-1")
            await world.until(lambda: [node.node_id for node in world.server.nodes()] == ["envoy-1"])
        await world.until(lambda: world.server.nodes() == ())

    in_a_world(test)


def test_a_failure_closes_its_stream_only_and_is_logged_with_its_stack(caplog: pytest.LogCaptureFixture) -> None:
    async def test(world: World) -> None:
        world.server.publish(build_snapshot(1, clusters="a"))

        def fail_for_one(status: NodeStatus) -> None:
            if status.node_id == "unlucky" and status.acknowledged is None and world.server.nodes():
                raise ValueError("a fault of ours")

        world.server.on_status = fail_for_one
        async with xds_client(world.path) as lucky, xds_client(world.path) as unlucky:
            await lucky.ask(TypeUrl.CLUSTER, node="lucky")
            response = await lucky.receive()
            await unlucky.ask(TypeUrl.CLUSTER, node="unlucky")
            with pytest.raises(grpc.aio.AioRpcError):
                await unlucky.receive()
            await lucky.accept(response)
            world.server.publish(build_snapshot(2, clusters="a b"))
            assert [resource.name for resource in (await lucky.receive()).resources] == ["b"]

    with caplog.at_level(logging.ERROR, logger="kfambassador.xds.server"):
        in_a_world(test)
    [record] = [record for record in caplog.records if record.name == "kfambassador.xds.server"]
    assert "'unlucky'" in record.getMessage()
    assert record.exc_info is not None


def test_a_server_that_starts_anew_sends_nothing_the_client_has() -> None:
    content = build_snapshot(1, **MODEL)
    held = {"main": content_version(b""), "http": content_version(b""), "a": content_version(b"")}

    async def test(world: World) -> None:
        world.server.publish(content)
        async with xds_client(world.path) as client:
            await client.ask(TypeUrl.CLUSTER, "*", holding={"a": held["a"]})
            await client.ask(TypeUrl.ENDPOINTS, "a", holding={"a": held["a"]})
            await client.ask(TypeUrl.LISTENER, "*", holding={"http": held["http"]})
            await client.ask(TypeUrl.ROUTE_CONFIGURATION, "main", holding={"main": held["main"]})
            await world.until(lambda: world.newest.acknowledged == 1)
            world.server.publish(build_snapshot(2, **{**MODEL, "routes": "main@new"}))
            assert (await client.receive()).system_version_info == "2"

    in_a_world(test)


def test_the_socket_is_the_owners_alone_and_goes_with_the_server() -> None:
    with private_directory() as directory:
        path = directory / "xds.sock"
        with socket.socket(socket.AF_UNIX) as left_behind:
            left_behind.bind(str(path))

        async def run() -> int:
            server = XdsServer(f"unix:{path}")
            await server.start()
            mode = path.stat().st_mode
            await server.stop()
            return mode

        mode = asyncio.run(run())
        assert stat.S_ISSOCK(mode)
        assert stat.S_IMODE(mode) == 0o600
        assert not path.exists()


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("127.0.0.1:18000", "it must be 'unix:' and an absolute path"),
        ("unix:relative/xds.sock", "it must be 'unix:' and an absolute path"),
        (f"unix:/{'x' * 110}", "has 111 bytes"),
    ],
)
def test_an_address_that_cannot_work_is_refused_in_plain_words(address: str, words: str) -> None:
    with pytest.raises(ConfigurationError, match=words):
        XdsServer(address)


def test_a_socket_that_cannot_be_opened_is_refused_in_plain_words() -> None:
    with private_directory() as directory:
        server = XdsServer(f"unix:{directory}/missing/xds.sock")
        with pytest.raises(ConfigurationError, match="cannot be opened"):
            asyncio.run(server.start())


def test_refusals_are_counted_by_type_and_an_envoy_says_its_version() -> None:
    async def test(world: World) -> None:
        world.server.publish(build_snapshot(1, clusters="a"))
        async with xds_client(world.path) as client:
            await client.ask(TypeUrl.CLUSTER, node="envoy-1", version=(1, 40, 2))
            await client.refuse(await client.receive(), "missing ]: [")
            await world.until(lambda: world.newest.rejection is not None)
            assert dict(world.server.refusals) == {TypeUrl.CLUSTER: 1}
            assert world.newest.version == "1.40.2"

    in_a_world(test)
