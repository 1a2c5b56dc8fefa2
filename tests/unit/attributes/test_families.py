"""The mechanism: one family a file, each with its own fields and its own hooks, all of them in every Mapping."""

import pkgutil
from importlib import import_module

import pytest
from pydantic import ValidationError

from kfambassador import attributes
from kfambassador.attributes.base import Attributes, Scope
from kfambassador.resources.mapping import Mapping
from tests.builders import mapping

FAMILIES = Mapping.families()


def test_every_family_in_the_folder_is_in_every_mapping() -> None:
    found = pkgutil.iter_modules(attributes.__path__, f"{attributes.__name__}.")
    modules = [import_module(each.name) for each in found]
    written = {
        value
        for module in modules
        for value in vars(module).values()
        if isinstance(value, type) and issubclass(value, Attributes) and value is not Attributes
    }
    assert set(FAMILIES) == written


def test_no_two_families_have_a_field_of_the_same_name() -> None:
    names = [name for family in FAMILIES for name in family.model_fields]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("family", FAMILIES)
def test_what_is_no_part_of_a_clusters_identity_never_touches_the_cluster(family: type[Attributes]) -> None:
    # The other way round is fine: what a hashing cluster goes by is said on the route.
    assert family.scope is Scope.CLUSTER or "on_cluster" not in vars(family)


@pytest.mark.parametrize("name", Mapping.model_fields)
def test_every_attribute_is_described_for_people(name: str) -> None:
    description = Mapping.model_fields[name].description
    assert description
    assert description.endswith(".")


def test_what_is_part_of_a_clusters_identity_is_all_of_the_cluster_families() -> None:
    expected = {name for family in FAMILIES if family.scope is Scope.CLUSTER for name in family.model_fields}
    assert set(Mapping.cluster_fields()) == expected
    assert "connect_timeout_ms" in expected


def test_a_mapping_never_changes() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        mapping().prefix = "/x/"  # type: ignore[misc]  # that is the point


def test_a_misspelt_attribute_is_refused_on_the_spot() -> None:
    with pytest.raises(ValidationError, match="methd"):
        mapping(methd="POST")


def test_who_serves_it_is_a_list() -> None:
    assert mapping().ambassador_id == ("default",)
    assert mapping(ambassador_id=["a", "b"]).ambassador_id == ("a", "b")
