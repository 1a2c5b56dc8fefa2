"""What an earlier run kept is for an Envoy that holds nothing, or a part of just that; nobody is led back to it."""

from kfambassador.envoy.snapshot import EARLIER, content_version
from tests.unit.xds.conversation import NEW_ENVOY, ask, played, publish

KEPT = publish(EARLIER, clusters="a", endpoints="a", listeners="http", routes="main@a")
SAME = {"a": content_version(b"")}
OTHER = {"a": content_version(b"newer")}


def test_an_envoy_that_holds_nothing_is_served() -> None:
    conversation = played((KEPT, ""), *NEW_ENVOY)
    assert conversation.session.status.acknowledged == EARLIER


def test_an_envoy_that_holds_a_part_of_it_gets_the_rest() -> None:
    played(
        (KEPT, ""),
        (ask("clusters", "*", holding=SAME), ""),
        (ask("endpoints", "a", holding=SAME), ""),
        (ask("listeners", "*"), "listeners +http"),
        (ask("routes", "main"), "routes +main"),
    )


def test_an_envoy_that_holds_another_version_of_anything_is_left_as_it_is() -> None:
    conversation = played(
        (KEPT, ""),
        (ask("clusters", "*", holding=SAME), ""),
        (ask("endpoints", "a", holding=OTHER), ""),
        (ask("listeners", "*"), ""),
        (ask("routes", "main"), ""),
    )
    assert conversation.session.status.acknowledged is None


def test_an_envoy_that_holds_more_is_left_as_it_is_also_where_it_asked_before() -> None:
    played(
        (ask("clusters", "*", holding=SAME | {"b": content_version(b"")}), ""),
        (ask("endpoints", "a", "b"), ""),
        (KEPT, ""),
    )


def test_the_first_generation_of_this_run_is_for_everybody() -> None:
    played(
        (KEPT, ""),
        (ask("clusters", "*", holding=SAME | {"b": content_version(b"")}), ""),
        (ask("endpoints", "a", "b"), ""),
        (publish(1, clusters="a c", endpoints="a", listeners="http", routes="main@a"), "clusters +c; endpoints +a -b"),
    )
