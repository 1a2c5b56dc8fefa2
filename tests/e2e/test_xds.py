"""The xDS server and a real Envoy: changes under load, a restart, a refusal."""

import asyncio
import json
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.client import HTTPConnection, HTTPException
from threading import Event

import pytest

from kfambassador.envoy.bootstrap import BootstrapSettings, write_bootstrap
from kfambassador.envoy.listeners import LISTENER, ROUTES, ListenerSettings, build_listener
from kfambassador.envoy.protos import Cluster, ClusterLoadAssignment, RouteConfiguration
from kfambassador.envoy.snapshot import Snapshot, TypeUrl, XdsResource
from kfambassador.local.envoy_process import EnvoyProcess
from kfambassador.xds.session import NodeStatus
from tests.backends import EchoServer
from tests.xds_world import World, in_a_world

pytestmark = pytest.mark.e2e


def build_gateway(generation: int, backends: dict[str, int], *, path: str = "/", connect_seconds: int = 1) -> Snapshot:
    """Clusters by name and port, and a route to the first of them for paths that match a regex."""
    first = next(iter(backends))
    match = {"prefix": path} if path.startswith("/") else {"safe_regex": {"regex": path}}
    route = {"match": match, "route": {"cluster": first}}
    routes = RouteConfiguration(name=ROUTES, virtual_hosts=[{"name": "all", "domains": ["*"], "routes": [route]}])
    return Snapshot(
        {
            TypeUrl.CLUSTER: {name: _cluster(name, connect_seconds) for name in backends},
            TypeUrl.ENDPOINTS: {name: _endpoints(name, port) for name, port in backends.items()},
            TypeUrl.LISTENER: {LISTENER: build_listener(ListenerSettings(port=0))},
            TypeUrl.ROUTE_CONFIGURATION: {ROUTES: XdsResource.of(ROUTES, routes.SerializeToString(deterministic=True))},
        },
        generation,
    )


def _cluster(name: str, connect_seconds: int) -> XdsResource:
    source = {"eds_config": {"ads": {}, "resource_api_version": "V3"}}
    cluster = Cluster(name=name, type="EDS", eds_cluster_config=source, connect_timeout={"seconds": connect_seconds})
    return XdsResource.of(name, cluster.SerializeToString(deterministic=True))


def _endpoints(name: str, port: int) -> XdsResource:
    address = {"socket_address": {"address": "127.0.0.1", "port_value": port}}
    locality = {"lb_endpoints": [{"endpoint": {"address": address}}]}
    assignment = ClusterLoadAssignment(cluster_name=name, endpoints=[locality])
    return XdsResource.of(name, assignment.SerializeToString(deterministic=True))


@contextmanager
def load(port: int, *, clients: int = 3) -> Iterator[list[str]]:
    """Hammer the gateway until the block ends; gives the answers of the failed requests, complete after the block."""
    failed: list[str] = []
    ended = Event()
    with ThreadPoolExecutor(clients) as threads:
        counts = [threads.submit(_hammer, port, ended, failed) for _ in range(clients)]
        try:
            yield failed
        finally:
            ended.set()
    assert sum(count.result() for count in counts) > 0


def _hammer(port: int, ended: Event, failed: list[str]) -> int:
    connection = HTTPConnection("127.0.0.1", port, timeout=10)
    sent = 0
    while not ended.is_set():
        answer = _get(connection)
        sent += 1
        if answer != "200":
            failed.append(answer)
    connection.close()
    return sent


def _get(connection: HTTPConnection, path: str = "/") -> str:
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        response.read()
    except (OSError, HTTPException) as error:
        connection.close()
        return repr(error)
    return str(response.status)


def in_a_gateway(test: Callable[[World, EnvoyProcess, int], Coroutine[None, None, None]]) -> None:
    """Run a test against an Envoy that serves one model, "first", at generation 1; the test gets a backend's port."""

    async def with_envoy(world: World) -> None:
        with EchoServer() as backend, EnvoyProcess(world.path.parent) as envoy:
            world.server.publish(build_gateway(1, {"first": backend.port}))
            bootstrap = write_bootstrap(BootstrapSettings(world.path.parent, node="envoy-1"))
            await asyncio.to_thread(envoy.start, bootstrap)
            await world.until(lambda: world.newest.acknowledged == 1)
            await test(world, envoy, backend.port)

    in_a_world(with_envoy)


def count_updates(envoy: EnvoyProcess) -> list[str]:
    """Envoy's counters of configuration it took."""
    return envoy.admin("/stats?filter=(cds|lds|rds\\.routes)\\.update_success").splitlines()


def test_no_request_is_lost_while_clusters_are_swapped() -> None:
    async def test(world: World, envoy: EnvoyProcess, backend: int) -> None:
        with EchoServer() as other, load(envoy.address()[1]) as failed:
            for generation in range(2, 152):
                port = other.port if generation % 2 else backend
                await world.serve(build_gateway(generation, {f"model-{generation}": port}))
            await world.serve(build_gateway(152, {"first": backend}))
        assert failed == []

    in_a_gateway(test)


def test_no_request_is_lost_while_a_cluster_is_edited_in_place() -> None:
    async def test(world: World, envoy: EnvoyProcess, backend: int) -> None:
        with load(envoy.address()[1]) as failed:
            for generation in range(2, 52):
                await world.serve(build_gateway(generation, {"first": backend}, connect_seconds=generation))
        assert failed == []

    in_a_gateway(test)


def test_a_server_that_starts_anew_resends_nothing_and_loses_nothing() -> None:
    async def test(world: World, envoy: EnvoyProcess, backend: int) -> None:
        with load(envoy.address()[1]) as failed:
            before = count_updates(envoy)
            assert len(before) == 3
            version = json.loads(envoy.admin("/server_info"))["version"].split("/")[1]
            await world.restart(build_gateway(2, {"first": backend}))
            await world.until(lambda: world.newest == NodeStatus("envoy-1", version, acknowledged=2, goal=2))
            assert count_updates(envoy) == before
            await world.serve(build_gateway(3, {"second": backend}))
        assert failed == []

    in_a_gateway(test)


def test_a_refusal_is_told_in_envoys_words_and_the_next_good_routes_are_served() -> None:
    async def test(world: World, envoy: EnvoyProcess, backend: int) -> None:
        connection = HTTPConnection("127.0.0.1", envoy.address()[1], timeout=10)
        world.server.publish(build_gateway(2, {"first": backend}, path="["))
        await world.until(lambda: world.newest.rejection is not None)
        rejection = world.newest.rejection
        assert rejection is not None
        assert "missing ]: [" in rejection.message
        assert (rejection.type_url, rejection.resources) == (TypeUrl.ROUTE_CONFIGURATION, (ROUTES,))
        assert _get(connection) == "200"
        await world.serve(build_gateway(3, {"first": backend}, path="/only"))
        assert world.newest.rejection is None
        assert (_get(connection, "/"), _get(connection, "/only")) == ("404", "200")
        connection.close()

    in_a_gateway(test)


def test_an_envoy_with_nothing_to_serve_becomes_ready() -> None:
    async def test(world: World) -> None:
        with EnvoyProcess(world.path.parent) as envoy:
            world.server.publish(Snapshot({}, generation=1))
            await asyncio.to_thread(envoy.start, write_bootstrap(BootstrapSettings(world.path.parent)))
            assert envoy.admin("/ready").strip() == "LIVE"

    in_a_world(test)
