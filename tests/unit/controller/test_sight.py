"""What is left of the controller's work for somebody who sees a part of it."""

import json

import pytest

from kfambassador.controller.drilldown import describe_one, describe_one_cluster
from kfambassador.controller.overview import OWNERS_PARTS, PARTS, describe_overview
from kfambassador.controller.reporting.status import judge
from kfambassador.controller.route_texts import RouteTexts
from kfambassador.controller.sight import OWNER, list_namespaces, narrow_work
from kfambassador.controller.state import Work
from kfambassador.problems import ObjectKey
from kfambassador.routing.describe import describe_route
from kfambassador.routing.policy import TenancyPolicy
from tests.builders import Manifest, document, service, slice_
from tests.unit.controller.seen import seen_by, sight_of, work_of

CANARY = "tweety"
STRICT = TenancyPolicy(gateway_namespace="ambassador")
PERMISSIVE = TenancyPolicy.permissive(gateway_namespace="ambassador")


def others() -> tuple[Manifest, ...]:
    """A tenant whose every word has the canary, and the platform's own objects."""
    secret = {
        "host": f"{CANARY}.example",
        "headers": {"x-key": f"{CANARY}-key"},
        "add_request_headers": {"x-more": CANARY},
        "rewrite": f"/{CANARY}/",
    }
    documents = (
        document(f"{CANARY}-a", prefix="/mine/", service=f"{CANARY}-a:80", **{**secret, "host": "*"}),
        document(f"{CANARY}-b", prefix=f"/{CANARY}/b/", service="shared.team:80", **secret),
        document(f"{CANARY}-first", prefix="/first/", service=f"{CANARY}-a:80"),
        document(f"{CANARY}-first", prefix=f"/{CANARY}/twice/"),
        document(f"{CANARY}-bad", prefix=f"/{CANARY}/bad/", timeout_ms=CANARY),
        document(f"{CANARY}-shadow", prefix="/copied/", service=f"{CANARY}-a:80", shadow=True),
    )
    old = "2020-01-01T00:00:00Z"
    return (
        # Below what the platform claims a longer prefix is free, and here never reached.
        service(f"{CANARY}-p", "ambassador", document(f"{CANARY}-p", prefix="/raised/", precedence=10), created=old),
        service(f"{CANARY}-a", "rivals", *documents, created=old),
        service("keeper", "rivals", annotation=f"- {CANARY}: [", created=old),
        slice_(f"{CANARY}-a", "rivals", "10.1.1.1"),
    )


def own() -> tuple[Manifest, ...]:
    """A tenant that meets the other everywhere."""
    young = "2024-01-01T00:00:00Z"
    documents = (
        document("own", prefix="/own/", service="shared:80"),
        document("late", prefix="/first/", service="shared:80"),
        document("inside", prefix="/first/deeper/", service="shared:80"),
        document("copied", prefix="/copied/", service="shared:80"),
        document("second", prefix="/copied/", service="shared:80", shadow=True),
        document("address", prefix="/address/", service="10.1.1.1:80"),
        document("regex", prefix="/.*", prefix_regex=True, precedence=100, service="shared:80"),
        document("unreached", prefix="/raised/deeper/", service="shared:80"),
        document("wrong", prefix="/wrong/", timeout_ms="much"),
    )
    shared = service("shared", "team", *documents, created=young)
    metadata = shared["metadata"]
    assert isinstance(metadata, dict)
    metadata["annotations"]["kfambassador.io/allowed-namespaces"] = "rivals"
    return shared, slice_("shared", "team", "10.2.2.2")


@pytest.fixture(params=[STRICT, PERMISSIVE], ids=["strict", "permissive"])
def work(request: pytest.FixtureRequest) -> Work:
    return work_of(*others(), *own(), policy=request.param)


def test_the_owner_is_told_everything(work: Work) -> None:
    assert narrow_work(work, OWNER) is work
    assert list_namespaces(work) == {"ambassador", "rivals", "team"}
    told = json.dumps(describe_overview(seen_by(OWNER, work)))
    assert told.count(CANARY) > 50


def test_a_tenant_is_told_nothing_of_the_others(work: Work) -> None:
    seen = seen_by(sight_of("team"), work)
    described = describe_overview(seen, without=OWNERS_PARTS)
    assert list(described) == [part for part in PARTS if part not in OWNERS_PARTS]
    closely = [describe_one_cluster(seen, cluster, {}) for cluster in seen.clusters.values()]
    closely += [describe_one(seen, name) or {} for name in (*seen.groups, "Service team/shared")]
    told = json.dumps([described, closely]) + RouteTexts().write_some(seen.work.compiled.table).decode()
    assert CANARY not in told
    # Who lost a path is told whom to ask, and nothing more.
    assert "rivals" not in told.replace("belong to a mapping of namespace rivals, which was there first", "")
    assert "team/own" in {mapping for source in seen.sources for mapping in source.mappings}


def test_what_is_the_others_is_not_there_for_a_tenant(work: Work) -> None:
    seen = seen_by(sight_of("team"), work)
    assert [str(key) for key in seen.work.resources.sources] == ["Service team/shared"]
    assert describe_one(seen, f"Service rivals/{CANARY}-a") is None
    assert seen.work.resources.services == {}


def test_who_sees_both_is_told_all_of_both(work: Work) -> None:
    narrowed = narrow_work(work, sight_of("team", "rivals", "ambassador"))
    assert narrowed.compiled.table.routes() == work.compiled.table.routes()
    assert narrowed.compiled.problems == work.compiled.problems


def test_a_loser_is_told_so_in_its_own_words() -> None:
    work = work_of(*others(), *own(), policy=STRICT)
    problems = {problem.code: problem for problem in narrow_work(work, sight_of("team")).compiled.problems}
    conflict = problems["conflicting-route"].message
    assert "belong to a mapping of namespace rivals, which was there first" in conflict
    assert conflict.endswith("choose another prefix or another host, or ask there")
    granted = problems["reference-not-granted"].message
    assert granted.startswith("'10.1.1.1:80' is of another namespace")
    assert "goes to a mapping of another namespace" in problems["unreachable"].message


@pytest.mark.parametrize(
    ("policy", "codes"),
    [
        (STRICT, {"conflicting-route", "reference-not-granted", "unreachable"}),
        (PERMISSIVE, {"second-shadow"}),
    ],
)
def test_the_owner_is_told_who_the_others_are(policy: TenancyPolicy, codes: set[str]) -> None:
    work = work_of(*others(), *own(), policy=policy)
    mine = [problem for problem in work.compiled.problems if problem.origin.object == ("Service", "team", "shared")]
    assert codes <= {problem.code for problem in mine if CANARY in problem.message}


def test_a_status_tells_nothing_of_the_others_either() -> None:
    work = work_of(*others(), *own(), policy=STRICT)
    verdict = judge(work.source(ObjectKey("Service", "team", "shared"), served=1))
    assert verdict is not None
    assert "another namespace" in verdict.reason
    assert CANARY not in verdict.reason


def test_a_route_of_several_namespaces_is_told_in_part() -> None:
    documents = [document(name, prefix="/m/", service=f"{name}:80") for name in ("a", CANARY)]
    objects = [service(name, name, each) for name, each in zip(("team", "rivals"), documents, strict=True)]
    work = work_of(*objects, policy=PERMISSIVE)
    [route] = narrow_work(work, sight_of("team")).compiled.table.routes()
    assert [(split.mapping.name, split.share) for split in route.splits] == [("a", 50)]
    assert narrow_work(work, sight_of("nobody")).compiled.table.routes() == ()


@pytest.mark.parametrize("written", ["ours", "ours.", "ours.."])
def test_counters_that_count_the_others_requests_as_well_are_not_told(written: str) -> None:
    mine = service("mine", "team", document("mine", service="mine:80", stats_name=written))
    theirs = service("theirs", "rivals", document("theirs", service="theirs:80", stats_name="ours"))
    alone = service("alone", "team", document("alone", service="alone:80", stats_name="alone"))
    work = work_of(mine, theirs, alone, policy=STRICT)
    counters = {name: {"upstream_rq_completed": 7} for name in ("ours", "alone")}
    seen = seen_by(sight_of("team"), work, counters)
    told = {name: seen.traffic(name) for name in seen.clusters}
    assert sorted((each["requests"] or 0, each.get("shared", False)) for each in told.values()) == [
        (0, True),
        (7, False),
    ]
    [shared] = [cluster for name, cluster in seen.clusters.items() if name in seen.shared]
    closely = describe_one_cluster(seen, shared, {"upstream_rq_completed": 7})
    assert (closely["statistics"], closely["requests"]) == ({}, None)
    assert all(each["requests"] == 7 for each in map(seen_by(OWNER, work, counters).traffic, told))


@pytest.mark.parametrize(("one", "other"), [("a://b", "a_b"), ("a:/b", "a:b"), ("a_b", "a:b.")])
def test_names_that_are_one_to_envoy_are_one_count(one: str, other: str) -> None:
    mine = service("mine", "team", document("mine", service="mine:80", stats_name=one))
    theirs = service("theirs", "rivals", document("theirs", service="theirs:80", stats_name=other))
    work = work_of(mine, theirs, policy=STRICT)
    seen = seen_by(sight_of("team"), work, {"a_b": {"upstream_rq_completed": 7}})
    [told] = map(seen.traffic, seen.clusters)
    assert (told["requests"], told.get("shared")) == (None, True)


def test_copies_of_the_others_requests_are_not_told_either() -> None:
    mine = service("mine", "team", document("mine", service="mine:80", stats_name="ours"))
    copy = document("copy", prefix="/theirs/", service="copy:80", stats_name="ours", shadow=True)
    theirs = service("theirs", "rivals", document("theirs", prefix="/theirs/", service="theirs:80"), copy)
    seen = seen_by(sight_of("team"), work_of(mine, theirs, policy=STRICT), {"ours": {"upstream_rq_completed": 7}})
    [told] = map(seen.traffic, seen.clusters)
    assert (told["requests"], told.get("shared")) == (None, True)


def test_what_the_gateway_asks_its_authorization_service_is_not_counted_for_a_tenant() -> None:
    text = "{apiVersion: ambassador/v1, kind: AuthService, name: auth, auth_service: 'auth:80', stats_name: ours}"
    mine = service("mine", "team", document("mine", service="mine:80", stats_name="ours"))
    work = work_of(service("auth", "ambassador", annotation=text), mine, policy=STRICT)
    seen = seen_by(sight_of("team"), work, {"ours": {"upstream_rq_completed": 7}})
    assert [seen.traffic(name)["requests"] for name in seen.clusters] == [None]
    assert seen.work.compiled.table.authorization is None
    assert narrow_work(work, sight_of("ambassador")).compiled.table.authorization is not None


def test_routes_are_written_once_and_again_when_they_change() -> None:
    before = work_of(*own(), policy=STRICT)
    texts = RouteTexts()
    first = texts.write_all(before.compiled.table)
    assert texts.write_all(before.compiled.table) is first
    after = work_of(*others(), *own(), policy=STRICT)
    for work in (before, after, before):
        described = [describe_route(route) for route in work.compiled.table.routes()]
        assert json.loads(texts.write_all(work.compiled.table)) == {"generation": 0, "routes": described} | {
            "generation": work.generation
        }
        assert texts.write_some(work.compiled.table) == texts.write_all(work.compiled.table)
