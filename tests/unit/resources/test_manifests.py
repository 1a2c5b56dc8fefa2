"""Files a person names: Kubernetes manifests, custom resources and bare annotation text."""

import json
from dataclasses import replace

import pytest

from kfambassador.problems import Severity
from kfambassador.resources.documents import write_documents
from kfambassador.resources.manifests import read_manifests
from kfambassador.resources.meta import ResourceSet
from tests.builders import document, service, slice_


def read(*objects: object, namespace: str = "default") -> ResourceSet:
    return read_manifests([("f.yaml", write_documents(*objects))], namespace=namespace)


def names(resources: ResourceSet) -> list[str]:
    return [f"{sourced.namespace}/{sourced.mapping.name}" for sourced in resources.mappings]


NESTED = {"metadata": {"name": "m"}, "spec": {"prefix": "/m/", "service": "m"}}


def test_every_way_to_write_a_mapping_is_read() -> None:
    resources = read(
        service("a", "team", document("annotated")),
        {"apiVersion": "getambassador.io/v2", "kind": "Mapping", **NESTED},
        document("bare"),
    )
    assert names(resources) == ["team/annotated", "default/m", "default/bare"]
    assert not resources.problems


def test_lists_are_opened() -> None:
    listed = {"apiVersion": "v1", "kind": "List", "items": [service("a", "team", document("x")), slice_("a", "team")]}
    resources = read(listed)
    assert names(resources) == ["team/x"]
    assert set(resources.endpoints) == {("team", "a")}


def test_what_is_no_object_in_a_list_is_told() -> None:
    listed = {"apiVersion": "v1", "kind": "List", "items": [service("a", "team", document("x")), 3]}
    resources = read(listed)
    assert names(resources) == ["team/x"]
    assert [str(problem) for problem in resources.problems] == [
        "error: items[1]: expected a Kubernetes object, got 3 (f.yaml, document 1)"
    ]


def test_an_annotation_without_its_bar_is_told() -> None:
    annotations = {"getambassador.io/config": {"kind": "Mapping", "prefix": "/x/"}}
    metadata = {"name": "a", "namespace": "team", "annotations": annotations}
    (problem,) = read({"apiVersion": "v1", "kind": "Service", "metadata": metadata}, document("bare")).problems
    assert "an annotation is text, got " in problem.message
    assert "begin it with |" in problem.message
    assert str(problem.origin) == "f.yaml, Service team/a"


def test_json_is_read_too() -> None:
    text = json.dumps(service("a", "team", document("x")))
    assert names(read_manifests([("f.json", text)])) == ["team/x"]


def test_objects_without_a_namespace_are_put_where_one_is_told() -> None:
    unplaced = {"apiVersion": "getambassador.io/v2", "kind": "Mapping", **NESTED}
    assert names(read(unplaced, document("bare"), namespace="kubeflow")) == ["kubeflow/m", "kubeflow/bare"]


def test_bare_text_may_name_its_namespace() -> None:
    assert names(read(document("bare", namespace="team"))) == ["team/bare"]


@pytest.mark.parametrize("version", ["ambassador/v0", "ambassador/v1"])
def test_the_oldest_versions_may_be_nested(version: str) -> None:
    assert names(read({"apiVersion": version, "kind": "Mapping", **NESTED})) == ["default/m"]


@pytest.mark.parametrize(
    ("written", "code"),
    [
        ("text", "not-an-object"),
        (["a"], "not-an-object"),
        ({"kind": "Mapping"}, "missing-attribute"),
        ({"apiVersion": "v1"}, "missing-attribute"),
        (document(apiVersion="ambassador/v9"), "unknown-version"),
        (document(apiVersion="getambassador.io/v9"), "unknown-version"),
        (document(kind="Maping"), "unknown-kind"),
    ],
)
def test_a_fault_is_told_with_its_file(written: object, code: str) -> None:
    resources = read(service(), written)
    (problem,) = resources.problems
    assert problem.code == code
    assert (problem.origin.file, problem.origin.document) == ("f.yaml", 2)


def test_text_that_is_no_yaml_takes_no_neighbour() -> None:
    text = write_documents(document("a")) + "---\nkind: [\n---\n" + write_documents(document("b"))
    resources = read_manifests([("bad.yaml", text), ("good.yaml", write_documents(document("c")))])
    assert names(resources) == ["default/a", "default/b", "default/c"]
    (problem,) = resources.problems
    assert str(problem).endswith("(bad.yaml, document 2)")


def test_kinds_of_others_are_passed_over_with_a_notice() -> None:
    resources = read({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "d"}})
    (notice,) = resources.problems
    assert (notice.code, notice.severity) == ("other-object", Severity.NOTICE)
    assert str(notice.origin) == "f.yaml, Deployment default/d"
    assert replace(resources, problems=()) == ResourceSet()


def test_a_fault_in_an_annotation_names_file_object_and_document() -> None:
    resources = read(service("a", "team", document("x"), document("y", weight=900)))
    (problem,) = resources.problems
    assert str(problem.origin) == "f.yaml, Service team/a, annotation document 2"
