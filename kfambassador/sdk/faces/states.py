"""Faces of states: how far an exposure has come, what is wrong, and what a gateway is."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from kfambassador.problems import Problem, Severity
from kfambassador.sdk.faces.html import Html, badge, code, facts, fill, frame, join, link, table

if TYPE_CHECKING:
    from kfambassador.sdk.readiness.status import ExposureStatus

_SEVERITIES = {Severity.ERROR: "bad", Severity.WARNING: "warn", Severity.NOTICE: "plain"}


def show_status(status: "ExposureStatus") -> Html:
    """The phase, the steps ticking off, and what is missing."""
    phase = badge(status.phase, tone="good" if status else "bad" if status.is_failure else "plain")
    title = fill("title", text=join([Html(fill("code", text=f"{status.namespace}/{status.name}")), Html(" "), phase]))
    steps = fill("steps", steps=join([_show_step(status, step.name, done=step.done) for step in status.steps]))
    words = [status.message, *status.cause.splitlines()] if not status else []
    said = [fill("words", text=line) for line in dict.fromkeys(words) if line]
    return frame(title, steps if status.steps else Html(), *said)


def show_problems(problems: Sequence[Problem]) -> Html:
    """A table of problems, or that there are none."""
    if not problems:
        return frame(fill("words", text=badge("no problems", tone="good")))
    rows = [
        (
            badge(problem.severity, tone=_SEVERITIES[problem.severity]),
            code(problem.code),
            problem.path,
            problem.message,
            str(problem.origin),
        )
        for problem in problems
    ]
    count = f"{len(problems)} problem{'' if len(problems) == 1 else 's'}"
    headings = ("Severity", "Code", "Field", "What is wrong", "Where")
    return frame(table(count, headings, rows, name_column="Code", more="print() shows them all"))


def show_exposure(
    name: str,
    *,
    namespace: str,
    url: str,
    backend: str,
    server: str,
    internal_url: str = "",
    curl: str = "",
    owner: str = "",
    expires_at: str = "",
) -> Html:
    """A published model: where it is and how to call it. Nothing is asked for this.

    Args:
        name: Its name.
        namespace: Where it is published.
        url: Its public address.
        backend: Where its requests go, in words.
        server: What kind of server it is, in words.
        internal_url: Its address inside the cluster.
        curl: A line for a shell, without secrets.
        owner: Who published it.
        expires_at: Until when.
    """
    pairs: list[tuple[str, object]] = [
        ("address", link(url)),
        ("inside the cluster", link(internal_url) if internal_url else ""),
        ("namespace", namespace),
        ("backend", backend),
        ("server", code(server)),
        ("published by", owner),
        ("until", expires_at),
        ("call", code(curl) if curl else ""),
    ]
    return frame(facts(f"Exposure {name}", pairs))


def show_gateway(url: str, *, place: str, namespace: str, reader: str = "") -> Html:
    """A gateway: where it is and whose. Nothing is asked for this.

    Args:
        url: Where models answer.
        place: Whose gateway it is, in words.
        namespace: Where models are published when nothing is said.
        reader: How it is known what it serves, in words.
    """
    pairs: list[tuple[str, object]] = [
        ("address", link(url)),
        ("of", place),
        ("namespace", namespace),
        ("read by", reader),
    ]
    return frame(facts("Gateway", pairs))


def _show_step(status: "ExposureStatus", name: str, *, done: bool) -> Html:
    if done:
        return fill("step", tone="good", sign="✓", text=name, heard="done")
    first = status.next_step
    if status.is_failure and first is not None and first.name == name:
        return fill("step", tone="bad", sign="✗", text=name, heard="failed")
    return fill("step", tone="plain", sign="…", text=name, heard="not yet")
