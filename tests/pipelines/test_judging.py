"""What is judged, refused and reported, without any gateway."""

import json
from math import inf, nan
from pathlib import Path

import pytest

from kfambassador.errors import ConfigurationError, KfAmbassadorError
from kfambassador.pipelines.steps.judging import Difference, compare, find_percentile
from kfambassador.pipelines.steps.publishing import publish
from kfambassador.pipelines.steps.reports import show_shifted, show_tested
from kfambassador.pipelines.steps.running import as_step
from kfambassador.pipelines.steps.shifting import Shifted, shift
from kfambassador.pipelines.steps.testing import Findings, Wanted, choose_inputs, read_dataset
from kfambassador.pipelines.steps.withdrawing import delete, roll_back
from kfambassador.sdk.traffic.rollout import Step
from kfambassador.sdk.traffic.statistics import SplitStatistics

EVIL = "<script>alert('x')</script>"


@pytest.mark.parametrize(
    ("expected", "got"),
    [
        ([1, 2.0], [1.0, 2]),
        ([1.0], [1.0 + 1e-9]),
        ([nan], [nan]),
        ([inf], [inf]),
        ({"label": "cat", "scores": [0.5]}, {"label": "cat", "scores": [0.5]}),
        ([True, None, "a"], [True, None, "a"]),
    ],
)
def test_what_is_near_enough_is_no_difference(expected: object, got: object) -> None:
    assert list(compare(expected, got, tolerance=1e-6)) == []


@pytest.mark.parametrize(
    ("expected", "got", "places"),
    [
        ([1.0, 2.0], [1.0, 2.1], ["[1]"]),
        ([[1.0], [2.0]], [[1.5], [2.5]], ["[0][0]", "[1][0]"]),
        ([1.0], [1.0, 2.0], [""]),
        ([nan], [1.0], ["[0]"]),
        ([1.0], [nan], ["[0]"]),
        ([1.0], [inf], ["[0]"]),
        ([1], [True], ["[0]"]),
        ([1.0], ["1.0"], ["[0]"]),
        ([{"a": 1}], [{"b": 1}], ["[0]"]),
        ([{"a": [1]}], [{"a": [2]}], ["[0]['a'][0]"]),
        ([1.0], None, [""]),
    ],
)
def test_what_differs_is_found_at_its_place(expected: object, got: object, places: list[str]) -> None:
    assert [found.place for found in compare(expected, got, tolerance=1e-6)] == places


def test_a_percentile_is_a_time_that_was_measured() -> None:
    times = [float(number) for number in range(1, 101)]
    assert [find_percentile(times, percent) for percent in (1, 50, 95, 99, 100)] == [1, 50, 95, 99, 100]
    assert find_percentile([7.0], 95) == 7.0


@pytest.mark.parametrize(
    ("wanted", "words"),
    [
        (Wanted(expect=0), "expect: expected an HTTP status"),
        (Wanted(requests=0), "requests: expected how many"),
        (Wanted(p95_ms=nan), "p95_ms: expected a number"),
        (Wanted(tolerance=-1), "tolerance: expected a number"),
        (Wanted(tolerance=inf), "tolerance: expected a number"),
        (Wanted(expected=[]), "expected: there is no prediction"),
        (Wanted(expected=[1], expect=401), "cannot come with status 401"),
    ],
)
def test_a_test_that_could_not_fail_is_refused(wanted: Wanted, words: str) -> None:
    with pytest.raises(ConfigurationError, match=words):
        wanted.check()


@pytest.mark.parametrize(
    ("document", "read"),
    [
        ([1, 2.0], ([1, 2.0], None)),
        ({"inputs": [1], "expected": [2]}, ([1], [2])),
        ({"inputs": [1]}, ([1], None)),
    ],
)
def test_a_dataset_holds_inputs_and_what_is_expected(document: object, read: object, tmp_path: Path) -> None:
    file = tmp_path / "dataset"
    file.write_text(json.dumps(document))
    assert choose_inputs(None, None, str(file)) == read


@pytest.mark.parametrize(
    "text", ["no json", '{"rows": []}', '{"inputs": 1}', '{"inputs": [], "labels": []}', "1", "[" * 99_999]
)
def test_a_dataset_that_is_none_is_told_with_what_to_write(text: str, tmp_path: Path) -> None:
    (tmp_path / "dataset").write_text(text)
    with pytest.raises(ConfigurationError, match='write a JSON list of inputs, or an object with "inputs"'):
        read_dataset(str(tmp_path / "dataset"))


def test_a_dataset_whose_expected_is_null_is_refused_and_a_null_in_the_list_is_expected(tmp_path: Path) -> None:
    file = tmp_path / "dataset"
    file.write_text('{"inputs": [1], "expected": null}')
    with pytest.raises(ConfigurationError, match='says "expected": null, which would judge nothing'):
        read_dataset(str(file))
    file.write_text('{"inputs": [1, 2], "expected": [null, null]}')
    _, expected = read_dataset(str(file))
    assert [found.place for found in compare(expected, [None, 2.5], tolerance=1.0)] == ["[1]"]


def test_one_request_is_asked_with() -> None:
    assert choose_inputs(None, None, None) == (None, None)
    assert choose_inputs([1], None, None) == ([1], None)
    assert choose_inputs(None, {"instances": []}, None) == ({"instances": []}, None)
    with pytest.raises(ConfigurationError, match="one can be given"):
        choose_inputs([1], {"instances": []}, None)


@pytest.mark.parametrize("text", ["[]", '{"inputs": []}', '{"inputs": [], "expected": [1]}'])
def test_a_dataset_in_which_nothing_is_would_pass_unasked_and_is_refused(text: str, tmp_path: Path) -> None:
    (tmp_path / "dataset").write_text(text)
    with pytest.raises(ConfigurationError, match="The dataset has an empty list"):
        choose_inputs(None, None, str(tmp_path / "dataset"))
    with pytest.raises(ConfigurationError, match="inputs has an empty list"):
        choose_inputs([], None, None)


@pytest.mark.parametrize("name", ["", " "])
def test_what_has_no_name_is_neither_taken_down_nor_back(name: str) -> None:
    for withdraw in (delete, lambda name: roll_back(name, variant="canary")):
        with pytest.raises(ConfigurationError, match=f"name: '{name}' names no model"):
            withdraw(name)


def test_reports_escape_whatever_they_are_given() -> None:
    tested = Findings(EVIL, f"javascript:{EVIL}", Wanted(expected=[1], variant=EVIL))
    tested.failures.append(EVIL)
    tested.differences.append(Difference(EVIL, EVIL, EVIL))
    seen = SplitStatistics(mappings=(EVIL,), requests=3, server_errors=2)
    shifted = Shifted(EVIL, EVIL, EVIL, EVIL, (Step(5, seen, EVIL),), EVIL)
    for page in (show_tested(tested), show_shifted(shifted)):
        assert "<script" not in page
        assert "href" not in page
        assert page.count("&lt;script&gt;") >= 6


def test_the_metrics_of_a_shift_are_those_of_all_its_steps() -> None:
    first = SplitStatistics(mappings=("m",), requests=90, times=((10, 1, 90),))
    second = SplitStatistics(mappings=("m",), requests=10, server_errors=5, times=((80, 1, 10),))
    metrics = Shifted("m", "a", "b", "was rolled back", (Step(5, first), Step(50, second, "bad"))).metrics
    assert metrics["p99_ms"] > 80
    del metrics["p99_ms"]
    assert metrics == {"steps": 2, "requests": 100, "errors": 5, "error_rate": 0.05}


def test_an_error_of_ours_ends_a_step_in_words_and_any_other_as_ever() -> None:
    with pytest.raises(SystemExit, match="kfambassador: all words"), as_step():
        raise KfAmbassadorError("all words")
    with pytest.raises(ZeroDivisionError), as_step():
        raise ZeroDivisionError


@pytest.mark.parametrize("name", ["name", "service", "wait", "ttl", "self"])
def test_an_input_is_no_attribute(name: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=f"attributes: '{name}' is no attribute"):
        publish("mnist", attributes={name: False}, mapping_path=str(tmp_path / "mapping"))


@pytest.mark.parametrize("timeout", [-1.0, nan, inf])
def test_a_time_that_is_none_is_refused_in_words(timeout: float, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="timeout: expected seconds"):
        publish("mnist", timeout=timeout, mapping_path=str(tmp_path / "mapping"))


def test_the_stable_server_is_no_canary_to_take_back(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="name the canary"):
        roll_back("mnist", variant="stable")
    with pytest.raises(ConfigurationError, match="name the canary"):
        shift(
            "mnist", "1", steps=[1.0], every="1s", error_rate=0.0, min_requests=0, promote=True, variant="stable",
            log=lambda _name, _value: None, report_path=str(tmp_path / "report"),
        )  # fmt: skip
