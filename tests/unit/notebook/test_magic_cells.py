"""What stands in the cells of magics: configuration with its problems at their lines, and inputs of a model."""

import pytest

from kfambassador.errors import ConfigurationError
from kfambassador.notebook.magics.drawing import Review, find_line
from kfambassador.notebook.magics.evaluating import read_inputs
from kfambassador.problems import ObjectKey, Origin, Problem, Severity
from kfambassador.sdk.applying import read_objects
from kfambassador.sdk.reviewing import compile_texts

CELL = """\
# two documents
apiVersion: ambassador/v1
kind: Mapping
name: first
prefix: /first/
timeout_ms: soon
service: first:80
---
apiVersion: getambassador.io/v3alpha1
kind: Mapping
metadata:
  name: second
  labels: {prefix: not-this}
spec:
  hostname: "*"
  prefix: /second/
  service: second:80
  cors: {origins: [], metods: GET}
  retry_polcy: {}
---
apiVersion: v1
kind: Service
metadata:
  name: third
  annotations:
    getambassador.io/config: |
      ---
      apiVersion: ambassador/v1
      kind: Mapping
      name: third
      prefix: /third/
      service: third:80
      ---
      apiVersion: ambassador/v1
      kind: Mapping
      name: fourth
      prefx: /fourth/
      service: fourth:80
spec:
  ports: [{port: 80}]
"""


def line_of(text: str, needle: str) -> int:
    [found] = [number for number, line in enumerate(text.splitlines(), start=1) if needle in line]
    return found


def test_a_problem_is_found_at_the_line_of_its_field() -> None:
    problems = {
        problem.path.rpartition(".")[2] or problem.message: problem for problem in compile_texts([("", CELL)]).problems
    }
    at = {path: find_line(CELL, problem) for path, problem in problems.items()}
    assert at["timeout_ms"] == line_of(CELL, "timeout_ms: soon")
    assert at["metods"] == line_of(CELL, "metods: GET")
    assert at["retry_polcy"] == line_of(CELL, "retry_polcy")
    assert at["prefx"] == line_of(CELL, "prefx: /fourth/")
    missing = "prefix is missing, and it is required"
    # Where the document begins whose field is not there.
    assert at[missing] == line_of(CELL, "name: fourth") - 2


@pytest.mark.parametrize(
    ("text", "problem", "line"),
    [
        (
            "a: b\n---\n\na: b: c\n",
            Problem("not-yaml", "not YAML at line 4, column 5: no", Origin(document=2, line=2)),
            4,
        ),
        ("kind: Mapping\nname: m", Problem("x", "elsewhere", Origin(ObjectKey("Service", "a", "b"))), 1),
        ("", Problem("x", "empty", Origin(document=1)), 1),
        ("x: 1", Problem("x", "far", Origin(document=1, line=9), path="y.z"), 1),
        # A bare document and what became of it: a name that Kubernetes takes, in the cell's namespace.
        (
            "kind: Other\n---\n{kind: Mapping, name: My_M,\n prefix: /m/}",
            Problem("x", "no", Origin(ObjectKey("Mapping", "default", "my-m-40ca2888")), path="spec.prefix"),
            4,
        ),
    ],
)
def test_a_line_is_found_for_anything(text: str, problem: Problem, line: int) -> None:
    assert find_line(text, problem) == line


def test_a_review_draws_each_problem_below_its_line_and_escapes_it() -> None:
    text = "apiVersion: ambassador/v1\nkind: Mapping\nname: m\nprefix: /m/\nservice: m:80\n'<script>': 1\n"
    review = Review(text, compile_texts([("", text)]).problems, ("default/m",))
    assert bool(review)
    shown = repr(review).splitlines()
    assert shown[0] == "1 warning; would serve default/m; nothing is applied"
    assert shown[6] == "   6  '<script>': 1"
    assert shown[7].startswith("   ^  warning: <script>: <script> is not an attribute of a Mapping")
    html = review._repr_html_()
    assert '<span class="kfa-lineno">6</span>&#x27;&lt;script&gt;&#x27;: 1' in html
    assert "<script" not in html
    assert 'class="kfa-same kfa-warn"' in html


def test_a_review_without_problems_draws_no_lines_and_one_with_errors_is_false() -> None:
    good = Review("a: 1", (), ("default/m",), applied=(ObjectKey("Mapping", "default", "m"),))
    assert repr(good) == "applied, and the gateway has read it: Mapping default/m; no problems"
    assert "<pre" not in good._repr_html_()
    bad = Review("a: 1", (Problem("x", "no", Origin(document=1)), Problem("y", "nor", Origin(document=1))))
    assert not bad
    assert repr(bad).splitlines() == [
        "2 errors; nothing is applied",
        "   1  a: 1",
        "   ^  error: no",
        "   ^  error: nor",
    ]


def test_of_a_long_cell_what_is_near_a_problem_is_drawn() -> None:
    text = "\n".join(f"a{number}: 1" for number in range(100))
    problem = Problem("x", "this one", Origin(document=1), path="a50", severity=Severity.NOTICE)
    numbers = [line.split()[0] for line in repr(Review(text, (problem,))).splitlines()[1:]]
    assert numbers == ["48", "49", "50", "51", "^", "52", "53", "54"]


def test_what_is_applied_are_custom_resources_and_what_carries_annotations() -> None:
    good = CELL.replace("timeout_ms: soon", "timeout_ms: 1").replace("prefx", "prefix")
    found = [
        (each["kind"], each["metadata"]["name"], each["metadata"]["namespace"])
        for each in read_objects(good, namespace="team")
    ]
    assert found == [("Mapping", "first", "team"), ("Mapping", "second", "team"), ("Service", "third", "team")]
    listed = "{kind: List, apiVersion: v1, items: [{apiVersion: v1, kind: Service, metadata: {name: s, namespace: n}}]}"
    [service] = read_objects(listed)
    assert service["metadata"] == {"name": "s", "namespace": "n"}
    for version, kind in (("apps/v1", "Deployment"), ("getambassador.io/v3alpha1", "Host")):
        with pytest.raises(ConfigurationError, match=rf"{kind} default/d says nothing to the gateway.*kubectl"):
            read_objects(f"{{apiVersion: {version}, kind: {kind}, metadata: {{name: d}}}}")


@pytest.mark.parametrize(
    ("cell", "inputs"),
    [
        ('{"instances": [[1, 2]]}\n', {"instances": [[1, 2]]}),
        ("[true, null]", [True, None]),
        ("[True, None]", [True, None]),
        ("\n  [n * 2 for n in rows]\n", [2, 4]),
        ("(taken := rows)", [1, 2]),
        ("'text'", "text"),
    ],
)
def test_inputs_are_json_or_an_expression(cell: str, inputs: object) -> None:
    names: dict[str, object] = {"rows": [1, 2]}
    assert read_inputs(cell, names) == inputs
    assert names == {"rows": [1, 2]}, "nothing is bound in a person's namespace"


def test_what_is_neither_is_told_so_and_nothing_is_run() -> None:
    names: dict[str, object] = {"ran": []}
    with pytest.raises(
        ConfigurationError, match=r"neither JSON \(.*\) nor one Python expression \(invalid syntax, line 1\)"
    ):
        read_inputs("x = ran.append(1)", names)
    assert names == {"ran": []}
    with pytest.raises(NameError, match="nobody"):
        read_inputs("nobody", {})
