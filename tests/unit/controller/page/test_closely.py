"""A route and an object looked at closely, each leading to the other."""

from kfambassador.controller.overview import name_group
from kfambassador.controller.page.closely import MOST_ENDPOINTS, view_route, view_source
from kfambassador.controller.sight import OWNER
from kfambassador.controller.state import Work
from kfambassador.problems import ObjectKey
from kfambassador.resources.objects import Contribution, read_contribution
from kfambassador.routing.policy import TenancyPolicy
from tests.builders import Manifest, document, service, slice_
from tests.unit.controller.seen import seen_by, work_of

CANARY = "Tweety-7"
KEYED = service(
    "keyed",
    "team",
    document("keyed", service="keyed:80", rewrite="/v1/", add_request_headers={"x-token": CANARY}),
    document("twin", service="keyed:80", rewrite="/v2/", nonsense=1),
)


def work() -> Work:
    addresses = [f"10.0.0.{number}" for number in range(1, 31)]
    return work_of(KEYED, slice_("keyed", "team", *addresses), policy=TenancyPolicy.laptop())


def contribution_of(manifest: Manifest) -> Contribution:
    return read_contribution(manifest)


def test_a_route_tells_where_it_goes_and_no_secret() -> None:
    seen = seen_by(OWNER, work())
    [route] = [each for each in seen.routes if each.match.path.text == "/keyed/"]
    view = view_route(seen, name_group(route))
    assert view is not None
    [goes] = view.services
    assert (goes.mapping, goes.rewrite, goes.source, goes.document) == (
        "team/keyed",
        "/v1/",
        ObjectKey("Service", "team", "keyed"),
        1,
    )
    assert goes.attributes["add_request_headers"] == '{"x-token": "•••"}'
    assert goes.shared_with == ("team/twin",)
    assert (len(goes.endpoints), goes.more) == (MOST_ENDPOINTS, 30 - MOST_ENDPOINTS)
    assert view.request == {"method": "GET", "host": "", "path": "/keyed/"}
    assert CANARY not in str(view)


def test_a_route_that_is_gone_is_none() -> None:
    assert view_route(seen_by(OWNER, work()), "0123456789abcdef") is None


def test_an_object_tells_its_routes_and_its_text() -> None:
    compiled = work()
    key = ObjectKey("Service", "team", "keyed")
    view = view_source(compiled, compiled.source(key, served=1), contribution_of(KEYED))
    assert [(each.name, [words for _, words in each.routes]) for each in view.written] == [
        ("team/keyed", ["/keyed/*"]),
        ("team/twin", ["/twin/*"]),
    ]
    groups = {name_group(route) for route in compiled.compiled.table.routes()}
    assert {group for each in view.written for group, _ in each.routes} == groups
    [marked] = [line for line in view.lines if line.problems]
    assert marked.text == "nonsense: 1"
    assert CANARY not in str([line.text for line in view.lines])
    assert any("x-token: •••" in line.text for line in view.lines)
    assert view.newer == ""


def test_a_newer_version_is_told_of() -> None:
    compiled = work()
    newer = contribution_of(service("keyed", "team", document("keyed"), version="7"))
    view = view_source(compiled, compiled.source(ObjectKey("Service", "team", "keyed"), served=1), newer)
    assert view.newer == "7"


def test_a_resource_is_shown_as_yaml() -> None:
    manifest: Manifest = {
        "apiVersion": "getambassador.io/v2",
        "kind": "Mapping",
        "metadata": {"name": "m", "namespace": "team", "resourceVersion": "1"},
        "spec": {"prefix": "/m/", "service": "m", "nonsense": 1, "add_request_headers": {"x-any": CANARY}},
    }
    compiled = work_of(manifest, policy=TenancyPolicy.laptop())
    key = ObjectKey("Mapping", "team", "m")
    view = view_source(compiled, compiled.source(key, served=1), contribution_of(manifest))
    assert view.where == "resource"
    assert [line.text.strip() for line in view.lines if line.problems] == ["nonsense: 1"]
    assert CANARY not in str(view.lines)


def test_what_is_not_known_any_more_is_told_without_its_text() -> None:
    compiled = work()
    view = view_source(compiled, compiled.source(ObjectKey("Service", "team", "keyed"), served=1), None)
    assert view.lines == ()
    assert [problem.code for problem in view.problems] == ["unknown-attribute"]
