"""An annotation's documents: each is a mapping, or a fault with its place, and none takes a neighbour with it."""

import pytest

from kfambassador.problems import ObjectKey, Origin, Severity
from kfambassador.resources.annotation import Configuration, read_annotation
from kfambassador.resources.documents import Value, write_documents
from kfambassador.resources.kinds import API_VERSIONS, EDGE_STACK_KINDS, OTHER_KINDS
from kfambassador.resources.versions import read_resource
from tests.builders import document

SERVICE = Origin(ObjectKey("Service", "kubeflow", "test"), resource_version="7")


def read(text: str) -> Configuration:
    return read_annotation(text, SERVICE, namespace="kubeflow", created="2026-01-01T00:00:00Z")


def one(**attributes: object) -> Configuration:
    return read(write_documents(document(**attributes)))


def told(configuration: Configuration) -> list[str]:
    return [str(problem) for problem in configuration.problems]


ARTICLE = """---
apiVersion: ambassador/v0
kind: Mapping
name: tfserving-mapping-test-post
prefix: /models/test/
rewrite: /model/test/:predict
method: POST
service: test.kubeflow:8000
"""


def test_the_articles_mapping_is_read() -> None:
    configuration = read(ARTICLE)
    (sourced,) = configuration.mappings
    assert sourced.mapping.model_dump(exclude_defaults=True) == {
        "name": "tfserving-mapping-test-post",
        "prefix": "/models/test/",
        "rewrite": "/model/test/:predict",
        "method": "POST",
        "service": "test.kubeflow:8000",
    }
    assert (sourced.namespace, sourced.created) == ("kubeflow", "2026-01-01T00:00:00Z")
    assert not configuration.problems


def test_a_mapping_knows_its_object_document_and_line() -> None:
    text = ARTICLE + ARTICLE.replace("test-post", "test-get")
    first, second = (sourced.origin for sourced in read(text).mappings)
    assert (first.object, first.resource_version) == (SERVICE.object, "7")
    assert (first.line, second.line) == (1, 9)
    assert str(second) == "Service kubeflow/test, annotation document 2"


@pytest.mark.parametrize("version", API_VERSIONS)
def test_every_version_is_read_in_both_layouts(version: str) -> None:
    flat = document("m", apiVersion=version, method="POST")
    nested = {
        "apiVersion": version,
        "kind": "Mapping",
        "metadata": {"name": "m", "namespace": "kubeflow"},
        "spec": {"prefix": "/m/", "service": "m", "method": "POST"},
    }
    configuration = read(write_documents(flat, nested))
    first, second = (sourced.mapping for sourced in configuration.mappings)
    assert first == second
    assert not configuration.problems


@pytest.mark.parametrize(
    "bad",
    [
        "kind: [",
        "a: b: c",
        "- list",
        "just text",
        "{kind: Maping}",
        "{apiVersion: ambassador/v9, kind: Mapping}",
        "{apiVersion: ambassador/v1, kind: Mapping, name: bad}",
        "a: &a 1\nb: *a",
        "<<: {a: 1}",
        "key: 1\nkey: 2",
        "[" * 1000,
        "!!python/object:os.system {}",
        "? [a]\n: b",
        "\x01",
        "%YAML 9.9",
    ],
)
@pytest.mark.parametrize("place", [0, 1, 2])
def test_a_bad_document_never_takes_a_neighbour(bad: str, place: int) -> None:
    documents = [write_documents(document("a")), write_documents(document("b"))]
    documents.insert(place, bad + "\n")
    configuration = read("---\n" + "---\n".join(documents))
    assert [sourced.mapping.name for sourced in configuration.mappings] == ["a", "b"]
    (problem,) = configuration.problems
    assert problem.severity is Severity.ERROR
    assert problem.origin.document == place + 1


@pytest.mark.parametrize("text", ["", "\n", "---\n", "---\n---\n", "# only a comment", "---\n# one\n---\n# two\n", "~"])
def test_empty_documents_say_nothing(text: str) -> None:
    assert read(text) == Configuration()


def test_carriage_returns_and_a_byte_order_mark_are_no_trouble() -> None:
    configuration = read("\ufeff" + ARTICLE.replace("\n", "\r\n"))
    assert [sourced.mapping.prefix for sourced in configuration.mappings] == ["/models/test/"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "a: b: c",
            "error: not YAML at line 1, column 5: mapping values are not allowed in this context",
        ),
        ("---\n\n a: 'x", "error: not YAML at line 3, column 7: found unexpected end of stream"),
        ("- a", "error: expected an object with apiVersion, kind and name, got ['a']"),
        ("text", "error: expected an object with apiVersion, kind and name, got 'text'"),
        ("7", "error: expected an object with apiVersion, kind and name, got 7"),
        ("{name: m}", "error: kind: kind is missing; a route is kind: Mapping"),
        ("{kind: Maping}", "error: kind: kind Maping is not known; did you mean Mapping?"),
        ("{kind: Zebra}", "error: kind: kind Zebra is not known"),
        (
            "{kind: Mapping, apiVersion: ambassador/v9}",
            (
                "error: apiVersion: apiVersion 'ambassador/v9' is not one of a Mapping; write one of "
                "ambassador/v0, ambassador/v1, getambassador.io/v0, getambassador.io/v1, getambassador.io/v2, "
                "getambassador.io/v3alpha1"
            ),
        ),
        ("x: &x 1\ny: *x", "error: *x is an alias; write the value out (line 2)"),
        ("x: {<<: {a: 1}}", "error: << merges another object in; write its fields out (line 1)"),
        ("x: 1\nx: 2", "error: the key 'x' stands twice (line 2)"),
        ("x: !!python/name:os.system ''", "error: the tag tag:yaml.org,2002:python/name:os.system is not allowed"),
        ("a: 1\n...\nb: 2", "error: not YAML at line 3, column 1: did not find expected <document start>"),
    ],
)
def test_a_fault_speaks_to_a_person(text: str, message: str) -> None:
    (problem,) = told(read(text))
    assert problem.startswith(message)
    assert "(Service kubeflow/test, annotation document " in problem


@pytest.mark.parametrize(
    ("attributes", "message"),
    [
        (
            {"method": True},
            (
                "error: method: expected text, got true. YAML reads on, off, yes and no as true and false; "
                "put the word in quotes"
            ),
        ),
        ({"prefix": 7}, "error: prefix: expected text, got 7. Put it in quotes"),
        ({"prefix": ""}, "error: prefix: is empty; give it a value or leave it out"),
        ({"prefix": ["/m/"]}, "error: prefix: expected text, got ['/m/']"),
        ({"prefix": None}, "error: prefix is missing, and it is required"),
        ({"weight": 101}, "error: weight: expected at most 100, got 101"),
        ({"weight": -1}, "error: weight: expected at least 0, got -1"),
        ({"weight": "10"}, "error: weight: expected a whole number, got '10'"),
        ({"weight": 0.5}, "error: weight: expected a whole number, got 0.5"),
        ({"prefix_regex": "yes"}, "error: prefix_regex: expected true or false, got 'yes'"),
        ({"headers": ["a"]}, "error: headers: expected an object, got ['a']"),
        ({"headers": {"x": 1}}, "error: headers.x: expected text or true or false, got 1. Put it in quotes"),
        ({"connect_timeout_ms": 0}, "error: connect_timeout_ms: expected over 0, got 0"),
        ({"namespace": "other"}, "error: namespace: namespace 'other' is not the namespace of the object that"),
    ],
)
def test_a_wrong_value_is_refused_with_its_field(attributes: dict[str, object], message: str) -> None:
    configuration = one(**attributes)
    assert not configuration.mappings
    (problem,) = told(configuration)
    assert problem.startswith(message)


def test_every_wrong_field_is_told_of() -> None:
    paths = [problem.path for problem in one(method=True, weight=900, headers={"x": 1, "y": 2}).problems]
    assert paths == ["method", "headers.x", "headers.y", "weight"]


def test_the_word_on_is_no_method() -> None:
    # The bytes people type; YAML 1.1 makes a boolean of them.
    (problem,) = read(ARTICLE.replace("POST", "on")).problems
    assert problem.code == "wrong-type"
    assert "got true" in problem.message


def test_nested_fields_are_found_where_they_were_written() -> None:
    nested = {"apiVersion": "getambassador.io/v2", "kind": "Mapping", "metadata": {"name": "m"}}
    configuration = read(write_documents(nested | {"spec": {"prefix": "/m/", "service": "m", "weight": 900}}))
    assert [problem.path for problem in configuration.problems] == ["spec.weight"]


@pytest.mark.parametrize(
    ("attribute", "code", "severity", "message"),
    [
        ("methd", "unknown-attribute", Severity.WARNING, "is left out; did you mean method?"),
        ("zzz", "unknown-attribute", Severity.WARNING, "zzz is not an attribute of a Mapping and is left out"),
        ("docs", "no-effect", Severity.NOTICE, "it was for Ambassador's developer portal"),
        ("envoy_override", "no-effect", Severity.NOTICE, "Ambassador has ignored it since 0.50"),
    ],
)
def test_an_attribute_without_effect_is_told_of_and_the_mapping_served(
    attribute: str, code: str, severity: Severity, message: str
) -> None:
    configuration = one(**{attribute: {"a": 1}})
    assert len(configuration.mappings) == 1
    (problem,) = configuration.problems
    assert (problem.code, problem.severity, problem.path) == (code, severity, attribute)
    assert problem.message.endswith(message)


@pytest.mark.parametrize("kind", [*OTHER_KINDS, *EDGE_STACK_KINDS])
def test_other_kinds_of_ambassadors_are_told_of(kind: str) -> None:
    (problem,) = one(kind=kind).problems
    assert (problem.code, problem.severity) == ("kind-not-served", Severity.NOTICE)


@pytest.mark.parametrize(
    ("written", "ids"), [("internal", ("internal",)), (["a", "b"], ("a", "b")), (None, ("default",))]
)
def test_which_gateways_a_mapping_is_for_is_a_list_or_one(written: object, ids: tuple[str, ...]) -> None:
    (sourced,) = one(ambassador_id=written).mappings
    assert sourced.mapping.ambassador_id == ids


def test_300_kib_are_too_much() -> None:
    configuration = read(ARTICLE + "#" * 300 * 1024)
    assert not configuration.mappings
    (problem,) = told(configuration)
    assert problem.startswith("error: the text is 307,")
    assert "at most 262,144 are read. Split it over several objects" in problem


def test_what_kubernetes_allows_is_read() -> None:
    filler = "#" * (256 * 1024 - len(ARTICLE))
    assert len(read(ARTICLE + filler).mappings) == 1


@pytest.mark.parametrize(
    ("written", "path"),
    [
        ({"rewrite": "\ud800"}, "spec.rewrite"),
        ({"headers": {"a\udfff": "1"}}, "spec.headers"),
        ({"cors": {"origins": ["https://a.com", "\ud800"]}}, "spec.cors.origins[1]"),
    ],
)
def test_half_a_character_is_refused_where_it_stands(written: dict[str, Value], path: str) -> None:
    # JSON lets it through, and whoever writes it into a message later stops everybody's routes.
    spec: dict[str, Value] = {"prefix": "/m/", "service": "m", **written}
    read = read_resource({"apiVersion": "getambassador.io/v2", "kind": "Mapping", "spec": spec})
    [fault] = read.faults
    assert (read.resource, fault.code, fault.path) == (None, "wrong-type", path)
    assert "holds half a character" in fault.message


def test_bottomless_nesting_is_refused() -> None:
    pit: Value = []
    for _ in range(5000):
        pit = [pit]
    read = read_resource({"apiVersion": "getambassador.io/v2", "kind": "Mapping", "spec": {"pit": pit}})
    assert [fault.code for fault in read.faults] == ["too-deep"]


@pytest.mark.parametrize("kind", ["Mapping", "KubernetesEndpointResolver"])
def test_of_a_thousand_faults_a_few_are_told_and_the_others_counted(kind: str) -> None:
    wild: dict[str, Value] = {f"wild-{number}": 1 for number in range(1000)}
    spec: dict[str, Value] = {**wild, **({"prefix": "/m/", "service": "m"} if kind == "Mapping" else {})}
    read = read_resource({"apiVersion": "getambassador.io/v2", "kind": kind, "metadata": {"name": "m"}, "spec": spec})
    assert read.resource is not None
    assert (len(read.faults), read.faults[-1].message) == (21, "980 more are not told; mend these first")
    assert read.faults[-1].severity is Severity.WARNING
