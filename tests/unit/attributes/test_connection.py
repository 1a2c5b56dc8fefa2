"""How Envoy connects to the service."""

import pytest
from pydantic import ValidationError

from tests.builders import mapping
from tests.unit.attributes.messages import cluster_of, http_of


def test_nothing_said_is_little_told() -> None:
    plain = cluster_of()
    assert plain.connect_timeout.ToMilliseconds() == 3000
    assert not plain.typed_extension_protocol_options
    assert not plain.HasField("upstream_connection_options")


def test_how_long_connections_are_kept() -> None:
    options = http_of(cluster_of(cluster_idle_timeout_ms=1500, cluster_max_connection_lifetime_ms=60_000))
    common = options.common_http_protocol_options
    assert common.idle_timeout.ToMilliseconds() == 1500
    assert common.max_connection_duration.ToMilliseconds() == 60_000
    assert options.explicit_http_config.HasField("http_protocol_options")


def test_connections_may_be_idle_for_ever() -> None:
    common = http_of(cluster_of(cluster_idle_timeout_ms=0)).common_http_protocol_options
    assert common.HasField("idle_timeout")
    assert common.idle_timeout.ToMilliseconds() == 0


def test_grpc_is_http_2_also_beside_other_options() -> None:
    for attributes in ({"grpc": True}, {"grpc": True, "cluster_idle_timeout_ms": 1}):
        assert http_of(cluster_of(**attributes)).explicit_http_config.HasField("http2_protocol_options")


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ({"idle_time": 100, "interval": 10, "probes": 9}, (100, 10, 9)),
        ({"time": 100}, (100, 0, 0)),
        ({"time": 100, "idle_time": 200}, (200, 0, 0)),
        ({"probes": 3}, (0, 0, 3)),
    ],
)
def test_keepalive_in_both_spellings(written: dict[str, int], expected: tuple[int, int, int]) -> None:
    options = cluster_of(keepalive=written).upstream_connection_options.tcp_keepalive
    set_ = (options.keepalive_time.value, options.keepalive_interval.value, options.keepalive_probes.value)
    assert set_ == expected


def test_keepalive_without_times_is_the_systems_own() -> None:
    options = cluster_of(keepalive={}).upstream_connection_options
    assert options.HasField("tcp_keepalive")
    assert not options.tcp_keepalive.ListFields()


@pytest.mark.parametrize(
    "attributes",
    [
        {"connect_timeout_ms": 0},
        {"connect_timeout_ms": 3_600_001},
        {"cluster_idle_timeout_ms": -1},
        {"cluster_max_connection_lifetime_ms": 0},
        {"cluster_max_connection_lifetime_ms": 31_536_000_001},
        {"keepalive": {"time": 0}},
        {"keepalive": {"interval": 32_768}},
        {"keepalive": {"probes": 128}},
        {"keepalive": {"idle": 1}},
        {"grpc": "yes"},
    ],
)
def test_what_no_connection_can_have_is_refused(attributes: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        mapping(**attributes)


def test_a_cluster_of_which_nothing_is_said_is_told_in_few_words() -> None:
    assert {field.name for field, _ in cluster_of().ListFields()} == {
        "name",
        "type",
        "connect_timeout",
        "load_assignment",
    }
