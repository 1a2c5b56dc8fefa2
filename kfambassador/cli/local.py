"""The gateway on this machine: one in the foreground, and the one all processes of a user share."""

import logging
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from kfambassador.cli.output import AT_FAULT, Format, out, print_json, say, stop
from kfambassador.cli.signals import until_stopped
from kfambassador.errors import MissingExtra
from kfambassador.local.daemon import GatewayStatus, ensure_gateway, gateway_status, shared_role, stop_gateway
from kfambassador.local.endpoint import GatewayEndpoint
from kfambassador.local.stack import LocalStack
from kfambassador.names import DIAGNOSTICS_PREFIX

app = typer.Typer(invoke_without_command=True, rich_markup_mode="markdown")

HttpPort = Annotated[int, typer.Option(help="Where models answer; 0 takes a free port.", min=0, max=65535)]
State = Annotated[
    Path | None, typer.Option(help="Keep all objects in this directory, and find them again.", file_okay=False)
]


@app.callback()
def run(
    context: typer.Context,
    http_port: HttpPort = 0,
    state: State = None,
    kubeconfig: Annotated[
        Path | None, typer.Option(help="Write a kubeconfig for kubectl and other clients.", dir_okay=False)
    ] = None,
    *,
    rbac: Annotated[
        bool, typer.Option("--rbac", help="Let roles decide who may do what in its Kubernetes API, as in a cluster.")
    ] = False,
) -> None:
    """Run a gateway on this machine until Ctrl-C or SIGTERM; with a command, see to the one you share.

    While it runs it is the one that all your notebooks and terminals share, unless another is shared already. What is
    wrong with anybody's configuration is told as it comes.

    Example: kfambassador local --http-port 8080 --state ~/.kfambassador --kubeconfig local.kubeconfig
    """
    if context.invoked_subcommand is not None:
        return
    logging.basicConfig(format="%(message)s", level=logging.WARNING)
    stack = LocalStack(http_port=http_port, state=state, kubeconfig=kubeconfig, rbac=rbac)
    with until_stopped() as stopped, shared_role() as announce:
        try:
            stack.start(say)
            if not stopped.is_set():
                _announce(stack.endpoint, announce)
            stopped.wait()
            say("Stopping")
        finally:
            stack.close()


def _announce(endpoint: GatewayEndpoint, announce: Callable[[GatewayEndpoint], None] | None) -> None:
    if announce is None:
        say("Another gateway is the shared one; this one is reached by its kubeconfig and URL")
    else:
        announce(endpoint)
    out.print(f"gateway ready at {endpoint.url}")


@app.command()
def start(http_port: HttpPort = 0, state: State = None) -> None:
    """Start the gateway you share, if it does not run; it ends when nobody has used it for a while.

    Example: kfambassador local start --state ~/.kfambassador
    """
    endpoint = ensure_gateway(http_port=http_port, state=state, progress=say)
    out.print(f"gateway ready at {endpoint.url}")


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
) -> None:
    """Run a small model server to try things with, until Ctrl-C: TensorFlow Serving's REST API, half of x plus two.

    Example: kfambassador local model mnist --port 8501
    """
    try:
        from kfambassador.local.models import ModelServer
    except ModuleNotFoundError as error:
        raise MissingExtra("local", needed_for="run a model server on this machine") from error
    with until_stopped() as stopped, ModelServer(name, port=port) as server:
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
        "log": str(found.log),
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
    out.print(f"log {found.log}")
    out.print(f"read API {endpoint.diagnostics_url}{DIAGNOSTICS_PREFIX}; diagnostics_token in {found.file} opens it")
