"""Judging configuration in files: what a gateway would leave out, what is a trap, and what is not its own affair."""

from collections.abc import Iterable
from typing import Annotated, Final

import typer
from rich.text import Text

from kfambassador.cli.files import Files, compile_files
from kfambassador.cli.output import AT_FAULT, SEVERITY_STYLES, Format, out, print_json, say, stop
from kfambassador.problems import Origin, Problem, Severity, has_errors
from kfambassador.resources.manifests import OTHER_OBJECT
from kfambassador.routing.describe import describe_problem
from kfambassador.routing.model import Compiled
from kfambassador.sdk.reviewing import PolicyChoice, choose_policy
from kfambassador.sdk.shell_words import MEANINGS

_PLURALS: Final = {"mapping served": "mappings served", "error": "errors", "warning": "warnings", "notice": "notices"}
_ORDER: Final = {severity: number for number, severity in enumerate(Severity)}
_WIDEST: Final = max(map(len, Severity))


def lint(
    files: Files,
    *,
    policy: Annotated[
        PolicyChoice,
        typer.Option(help=MEANINGS["policy"]),
    ] = PolicyChoice.LAPTOP,
    gateway_namespace: Annotated[str | None, typer.Option(metavar="NAME", help=MEANINGS["gateway_namespace"])] = None,
    form: Annotated[Format, typer.Option("--format", help="For whom to write the result.")] = Format.TEXT,
) -> None:
    """Judge configuration in files: every problem with its file, document and field, and what to do.

    What could not be read and what a gateway would leave out are errors: they make the exit code 1. Traps are warnings,
    each with a request and what becomes of it. Kinds that a gateway does not act on are notices.

    Example: kfambassador lint service.yaml --policy strict --gateway-namespace kubeflow
    """
    compiled = compile_files(files, choose_policy(policy, gateway_namespace))
    problems = sorted(compiled.problems, key=_place)
    if form is Format.JSON:
        print_json({"mappings": _count_served(compiled), "problems": [describe_problem(each) for each in problems]})
    else:
        _print_grouped(problems)
        say(_sum_up(compiled))
    if has_errors(problems):
        stop(AT_FAULT)


def _place(problem: Problem) -> tuple[str, str, int, int]:
    origin = problem.origin
    return origin.file, str(origin.object or ""), origin.document or 0, _ORDER[problem.severity]


def _print_grouped(problems: Iterable[Problem]) -> None:
    """Print problems under the document they stand in; objects that are none of the gateway's in one line a file."""
    others: dict[str, list[str]] = {}
    before: Origin | None = None
    for problem in problems:
        if problem.code == OTHER_OBJECT:
            others.setdefault(problem.origin.file, []).append(str(problem.origin.object))
            continue
        if problem.origin != before:
            before = problem.origin
            line = f", line {before.line}" if before.line else ""
            out.print(Text(f"{before}{line}", style="bold"))
        _print_one(problem.severity, f"{problem.path}: {problem.message}" if problem.path else problem.message)
    for file, objects in others.items():
        out.print(Text(file or "the text", style="bold"))
        _print_one(Severity.NOTICE, f"passed over, because a gateway reads nothing from them: {', '.join(objects)}")


def _print_one(severity: Severity, words: str) -> None:
    out.print(Text.assemble("  ", (severity.ljust(_WIDEST), SEVERITY_STYLES[severity]), "  ", words))


def _count_served(compiled: Compiled) -> int:
    return sum(len(route.splits) + len(route.shadows) for route in compiled.table.routes())


def _sum_up(compiled: Compiled) -> str:
    counts = [("mapping served", _count_served(compiled))]
    counts += [
        (severity.value, found)
        for severity in Severity
        if (found := sum(problem.severity is severity for problem in compiled.problems))
    ]
    return ", ".join(f"{count} {word if count == 1 else _PLURALS[word]}" for word, count in counts)
