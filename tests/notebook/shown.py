"""What the cells of a notebook show, told so that two runs can be compared.

What differs from run to run has something that stands for it, and no more is forgiven: ports are told apart by the
order in which they come, of what was counted it stays whether there was any, and shares that depend on chance are near.
"""

import re
from collections.abc import Iterator
from typing import Any, Final

from tests.notebook.notebooks import Notebook, has_tag, list_cells

#: The tag of a cell whose percentages depend on chance.
CHANCE: Final = "chance"
#: How far they may be apart. Of 500 requests of which one in five is drawn, five standard deviations are nine.
TOLERANCE: Final = 10.0

WIDGET: Final = "application/vnd.jupyter.widget-view+json"

_PORT: Final = re.compile(r"(?<=127\.0\.0\.1:)\d+|(?<=port )\d+")
_VARYING: Final = tuple(
    (re.compile(pattern, re.MULTILINE), stands)
    for pattern, stands in (
        (r"^kfambassador: \S+: waiting (?:for|until) .*\n", ""),  # said only when it takes long
        (r"\d+(\.\d+)? ms", "N ms"),
        (r"(?<=_ms': )\d+(\.\d+)?", "N"),
        (r"\d+ of \d+ requests failed \(\d+\.\d %\)", "N of N requests failed (N %)"),
        (r"<style>[^<]*</style>", ""),
        # Of a trace, what is not in the cell itself; lines of ours move.
        (r"^  File &quot;(?!Cell ).*\n(    .*\n)*", ""),
        (r" {2,}", "  "),  # columns are as wide as what is in them
        (r" +$", ""),
    )
)
_PERCENT: Final = re.compile(r"\d+(?= ?%)|(?<=flex:)\d+\.\d")
#: The columns of statistics in which every run has other figures; that there are some is the same in all.
_COUNTED: Final = frozenset({"REQUESTS", "PER S", "5XX", "P50", "P95", "P99"})
#: Those among them that count something: 0 is none, and stays.
_NONE_STAYS: Final = frozenset({"REQUESTS", "5XX"})
#: Those that Envoy tells later than counts: whoever judges at once, as a canary that fails is, sees none yet.
_LATE: Final = frozenset({"P50", "P95", "P99"})
_HTML_TABLE: Final = re.compile(r"<table>.*?</table>", re.DOTALL)
_HTML_CELL: Final = re.compile(r"(<t[hd][^>]*>)(.*?)(</t[hd]>)")


def tell(notebook: Notebook) -> list[str]:
    """Tell what each cell of code shows, in all its forms."""
    places: dict[str, str] = {}

    def name_port(found: "re.Match[str]") -> str:
        return places.setdefault(found[0], f"PORT-{len(places) + 1}")

    return [
        "\n".join(
            f"{name}: {_PORT.sub(name_port, _normalise(form))}"
            for output in _join(cell.outputs)
            for name, form in _list_forms(output)
        )
        for cell in list_cells(notebook)
    ]


def compare(saved: Notebook, run: Notebook) -> list[str]:
    """Say in which cells two runs differ; nothing when they do not."""
    cells = zip(list_cells(saved), tell(saved), tell(run), strict=True)
    return [
        f"{cell.source}\n--- saved\n{before}\n--- now\n{now}"
        for cell, before, now in cells
        if not (_is_near(before, now) if has_tag(cell, CHANCE) else before == now)
    ]


def _join(outputs: list[Any]) -> Iterator[dict[str, Any]]:
    """Put together what was printed in pieces."""
    streams: dict[str, str] = {}
    for output in outputs:
        if output["output_type"] == "stream":
            streams[output["name"]] = streams.get(output["name"], "") + output["text"]
        else:
            yield output
    for name, text in streams.items():
        yield {"output_type": "stream", "name": name, "text": text}


def _list_forms(output: dict[str, Any]) -> Iterator[tuple[str, str]]:
    kind = output["output_type"]
    if kind == "stream":
        yield output["name"], output["text"]
    elif kind == "error":
        yield output["ename"], "\n".join([output["evalue"], *output["traceback"]])
    for form, value in sorted(output.get("data", {}).items()):
        # A widget has another number each time.
        yield form, str(sorted(value)) if form == WIDGET else value


def _normalise(text: str) -> str:
    text = _HTML_TABLE.sub(lambda found: _mask_html(found[0]), _mask_table(text))
    for pattern, stands in _VARYING:
        text = pattern.sub(stands, text)
    return text.strip()


def _mask(heading: str, figure: str) -> str:
    """What stands for a figure."""
    is_any = figure.strip() and not (heading in _NONE_STAYS and figure.strip() == "0")
    return "N" if heading in _LATE or (heading in _COUNTED and is_any) else figure.strip()


def _mask_table(text: str) -> str:
    """Mask the figures of a table of statistics in text."""
    lines = text.splitlines()
    if "REQUESTS" not in text or "REQUESTS" not in lines[0]:
        return text
    columns = [(found.start(), found[0]) for found in re.finditer(r"\S+( \S+)*", lines[0])]
    ends = [*(start for start, _ in columns[1:]), None]
    rows = (
        "  ".join(_mask(heading, line[start:end]) for (start, heading), end in zip(columns, ends, strict=True))
        for line in lines[1:]
    )
    return "\n".join([lines[0], *rows])


def _mask_html(table: str) -> str:
    """Mask the same in HTML."""
    rows = table.split("<tr>")
    headings = [found[2].upper() for found in _HTML_CELL.finditer(rows[1])]
    if "REQUESTS" not in headings:
        return table
    return "<tr>".join([*rows[:2], *(_mask_row(headings, row) for row in rows[2:])])


def _mask_row(headings: list[str], row: str) -> str:
    heading = iter(headings)
    return _HTML_CELL.sub(lambda found: f"{found[1]}{_mask(next(heading), found[2])}{found[3]}", row)


def _is_near(before: str, now: str) -> bool:
    """Whether two differ in percentages only, and those are near; none and all are exact."""
    first, second = ([float(number) for number in _PERCENT.findall(text)] for text in (before, now))
    if _PERCENT.sub("N", before) != _PERCENT.sub("N", now):
        return False
    return all(
        abs(one - other) <= TOLERANCE and ({one, other}.isdisjoint({0.0, 100.0}) or one == other)
        for one, other in zip(first, second, strict=True)
    )
