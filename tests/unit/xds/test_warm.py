"""What is remembered of warm clusters holds for those very clusters and subscriptions, and for no others."""

from tests.unit.xds.conversation import NEW_ENVOY, accept, ask, played, publish

ONE = {"clusters": "a", "endpoints": "a", "listeners": "http", "routes": "main"}


def test_routes_wait_for_a_cluster_whose_endpoints_were_not_asked_for_at_the_next_goal_too() -> None:
    two = {**ONE, "clusters": "a b", "endpoints": "a b"}
    played(
        (publish(1, **two), ""),
        (ask("clusters", "*"), "clusters +a +b"),
        (ask("endpoints", "a"), "endpoints +a"),
        (accept("endpoints"), ""),
        (accept("clusters"), ""),
        (ask("listeners", "*"), ""),
        (ask("routes", "main"), ""),
        (publish(2, **{**two, "routes": "main@2"}), ""),
    )


def test_routes_wait_for_endpoints_that_the_client_has_dropped() -> None:
    played(
        (publish(1, **ONE), ""),
        *NEW_ENVOY,
        (ask("endpoints", drop="a"), ""),
        (publish(2, **{**ONE, "routes": "main@2"}), ""),
    )


def test_routes_wait_for_a_cluster_that_changed_and_changed_back() -> None:
    played(
        (publish(1, **ONE), ""),
        *NEW_ENVOY,
        (publish(2, **{**ONE, "clusters": "a@2"}), "clusters +a; endpoints +a"),
        (publish(3, **{**ONE, "routes": "main@2"}), ""),
    )
