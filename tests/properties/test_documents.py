"""YAML: what is written is read as it was, and no text breaks the reader."""

from hypothesis import given, settings
from hypothesis import strategies as st

from kfambassador.problems import Origin
from kfambassador.resources.annotation import read_annotation
from kfambassador.resources.documents import Limits, Value, read_documents, write_documents
from kfambassador.resources.manifests import read_manifests
from kfambassador.resources.mapping import Mapping
from kfambassador.routing.compile import compile_routes
from kfambassador.routing.policy import TenancyPolicy
from tests.builders import document, sourced

ODD_WORDS = ("on", "no", "~", "null", "1:30", "010", "0x1f", "1e3", ".inf", "2026-01-01", "<<", "=", "*a", "")
WORDS = st.text(max_size=20) | st.sampled_from([*ODD_WORDS, "---", "a\n---\nb"])
SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | WORDS
VALUES: st.SearchStrategy[Value] = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(WORDS, inner, max_size=4),
    max_leaves=12,
)


@settings(max_examples=150)
@given(st.lists(VALUES.filter(lambda value: value is not None), min_size=1, max_size=3))
def test_what_is_written_is_read_as_it_was(values: list[Value]) -> None:
    documents = read_documents(write_documents(*values))
    assert [document.fault for document in documents] == [None] * len(values)
    assert [document.value for document in documents] == values


SIGNS = (": ", "- ", "? ", "\n", " ", "[", "]", "{", "}", ",", "&x ", "*x", "|", ">", "'", '"', "#", "<<: ", "\t")
MARKS = ("---", "...", "\n---\n", "%YAML 1.1", "\ufeff", "\x00", "\x85", "\ud800", "!", "!!int ", "!!float ", "!!bool ")
TEXTS = ("a", "~", "on", "0o7", "apiVersion: ambassador/v1", "kind: Mapping", "name: m", "prefix: /m/", "service: m")
YAMLISH = st.lists(st.sampled_from([*SIGNS, *MARKS, *TEXTS]), max_size=30).map("".join)


@settings(max_examples=200)
@given(st.text() | YAMLISH)
def test_no_text_breaks_the_reader(text: str) -> None:
    for part in read_documents(text, Limits(bytes=200, depth=4, values=20)):
        assert (part.value is None) is (part.fault is not None)
    read = read_annotation(text, Origin(), namespace="default")
    assert all(problem.message and "\n" not in problem.message for problem in read.problems)
    compile_routes(read_manifests([("f", text)]), TenancyPolicy.laptop())


@settings(max_examples=100)
@given(st.dictionaries(st.sampled_from(sorted(Mapping.model_fields)), VALUES, max_size=4))
def test_no_value_of_an_attribute_breaks_anything(attributes: dict[str, Value]) -> None:
    text = write_documents(document("m", **attributes))
    read = read_manifests([("f", text)])
    compiled = compile_routes(read, TenancyPolicy.laptop())
    assert compiled.table.routes() or compiled.problems


@given(st.sampled_from(["a", "é", "m.v1", "x" * 60]), st.sampled_from(["/m/", "/é/", "/%20/"]))
def test_a_mapping_survives_being_written_and_read(name: str, prefix: str) -> None:
    written = sourced(name, prefix=prefix, headers={"x": True, "y": "on"}, weight=3).mapping
    fields = written.model_dump(mode="json", exclude_defaults=True)
    text = write_documents({"apiVersion": "getambassador.io/v2", "kind": "Mapping", **fields})
    (read,) = read_annotation(text, Origin(), namespace="default").mappings
    assert read.mapping == written
