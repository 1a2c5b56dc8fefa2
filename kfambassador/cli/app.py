"""The command line as a whole: its commands, and what becomes of errors."""

import sys
from typing import Annotated

import typer

from kfambassador import __version__
from kfambassador.cli import (
    calling,
    configuration,
    envoy,
    install,
    linting,
    local,
    looking,
    publishing,
    resources,
    traffic,
)
from kfambassador.cli.output import print_error
from kfambassador.errors import KfAmbassadorError, MissingExtra

app = typer.Typer(
    name="kfambassador",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
)


def _print_version(asked: bool) -> None:  # noqa: FBT001 - typer calls it with the option's value
    if asked:
        typer.echo(f"kfambassador {__version__}")
        raise typer.Exit


@app.callback()
def kfambassador(
    *,
    version: Annotated[
        bool, typer.Option("--version", help="Show the version and exit.", callback=_print_version, is_eager=True)
    ] = False,
) -> None:
    """Put a model behind a URL on Kubernetes, or on this machine."""


@app.command()
def demo(
    *, keep: Annotated[bool, typer.Option("--keep", help="Leave everything running until Ctrl-C.")] = False
) -> None:
    """Publish a model on this machine and call it through a real Envoy; takes a few seconds.

    Example: kfambassador demo --keep
    """
    try:
        from kfambassador.cli.demo import run_demo
    except ModuleNotFoundError as error:
        raise MissingExtra("local", needed_for="run the demo") from error
    run_demo(keep=keep)


@app.command(add_help_option=False, context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def controller(context: typer.Context) -> None:
    """Run the controller of a cluster's gateway: it follows the cluster and tells Envoy what to serve."""
    # Its settings are its flags, and come with the extra.
    try:
        from kfambassador.cli.controller import run
    except ModuleNotFoundError as error:
        raise MissingExtra("gateway", needed_for="run a controller") from error
    run(context.args)


app.add_typer(local.app, name="local")
app.command()(envoy.envoy)
app.command()(publishing.expose)
app.command()(publishing.render)
app.command("list")(publishing.list_exposures)
app.command()(publishing.delete)
app.command()(publishing.leftovers)
app.command()(calling.predict)
app.command("test")(calling.try_out)
app.command()(traffic.split)
app.command()(traffic.canary)
app.command()(traffic.promote)
app.command()(traffic.rollback)
app.command()(traffic.shadow)
app.command()(traffic.rollout)
app.command()(traffic.statistics)
app.command()(looking.routes)
app.command()(looking.explain)
app.command()(linting.lint)
app.command()(configuration.translate)
app.command()(resources.convert)
app.command()(resources.crds)
app.command()(install.install)
app.command()(install.uninstall)


def main(arguments: list[str] | None = None) -> None:
    """Run one command and end the process; a person's mistake gets words, never a stack trace.

    Args:
        arguments: The words after the program's name; None means those of this process.

    Raises:
        SystemExit: Always, with the exit code.
    """
    try:
        app(arguments)
    except KfAmbassadorError as error:
        sys.exit(print_error(error))
