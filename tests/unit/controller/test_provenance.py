"""From one table to the next, the mappings of an object are those that a fresh look finds."""

import random
from collections.abc import Iterator

from kfambassador.controller.provenance import Provenance
from kfambassador.problems import ObjectKey
from kfambassador.resources.objects import Contribution, join_contributions, read_contribution
from kfambassador.routing.compile import Compiler
from kfambassador.routing.model import RoutingTable
from kfambassador.routing.policy import TenancyPolicy
from tests.builders import Manifest, document, resource_set, service

NAMES = ("a", "b", "c", "d")


def carrier(name: str, rng: random.Random) -> Manifest:
    """A Service with up to three mappings; paths are few, so that several objects share a route."""
    paths = rng.sample(range(6), rng.randrange(4))
    return service(
        name,
        "default",
        *(document(f"{name}-{path}", prefix=f"/{path}/", service=f"{name}:80", weight=10) for path in paths),
    )


def tables(seed: int) -> Iterator[RoutingTable]:
    rng, compiler = random.Random(seed), Compiler(TenancyPolicy.laptop())
    objects: dict[str, Contribution] = {}
    for generation in range(60):
        name = rng.choice(NAMES)
        if name in objects and rng.random() < 0.3:
            del objects[name]
        else:
            objects[name] = read_contribution(carrier(name, rng), before=objects.get(name))
        yield compiler.compile(join_contributions(objects.values(), generation=generation)).table


def test_what_it_remembers_is_what_a_fresh_look_finds() -> None:
    shared = 0
    for seed in range(10):
        provenance = Provenance()
        for table in tables(seed):
            shared += any(len({split.origin.object for split in route.splits}) > 1 for route in table.routes())
            for name in NAMES:
                key = ObjectKey("Service", "default", name)
                assert provenance.find(table, key) == Provenance().find(table, key)
    assert shared


def test_names_come_in_the_order_of_the_table() -> None:
    documents = [document(f"m-{path}", prefix=path, service="s") for path in ("/a/", "/a/b/c/")]
    table = Compiler(TenancyPolicy.laptop()).compile(resource_set(service("s", "default", *documents))).table
    (key,) = {split.origin.object for route in table.routes() for split in route.splits}
    assert key is not None
    assert Provenance().find(table, key) == ("default/m-/a/b/c/", "default/m-/a/")
    assert Provenance().find(table, key._replace(name="other")) == ()
