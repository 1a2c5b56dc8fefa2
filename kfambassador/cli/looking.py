"""Looking at what a gateway serves: its routes, and which of them takes a request."""

from typing import Annotated, Final

import typer
from rich.text import Text

from kfambassador.cli.files import read_files
from kfambassador.cli.options import For, Headers, To
from kfambassador.cli.output import AT_FAULT, Format, out, print_json, print_routes, stop
from kfambassador.routing.requests import RequestLine
from kfambassador.sdk.connecting import connect
from kfambassador.sdk.reviewing import explain_texts
from kfambassador.sdk.shell_words import MEANINGS, read_headers
from kfambassador.sdk.views import EnvoyAnswer, Explanation, Split

_MOST_VERDICTS: Final = 20


def routes(*, target: To = None, form: For = Format.TEXT) -> None:
    """Show every route the gateway serves, in the order they are evaluated.

    Example: kfambassador routes --format json
    """
    with connect(target, quiet=form is Format.JSON) as gateway:
        found = gateway.routes()
    if form is Format.JSON:
        print_json({"routes": [route.model_dump(mode="json") for route in found]})
    else:
        print_routes(found)


def explain(
    method: Annotated[str, typer.Argument(metavar="METHOD", help=MEANINGS["method"])],
    url: Annotated[str, typer.Argument(metavar="URL", help=MEANINGS["url"])],
    *,
    headers: Headers = None,
    files: Annotated[list[str] | None, typer.Option("--file", "-f", help=MEANINGS["file"])] = None,
    ask_envoy: Annotated[bool, typer.Option("--ask-envoy", help=MEANINGS["ask_envoy"])] = False,
    target: To = None,
    form: For = Format.TEXT,
) -> None:
    """Tell which route takes a request, and why the others do not; no service is asked.

    Exits with 1 when no route takes it, or when the routing table and Envoy do not agree.

    Example: kfambassador explain POST /models/mnist:predict -H 'x-team: vision'
    """
    given = read_headers(headers)
    if files and ask_envoy:
        raise typer.BadParameter("--ask-envoy asks the Envoy of a gateway; with --file there is none")
    if files:
        explanation = explain_texts(read_files(files), RequestLine.read(method, url, given))
    else:
        with connect(target, quiet=form is Format.JSON) as gateway:
            explanation = gateway.explain(method, url, given, ask_envoy=ask_envoy)
    if form is Format.JSON:
        print_json(explanation.model_dump(mode="json"))
    else:
        _show_explanation(explanation)
    if explanation.winner is None or (explanation.envoy and not explanation.envoy.agrees):
        stop(AT_FAULT)


def _show_explanation(explanation: Explanation) -> None:
    asked = f"{explanation.request.method} {explanation.request.path}"
    out.print(_tell_fate(explanation, asked))
    if explanation.asks:
        out.print(Text(f"  if {explanation.asks} lets it pass, which is asked first (AuthService)"))
    winner = explanation.winner
    for split in winner.splits[1:] if winner else ():
        out.print(_tell_split(explanation, split, asked))
    for shadow in winner.shadows if winner else ():
        out.print(Text(f"  {shadow.share}% of them are copied to {shadow.service}, by {shadow.mapping}"))
    until = next((number for number, verdict in enumerate(explanation.verdicts, start=1) if not verdict.reason), None)
    passed = explanation.verdicts[:until]
    for verdict in passed[-_MOST_VERDICTS:]:
        mark, style = ("✗", "dim") if verdict.reason else ("✔", "green")
        out.print(Text(f"  {mark} {', '.join(verdict.mappings)}: {verdict.reason or 'matches'}", style=style))
    if explanation.envoy is not None:
        out.print(_tell_answer(explanation.envoy))


def _tell_fate(explanation: Explanation, asked: str) -> Text:
    redirect = explanation.redirect
    if explanation.refusal:
        return Text.assemble((asked, "bold"), " is ", ("refused", "red"), f" with {explanation.refusal}")
    if explanation.winner is None:
        return Text.assemble((asked, "bold"), " is taken by ", ("no route", "red"), ": it is answered 404")
    if redirect is None:
        return _tell_split(explanation, explanation.winner.splits[0], asked)
    status = f" ({redirect.code} {redirect.words}), by "
    mapping = explanation.mappings[0]
    return Text.assemble((asked, "bold"), " is sent to ", (redirect.location, "cyan"), status, (mapping, "green"))


def _tell_split(explanation: Explanation, split: Split, asked: str) -> Text:
    path = explanation.upstream_paths.get(split.mapping, "")
    alone = explanation.winner is None or len(explanation.winner.splits) == 1
    share = "" if alone else f" ({split.share}%)"
    goes = f" as {path}{share}, by "
    return Text.assemble((asked, "bold"), " goes to ", (split.service, "cyan"), goes, (split.mapping, "green"))


def _tell_answer(answer: EnvoyAnswer) -> Text:
    if not answer.agrees:
        return Text(f"Envoy does not agree: {answer.difference}", style="red")
    chosen = f"it chose {answer.route}" if answer.route else "it has no route for it"
    cluster = f", cluster {answer.cluster}" if answer.cluster else ""
    return Text(f"Envoy agrees: {answer.refusal or chosen}{cluster}", style="green")
