"""Our documents in an annotation of somebody else's: put there, replaced, taken out, and not a byte of theirs lost."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kfambassador.problems import Origin
from kfambassador.resources.annotation import read_annotation
from kfambassador.resources.documents import write_documents
from kfambassador.sdk.publishing.annotations import find_documents, list_exposures, put_documents, take_documents

Written = dict[str, object]


def document(name: str) -> Written:
    written: Written = {"apiVersion": "ambassador/v1", "kind": "Mapping", "name": name}
    return written | {"prefix": f"/{name}/", "service": name}


OURS = [document("mnist"), document("mnist-predict")]
OTHERS = [document("canary")]

_THEIR_NAMES = st.lists(st.sampled_from(["a", "b", "c", "d", "e"]), unique=True, min_size=1, max_size=4)
_PARTS = st.sampled_from(
    ["{[", "# a comment\n", "just words", "---", "k: |\n  text\n\n", "\tx", "%YAML 1.1", "é\r\n", ""]
)


@st.composite
def texts(draw: st.DrawFn) -> str:
    """Texts as people leave them: documents, some at fault, in any order, with or without a line break at the end."""
    parts = [write_documents(document(name)) for name in draw(_THEIR_NAMES)] + draw(st.lists(_PARTS, max_size=3))
    text = "\n---\n".join(draw(st.permutations(parts)))
    text = text.replace("\n", "\r\n") if draw(st.booleans()) else text
    return text.rstrip("\r\n") + draw(st.sampled_from(["", "\n", "\r\n", "\n---", "\n---\n", "\n\n"]))


def names(text: str) -> list[str]:
    read = read_annotation(text, Origin(), namespace="team")
    return [sourced.mapping.name for sourced in read.mappings]


def put(text: str, *documents: Written, exposure: str = "mnist") -> str:
    return put_documents(text, documents, exposure=exposure)


@given(st.text() | texts())
def test_what_was_put_is_taken_out_again_to_the_byte(text: str) -> None:
    assert take_documents(put(text, *OURS), exposure="mnist") == text


@given(st.text() | texts(), st.booleans())
def test_two_exposures_share_a_text_and_leave_in_any_order(text: str, is_first: bool) -> None:
    merged = put(put(text, *OURS), *OTHERS, exposure="canary")
    assert list_exposures(merged) == ("mnist", "canary")
    first, second = ("mnist", "canary") if is_first else ("canary", "mnist")
    assert take_documents(take_documents(merged, exposure=first), exposure=second) == text


@given(texts())
def test_their_documents_and_ours_are_read(text: str) -> None:
    merged = put(text, *OURS)
    assert names(merged) == [*names(text), "mnist", "mnist-predict"]
    before, after = (read_annotation(each, Origin(), namespace="team").problems for each in (text, merged))
    assert [problem.code for problem in after] == [problem.code for problem in before]


@given(st.text() | texts())
def test_what_is_there_already_is_put_again_without_a_trace(text: str) -> None:
    merged = put(text, *OURS)
    assert put(merged, *OURS) == merged


@given(texts(), texts())
def test_in_the_middle_of_others_texts_it_is_replaced_where_it_stands(before: str, after: str) -> None:
    around = f"{put(before, *OURS)}---\n{after}"
    replaced = put(around, *OTHERS)
    assert replaced.startswith(before)
    assert replaced.endswith(f"---\n{after}")
    assert names(replaced) == [*names(before), "canary", *names(after)]
    taken = take_documents(around, exposure="mnist")
    assert taken.startswith(before)
    assert taken.endswith(after)
    assert names(taken) == [*names(before), *names(after)]


def test_an_empty_annotation_holds_ours_alone() -> None:
    assert names(put("", *OURS)) == ["mnist", "mnist-predict"]
    assert take_documents(put("", *OURS), exposure="mnist") == ""


def test_whoever_reads_the_service_is_told_whose_the_documents_are() -> None:
    lines = put("a: 1\n", *OURS).splitlines()
    assert lines[1:3] == ["---", "# kfambassador: exposure mnist begins here; publishing it again replaces it all"]
    assert lines[-1] == "# kfambassador: exposure mnist ends here"


def test_nothing_put_is_taken_out() -> None:
    assert put(put("a: 1", *OURS)) == "a: 1"


def test_found_is_what_was_put() -> None:
    merged = put(put("a: 1", *OURS), *OTHERS, exposure="canary")
    assert find_documents(merged, exposure="mnist") == write_documents(*OURS).removeprefix("---\n")
    assert find_documents(merged, exposure="nobody") == ""


@pytest.mark.parametrize("lost", ["begins here", "ends here"])
def test_without_one_of_its_lines_a_block_is_theirs(lost: str) -> None:
    edited = "".join(line for line in put("a: 1\n", *OURS).splitlines(keepends=True) if lost not in line)
    assert take_documents(edited, exposure="mnist") == edited
    again = put(edited, *OTHERS)
    assert again.startswith(edited)
    assert take_documents(again, exposure="mnist") == edited


def test_what_stands_between_a_lost_end_and_a_new_block_stays() -> None:
    edited = put("a: 1\n", *OURS).replace(
        "# kfambassador: exposure mnist ends here\n", "---\n" + write_documents(*OTHERS)
    )
    assert "canary" in names(take_documents(put(edited, *OURS), exposure="mnist"))


def test_an_editor_that_ends_lines_otherwise_leaves_a_block_to_be_found() -> None:
    edited = put("a: 1", *OURS).replace("\n", "\r\n")
    assert take_documents(edited, exposure="mnist") == "a: 1"
    assert names(put(edited, *OTHERS)) == ["canary"]


def test_an_editor_that_cuts_the_last_line_break_does_no_harm() -> None:
    edited = put("a: 1\n", *OURS).rstrip("\n")
    assert take_documents(edited, exposure="mnist") == "a: 1\n"
    assert names(put(edited, *OTHERS, exposure="canary")) == ["mnist", "mnist-predict", "canary"]


def test_documents_written_right_after_a_block_stay_documents() -> None:
    theirs = write_documents(document("theirs")), write_documents(document("more"))
    edited = put(theirs[0], *OURS) + theirs[1]
    assert names(take_documents(edited, exposure="mnist")) == ["theirs", "more"]


def test_a_block_that_was_copied_is_one_again() -> None:
    block = put("", *OURS)
    copied = f"a: 1\n{block}---\nb: 2\n{block}"
    assert put(copied, *OTHERS) == f"a: 1\n{put('', *OTHERS)}---\nb: 2\n"


def test_an_exposure_whose_name_begins_alike_is_another() -> None:
    merged = put(put("", *OTHERS, exposure="mnist-v2"), *OURS)
    assert list_exposures(take_documents(merged, exposure="mnist")) == ("mnist-v2",)


@pytest.mark.parametrize("name", ["", "a b", "a\n---\n"])
def test_a_name_that_marks_no_line_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="is no name"):
        put_documents("", OURS, exposure=name)


@given(st.lists(st.text(), min_size=1, max_size=3))
def test_no_value_of_ours_looks_like_the_end(values: Sequence[str]) -> None:
    tricky: list[Written] = [
        {"a": f"{value}\n# kfambassador: exposure mnist ends here\n---\n{value}"} for value in values
    ]
    assert take_documents(put("a: 1", *tricky), exposure="mnist") == "a: 1"
