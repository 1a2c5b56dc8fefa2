"""What is wrong, sorted by what is to be done about it."""

from dataclasses import replace

from kfambassador.controller.page.faults import SORTS, count_sorts, list_faults
from kfambassador.problems import Fault, ObjectKey, Origin
from kfambassador.routing.model import Compiled
from kfambassador.routing.policy import TenancyPolicy
from tests.builders import document, service
from tests.unit.controller.seen import work_of

KEY = ObjectKey("Service", "team", "a")
HELD = Fault("envoy-rejected", "Envoy refuses it: missing ]").at(Origin(KEY, document=1))
SECRET = Fault("wrong-type", "expected text, got 'tweety'", path="add_request_headers.x").at(Origin(KEY))
READ = work_of(
    service("a", "team", document("m")),
    service("b", "team", document("m", prefix="/n/")),
    service("c", "team", document("c", nonsense=1), document("d", cors={"origins": 5})),
    policy=TenancyPolicy.laptop(),
)
COMPILED = Compiled(READ.compiled.table, (*READ.compiled.problems, SECRET, HELD))
WORK = replace(READ, compiled=COMPILED, undecided=frozenset({KEY, ObjectKey("Service", "rivals", "hidden")}))


def test_the_most_pressing_come_first_and_each_is_of_one_sort() -> None:
    faults = list_faults(WORK, {})
    keys = [sort.key for sort, _ in faults.cut.shown]
    assert keys == sorted(keys, key=[sort.key for sort in SORTS].index)
    assert keys[:2] == ["quarantined", "conflicts"]
    assert sum(faults.counts.values()) == faults.total == len(COMPILED.problems)
    assert faults.counts == count_sorts(WORK)


def test_one_sort_is_shown_alone_and_words_are_looked_for() -> None:
    assert {problem.code for _, problem in list_faults(WORK, {"sort": "warnings"}).cut.shown} >= {"unknown-attribute"}
    assert [problem.code for _, problem in list_faults(WORK, {"q": "TEAM/b taken"}).cut.shown] == ["duplicate-name"]
    assert list_faults(WORK, {"sort": "nonsense"}).sort == ""
    assert list_faults(WORK, {"q": "no such words"}).cut.found == 0


def test_nobody_finds_out_a_secret_by_looking_for_it() -> None:
    assert list_faults(WORK, {"q": "tweety"}).cut.found == 0


def test_what_waits_is_told_as_far_as_it_may_be_seen() -> None:
    assert list_faults(WORK, {}).waiting == (KEY,)
