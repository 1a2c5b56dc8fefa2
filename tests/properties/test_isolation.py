"""One bad object never touches another: whatever is written beside them, good mappings are served as if alone."""

from collections.abc import Iterable
from dataclasses import dataclass

from hypothesis import given, settings
from hypothesis import strategies as st

from kfambassador.envoy.clusters import build_cluster
from kfambassador.names import CONFIG_ANNOTATION
from kfambassador.problems import has_errors
from kfambassador.resources.documents import read_documents
from kfambassador.resources.fields import as_object, as_text
from kfambassador.resources.mapping import Mapping
from kfambassador.resources.objects import join_contributions, object_key, read_contribution
from kfambassador.routing.compile import compile_routes
from kfambassador.routing.model import Compiled, Route
from kfambassador.routing.policy import TenancyPolicy
from tests.properties.damage import mutilate, mutilated_texts, write_odd
from tests.properties.written import (
    ATTRIBUTES,
    Manifest,
    Place,
    Written,
    annotate,
    customize,
    lay_deep,
    lay_flat,
    write_text,
    written_mappings,
)

#: A platform of many tenants, as it comes, except that models run on this machine.
POLICY = TenancyPolicy(loopback=True)

GOOD, BAD = "good", "bad"
_LAYOUTS = st.sampled_from([lay_flat, lay_flat, lay_deep])


def good_place(number: int) -> Place:
    return Place(GOOD, number, "2026-01-01T00:00:00Z")


def bad_place(number: int) -> Place:
    return Place(BAD, number, "2026-02-01T00:00:00Z")


def good_objects(number: int) -> st.SearchStrategy[Manifest]:
    """An object in order: a Service with documents, or a custom resource."""
    place = good_place(number)
    documents = written_mappings(place)
    annotated = st.builds(
        lambda written, lay: annotate([write_text(lay(each)) for each in written], place), documents, _LAYOUTS
    )
    return annotated | documents.map(lambda written: customize(written[0], place)).filter(stands_alone)


def bad_objects(number: int) -> st.SearchStrategy[Manifest]:
    """An object with a damaged document, as a custom resource or as text."""
    place = bad_place(number)
    customized = mutilate(intact(number)).map(lambda document: customize(document, place))
    annotated = bad_texts(number).map(lambda text: annotate([text], place))
    return customized | annotated | annotated


def bad_texts(number: int) -> st.SearchStrategy[str]:
    """A document that was damaged before it was written, or after."""
    damaged = st.builds(lambda document, lay: write_odd(lay(document)), mutilate(intact(number)), _LAYOUTS)
    return damaged | mutilated_texts(intact(number).map(lay_flat))


def intact(number: int) -> st.SearchStrategy[Written]:
    return written_mappings(bad_place(number)).map(lambda written: written[0])


def says_nothing(manifest: Manifest) -> bool:
    """Tell whether an object's text was damaged to nothing."""
    return not read_documents(as_text(as_object(as_object(manifest["metadata"])["annotations"]).get(CONFIG_ANNOTATION)))


def stands_alone(manifest: Manifest) -> bool:
    spec = manifest["spec"]
    return not (isinstance(spec, dict) and spec.get("shadow"))


def compile_objects(objects: Iterable[Manifest]) -> Compiled:
    return compile_routes(join_contributions(map(read_contribution, objects)), POLICY)


@dataclass(frozen=True)
class Scene:
    good: list[Manifest]
    bad: list[Manifest]


@st.composite
def scenes(draw: st.DrawFn, *, good: int, bad: int) -> Scene:
    """Good objects and damaged ones, in any numbers up to these."""
    return Scene(
        [draw(good_objects(number)) for number in range(draw(st.integers(1, good)))],
        [draw(bad_objects(number)) for number in range(draw(st.integers(1, bad)))],
    )


def routes_of(compiled: Compiled, namespace: str) -> list[Route]:
    return [route for route in compiled.table.routes() if any(each.namespace == namespace for each in route.splits)]


def told_of_clusters(compiled: Compiled) -> dict[str, object]:
    """What Envoy is told of each cluster."""
    return {cluster.name: build_cluster(cluster) for cluster in compiled.table.clusters}


def test_every_attribute_is_written() -> None:
    assert set(Mapping.model_fields) == set(ATTRIBUTES)


@settings(max_examples=150)
@given(good_objects(0))
def test_what_is_in_order_is_served(manifest: Manifest) -> None:
    # The properties below would hold of a compiler that serves nothing.
    compiled = compile_objects([manifest])
    assert not has_errors(compiled.problems), compiled.problems
    assert len(compiled.table.routes()) == 1


@settings(max_examples=120)
@given(scenes(good=2, bad=4))
def test_good_mappings_are_served_as_if_alone(scene: Scene) -> None:
    alone, mixed = compile_objects(scene.good), compile_objects([*scene.bad, *scene.good])
    assert routes_of(mixed, GOOD) == list(alone.table.routes())
    assert told_of_clusters(alone).items() <= told_of_clusters(mixed).items()
    assert (mixed.table.module, mixed.table.authorization) == (alone.table.module, alone.table.authorization)


@settings(max_examples=120)
@given(written=written_mappings(good_place(0)), text=bad_texts(1))
def test_a_bad_document_spoils_none_beside_it_in_its_text(written: list[Written], text: str) -> None:
    place = good_place(0)
    texts = [write_text(lay_flat(each)) for each in written]
    alone = [says(route) for route in compile_objects([annotate(texts, place)]).table.routes()]
    for beside in ([*texts, text], [text, *texts]):
        routes = compile_objects([annotate(beside, place)]).table.routes()
        assert [says(route) for route in routes if route.match.path.text.startswith(place.prefix)] == alone


def says(route: Route) -> object:
    """What a route says, wherever it was written."""
    return route.match, [(each.mapping, each.cluster, each.share) for each in (*route.splits, *route.shadows)]


@settings(max_examples=250)
@given(bad_objects(0))
def test_what_is_left_out_is_told_with_its_place(manifest: Manifest) -> None:
    compiled = compile_objects([manifest])
    splits = [split for route in compiled.table.routes() for split in (*route.splits, *route.shadows)]
    told = {problem.origin.object for problem in compiled.problems}
    assert splits or told == {object_key(manifest)} or says_nothing(manifest), manifest
