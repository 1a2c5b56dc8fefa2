"""The command line as a whole: its commands, and what becomes of errors."""

import sys
from collections.abc import Iterable, Mapping, Sequence
from importlib import import_module
from typing import Annotated, Any, Final, NamedTuple

import typer

from kfambassador import __version__
from kfambassador.cli.output import print_error
from kfambassador.errors import KfAmbassadorError, MissingExtra
from kfambassador.names import INTERRUPTED


class _Command(NamedTuple):
    """Where a command is.

    Attributes:
        module: The module of this package.
        attribute: The function in it, or the commands of a command.
        settings: What typer is told of it beside its signature.
    """

    module: str
    attribute: str
    settings: Mapping[str, Any] = {}


#: For a command that reads its flags itself.
_PASSED_ON: Final = {
    "add_help_option": False,
    "context_settings": {"allow_extra_args": True, "ignore_unknown_options": True},
}

#: Each command by its name, in the order of the help.
COMMANDS: Final = {
    "demo": _Command("app", "demo"),
    "controller": _Command("app", "controller", _PASSED_ON),
    "envoy": _Command("envoy", "envoy"),
    "expose": _Command("publishing", "expose"),
    "render": _Command("publishing", "render"),
    "list": _Command("publishing", "list_exposures"),
    "delete": _Command("publishing", "delete"),
    "leftovers": _Command("publishing", "leftovers"),
    "predict": _Command("calling", "predict"),
    "test": _Command("calling", "try_out"),
    "split": _Command("traffic", "split"),
    "canary": _Command("traffic", "canary"),
    "promote": _Command("traffic", "promote"),
    "rollback": _Command("traffic", "rollback"),
    "shadow": _Command("traffic", "shadow"),
    "rollout": _Command("traffic", "rollout"),
    "statistics": _Command("traffic", "statistics"),
    "routes": _Command("looking", "routes"),
    "explain": _Command("looking", "explain"),
    "lint": _Command("linting", "lint"),
    "translate": _Command("configuration", "translate"),
    "convert": _Command("resources", "convert"),
    "crds": _Command("resources", "crds"),
    "install": _Command("install", "install"),
    "uninstall": _Command("install", "uninstall"),
    "local": _Command("local", "app"),
}


def _print_version(asked: bool) -> None:  # noqa: FBT001 - typer calls it with the option's value
    if asked:
        typer.echo(f"kfambassador {__version__}")
        raise typer.Exit


def kfambassador(
    *,
    version: Annotated[
        bool, typer.Option("--version", help="Show the version and exit.", callback=_print_version, is_eager=True)
    ] = False,
) -> None:
    """Put a model behind a URL on Kubernetes, or on this machine."""


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


def controller(context: typer.Context) -> None:
    """Run the controller of a cluster's gateway: it follows the cluster and tells Envoy what to serve."""
    # Its settings are its flags, and come with the extra.
    try:
        from kfambassador.cli.controller import run
    except ModuleNotFoundError as error:
        raise MissingExtra("gateway", needed_for="run a controller") from error
    run(context.args)


def build_app(words: Sequence[str] = ()) -> typer.Typer:
    """Build the command line.

    Args:
        words: What was typed after the program's name. Where the first tells which command is meant, no other is
            loaded: what belongs to them would take most of the time that a short command takes.
    """
    app = typer.Typer(
        name="kfambassador",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode="markdown",
    )
    app.callback()(kfambassador)
    for name in _choose(words):
        _add(app, name)
    return app


def main(arguments: Sequence[str] | None = None) -> None:
    """Run one command and end the process; a person's mistake gets words, never a stack trace.

    Args:
        arguments: The words after the program's name; None means those of this process.

    Raises:
        SystemExit: Always, with the exit code.
    """
    words = sys.argv[1:] if arguments is None else arguments
    try:
        app = build_app(words)
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    try:
        app(words)
    except KfAmbassadorError as error:
        sys.exit(print_error(error))


def _choose(words: Sequence[str]) -> Iterable[str]:
    match words:
        case [first, *_] if first in COMMANDS:
            return (first,)
        case ["--version", *_]:
            return ()
        case _:
            return COMMANDS


def _add(app: typer.Typer, name: str) -> None:
    module, attribute, settings = COMMANDS[name]
    found = getattr(import_module(f"kfambassador.cli.{module}"), attribute)
    if isinstance(found, typer.Typer):
        app.add_typer(found, name=name, **settings)
    else:
        app.command(name, **settings)(found)
