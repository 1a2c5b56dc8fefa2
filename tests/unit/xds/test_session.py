"""The session: the order of what it says, whom it waits for, and what it tells about an Envoy."""

from kfambassador.envoy.protos import DeltaDiscoveryRequest
from kfambassador.envoy.snapshot import TypeUrl, content_version
from kfambassador.xds.session import NodeStatus, Session
from kfambassador.xds.subscription import Rejection
from tests.snapshots import build_snapshot
from tests.unit.xds.conversation import NEW_ENVOY, Step, accept, ask, played, publish, refuse, wait

#: An Envoy that serves one model, "a", at generation 1.
SERVING: tuple[tuple[Step, str], ...] = (
    (publish(1, clusters="a", endpoints="a", listeners="http", routes="main@a"), ""),
    *NEW_ENVOY,
)
SWAP = publish(2, clusters="b", endpoints="b", listeners="http", routes="main@b")


def test_says_nothing_before_the_first_snapshot() -> None:
    played((ask("clusters"), ""), (ask("listeners"), ""), (wait(60), ""))


#: What leads to routes that name "b" alone.
SWAPPED: tuple[tuple[Step, str], ...] = (
    *SERVING,
    (SWAP, "clusters +b"),
    (ask("endpoints", "b"), "endpoints +b"),
    (accept("endpoints"), ""),
    (accept("clusters"), "routes +main"),
    (accept("routes"), ""),
)


def test_a_swap_adds_then_warms_then_switches_then_removes() -> None:
    conversation = played(
        *SWAPPED,
        (wait(4.9), ""),
        (wait(0.2), "clusters -a; endpoints -a"),
        (ask("endpoints", drop="a"), ""),
        (accept("clusters"), ""),
    )
    assert conversation.session.status == NodeStatus(acknowledged=2, goal=2)


def test_a_swap_is_acknowledged_while_what_it_left_lingers() -> None:
    assert played(*SWAPPED).session.status == NodeStatus(acknowledged=2, goal=2)


def test_changes_that_go_on_keep_nothing_for_longer() -> None:
    def moved(content: str, generation: int) -> Step:
        return publish(generation, clusters="b", endpoints=f"b@{content}", listeners="http", routes="main@b")

    played(
        *SWAPPED,
        (wait(2), ""),
        (moved("2", 3), "endpoints +b"),
        (accept("endpoints"), ""),
        (wait(2), ""),
        (moved("3", 4), "endpoints +b"),
        (wait(1), "clusters -a"),
        (accept("endpoints"), "endpoints -a"),
    )


def test_what_is_needed_again_while_it_lingers_is_kept_and_lingers_anew() -> None:
    back = publish(3, clusters="a b", endpoints="a b", listeners="http", routes="main@a+b")
    away = publish(4, clusters="b", endpoints="b", listeners="http", routes="main@b")
    played(
        *SWAPPED,
        (wait(4), ""),
        (back, "routes +main"),
        (accept("routes"), ""),
        (wait(4), ""),
        (away, "routes +main"),
        (wait(4), ""),
        (accept("routes"), ""),
        (wait(4.9), ""),
        (wait(0.2), "clusters -a; endpoints -a"),
    )


def test_what_lingers_is_needed_again_by_routes_that_are_taken_back_before_they_are_accepted() -> None:
    back = publish(3, clusters="a b", endpoints="a b", listeners="http", routes="main@a+b")
    away = publish(4, clusters="b", endpoints="b", listeners="http", routes="main@b")
    played(
        *SWAPPED,
        (wait(4), ""),
        (back, "routes +main"),
        (away, ""),
        (wait(4), ""),
        (accept("routes"), "routes +main"),
        (accept("routes"), ""),
        (wait(4.9), ""),
        (wait(0.2), "clusters -a; endpoints -a"),
    )


def test_routes_wait_until_the_endpoints_are_accepted_too() -> None:
    played(
        *SERVING,
        (SWAP, "clusters +b"),
        (accept("clusters"), ""),
        (ask("endpoints", "b"), "endpoints +b"),
        (accept("endpoints"), "routes +main"),
    )


def test_a_change_of_routes_alone_goes_at_once() -> None:
    played(*SERVING, (publish(2, clusters="a", endpoints="a", listeners="http", routes="main@other"), "routes +main"))


def test_listeners_go_before_routes_and_take_their_routes_along() -> None:
    moved = publish(2, clusters="a", endpoints="a", listeners="http@moved", routes="main@a")
    played(*SERVING, (moved, "listeners +http; routes +main"))


def test_a_changed_cluster_gets_its_unchanged_endpoints_again() -> None:
    edited = publish(2, clusters="a@edited", endpoints="a", listeners="http", routes="main@a")
    played(*SERVING, (edited, "clusters +a; endpoints +a"))


def test_a_change_of_endpoints_alone_goes_alone() -> None:
    played(*SERVING, (publish(2, clusters="a", endpoints="a@moved", listeners="http", routes="main@a"), "endpoints +a"))


def test_an_equal_snapshot_says_nothing_and_is_acknowledged_at_once() -> None:
    same = publish(2, clusters="a", endpoints="a", listeners="http", routes="main@a")
    assert played(*SERVING, (same, "")).session.status == NodeStatus("", acknowledged=2, goal=2)


def test_snapshots_are_coalesced_while_an_answer_is_outstanding() -> None:
    played(
        *SERVING,
        (publish(2, clusters="a", endpoints="a", listeners="http", routes="main@2"), "routes +main"),
        (publish(3, clusters="a", endpoints="a", listeners="http", routes="main@3"), ""),
        (publish(4, clusters="a", endpoints="a", listeners="http", routes="main@4"), ""),
        (accept("routes"), "routes +main"),
        (accept("routes"), ""),
    )


def test_a_newer_goal_that_needs_the_old_cluster_again_keeps_it() -> None:
    back = publish(3, clusters="a", endpoints="a", listeners="http", routes="main@a")
    played(
        *SERVING,
        (SWAP, "clusters +b"),
        (back, ""),
        (accept("clusters"), ""),
        (wait(5), "clusters -b"),
    )


def test_a_refused_route_keeps_the_clusters_it_would_have_left() -> None:
    played(
        *SERVING,
        (SWAP, "clusters +b"),
        (ask("endpoints", "b"), "endpoints +b"),
        (accept("endpoints"), ""),
        (accept("clusters"), "routes +main"),
        (refuse("routes"), ""),
        (wait(60), ""),
    )


def test_a_cluster_that_stays_cold_holds_the_house_for_five_seconds_only() -> None:
    played(
        *SERVING,
        (SWAP, "clusters +b"),
        (wait(4.9), ""),
        (wait(0.2), "routes +main"),
    )


def test_a_cluster_whose_endpoints_are_never_asked_for_is_not_waited_for_long() -> None:
    played(*SERVING, (SWAP, "clusters +b"), (accept("clusters"), ""), (wait(5), "routes +main"))


def test_a_client_that_never_answers_for_clusters_does_not_stop_newer_ones() -> None:
    third = publish(3, clusters="a b c", listeners="http", routes="main@c")
    played(
        *SERVING,
        (publish(2, clusters="a b", listeners="http", routes="main@b"), "clusters +b"),
        (third, ""),
        (wait(5), "clusters +c"),
        (accept("clusters"), "routes +main"),
        (accept("clusters", back=1), ""),
    )


def test_a_refused_cluster_delays_a_switch_once_and_not_each_time() -> None:
    def routes(generation: int) -> Step:
        return publish(generation, clusters="a bad", endpoints="a", listeners="http", routes=f"main@{generation}")

    played(
        *SERVING,
        (routes(2), "clusters +bad"),
        (refuse("clusters"), ""),
        (wait(5), "routes +main"),
        (accept("routes"), ""),
        (routes(3), "routes +main"),
    )


def test_a_client_that_asks_for_routes_first_waits_until_it_has_clusters() -> None:
    played(
        (publish(1, clusters="a", listeners="http", routes="main"), ""),
        (ask("routes", "main"), ""),
        (ask("listeners"), ""),
        (ask("clusters"), "clusters +a"),
        (accept("clusters"), "listeners +http; routes +main"),
    )


def test_a_client_that_wants_routes_only_gets_them_after_a_while() -> None:
    played(
        (publish(1, clusters="a", routes="main"), ""),
        (ask("routes", "main"), ""),
        (wait(5), "routes +main"),
    )


def test_a_client_back_from_an_old_stream_keeps_its_cluster_until_it_has_the_new_routes() -> None:
    versions = {name: content_version(b"") for name in ("a", "b")}
    played(
        (SWAP, ""),
        (ask("clusters", "*", holding=versions), ""),
        (ask("endpoints", "a", "b", holding=versions), ""),
        (ask("listeners", "*", holding={"http": content_version(b"")}), ""),
        (ask("routes", "main", holding={"main": content_version(b"a")}), "routes +main"),
        (accept("routes"), ""),
        (wait(5), "clusters -a; endpoints -a"),
    )


def test_a_client_that_is_slow_to_ask_for_its_routes_keeps_the_clusters_they_may_name() -> None:
    played(
        (SWAP, ""),
        (ask("clusters", "*", holding={"a": content_version(b"")}), "clusters +b"),
        (accept("clusters"), ""),
        (wait(60), ""),
    )


def test_a_client_back_with_everything_is_sent_nothing() -> None:
    content = {"clusters": "a", "endpoints": "a", "listeners": "http", "routes": "main"}
    asked = [(ask(kind, "*", holding={name: content_version(b"")}), "") for kind, name in content.items()]
    conversation = played((publish(7, **content), ""), *asked)
    assert conversation.session.status.acknowledged == 7


def test_the_node_is_named_in_the_first_request_only() -> None:
    session = Session()
    first = DeltaDiscoveryRequest(type_url=TypeUrl.CLUSTER)
    first.node.id = "envoy-1"
    session.on_request(first, 0.0)
    session.on_request(DeltaDiscoveryRequest(type_url=TypeUrl.LISTENER), 0.0)
    assert session.status == NodeStatus(node_id="envoy-1")


def test_types_nobody_serves_are_ignored() -> None:
    session = Session()
    session.on_snapshot(build_snapshot(1, clusters="a"), 0.0)
    assert session.on_request(DeltaDiscoveryRequest(type_url="type.googleapis.com/some.Secret"), 0.0) == []


def test_a_response_carries_versions_bodies_and_the_generation() -> None:
    session = Session()
    session.on_snapshot(build_snapshot(3, clusters="a@content"), 0.0)
    [response] = session.on_request(DeltaDiscoveryRequest(type_url=TypeUrl.CLUSTER), 0.0)
    [resource] = response.resources
    assert (response.type_url, response.system_version_info) == (TypeUrl.CLUSTER, "3")
    assert (resource.name, resource.version) == ("a", content_version(b"content"))
    assert (resource.resource.type_url, resource.resource.value) == (TypeUrl.CLUSTER, b"content")


def test_a_generation_is_acknowledged_when_all_of_it_is() -> None:
    conversation = played(*SERVING[:-1])
    assert conversation.session.status == NodeStatus(acknowledged=None, goal=1)
    assert played(*SERVING).session.status == NodeStatus(acknowledged=1, goal=1)


def test_a_generation_overtaken_by_a_newer_goal_is_acknowledged_all_the_same() -> None:
    conversation = played(
        *SERVING,
        (publish(2, clusters="a", endpoints="a", listeners="http", routes="main@2"), "routes +main"),
        (publish(3, clusters="a", endpoints="a", listeners="http", routes="main@3"), ""),
        (accept("routes"), "routes +main"),
    )
    assert conversation.session.status == NodeStatus(acknowledged=2, goal=3)


def test_types_the_client_has_not_asked_for_are_not_served() -> None:
    conversation = played(
        (publish(1, clusters="a", listeners="http", routes="main"), ""),
        (ask("clusters"), "clusters +a"),
        (accept("clusters"), ""),
    )
    assert conversation.session.status.acknowledged is None


def test_a_refusal_is_told_in_envoys_words_until_the_type_is_accepted_again() -> None:
    refused = (
        *SERVING,
        (publish(2, clusters="a", endpoints="a", listeners="http", routes="main@bad"), "routes +main"),
        (refuse("routes"), ""),
    )
    rejection = Rejection(TypeUrl.ROUTE_CONFIGURATION, 2, "bad routes", ("main",))
    assert played(*refused).session.status == NodeStatus(acknowledged=1, goal=2, rejection=rejection)
    mended = publish(3, clusters="a", endpoints="a", listeners="http", routes="main@good")
    conversation = played(*refused, (mended, "routes +main"), (accept("routes"), ""))
    assert conversation.session.status == NodeStatus(acknowledged=3, goal=3)


def test_after_a_refusal_the_old_content_is_sent_again_because_a_part_may_have_been_taken() -> None:
    back = publish(3, clusters="a", endpoints="a", listeners="http", routes="main@a")
    conversation = played(
        *SERVING,
        (publish(2, clusters="a", endpoints="a", listeners="http", routes="main@bad"), "routes +main"),
        (refuse("routes"), ""),
        (back, "routes +main"),
        (accept("routes"), ""),
    )
    assert conversation.session.status == NodeStatus(acknowledged=3, goal=3)


def test_refused_content_is_not_sent_again_but_what_is_asked_for_is() -> None:
    conversation = played(
        *SERVING,
        (
            publish(2, clusters="a b", endpoints="a@bad b", listeners="http", routes="main@a"),
            "clusters +b; endpoints +a",
        ),
        (refuse("endpoints"), ""),
        (wait(1), ""),
        (ask("endpoints", "b"), "endpoints +b"),
        (accept("endpoints"), ""),
        (publish(3, clusters="a b", endpoints="a b", listeners="http", routes="main@a"), "endpoints +a"),
    )
    assert conversation.session.status.rejection is not None


def test_one_refused_type_does_not_stop_another() -> None:
    conversation = played(
        *SERVING,
        (publish(2, clusters="a", endpoints="a@moved", listeners="http", routes="main@bad"), "endpoints +a"),
        (accept("endpoints"), "routes +main"),
        (refuse("routes"), ""),
        (publish(3, clusters="a", endpoints="a@again", listeners="http", routes="main@bad"), "endpoints +a"),
    )
    assert conversation.session.status.rejection is not None


def test_a_late_verdict_says_nothing_about_a_newer_response() -> None:
    def clusters(generation: int, content: str) -> Step:
        return publish(generation, clusters=f"a@{content}")

    conversation = played(
        (clusters(1, "1"), ""),
        (ask("clusters"), "clusters +a"),
        (clusters(2, "2"), ""),
        (wait(5), "clusters +a"),
        (clusters(3, "1"), ""),
        (wait(5), "clusters +a"),
        (accept("clusters", back=2), ""),
        (accept("clusters", back=1), ""),
    )
    assert conversation.session.status.acknowledged == 2
    conversation.request(
        DeltaDiscoveryRequest(type_url=TypeUrl.CLUSTER, response_nonce=conversation.nonce(TypeUrl.CLUSTER))
    )
    assert conversation.session.status.acknowledged == 3


def test_an_older_refusal_hides_no_newer_one() -> None:
    conversation = played(
        *SERVING,
        (publish(2, clusters="a bad", endpoints="a", listeners="http", routes="main@2"), "clusters +bad"),
        (refuse("clusters"), ""),
        (publish(3, clusters="a", endpoints="a", listeners="http", routes="main@3"), "routes +main"),
        (refuse("routes"), ""),
    )
    rejection = conversation.session.status.rejection
    assert rejection is not None
    assert (rejection.type_url, rejection.generation) == (TypeUrl.ROUTE_CONFIGURATION, 3)


def test_what_was_refused_is_refused_in_a_newer_snapshot_without_asking() -> None:
    conversation = played(
        *SERVING,
        (publish(2, clusters="a", endpoints="a", listeners="http", routes="main@bad"), "routes +main"),
        (refuse("routes"), ""),
        (publish(3, clusters="a", endpoints="a", listeners="http", routes="main@bad"), ""),
    )
    assert conversation.session.status.rejection == Rejection(TypeUrl.ROUTE_CONFIGURATION, 3, "bad routes", ("main",))
