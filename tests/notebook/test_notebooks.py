"""Every notebook, executed against a gateway of its own; what it shows must be what is saved in it."""

import json
import re
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from nbclient.exceptions import CellExecutionError
from nbformat.v4 import new_code_cell, new_notebook, new_output

import kfambassador as kfa
from kfambassador.kube.kinds import MAPPING, SERVICE
from kfambassador.local.endpoint import GatewayEndpoint
from kfambassador.tables import write_table
from tests.notebook.notebooks import (
    FAILS,
    PERSON,
    PLACE,
    Executed,
    Notebook,
    executed,
    has_tag,
    list_cells,
    list_notebooks,
    needs_mlserver,
    read,
)
from tests.notebook.shown import CHANCE, WIDGET, compare, tell
from tests.servers.conftest import find_programs
from tests.servers.kinds import KINDS

if TYPE_CHECKING:
    from playwright.sync_api import Browser

NOTEBOOKS = list_notebooks()
BROWSER = PLACE / "03-route-browser.ipynb"
PIPELINE = PLACE / "04-pipeline.ipynb"

every_notebook = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)


@contextmanager
def run(notebook: Notebook, request: pytest.FixtureRequest) -> Iterator[Executed]:
    programs = [find_programs(KINDS["mlserver"], request)] if needs_mlserver(notebook) else []
    # A short path: sockets have no room for that of a test.
    with tempfile.TemporaryDirectory() as home, executed(notebook, Path(home), programs=programs) as done:
        yield done


def list_outputs(notebook: Notebook) -> list[Any]:
    return [output for cell in list_cells(notebook) for output in cell.outputs]


@pytest.mark.e2e
@every_notebook
def test_a_notebook_runs_and_shows_what_is_saved_in_it(path: Path, request: pytest.FixtureRequest) -> None:
    saved = read(path)
    with run(saved, request) as done:
        assert done.endpoint is not None
        assert_nothing_is_published(done.endpoint)
        assert done.left == []
        text = json.dumps([done.notebook, saved])
        for secret in (done.endpoint.api_token, done.endpoint.diagnostics_token):
            assert len(secret) > 20
            assert secret not in text
    differences = compare(saved, done.notebook)
    assert not differences, "\n\n".join([*differences, "is it right? python -m tests.notebook.notebooks saves it"])


def assert_nothing_is_published(endpoint: GatewayEndpoint) -> None:
    """What is taken down is gone when the gateway has read it."""
    deadline = time.monotonic() + 20
    with kfa.Gateway.at(endpoint, quiet=True) as gateway:
        seen = gateway.await_change()
        while gateway.routes() and time.monotonic() < deadline:
            seen = gateway.await_change(seen, wait=1)
        assert list(gateway.routes()) == []
        left = [each["metadata"]["name"] for kind in (SERVICE, MAPPING) for each in gateway.client.list(kind).items]
        assert [name for name in left if name != "kubernetes"] == []


@pytest.mark.e2e
def test_a_notebook_that_fails_leaves_no_program_behind(request: pytest.FixtureRequest) -> None:
    notebook = read(PLACE / "01-publish-a-model.ipynb")
    [start] = [number for number, cell in enumerate(notebook.cells) if "Popen" in cell.source]
    notebook.cells[start + 1 :] = [new_code_cell("import kfambassador as kfa\nkfa.connect()\nserver.poll() / 0")]  # type: ignore[no-untyped-call]
    with pytest.raises(CellExecutionError, match="'NoneType' and 'int'"), run(notebook, request):
        raise AssertionError("it goes on after a cell that failed")


@every_notebook
def test_every_cell_has_run_and_none_has_failed_that_should_not(path: Path) -> None:
    cells = list_cells(read(path))
    assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1))
    for cell in cells:
        errors = [output.ename for output in cell.outputs if output.output_type == "error"]
        assert len(errors) == has_tag(cell, FAILS), cell.source


@every_notebook
def test_nothing_of_who_ran_it_is_saved(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    shown = json.dumps([list_outputs(read(path)), read(path).metadata])
    here = (str(Path.home()), str(PLACE.parent), tempfile.gettempdir(), socket.gethostname())
    assert [word for word in here if len(word) > 1 and word in text] == []
    assert re.findall(r'[\s"\'(](?:/(?:home|Users|root|tmp|var|opt|usr)|[A-Z]:\\\\)[\w/\\.-]*', shown) == []
    assert re.findall(r"[0-9a-f]{32,}|eyJ[\w-]{10,}|(?i:bearer) \w+", re.sub(r'"model_id": "\w+"', "", shown)) == []
    assert set(re.findall(r"published by</th><td>(.*?)</td>", shown)) <= {PERSON}
    assert sorted(read(path).metadata) == ["kernelspec", "language_info"]


@every_notebook
def test_what_shows_itself_in_html_is_saved_with_words_too(path: Path) -> None:
    data = [output.data for output in list_outputs(read(path)) if "data" in output]
    rich = [forms for forms in data if "text/html" in forms]
    assert len(rich) > 3
    assert all(forms["text/plain"] for forms in rich)
    # Our own values never come in words alone.
    assert [forms["text/plain"] for forms in data if forms not in rich and "<" in forms["text/plain"][:1]] == []
    assert "<script" not in "".join(forms["text/html"] for forms in rich)


def test_the_route_browser_is_saved_as_a_widget_and_as_html() -> None:
    [forms] = [output.data for output in list_outputs(read(BROWSER)) if WIDGET in output.get("data", {})]
    assert sorted(forms) == [WIDGET, "text/html", "text/plain"]
    assert "/models/tides/" in forms["text/html"]
    assert "30s" in forms["text/html"], "what is wrong is told"
    assert "the name labels is taken" in forms["text/html"], "so is what conflicts"


def test_the_pipelines_end_as_they_are_meant_to() -> None:
    outputs = list_outputs(read(PIPELINE))
    printed = "".join(output.text for output in outputs if output.output_type == "stream")
    ended = re.findall(r"^(?:Task|Pipeline) +(\S+) +(SUCCESS|FAILURE)$", printed, re.MULTILINE)
    train, back = ("train", "SUCCESS"), ("rollback-route", "SUCCESS")
    published = [train, ("publish-route", "SUCCESS"), ("test-route", "SUCCESS"), ("train-and-publish", "SUCCESS")]
    promoted = [train, ("shift-traffic", "SUCCESS"), ("test-route", "SUCCESS"), back, ("canary", "SUCCESS")]
    taken_back = [train, ("shift-traffic", "FAILURE"), back]
    assert ended == [*published, *promoted, *taken_back]
    assert "delivery: canary was rolled back at 20 %" in printed
    words = [output.data["text/plain"] for output in outputs if output.output_type == "display_data"]
    told = [re.findall("passed|was promoted|was rolled back", text) for text in words]
    assert told == [["passed"], ["was promoted"], ["was rolled back"]]
    assert "KFP Executor" not in printed, "kfp's own log is not shown"


@pytest.mark.xdist_group("jupyterlab")
def test_an_export_shows_the_table_without_any_script(chromium: "Browser", tmp_path: Path) -> None:
    export = [sys.executable, "-m", "nbconvert", "--to", "html", "--output-dir", str(tmp_path), str(BROWSER)]
    subprocess.run(export, check=True, capture_output=True)
    page = tmp_path / f"{BROWSER.stem}.html"
    assert "kfa-browser" not in page.read_text(encoding="utf-8"), "none of our modules is in it"
    context = chromium.new_context(java_script_enabled=False, offline=True)
    try:
        shown = context.new_page()
        shown.goto(page.as_uri())
        routes = shown.locator("table:has(caption:text('routes, in the order'))").first
        assert routes.is_visible()
        assert routes.locator("tbody tr:has-text('default/tides-verbs.canary')").first.is_visible()
        assert "canary" in routes.inner_text()
        assert routes.locator("td").first.evaluate("cell => getComputedStyle(cell).textAlign") == "left"
        assert shown.get_by_text("the name labels is taken").first.is_visible()
    finally:
        context.close()


def show(*outputs: str, tags: tuple[str, ...] = (), form: str = "text/plain") -> Notebook:
    """A notebook with one cell for each output."""
    cells = []
    for text in outputs:
        output = new_output("display_data", {form: text})  # type: ignore[no-untyped-call]
        cells.append(new_code_cell("1", outputs=[output], metadata={"tags": list(tags)}))  # type: ignore[no-untyped-call]
    return new_notebook(cells=cells)  # type: ignore[no-untyped-call]


def count(requests: int, per_second: float, failed: int, p99: str) -> str:
    """Statistics as they are printed."""
    row = ("default/m", str(requests), str(per_second), str(failed), p99)
    return write_table(("MAPPING", "REQUESTS", "PER S", "5XX", "P99"), [row])


HTML = '<table><tr><th scope="col">Requests</th><th scope="col">5xx</th></tr><tr><td>{}</td><td>{}</td></tr></table>'


@pytest.mark.parametrize(
    ("saved", "now", "form"),
    [
        (["127.0.0.1:5000", "port 5001 127.0.0.1:5000"], ["127.0.0.1:7", "port 8 127.0.0.1:7"], "text/plain"),
        (["passed in 3.1 ms"], ["passed in 12 ms"], "text/plain"),
        (["{'p50_ms': 3.1, 'failed': 0.0}"], ["{'p50_ms': 12, 'failed': 0.0}"], "text/plain"),
        ([count(4, 0.33, 0, "1 ms")], [count(55555, 444.33, 0, "12.5 ms")], "text/plain"),
        ([HTML.format(3, 0)], [HTML.format(44, 0)], "text/html"),
        ([HTML.format(3, 3)], [HTML.format(44, 44)], "text/html"),
        (["<style>a\na</style><p>x</p>"], ["<style>b\nb</style><p>x</p>"], "text/html"),
    ],
)
def test_what_every_run_has_of_its_own_is_no_difference(saved: list[str], now: list[str], form: str) -> None:
    assert compare(show(*saved, form=form), show(*now, form=form)) == []


@pytest.mark.parametrize(
    ("saved", "now", "form"),
    [
        (["127.0.0.1:5000", "127.0.0.1:5001"], ["127.0.0.1:5000", "127.0.0.1:5000"], "text/plain"),
        (["passed in 3 ms"], ["failed in 3 ms"], "text/plain"),
        (["{'p50_ms': 3.1, 'failed': 0.0}"], ["{'p50_ms': 3.1, 'failed': 1.0}"], "text/plain"),
        ([count(4, 0.33, 0, "1 ms")], [count(4, 0.33, 1, "1 ms")], "text/plain"),
        ([count(4, 0.33, 0, "1 ms")], [count(0, 0.33, 0, "1 ms")], "text/plain"),
        ([count(4, 0.33, 0, "1 ms")], [count(4, 0.33, 0, "")], "text/plain"),
        ([HTML.format(3, 0)], [HTML.format(3, 1)], "text/html"),
        ([HTML.format(3, 0)], [HTML.format(0, 0)], "text/html"),
        (["<p>90%</p>"], ["<p>89%</p>"], "text/html"),
        (["<p>x</p>"], ["<b>x</b>"], "text/html"),
    ],
)
def test_all_else_is_a_difference(saved: list[str], now: list[str], form: str) -> None:
    assert len(compare(show(*saved, form=form), show(*now, form=form))) == 1


@pytest.mark.parametrize(
    ("saved", "now", "is_near"),
    [
        ("v1 90 %, v2 10 %", "v1 86 %, v2 14 %", True),
        ("v1 90 %, v2 10 %", "v1 78 %, v2 22 %", False),
        ("v2 100 %", "v2 99 %", False),
        ("v1 4 %", "v1 0 %", False),
        ("v1 90 %", "v2 90 %", False),
        ("flex:90.2", "flex:88.0", True),
        ("flex:90.2", "flex:50.0", False),
    ],
)
def test_shares_of_chance_are_near_and_exact_at_their_ends(saved: str, now: str, is_near: bool) -> None:
    assert (compare(show(saved, tags=(CHANCE,)), show(now, tags=(CHANCE,))) == []) is is_near
    assert len(compare(show(saved), show(now))) == 1, "a cell that says nothing of chance is exact"


def test_what_is_printed_in_pieces_is_one_text() -> None:
    printed = [new_output("stream", name="stderr", text=text) for text in ("a\n", "b\n", "a\nb\n")]  # type: ignore[no-untyped-call]
    first, second = (
        new_notebook(cells=[new_code_cell("1", outputs=outputs)])  # type: ignore[no-untyped-call]
        for outputs in (printed[:2], printed[2:])
    )
    assert tell(first) == tell(second) == ["stderr: a\nb"]
