"""Which of the service's endpoints gets a request."""

import pytest
from pydantic import ValidationError

from kfambassador.envoy.protos import Cluster
from kfambassador.resources.validation import describe_refusals
from tests.builders import mapping
from tests.unit.attributes.messages import cluster_of, route_of


@pytest.mark.parametrize(
    ("balancer", "expected"),
    [
        (None, "ROUND_ROBIN"),
        ({"policy": "round_robin"}, "ROUND_ROBIN"),
        ({"policy": "least_request", "source_ip": False}, "LEAST_REQUEST"),
        ({"policy": "ring_hash", "header": "x-user"}, "RING_HASH"),
        ({"policy": "maglev", "source_ip": True}, "MAGLEV"),
    ],
)
def test_the_policy_is_the_clusters(balancer: dict[str, object] | None, expected: str) -> None:
    assert Cluster.LbPolicy.Name(cluster_of(load_balancer=balancer).lb_policy) == expected


def test_a_cookie_is_hashed() -> None:
    written = {"policy": "ring_hash", "cookie": {"name": "place", "path": "/m/", "ttl": "1m0.5s"}}
    (key,) = route_of(load_balancer=written).route.hash_policy
    assert (key.cookie.name, key.cookie.path, key.cookie.ttl.ToMilliseconds()) == ("place", "/m/", 60_500)


def test_a_cookie_without_a_life_is_never_made() -> None:
    (key,) = route_of(load_balancer={"policy": "maglev", "cookie": {"name": "place"}}).route.hash_policy
    assert not key.cookie.HasField("ttl")
    (key,) = route_of(load_balancer={"policy": "maglev", "cookie": {"name": "place", "ttl": "0s"}}).route.hash_policy
    assert key.cookie.HasField("ttl")


def test_a_header_or_the_address_is_hashed() -> None:
    (key,) = route_of(load_balancer={"policy": "maglev", "header": "x-user"}).route.hash_policy
    assert key.header.header_name == "x-user"
    (key,) = route_of(load_balancer={"policy": "maglev", "source_ip": True}).route.hash_policy
    assert key.connection_properties.source_ip


@pytest.mark.parametrize("policy", ["round_robin", "least_request"])
def test_other_policies_hash_nothing(policy: str) -> None:
    assert not route_of(load_balancer={"policy": policy}).route.hash_policy
    assert not route_of().route.hash_policy


def test_a_redirect_hashes_nothing() -> None:
    route = route_of(host_redirect=True, load_balancer={"policy": "maglev", "source_ip": True})
    assert not route.HasField("route")


@pytest.mark.parametrize(
    ("written", "path", "message"),
    [
        (
            {"policy": "ring_hash"},
            "load_balancer",
            "expected exactly one of cookie, header and source_ip with policy ring_hash, got {'policy': 'ring_hash'}",
        ),
        (
            {"policy": "maglev", "header": "a", "source_ip": True},
            "load_balancer",
            "expected exactly one of cookie, header and source_ip with policy maglev, got ",
        ),
        ({"policy": "round_robin", "header": "a"}, "load_balancer", "expected none of cookie, header and source_ip"),
        ({"policy": "random"}, "load_balancer.policy", "expected 'round_robin', 'least_request', 'ring_hash' or "),
        (
            {"policy": "maglev", "header": "x user"},
            "load_balancer.header",
            "expected a name that HTTP takes for a header or cookie, got 'x user'",
        ),
        ({"policy": "maglev", "cookie": {"name": ""}}, "load_balancer.cookie.name", "expected a name that HTTP takes"),
        (
            {"policy": "maglev", "cookie": {"name": "a", "ttl": "1 week"}},
            "load_balancer.cookie.ttl",
            "expected a duration of a year at most, such as 3s, 500ms or 1m30s, got '1 week'",
        ),
        (
            {"policy": "maglev", "cookie": {"name": "a", "path": "/\n"}},
            "load_balancer.cookie.path",
            "expected text without control characters, got '/\\n'",
        ),
    ],
)
def test_what_cannot_be_is_refused_in_words(written: dict[str, object], path: str, message: str) -> None:
    with pytest.raises(ValidationError) as refused:
        mapping(load_balancer=written)
    (fault,) = describe_refusals(refused.value, {"load_balancer": written})
    assert fault.path == path
    assert fault.message.startswith(message)
