"""Reports of steps as pages, made of the SDK's faces: every value is escaped, and no script is written. Pure."""

from math import isfinite
from typing import TYPE_CHECKING, Final

from kfambassador.sdk.faces.html import Html, badge, code, facts, fill, frame, link, page, table
from kfambassador.sdk.traffic.statistics import HEADINGS, write_row

if TYPE_CHECKING:
    from kfambassador.pipelines.steps.shifting import Shifted
    from kfambassador.pipelines.steps.testing import Findings

_LONGEST: Final = 400
#: The columns of the table of statistics that tell how a step went.
_COUNTS: Final = slice(2, 11)


def show_tested(tested: "Findings") -> Html:
    """What came of a test."""
    verdict = badge("failed", tone="bad") if tested.faults else badge("passed", tone="good")
    wanted, metrics = tested.wanted, tested.metrics
    first = tested.answers[0] if tested.answers else None
    pairs: list[tuple[str, object]] = [
        ("result", verdict),
        ("address", link(tested.url)),
        ("asked", code(f"{first.answer.method} {first.path}") if first else ""),
        ("variant", wanted.variant or ""),
        ("answered by", first.mapping or "no route" if first else "nobody"),
        ("backend", code(first.backend) if first and first.backend else ""),
        ("requests", str(tested.sent)),
        ("failed", str(len(tested.failures))),
        ("status", f"expected {wanted.expect}"),
        *[(name.removesuffix("_ms"), f"{metrics[name]:.4g} ms") for name in metrics if name.endswith("_ms")],
        ("p95 may be", f"{wanted.p95_ms:.4g} ms" if wanted.p95_ms is not None else ""),
        ("tolerance", f"{wanted.tolerance:g}" if wanted.expected is not None else ""),
    ]
    parts = [facts(fill("title", text=f"Test of {tested.name}"), pairs)]
    parts += [fill("words", text=fault) for fault in tested.faults]
    if tested.differences:
        rows = [
            (
                each.place or "all",
                code(_shorten(each.expected)),
                code(_shorten(each.got)),
                f"{each.size:.4g}" if isfinite(each.size) else "",
            )
            for each in tested.differences
        ]
        headings = ("Prediction", "Expected", "Got", "Differs by")
        parts.append(table("Not as expected", headings, rows, numbers=("Differs by",), name_column="Prediction"))
    return page(f"Test of {tested.name}", frame(*parts))


def show_shifted(shifted: "Shifted") -> Html:
    """What became of a canary."""
    good = not shifted.reason
    verdict = badge(shifted.outcome, tone="good" if good else "bad")
    pairs: list[tuple[str, object]] = [
        ("result", verdict),
        ("because", shifted.reason),
        ("note", shifted.remark),
        ("canary", code(shifted.service)),
        ("before", code(shifted.stable)),
    ]
    parts = [facts(fill("title", text=f"Shift of {shifted.name}"), pairs)]
    if shifted.steps:
        counts = [heading.capitalize() for heading in HEADINGS[_COUNTS]]
        rows = [(f"{step.weight}%", *write_row(step.seen)[_COUNTS], step.verdict or "well") for step in shifted.steps]
        parts.append(table("Steps", ("Share", *counts, "Verdict"), rows, numbers=counts, name_column="Share"))
    return page(f"Shift of {shifted.name}", frame(*parts))


def _shorten(value: object) -> str:
    text = repr(value)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
