"""A server's routes serve several variants of a model as they serve one."""

import pytest

from kfambassador.names import VARIANT_HEADER
from kfambassador.problems import Origin
from kfambassador.resources.meta import ResourceSet, SourcedMapping
from kfambassador.routing.compile import compile_routes
from kfambassador.routing.explain import explain
from kfambassador.routing.policy import TenancyPolicy
from kfambassador.routing.requests import RequestLine
from kfambassador.sdk.publishing.variants import Variant, build_members
from tests.unit.sdk.servers.published import SERVERS

VARIANTS = (Variant(service="one.example"), Variant(name="canary", service="two.example", weight=10))


@pytest.mark.parametrize("kind", sorted(SERVERS))
def test_every_operation_is_shared_and_can_be_pinned(kind: str) -> None:
    server = SERVERS[kind]
    base = server.base("mnist")
    built = build_members("mnist", namespace="team", server=server, base=base, attributes={}, variants=VARIANTS)
    mappings = [SourcedMapping(member.mapping, Origin(), namespace="team") for member in built if member.mapping]
    compiled = compile_routes(ResourceSet(mappings=tuple(mappings)), TenancyPolicy.laptop())
    assert compiled.problems == ()
    hosts = (f"one.example:{server.port}", f"two.example:{server.port}")
    for operation in server.operations(base).values():
        shared = explain(compiled.table, RequestLine.read(operation.method, operation.path)).winner
        assert shared is not None
        assert {split.mapping.service: split.share for split in shared.splits} == dict(
            zip(hosts, (90, 10), strict=True)
        )
        pinned = RequestLine.read(operation.method, operation.path, {VARIANT_HEADER: "canary"})
        winner = explain(compiled.table, pinned).winner
        assert winner is not None
        assert [split.mapping.service for split in winner.splits] == [hosts[1]]
