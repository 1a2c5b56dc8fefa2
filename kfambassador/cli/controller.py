"""The controller of a cluster's gateway: its flags are its settings, which are read and explained in one place."""

import asyncio
import inspect
import logging
import os
import signal
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, Final, Literal, get_args, get_origin

import typer
from pydantic.fields import FieldInfo

from kfambassador import __version__
from kfambassador.controller.loading import find_misspelt, load_options, name_flag
from kfambassador.controller.logs import running_logs
from kfambassador.controller.options import PREFIX, ControllerOptions, tell_about
from kfambassador.controller.process import run_parts
from kfambassador.controller.settings import ControllerSettings
from kfambassador.kube.client import KubeClient
from kfambassador.resources.validation import show

_log = logging.getLogger(__name__)

_HELP: Final = f"""\
Run the controller of a cluster's gateway: it follows the cluster and tells Envoy what to serve.

Each setting can also be given in the environment, as {PREFIX}LOG_LEVEL for --log-level, and by its name, as log_level,
in the YAML file that --config or {PREFIX}CONFIG names. A flag goes before the environment, and that before the file.
SIGTERM or Ctrl-C ends it in good order; Envoy goes on with what it holds.

Example: kfambassador controller --kubeconfig ~/.kube/config --log-format text
"""

#: Kubernetes sets it in every pod.
_IN_POD: Final = "KUBERNETES_SERVICE_HOST"


def run(arguments: Sequence[str]) -> None:
    """Run the command.

    Args:
        arguments: The words after its name.

    Raises:
        ConfigurationError: A setting is at fault, or a socket, a port or the kubeconfig cannot be had.
        SystemExit: It has ended.
    """
    app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode="markdown")
    app.command(help=_HELP)(_make_command(_serve))
    app(list(arguments), prog_name="kfambassador controller")


def connect(options: ControllerOptions) -> KubeClient:
    """Connect to the cluster that is to be followed; whether it answers shows later.

    Raises:
        ConfigurationError: There is no kubeconfig where one is needed, or it has no such context.
    """
    if options.kubeconfig is None and options.context is None and os.environ.get(_IN_POD):
        return KubeClient.in_cluster()
    return KubeClient.from_kubeconfig(context=options.context, path=options.kubeconfig)


def _serve(**said: object) -> None:
    options = load_options({name: value for name, value in said.items() if value is not None})
    settings = options.settings()
    with running_logs(level=options.log_level, form=options.log_format), connect(options) as client:
        for misspelt in find_misspelt(os.environ):
            _log.warning("%s", misspelt)
        asyncio.run(_run_until_told(client, settings, linger=options.linger))


async def _run_until_told(client: KubeClient, settings: ControllerSettings, *, linger: float) -> None:
    """Run until SIGTERM or Ctrl-C; a second one ends it at once."""
    told, loop = asyncio.Event(), asyncio.get_running_loop()

    def end(number: signal.Signals) -> None:
        told.set()
        loop.remove_signal_handler(number)

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, end, number)
    async with run_parts(client, settings) as running:
        _log.info("kfambassador %s follows %s", __version__, client.server)
        await told.wait()
        _log.info("It was told to end")
        await running.linger(linger)


def _make_command(serve: Callable[..., None]) -> Callable[..., None]:
    """Give a function a parameter for each setting, which typer makes its flags of."""

    def command(**said: object) -> None:
        serve(**said)

    parameters = [_make_flag(name, field) for name, field in ControllerOptions.model_fields.items()]
    command.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined] # functions take any attribute
    command.__annotations__ = {each.name: each.annotation for each in parameters}
    return command


def _make_flag(name: str, field: FieldInfo) -> inspect.Parameter:
    is_switch = field.annotation is bool
    flag = f"{name_flag(name)}/{name_flag(f'no_{name}')}" if is_switch else name_flag(name)
    option = typer.Option(
        flag,
        help=_explain(field),
        metavar=None if is_switch else _find_metavar(field),
        rich_help_panel=tell_about(field)["group"],
    )
    kind: object = bool | None if is_switch else str | None
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=Annotated[kind, option])


def _explain(field: FieldInfo) -> str:
    default = field.default
    if field.default_factory is not None or default is None or default == "":
        return field.description or ""
    shown = show(default) if isinstance(default, bool) else str(default)
    return f"{field.description} [default: {shown}]"


def _find_metavar(field: FieldInfo) -> str:
    """Say what a flag takes, as far as its type tells."""
    kinds = {each for each in (get_args(field.annotation) or (field.annotation,)) if each is not type(None)}
    if get_origin(field.annotation) is Literal:
        return "|".join(map(str, get_args(field.annotation)))
    return "FILE" if Path in kinds else "NUMBER" if kinds & {int, float} else "TEXT"
