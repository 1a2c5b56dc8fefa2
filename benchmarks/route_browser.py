"""The route browser in a real Chromium, with 5,000 routes: what a keystroke, a click or a new table takes of the page.

The page gets what a notebook's page gets: the widget's script and style sheet, the table as the kernel packs it, and
figures as messages. Keys, clicks and the wheel are the browser's own. Times are the page's own thread's: *script*, from
the event until it has been handled, and *drawing*, from the start of the next frame until it has been painted. Between
the two lies the wait for the screen's next turn, up to 17 ms, which no page can shorten; "key to screen" has it, as the
browser itself counts it (Event Timing: in steps of 8 ms, at least 16). Left out is JupyterLab around the page.

Two other ways are measured in the same run, turn by turn. *All rows in the page*: a table of HTML whose rows are hidden
where the filter does not leave them. *The kernel filters*: an ``ipywidgets.Text`` and an ``ipywidgets.HTML``, where a
key travels to a kernel and a table comes back. Of this one the script is the way through a real kernel, asked without a
Jupyter server between, and the taking in of the markup without the cleaning that JupyterLab does: it is less than a
person waits.
"""

import base64
import json
import os
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import TYPE_CHECKING, Any

from benchmarks.chromium import NoChromium, opened_page, read_metrics, running_chromium
from benchmarks.company import Company
from benchmarks.kernel import run_cell, running_kernel
from benchmarks.report import Report, median, percentile
from kfambassador.notebook.feed import pack
from kfambassador.notebook.joining import join_modules, join_styles
from kfambassador.notebook.rows import Event

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Locator, Page

ROUTES = 5000
ROUNDS = 2
SLOWER = 4
WORDS = ("fraud", "bert-v2", "team-1 gru", "nobody")
QUALIFIED = ("state:warned", "ns:team-1 -bert", "errors>1 p99>200")
CLICKS = 6
TURNS = 5
WHEELS = 60
KEY, QUALIFIED_KEY, SORT, SCROLL = "a key", "a key of state:, ns:, errors>", "a click on Path", "a scrolled frame"
FIRST, TABLE, FIGURES = "the first table arrives", "a new table arrives", "figures arrive"
SORTED_FIGURES = "figures arrive, sorted by them"
OURS, PLAIN, KERNEL = "route browser", "all rows in the page", "the kernel filters"

_SCRIPT = Path(__file__).with_suffix(".js")
_PLAIN_STYLE = """
body { font: 13px/1.5 system-ui, sans-serif } .frame { max-height: 420px; overflow: auto }
table { border-collapse: collapse; width: 100% } td, th { text-align: left; white-space: nowrap; padding: 3px 6px }
"""
# After a change what is read out follows, for those who do not see the page.
_QUIET = 700.0
_KERNEL = """
import html, json, ipywidgets
rows = json.load(open({path!r}))
lines = [(" ".join(row).lower(), "<tr>" + "".join(f"<td>{{html.escape(text)}}</td>" for text in row)) for row in rows]
field, shown = ipywidgets.Text(), ipywidgets.HTML()
def leave(_change):
    words = field.value.lower().split()
    left = [line for text, line in lines if all(word in text for word in words)]
    shown.value = f"<table><!-- {{field.value}} -->{{''.join(left)}}</table>"
field.observe(leave, "value")
print(field.model_id, shown.model_id)
"""


@dataclass(frozen=True, slots=True)
class Taken:
    """Milliseconds that something took.

    Attributes:
        script: Until it was handled.
        drawing: Of the frame that shows it.
    """

    script: float
    drawing: float

    @property
    def work(self) -> float:
        """Both."""
        return self.script + self.drawing


#: What was measured, of which way, and how much slower the page's processor was.
Key = tuple[str, str, int]


@dataclass
class Measured:
    """Everything that was measured.

    Attributes:
        taken: The times.
        screen: Milliseconds from keys to the screen.
        page: Elements and bytes that each way holds.
    """

    taken: dict[Key, list[Taken]] = field(default_factory=lambda: defaultdict(list))
    screen: dict[Key, list[float]] = field(default_factory=lambda: defaultdict(list))
    page: dict[str, tuple[float, float]] = field(default_factory=dict)


@dataclass(frozen=True)
class Subject:
    """One way in one page.

    Attributes:
        page: The page.
        name: Which way.
        slower: How much slower its processor is.
        measured: Where times go.
    """

    page: "Page"
    name: str
    slower: int
    measured: Measured

    def type(self, what: str, words: Sequence[str]) -> None:
        """Type words letter by letter, and delete them in the same way."""
        self.page.evaluate("() => bench.collectOnscreen()")
        self.page.locator("input").first.focus()
        for word in words:
            for key in [*word, *["Backspace"] * len(word)]:
                self.page.keyboard.press(key)
                self._collect(what)
        self.page.wait_for_timeout(_QUIET)
        keys = 2 * sum(map(len, words))
        seen = self.page.evaluate("() => bench.collectOnscreen()")
        # Those that took less are not told.
        self.measured.screen[what, self.name, self.slower] += [*seen, *[16.0] * (keys - len(seen))]

    def click(self, what: str, heading: "Locator") -> None:
        """Click a heading several times."""
        for _ in range(CLICKS):
            heading.click()
            self._collect(what)
        self.page.wait_for_timeout(_QUIET)

    def scroll(self, what: str) -> None:
        """Turn the wheel, and note each frame."""
        self.page.mouse.move(500, 400)
        for _ in range(WHEELS):
            self.page.mouse.wheel(0, 300)
        self.page.wait_for_timeout(_QUIET)
        self._note(what, self.page.evaluate("() => bench.collectAll()"))

    def act(self, what: str, call: str, argument: object) -> Taken:
        """Call what is shown, which changes the page."""
        self.page.evaluate("([call, argument]) => bench.act(call, argument)", [call, argument])
        return self._collect(what)

    def _collect(self, what: str) -> Taken:
        self._note(what, self.page.evaluate("() => bench.collect(1)"))
        return self.measured.taken[what, self.name, self.slower][-1]

    def _note(self, what: str, all_taken: list[dict[str, float]]) -> None:
        self.measured.taken[what, self.name, self.slower] += [
            Taken(taken["script"], taken["drawing"]) for taken in all_taken
        ]


def run(*, rounds: int = ROUNDS) -> list[Report]:
    """Measure all ways, or say what is missing."""
    try:
        with running_chromium() as browser:
            load = os.getloadavg()[0]
            measured = measure(browser, rounds=rounds)
            return [*_report(measured, f"Chromium {browser.version}; load before: {load:.1f}.")]
    except NoChromium as missing:
        return [Report("The route browser in Chromium", (), (), (str(missing),))]


def measure(browser: "Browser", *, rounds: int) -> Measured:
    """Measure all ways in turns."""
    company = Company(ROUTES)
    tables = [company.table(turn) for turn in range(TURNS)]
    figures = [company.figures(turn) for turn in range(TURNS)]
    measured = Measured()
    with _filtering_kernel(tables[0]) as ask:
        for _ in range(rounds):
            for slower in (1, SLOWER):
                for name, style in ((OURS, join_styles()), (PLAIN, _PLAIN_STYLE), (KERNEL, _PLAIN_STYLE)):
                    with opened_page(browser, style=style, script=_SCRIPT.read_text(), slower=slower) as page:
                        subject = Subject(page, name, slower, measured)
                        if name == KERNEL:
                            _measure_kernel(subject, ask)
                        else:
                            _measure_page(subject, tables, figures)
    return measured


def _measure_page(subject: Subject, tables: Sequence[Event], figures: Sequence[Event]) -> None:
    """Measure a way that has the table in its page."""
    page, is_ours = subject.page, subject.name == OURS
    page.evaluate("([way, text]) => bench.show(way, text)", ["ours" if is_ours else "plain", join_modules("widget.js")])
    for number, table in enumerate(tables):
        subject.act(FIRST if number == 0 else TABLE, "arrive", base64.b64encode(pack(table)).decode())
        page.wait_for_timeout(_QUIET)
    _count(subject, FIGURES, figures)
    metrics = read_metrics(page)
    subject.measured.page[subject.name] = metrics["Nodes"], metrics["JSHeapUsedSize"]
    subject.scroll(SCROLL)
    subject.type(KEY, WORDS)
    heading = page.locator(".kfa-sort" if is_ours else "th")
    subject.click(SORT, heading.filter(has_text="Path"))
    if is_ours:
        subject.type(QUALIFIED_KEY, QUALIFIED)
        heading.filter(has_text="Req/s").click()
        page.evaluate("() => bench.collect(1)")
        _count(subject, SORTED_FIGURES, figures)


def _count(subject: Subject, what: str, figures: Sequence[Event]) -> None:
    for event in figures:
        subject.act(what, "count", event)
        subject.page.wait_for_timeout(_QUIET)


def _measure_kernel(subject: Subject, ask: Callable[[str], tuple[float, str]]) -> None:
    """Measure the way through a kernel: each word as it grows and shrinks."""
    subject.page.evaluate("() => bench.show('markup', '')")
    taken = subject.measured.taken[KEY, subject.name, subject.slower]
    for word in WORDS:
        grown = [word[:length] for length in range(1, len(word) + 1)]
        for text in [*grown, *reversed(grown[:-1]), ""]:
            travelled, markup = ask(text)
            drawn = subject.act(KEY, "replace", markup)
            taken[-1] = Taken(travelled + drawn.script, drawn.drawing)


@contextmanager
def _filtering_kernel(table: Event) -> Iterator[Callable[[str], tuple[float, str]]]:
    """A kernel that filters; what is given asks it, and gives the milliseconds that took, and the markup."""
    with running_kernel() as (client, _), NamedTemporaryFile("w", suffix=".json") as file:
        routes: Any = table["routes"]
        json.dump([*map(_write_row, routes)], file)
        file.flush()
        asked, answering = run_cell(client, _KERNEL.format(path=file.name)).split()
        yield partial(_ask_kernel, client, asked, answering)


def _write_row(row: Any) -> list[str]:  # noqa: ANN401 - as it is written
    split = row["splits"][0]
    path = f"{row['path']} {row['conditions']}"
    return [row["state"], row["method"], path, split["service"], split["rewrite"], "", "", "", split["mapping"]]


def _ask_kernel(client: Any, asked: str, answering: str, text: str) -> tuple[float, str]:  # noqa: ANN401
    began = time.perf_counter()
    data = {"method": "update", "state": {"value": text}, "buffer_paths": []}
    client.shell_channel.send(client.session.msg("comm_msg", {"comm_id": asked, "data": data}))
    while True:
        said = client.get_iopub_msg(timeout=30)
        content = said["content"]
        if said["msg_type"] == "comm_msg" and content["comm_id"] == answering:
            markup = content["data"].get("state", {}).get("value")
            if markup is not None:
                return (time.perf_counter() - began) * 1000, markup


def _report(measured: Measured, note: str) -> Iterator[Report]:
    held = [
        f"{name}: {nodes:,.0f} nodes in the page, {heap / 2**20:.1f} MB of script's memory."
        for name, (nodes, heap) in measured.page.items()
    ]
    heads = ("what", "where", "times", "script", "drawing", "both", "p95", "worst", "to screen, p95")
    for slower, notes in ((1, (note, *held)), (SLOWER, ())):
        rows = [
            (what, name, *_write_times(measured, (what, name, slower)))
            for what in (KEY, QUALIFIED_KEY, SORT, SCROLL, FIRST, TABLE, FIGURES, SORTED_FIGURES)
            for name in (OURS, PLAIN, KERNEL)
            if (what, name, slower) in measured.taken
        ]
        processor = f", with a processor {slower} times slower" if slower > 1 else ""
        yield Report(f"The table of {ROUTES:,} routes in Chromium{processor}, ms", heads, tuple(rows), notes)


def _write_times(measured: Measured, key: Key) -> Iterator[str]:
    """How many times, the medians, and what few of them exceed."""
    taken = measured.taken[key]
    work = [each.work for each in taken]
    scripts, drawings = [each.script for each in taken], [each.drawing for each in taken]
    yield str(len(taken))
    yield from (f"{median(each):.1f}" for each in (scripts, drawings, work))
    yield from (f"{each:.1f}" for each in (percentile(work, 0.95), max(work)))
    screen = measured.screen.get(key)
    yield f"{percentile(screen, 0.95):.0f}" if screen else ""
