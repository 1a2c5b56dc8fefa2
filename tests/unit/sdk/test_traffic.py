"""Canaries, promotion, roll-back and shadows: what each does to the mappings, and what is refused."""

from collections.abc import Iterable
from dataclasses import replace

import pytest

from kfambassador.errors import MappingRejected
from kfambassador.problems import ObjectKey, Origin
from kfambassador.resources.mapping import Mapping
from kfambassador.resources.meta import ResourceSet, SourcedMapping
from kfambassador.routing.compile import compile_routes
from kfambassador.routing.explain import explain
from kfambassador.routing.policy import TenancyPolicy
from kfambassador.routing.requests import RequestLine
from kfambassador.sdk.publishing.publication import Publication
from kfambassador.sdk.servers.http import HTTPServer
from kfambassador.sdk.servers.kserve import KServeV1
from kfambassador.sdk.traffic.splitting import drop_variant, promote, put_variant, roll_back, weigh
from tests.unit.sdk.test_publication import publish


def canary(publication: Publication, weight: int = 10, **fields: object) -> Publication:
    return put_variant(publication, {"name": "canary", "service": "m2:8501", "weight": weight, **fields})


def serve(mappings: Iterable[Mapping], headers: dict[str, str] | None = None) -> dict[str, int]:
    """Compile the mappings and tell who gets which share of a prediction."""
    origin = Origin(ObjectKey("Service", "team", "mnist"))
    resources = ResourceSet(mappings=tuple(SourcedMapping(mapping, origin, "team") for mapping in mappings))
    compiled = compile_routes(resources, TenancyPolicy.laptop())
    assert not compiled.problems
    won = explain(compiled.table, RequestLine.read("POST", "/models/mnist:predict", headers or {})).winner
    return {} if won is None else {split.mapping.service: split.share for split in (*won.splits, *won.shadows)}


HERE = "127.0.0.1:8501"


def test_the_stable_server_is_not_taken_back() -> None:
    with pytest.raises(MappingRejected, match="'stable' cannot be taken back"):
        drop_variant(publish(), "stable")


@pytest.mark.parametrize("weight", [0, 1, 10, 50, 99, 100])
def test_a_canary_gets_its_share_exactly(weight: int) -> None:
    assert serve(canary(publish(), weight).mappings) == {HERE: 100 - weight, "m2.team:8501": weight}


@pytest.mark.parametrize("weight", [0, 10, 100])
def test_a_request_may_ask_for_a_variant_whatever_the_shares(weight: int) -> None:
    publication = canary(publish(), weight)
    assert serve(publication.mappings, publication.pin_headers("canary")) == {"m2.team:8501": 100}
    assert serve(publication.mappings, publication.pin_headers("stable")) == {HERE: 100}
    assert serve(publication.mappings, {"x-model-variant": "nobody"}) == {HERE: 100 - weight, "m2.team:8501": weight}


def test_without_a_choice_nothing_is_pinned() -> None:
    assert publish().pin_headers("stable") == {}
    assert canary(publish()).pin_headers("canary") == {"x-model-variant": "canary"}


def test_several_variants_share() -> None:
    publication = put_variant(canary(publish(), 10), {"name": "v3", "service": "m3:1", "weight": 20})
    assert serve(publication.mappings) == {HERE: 70, "m2.team:8501": 10, "m3.team:1": 20}
    assert serve(weigh(publication, {"v3": 0}).mappings) == {HERE: 90, "m2.team:8501": 10, "m3.team:1": 0}


def test_a_canary_said_again_is_changed() -> None:
    publication = canary(canary(publish(), 10), 30, service="m9:1")
    assert serve(publication.mappings) == {HERE: 70, "m9.team:1": 30}


def test_a_canary_may_have_attributes_and_a_kind_of_its_own() -> None:
    publication = canary(publish(), attributes={"host_rewrite": "v2.example"}, server=KServeV1(model="m2"))
    hosts = {mapping.name: mapping.host_rewrite for mapping in publication.mappings}
    assert {host for name, host in hosts.items() if ".canary" in name} == {"v2.example"}
    assert {host for name, host in hosts.items() if ".canary" not in name} == {None}
    assert all("m2" in (mapping.rewrite or "") for mapping in publication.list_mappings("canary"))


def test_promotion_and_the_way_back() -> None:
    before = canary(publish(), 10)
    after = promote(before, "canary")
    assert serve(after.mappings) == {"m2.team:8501": 100}
    assert [mapping.name for mapping in after.mappings] == [mapping.name for mapping in publish().mappings]
    assert serve(roll_back(after).mappings) == {HERE: 100}
    with pytest.raises(MappingRejected, match="nothing to go back to"):
        roll_back(roll_back(after))


def test_roll_back_takes_canaries_away_and_leaves_shadows() -> None:
    publication = put_variant(
        canary(publish(), 10), {"name": "shadow", "service": "m4:1", "weight": 20, "shadow": True}
    )
    assert serve(publication.mappings) == {HERE: 90, "m2.team:8501": 10, "m4.team:1": 20}
    assert serve(roll_back(publication).mappings) == {HERE: 100, "m4.team:1": 20}
    assert serve(drop_variant(publication, "shadow").mappings) == {HERE: 90, "m2.team:8501": 10}


def test_two_models_of_one_server_are_counted_apart() -> None:
    publication = canary(publish(), service=HERE, server=KServeV1(model="m2"))
    tags = {mapping.cluster_tag for mapping in publication.list_mappings("canary")}
    assert (tags, {mapping.cluster_tag for mapping in publication.list_mappings("stable")}) == (
        {"mnist-canary"},
        {None},
    )
    assert {mapping.cluster_tag for mapping in canary(publish()).mappings} == {None}


def test_a_shadow_leaves_the_answers_alone() -> None:
    publication = put_variant(publish(), {"name": "shadow", "service": "m4:1", "shadow": True})
    assert serve(publication.mappings) == {HERE: 100, "m4.team:1": 100}
    assert publication.backend == "port 8501 of this machine"


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"name": "canary", "service": "m2", "weight": 101}, "weight: expected at most 100, got 101"),
        ({"name": "Canary", "service": "m2", "weight": 1}, "name: "),
        ({"name": "stable", "service": "m2", "weight": 1}, "takes what the others leave; name another"),
        ({"name": "v3", "service": "m2", "weight": 95}, "sum to 105 percent"),
        ({"name": "v3", "service": "m2", "weight": None}, "weight: expected a share in percent, got nothing"),
        ({"name": "v3", "service": "m2", "weight": "10"}, "weight: expected a whole number, got '10'"),
        ({"name": "v3", "service": "m2", "weight": True}, "weight: expected a whole number, got true"),
    ],
)
def test_refuses_what_cannot_be(fields: dict[str, object], words: str) -> None:
    with pytest.raises(MappingRejected, match=words):
        put_variant(canary(publish(), 10), fields)


def test_where_there_is_no_variant_it_asks_for_a_service() -> None:
    with pytest.raises(MappingRejected, match="there is none yet: say which service is to be one"):
        weigh(publish(), {"canary": 10})


def test_refuses_a_share_of_nobody() -> None:
    with pytest.raises(MappingRejected, match="'v9' is no variant whose share can be set; there are: canary"):
        weigh(canary(publish()), {"v9": 10})
    with pytest.raises(MappingRejected, match=r"'canary' is no variant that could be promoted; there are: none"):
        promote(publish(), "canary")


def test_a_part_of_somebodys_split_has_no_canary_of_its_own() -> None:
    with pytest.raises(MappingRejected, match="with a weight of its own"):
        canary(publish(server=HTTPServer(), weight=10))


def test_a_model_of_another_server_keeps_its_pins_apart() -> None:
    publication = replace(canary(publish()), name="mnist")
    names = [mapping.name for mapping in publication.mappings]
    assert len(names) == len(set(names))
    assert {"mnist", "mnist.canary", "mnist.canary.pinned", "mnist.stable.pinned"} <= set(names)


def test_the_same_server_is_told_from_itself_after_a_promotion_too() -> None:
    promoted = promote(canary(publish(), service="127.0.0.1:8501"), "canary")
    again = canary(promoted, service="127.0.0.1:8501")
    tags = {mapping.cluster_tag for name in ("stable", "canary") for mapping in again.mappings_of(name)}
    assert tags == {"mnist-canary", "mnist-canary-2"}
