"""First claim wins: against the rule asked of every pair, and against requests."""

from hypothesis import given, settings
from hypothesis import strategies as st

from kfambassador.routing.anchors import find_beginning
from kfambassador.routing.claims import Claim, build_claim, find_conflicts, takes_from
from kfambassador.routing.explain import explain
from kfambassador.routing.groups import Candidate
from kfambassador.routing.model import PathKind, Route, RoutingTable, VirtualHost
from kfambassador.routing.policy import TenancyPolicy
from kfambassador.routing.requests import RequestLine
from tests.builders import sourced
from tests.candidates import candidate
from tests.properties.mappings import mapping_attributes, requests

HOME = "platform"
POLICY = TenancyPolicy(gateway_namespace=HOME)


def candidates() -> st.SearchStrategy[list[Candidate]]:
    described = st.lists(st.tuples(mapping_attributes(), st.sampled_from(["one", "two", HOME])), max_size=14)
    return described.map(
        lambda rows: [
            candidate(sourced(f"m{number}", namespace, **attributes))
            for number, (attributes, namespace) in enumerate(rows)
        ]
    )


@settings(max_examples=100)
@given(candidates())
def test_the_tree_finds_what_asking_every_pair_finds(written: list[Candidate]) -> None:
    held: list[Claim] = []
    expected = []
    for claim in (build_claim(each, POLICY) for each in written):
        if any(takes_from(claim, senior) for senior in held):
            expected.append(claim.candidate.identity)
        else:
            held.append(claim)
    assert list(find_conflicts(written, POLICY)) == expected


def list_taking(members: list[Candidate], request: RequestLine) -> list[Candidate]:
    """Those that would take a request if they were alone."""
    routes = tuple(Route(each.match, each.mapping.precedence, splits=()) for each in members)
    verdicts = explain(RoutingTable((VirtualHost("all", ("*",), routes),)), request).verdicts
    return [each for each, verdict in zip(members, verdicts, strict=True) if not verdict.reason]


def is_left_free(junior: Candidate, senior: Candidate) -> bool:
    longer = len(junior.match.path.text) > len(find_beginning(senior.match.path))
    return senior.sourced.namespace == HOME and junior.match.path.kind is not PathKind.REGEX and longer


@settings(max_examples=100)
@given(candidates(), st.lists(requests(), min_size=1, max_size=12))
def test_no_request_goes_to_a_younger_mapping_of_another_namespace(
    written: list[Candidate], asked: list[RequestLine]
) -> None:
    lost = find_conflicts(written, POLICY)
    held = [each for each in written if each.identity not in lost]
    for request in asked:
        taking = list_taking(held, request)
        if not taking:
            continue
        winner = max(taking, key=lambda each: each.order)
        for senior in taking[: taking.index(winner)]:
            own = senior.sourced.namespace == winner.sourced.namespace
            assert own or is_left_free(winner, senior), (request, winner.match, senior.match)
