"""Calling a published model from a shell."""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import typer
from rich.text import Text

from kfambassador.cli.options import For, Headers, Name, Namespace, To
from kfambassador.cli.output import AT_FAULT, Format, out, print_json, stop
from kfambassador.sdk.connecting import connect
from kfambassador.sdk.shell_words import MEANINGS, read_headers

Variant = Annotated[str | None, typer.Option(help=MEANINGS["variant"])]


def predict(
    name: Name,
    inputs: Annotated[
        str | None, typer.Argument(metavar="JSON", help="Inputs as JSON; - reads them from standard input.")
    ] = None,
    *,
    variant: Variant = None,
    headers: Headers = None,
    namespace: Namespace = None,
    target: To = None,
) -> None:
    """Ask a published model for predictions, and print them as JSON. Without inputs a sample is sent.

    Example: kfambassador predict mnist '[[1.0, 2.0]]'
    """
    with connect(target, quiet=True) as gateway:
        model = gateway.get_exposure(name, namespace=namespace)
        given = model.sample() if inputs is None else _read_json(sys.stdin.read() if inputs == "-" else inputs)
        with _mistakes_in_words():
            found = model.predict(given, variant=variant, headers=read_headers(headers))
        print_json(found.values)


def try_out(
    name: Name,
    body: Annotated[str | None, typer.Argument(metavar="JSON", help="A body to POST; without one GET is sent.")] = None,
    *,
    path: Annotated[str | None, typer.Option(help="The path, below the model's own.")] = None,
    method: Annotated[str | None, typer.Option(help="The method.")] = None,
    variant: Variant = None,
    headers: Headers = None,
    expect: Annotated[int, typer.Option(help="The status that counts as passed.")] = 200,
    namespace: Namespace = None,
    target: To = None,
    form: For = Format.TEXT,
) -> None:
    """Send one request through the gateway and tell what became of it. Exits with 1 when it did not pass.

    Example: kfambassador test mnist '{"instances": [1.0]}'
    """
    with connect(target, quiet=True) as gateway:
        model = gateway.get_exposure(name, namespace=namespace)
        with _mistakes_in_words():
            done = model.test(
                None if body is None else _read_json(body),
                path=path,
                method=method,
                variant=variant,
                headers=read_headers(headers),
                expect=expect,
            )
    if form is Format.JSON:
        print_json(
            {
                "passed": bool(done),
                "status": done.status,
                "latency_ms": round(done.latency_ms, 3),
                "path": done.path,
                "mapping": done.mapping,
                "upstream_path": done.upstream_path,
                "backend": done.backend,
            }
        )
    else:
        out.print(Text(str(done), style="green" if done else "red"))
    if not done:
        stop(AT_FAULT)


@contextmanager
def _mistakes_in_words() -> Iterator[None]:
    """Tell what a model or a request cannot be asked with, without a stack trace: it was typed, not programmed."""
    try:
        yield
    except (ValueError, TypeError) as error:
        raise typer.BadParameter(str(error)) from error


def _read_json(text: str) -> object:
    try:
        return json.loads(text)
    except ValueError as error:
        raise typer.BadParameter(f"{text!r} is not JSON: {error}") from error
