"""From all that is known to the table: names, groups, owners, weights, clusters and what is told of each."""

from typing import Any

import pytest

from kfambassador.problems import Severity
from kfambassador.resources.meta import SourcedMapping
from kfambassador.routing.compile import Compiler, compile_routes
from kfambassador.routing.model import Compiled, Discovery
from kfambassador.routing.policy import TenancyPolicy
from tests.builders import Manifest, compiled, document, resource_set, service, slice_, sourced


def shares(result: Compiled) -> list[dict[str, int]]:
    return [
        {f"{split.namespace}/{split.mapping.name}": split.share for split in route.splits}
        for route in result.table.routes()
    ]


def told(result: Compiled) -> list[tuple[str, str]]:
    return [(problem.code, str(problem.origin.object)) for problem in result.problems]


def test_nothing_gives_an_empty_table() -> None:
    result = compiled()
    assert not result.table.routes()
    assert not result.table.clusters
    assert not result.problems


def test_the_generation_is_passed_on() -> None:
    assert compile_routes(resource_set(generation=7), TenancyPolicy.laptop()).table.generation == 7


def test_one_host_takes_every_route_in_order() -> None:
    result = compiled(sourced("a"), sourced("longer"), sourced("b", precedence=1))
    (host,) = result.table.virtual_hosts
    assert host.domains == ("*",)
    assert [route.splits[0].mapping.name for route in host.routes] == ["b", "longer", "a"]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"method": "GET"}, {"method": "POST"}),
        ({"host": "a.com"}, {"host": "b.com"}),
        ({"headers": {"x": "1"}}, {}),
        ({"prefix_exact": True}, {}),
        ({"prefix_regex": True}, {}),
        ({"case_sensitive": False}, {}),
        ({"precedence": 1}, {}),
        ({"query_parameters": {"a": "1"}}, {}),
    ],
)
def test_mappings_that_take_different_requests_are_apart(one: dict[str, Any], other: dict[str, Any]) -> None:
    written = (sourced("a", **{"prefix": "/m/", **one}), sourced("b", **{"prefix": "/m/", **other}))
    assert len(compiled(*written).table.routes()) == 2


def test_mappings_with_the_same_match_share_a_route() -> None:
    canary = sourced("new", prefix="/m/", weight=10, rewrite="/new/", timeout_ms=1)
    result = compiled(sourced("old", prefix="/m/"), canary)
    assert shares(result) == [{"default/new": 10, "default/old": 90}]
    assert not result.problems


def test_members_of_a_route_stand_in_order_of_seniority() -> None:
    young = sourced("a", prefix="/m/", created="2026-02-01T00:00:00Z")
    old = sourced("b", prefix="/m/", created="2026-01-01T00:00:00Z")
    assert list(shares(compiled(young, old))[0]) == ["default/b", "default/a"]


@pytest.mark.parametrize(
    ("weights", "expected", "told_of"),
    [
        ((30, 10), [75, 25], 2),
        ((60, 60), [50, 50], 2),
        ((100, None), [100, 0], 0),
        ((0, None), [0, 100], 0),
    ],
)
def test_weights_that_are_no_whole_are_told_of(
    weights: tuple[int | None, ...], expected: list[int], told_of: int
) -> None:
    result = compiled(*(sourced(name, prefix="/m/", weight=weight) for name, weight in zip("ab", weights, strict=True)))
    assert list(shares(result)[0].values()) == expected
    assert [problem.code for problem in result.problems] == ["weights-rescaled"] * told_of
    assert all(problem.severity is Severity.WARNING for problem in result.problems)


def test_the_message_of_a_weight_says_what_becomes_of_it() -> None:
    first, _ = compiled(sourced("a", prefix="/m/", weight=30), sourced("b", prefix="/m/", weight=10)).problems
    assert str(first) == (
        "warning: weight: the weights of this route do not sum to 100; weight 30 is 75 percent of the requests "
        "(Service default/a, annotation document 1)"
    )


def test_another_namespace_takes_no_share_of_somebodys_requests() -> None:
    owner = sourced("m", "owner", prefix="/m/", created="2026-01-01T00:00:00Z")
    thief = sourced("t", "thief", prefix="/m/", weight=100, created="2026-01-02T00:00:00Z")
    canary = sourced("c", "owner", prefix="/m/", weight=10, created="2026-01-03T00:00:00Z")
    result = compiled(thief, canary, owner)
    assert shares(result) == [{"owner/m": 90, "owner/c": 10}]
    (problem,) = result.problems
    assert str(problem) == (
        "error: prefix: requests for /m/ on any host belong to mapping m of Service owner/m, annotation document 1, "
        "which was there first; choose another prefix or another host, or ask namespace owner to publish this service "
        "as its own (Service thief/t, annotation document 1)"
    )


def test_who_leaves_lets_the_next_one_in() -> None:
    thief = sourced("t", "thief", prefix="/m/", created="2026-01-02T00:00:00Z")
    assert shares(compiled(thief)) == [{"thief/t": 100}]


@pytest.mark.parametrize("ids", [["internal"], ["internal", "other"]])
def test_a_mapping_for_another_gateway_is_left_to_it(ids: list[str]) -> None:
    result = compiled(sourced("m", ambassador_id=ids, method="no method"))
    assert shares(result) == []
    (problem,) = result.problems
    assert (problem.code, problem.severity) == ("other-gateway", Severity.NOTICE)


@pytest.mark.parametrize("ids", [["default"], ["internal", "default"], ["_automatic_"]])
def test_a_mapping_for_this_gateway_too_is_served(ids: list[str]) -> None:
    assert shares(compiled(sourced("m", ambassador_id=ids))) == [{"default/m": 100}]


def test_a_mapping_of_another_gateway_takes_nobodys_name() -> None:
    theirs = sourced("m", prefix="/a/", ambassador_id=["internal"], created="2026-01-01T00:00:00Z")
    assert shares(compiled(theirs, sourced("m", prefix="/b/", created="2026-02-01T00:00:00Z"))) == [{"default/m": 100}]


def test_of_two_with_one_name_the_eldest_is_served() -> None:
    old = sourced("m", prefix="/old/", created="2026-01-01T00:00:00Z")
    young = SourcedMapping(
        sourced("m", prefix="/young/").mapping,
        sourced("other").origin,
        namespace="default",
        created="2026-01-02T00:00:00Z",
    )
    result = compiled(young, old)
    assert [route.match.path.text for route in result.table.routes()] == ["/old/"]
    (problem,) = result.problems
    assert problem.code == "duplicate-name"
    assert problem.message == (
        "the name m is taken in its namespace by Service default/m, annotation document 1; "
        "give this mapping another name"
    )
    assert str(problem.origin) == "Service default/other, annotation document 1"


def test_a_name_may_be_used_in_every_namespace_and_hold_dots() -> None:
    result = compiled(sourced("m.v1", "a"), sourced("m.v2", "a"), sourced("m.v1", "b", prefix="/b/"))
    assert len(result.table.routes()) == 3
    assert not result.problems


def test_a_mapping_at_fault_keeps_no_name_from_another() -> None:
    bad = sourced("m", prefix="(", prefix_regex=True, created="2026-01-01T00:00:00Z")
    good = sourced("m", created="2026-01-02T00:00:00Z", number=2)
    result = compiled(bad, good)
    assert [route.match.path.text for route in result.table.routes()] == ["/m/"]
    assert told(result) == [("bad-regex", "Service default/m")]


def test_a_warning_keeps_nothing_from_being_served() -> None:
    result = compiled(sourced("m", prefix="m/"))
    assert len(result.table.routes()) == 1
    assert told(result) == [("prefix-without-slash", "Service default/m")]


# Clusters


SERVICE = service("m", "team", document("m", service="m:8000"), ports=(("http", 8000), ("admin", 9000)))


def clusters(*items: Manifest | SourcedMapping) -> list[tuple[Discovery, list[str]]]:
    return [
        (cluster.discovery, [str(endpoint) for endpoint in cluster.endpoints])
        for cluster in compiled(*items).table.clusters
    ]


def test_a_service_of_the_cluster_has_its_endpoints() -> None:
    slices = (
        slice_("m", "team", "10.0.0.2", "10.0.0.1", ports=(("http", 8501), ("admin", 1)), suffix="1"),
        slice_("m", "team", "10.0.0.3", "10.0.0.1", ports=(("http", 8501),), suffix="2"),
        slice_("m", "other", "10.9.9.9", ports=(("http", 8501),)),
        slice_("m", "team", "10.9.9.8", ports=(("http", 8501),), suffix="3", ready=False),
    )
    found = [(Discovery.ENDPOINTS, ["10.0.0.1:8501", "10.0.0.2:8501", "10.0.0.3:8501"])]
    assert clusters(SERVICE, *slices) == found
    assert not compiled(SERVICE, *slices).problems


def test_endpoints_with_addresses_of_the_sixth_version() -> None:
    slices = slice_("m", "team", "fd00::1", ports=(("http", 8501),)) | {"addressType": "IPv6"}
    assert clusters(SERVICE, slices) == [(Discovery.ENDPOINTS, ["[fd00::1]:8501"])]


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("httpbin.org:80", (Discovery.DNS, ["httpbin.org:80"])),
        ("absent:80", (Discovery.DNS, ["absent.default:80"])),
        ("localhost:81", (Discovery.DNS, ["localhost:81"])),
        ("10.0.0.1:81", (Discovery.ADDRESS, ["10.0.0.1:81"])),
        ("[::1]:81", (Discovery.ADDRESS, ["[::1]:81"])),
    ],
)
def test_what_is_no_service_of_the_cluster(written: str, expected: tuple[Discovery, list[str]]) -> None:
    assert clusters(sourced("x", service=written)) == [expected]


def test_an_external_name_is_looked_up() -> None:
    external = service("m", "team", document("m", service="m:8000"), ports=(), external_name="models.example.org")
    assert clusters(external) == [(Discovery.DNS, ["models.example.org:8000"])]
    assert not compiled(external).problems


def test_mappings_share_a_cluster_when_all_its_settings_agree() -> None:
    one, two = sourced("a", service="x.org:80"), sourced("b", service="X.org", timeout_ms=9)
    slow = sourced("c", service="x.org", connect_timeout_ms=9)
    assert len(clusters(one, two)) == 1
    assert len(clusters(one, two, slow)) == 2


def test_clusters_are_sorted_and_named_for_people() -> None:
    names = [
        cluster.name
        for cluster in compiled(sourced("a", service="z.org"), sourced("b", service="y.org")).table.clusters
    ]
    assert names == sorted(names)
    assert names[0].startswith("cluster_y_org_80_")


@pytest.mark.parametrize(
    ("items", "code", "message"),
    [
        (
            [SERVICE],
            "no-endpoints",
            "Service team/m has no ready endpoint for port 8000; requests are answered with 503 until it has",
        ),
        (
            [service("m", "team", document("m", service="m:81"), ports=(80, 8501))],
            "no-such-port",
            "Service team/m has no port 81; its ports are: 80, 8501. Requests are answered with 503",
        ),
        (
            [service("m", "team", document("m", service="m:81"), ports=())],
            "no-such-port",
            "Service team/m has no port 81; its ports are: none. Requests are answered with 503",
        ),
        (
            [service("m", "team", document("m", service="absent"))],
            "no-such-service",
            "there is no Service team/absent; absent.team is looked up by DNS",
        ),
    ],
)
def test_a_service_that_cannot_answer_is_told_of_and_served(items: list[Manifest], code: str, message: str) -> None:
    result = compiled(*items)
    assert len(result.table.routes()) == 1
    (problem,) = result.problems
    assert (problem.code, problem.message, problem.severity) == (code, message, Severity.WARNING)
    assert problem.path == "service"


def test_everyone_who_uses_a_cluster_is_told_of_it() -> None:
    result = compiled(SERVICE, sourced("n", "team", service="m:8000"))
    assert told(result) == [("no-endpoints", "Service team/n"), ("no-endpoints", "Service team/m")]


def test_a_name_like_a_service_in_a_namespace_nobody_knows_is_a_dns_name() -> None:
    assert not compiled(
        SERVICE, slice_("m", "team", "10.0.0.1", ports=(("http", 1),)), sourced("x", service="x.org")
    ).problems


def test_who_remembers_sees_a_service_come_change_and_go() -> None:
    policy, written = TenancyPolicy(gateway_namespace="gateway"), sourced("m", "team", service="m")
    there, elsewhere = service("m", "team"), slice_("m", "team", "10.0.0.2")
    states: dict[str, tuple[Manifest, ...]] = {
        "there": (there, slice_("m", "team", "10.0.0.1")),
        "elsewhere": (there, elsewhere),
        "gone": (),
        "another port": (service("m", "team", ports=(81,)), elsewhere),
        "another's": (service("m", "team", external_name="kubernetes.default"),),
    }
    compiler, seen = Compiler(policy), {}
    for name in (*states, *reversed(states)):
        known = resource_set(written, *states[name])
        seen[name] = compiler.compile(known)
        assert seen[name] == compile_routes(known, policy), name
    assert [name for name, each in seen.items() if not each.table.routes()] == ["another's"]
    assert len({str(each.table.clusters) for each in seen.values()}) == len(states)
