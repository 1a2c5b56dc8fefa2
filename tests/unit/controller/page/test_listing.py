"""Which routes are shown, in which order, and how they fare."""

import pytest

from kfambassador.controller.overview import Seen
from kfambassador.controller.page.listing import Listing, Question, cut_page, list_routes
from kfambassador.controller.sight import OWNER
from kfambassador.routing.policy import TenancyPolicy
from tests.builders import document, service, slice_
from tests.unit.controller.seen import seen_by, sight_of, work_of

WORK = work_of(
    service("mnist", "team", document("mnist", prefix="/models/mnist/", method="POST", weight=80, service="mnist:80")),
    service(
        "canary", "team", document("canary", prefix="/models/mnist/", method="POST", weight=20, service="canary:80")
    ),
    service("plain", "rivals", document("plain", host="a.example", headers={"x-token": "s3cret"}, service="plain:80")),
    service("odd", "rivals", document("odd", prefix="/models/odd/", nonsense=1, service="odd:80")),
    service("away", "team", document("away", service="b.example", host_redirect=True)),
    *(slice_(name, "team", "10.0.0.1") for name in ("mnist", "canary")),
    *(slice_(name, "rivals", "10.0.0.1") for name in ("plain", "odd")),
    policy=TenancyPolicy.laptop(),
)


def cluster_of(name: str) -> str:
    [found] = [each.name for each in WORK.compiled.table.clusters if each.target.host.startswith(f"{name}.")]
    return found


@pytest.fixture(scope="module")
def seen() -> Seen:
    counters = {
        cluster_of("mnist"): {"upstream_rq_completed": 10},
        cluster_of("canary"): {"upstream_rq_completed": 10, "upstream_rq_5xx": 9},
        cluster_of("odd"): {"upstream_rq_completed": 100, "upstream_rq_5xx": 20},
    }
    return seen_by(OWNER, WORK, counters)


def paths(listing: Listing) -> list[str]:
    return [row.path for row in listing.cut.shown]


def test_all_are_listed_in_the_tables_order(seen: Seen) -> None:
    listing = list_routes(seen, Question())
    assert [row.number for row in listing.cut.shown] == [1, 2, 3, 4]
    assert len(paths(listing)) == len(seen.routes) == 4
    assert listing.namespaces == ("rivals", "team")
    assert listing.has_hosts


def test_a_route_fares_as_the_worst_of_its_services(seen: Seen) -> None:
    rows = {row.path: row for row in list_routes(seen, Question()).cut.shown}
    canaried = rows["/models/mnist/*"]
    assert (canaried.fare.colour, canaried.fare.rate, canaried.requests) == ("red", "10%", 20)
    assert [(part.mapping, part.share, part.fare.colour) for part in canaried.parts] == [
        ("team/canary", 20, "red"),
        ("team/mnist", 80, "green"),
    ]
    assert (rows["/models/odd/*"].fare.colour, rows["/models/odd/*"].problems) == ("yellow", 1)
    assert rows["/plain/*"].fare.rate == "no requests"
    assert rows["/away/*"].fare.rate == "not counted"
    assert list_routes(seen, Question()).fares == {"red": 1, "yellow": 1, "green": 0, "unknown": 2}


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        (Question(words="models"), {"/models/mnist/*", "/models/odd/*"}),
        (Question(words="MODELS post"), {"/models/mnist/*"}),
        (Question(words="models -post"), {"/models/odd/*"}),
        (Question(words="a.example"), {"/plain/*"}),
        (Question(words="team/canary"), {"/models/mnist/*"}),
        (Question(words="service rivals/odd"), {"/models/odd/*"}),
        (Question(words="x-token"), {"/plain/*"}),
        # Nobody finds out a secret by looking for it.
        (Question(words="s3cret"), set()),
        (Question(colour="red"), {"/models/mnist/*"}),
        (Question(namespace="rivals"), {"/plain/*", "/models/odd/*"}),
        (Question(troubled=True), {"/models/odd/*"}),
        (Question(words="nothing"), set()),
        # A minus alone is looked for as such.
        (Question(words="-"), {"/plain/*"}),
    ],
)
def test_routes_are_narrowed_down(seen: Seen, question: Question, expected: set[str]) -> None:
    listing = list_routes(seen, question)
    assert set(paths(listing)) == expected
    assert listing.total == 4


def test_whoever_sees_a_namespace_is_told_of_it_alone() -> None:
    listing = list_routes(seen_by(sight_of("team"), WORK), Question())
    assert set(paths(listing)) == {"/models/mnist/*", "/away/*"}
    assert listing.namespaces == ("team",)


@pytest.mark.parametrize("page", ["", "0", "-1", "x", "٣", "9" * 5000])
def test_a_page_that_is_none_is_the_first(page: str) -> None:
    question = Question.read({"page": page})
    assert cut_page(range(300), question.page).page == 1


def test_pages_cover_everything_once() -> None:
    shown = [each for page in range(1, 4) for each in cut_page(range(250), page).shown]
    assert shown == list(range(250))
    assert cut_page([], 1).pages == 1


def test_a_question_is_written_as_it_is_read() -> None:
    question = Question(words="a b", colour="red", namespace="team", troubled=True)
    assert Question.read(question.query) == question
    assert question.is_narrow
    assert not Question(page=3).is_narrow
