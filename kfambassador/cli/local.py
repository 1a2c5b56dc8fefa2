"""The gateway on this machine: one in the foreground, and the one all processes of a user share."""

import logging
import sys
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

from kfambassador.cli.output import AT_FAULT, Format, out, print_json, say, stop
from kfambassador.cli.signals import until_stopped
from kfambassador.errors import ConfigurationError, MissingExtra, NoGateway
from kfambassador.local.announcing import share_kubeconfig
from kfambassador.local.daemon import (
    GatewayStatus,
    ensure_gateway,
    find_gateway,
    gateway_status,
    shared_role,
    stop_gateway,
)
from kfambassador.local.endpoint import GatewayEndpoint
from kfambassador.local.kubeconfig import CONTEXT, ApiAccess, check_kubeconfig, write_kubeconfig
from kfambassador.local.runtime_directory import open_runtime_directory
from kfambassador.local.stack import LocalStack
from kfambassador.names import DIAGNOSTICS_PREFIX

if TYPE_CHECKING:
    from kfambassador.controller.reviews import ReviewSettings

app = typer.Typer(invoke_without_command=True, rich_markup_mode="markdown")

HttpPort = Annotated[int, typer.Option(help="Where models answer; 0 takes a free port.", min=0, max=65535)]
ApiPort = Annotated[
    int,
    typer.Option(
        help="Where its Kubernetes API answers; 0 takes that of the last time with the same --state, or a free port.",
        min=0,
        max=65535,
    ),
]
State = Annotated[
    Path | None, typer.Option(help="Keep all objects in this directory, and find them again.", file_okay=False)
]
JoinedKubeconfig = Annotated[
    Path | None,
    typer.Option(
        help=f"Add context {CONTEXT} to this kubeconfig and make it the current one; other clusters stay. Without "
        "--state it is taken out again when the gateway ends.",
        dir_okay=False,
    ),
]


@app.callback()
def run(
    context: typer.Context,
    http_port: HttpPort = 0,
    api_port: ApiPort = 0,
    diagnostics_port: Annotated[
        int, typer.Option(help="Where its read API answers; 0 takes a free port.", min=0, max=65535)
    ] = 0,
    state: State = None,
    *,
    kubeconfig: JoinedKubeconfig = None,
    rbac: Annotated[
        bool,
        typer.Option("--rbac", help="Let roles decide, as in a cluster, who may do and see what in both of its APIs."),
    ] = False,
) -> None:
    """Run a gateway on this machine until Ctrl-C or SIGTERM; with a command, see to the one you share.

    While it runs it is the one that all your notebooks and terminals share, unless another is shared already. What is
    wrong with anybody's configuration is told as it comes.

    Example: kfambassador local --http-port 8080 --state ~/.kfambassador --kubeconfig ~/.kube/config
    """
    if context.invoked_subcommand is not None:
        _refuse_options(context, context.invoked_subcommand)
        return
    logging.basicConfig(format="%(message)s", level=logging.WARNING)
    stack = LocalStack(
        http_port=http_port,
        api_port=api_port,
        diagnostics_port=diagnostics_port,
        state=state,
        kubeconfig=kubeconfig,
        rbac=rbac,
        reviews=_read_reviews() if rbac else None,
    )
    with until_stopped() as stopped, shared_role() as announce:
        try:
            stack.start(say)
            if not stopped.is_set():
                _announce(stack.endpoint, announce)
            stopped.wait()
            say("Stopping")
        finally:
            stack.close()


def _refuse_options(context: typer.Context, command: str) -> None:
    """Refuse options before a command: they are for a gateway in the foreground, and would have no effect."""
    sources = {option.opts[0]: context.get_parameter_source(option.name or "") for option in context.command.params}
    said = [name for name, source in sources.items() if source is not None and source.name == "COMMANDLINE"]
    if said:
        raise ConfigurationError(
            f"{', '.join(said)} before '{command}' has no effect. Options of a command stand behind it: "
            f"kfambassador local {command} --help lists them."
        )


def _read_reviews() -> "ReviewSettings":
    """Let roles decide at the read API too. What does so is loaded for those only who ask for it."""
    from kfambassador.controller.reviews import ReviewSettings

    # Who tries roles wants to see at once what a new one changes, and to ask the API of this machine costs nothing.
    return ReviewSettings(remembered=0.0)


def _announce(endpoint: GatewayEndpoint, announce: Callable[[GatewayEndpoint], None] | None) -> None:
    if announce is None:
        say("Another gateway is the shared one; this one is reached by its kubeconfig and URL")
    else:
        announce(endpoint)
    out.print(f"gateway ready at {endpoint.url}")


@app.command()
def start(
    http_port: HttpPort = 0, api_port: ApiPort = 0, state: State = None, kubeconfig: JoinedKubeconfig = None
) -> None:
    """Start the gateway you share, if it does not run; it ends when nobody has used it for a while.

    A kubeconfig is joined whether it runs already or not.

    Example: kfambassador local start --state ~/.kfambassador --kubeconfig ~/.kube/config
    """
    if kubeconfig is not None:
        check_kubeconfig(kubeconfig)
    endpoint = ensure_gateway(http_port=http_port, api_port=api_port, state=state, progress=say)
    if kubeconfig is not None:
        say(share_kubeconfig(open_runtime_directory(), kubeconfig, endpoint))
    out.print(f"gateway ready at {endpoint.url}")


@app.command("kubeconfig")
def print_kubeconfig() -> None:
    """Print a kubeconfig for the gateway you share, with its administrator's token: keep what it prints to yourself.

    Example: kfambassador local kubeconfig > local.kubeconfig
    """
    endpoint = find_gateway()
    if endpoint is None:
        raise NoGateway("Your gateway does not run. Start it first: kfambassador local start")
    sys.stdout.write(write_kubeconfig(ApiAccess.to(endpoint)))


@app.command("stop")
def end() -> None:
    """Stop the gateway you share.

    Example: kfambassador local stop
    """
    out.print("stopped" if stop_gateway() else "it does not run")


@app.command()
def status(
    form: Annotated[Format, typer.Option("--format", help="For whom to write the result.")] = Format.TEXT,
) -> None:
    """Show how the gateway you share is; exits with 1 when it is not ready.

    Example: kfambassador local status --format json
    """
    found = gateway_status()
    if form is Format.JSON:
        print_json(_describe(found))
    else:
        _show(found)
    if found.missing:
        stop(AT_FAULT)


@app.command()
def model(
    name: Annotated[str, typer.Argument(help="The model's name.")] = "half_plus_two",
    port: Annotated[int, typer.Option(help="Where it listens; 0 takes a free port.", min=0, max=65535)] = 8501,
    *,
    failing: Annotated[bool, typer.Option("--failing", help="Fail on every prediction, to see who notices.")] = False,
) -> None:
    """Run a small model server to try things with, until Ctrl-C: TensorFlow Serving's REST API, half of x plus two.

    Example: kfambassador local model mnist --port 8501
    """
    try:
        from kfambassador.local.models import ModelServer
    except ModuleNotFoundError as error:
        raise MissingExtra("local", needed_for="run a model server on this machine") from error
    with until_stopped() as stopped, ModelServer(name, port=port, failing=failing) as server:
        out.print(f"model {name} answers at {server.url}/v1/models/{name}")
        stopped.wait()


def _describe(found: GatewayStatus) -> dict[str, object]:
    """Describe it without its tokens."""
    endpoint = found.endpoint
    return {
        "ready": found.missing is None,
        "missing": found.missing,
        "url": endpoint.url if endpoint else None,
        "api_url": endpoint.api_url if endpoint else None,
        "diagnostics_url": endpoint.diagnostics_url if endpoint else None,
        "pid": endpoint.pid if endpoint else None,
        "started": endpoint.started if endpoint else None,
        "state": str(endpoint.state) if endpoint and endpoint.state else None,
        "users": found.users,
        "log": str(found.log) if found.log else None,
        "file": str(found.file),
    }


def _show(found: GatewayStatus) -> None:
    if found.endpoint is None:
        out.print(Text(f"no gateway: {found.missing}", style="yellow"))
        return
    endpoint = found.endpoint
    ready = f"not ready: {found.missing}" if found.missing else "ready"
    out.print(Text.assemble((endpoint.url, "bold cyan"), "  ", (ready, "yellow" if found.missing else "green")))
    started = datetime.fromtimestamp(endpoint.started).astimezone()
    out.print(f"process {endpoint.pid}, since {started:%Y-%m-%d %H:%M:%S}, used by {found.users}")
    out.print(f"objects {f'in {endpoint.state}' if endpoint.state else 'in memory'}")
    out.print(f"log {found.log or 'in the terminal where it runs'}")
    out.print(f"Kubernetes API {endpoint.api_url}; a kubeconfig for it: kfambassador local kubeconfig")
    out.print(f"read API {endpoint.diagnostics_url}{DIAGNOSTICS_PREFIX}; diagnostics_token in {found.file} opens it")
