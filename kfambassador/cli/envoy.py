"""Envoy in a container: the other half of a gateway in a cluster, beside the controller."""

import socket
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from kfambassador.controller.addresses import Address
from kfambassador.errors import MissingExtra
from kfambassador.local.envoy_process import find_envoy
from kfambassador.names import ADMIN_SOCKET, READY_ADDRESS, RUNTIME_DIRECTORY, XDS_SOCKET
from kfambassador.proxy.command import LOG_LEVEL, LogLevel
from kfambassador.proxy.guard import held_back_signals

_DIRECTORY = Path(RUNTIME_DIRECTORY)

#: The names of variables are the controller's where both containers need the same: one set of them is enough for a pod.
XdsSocket = Annotated[Path, typer.Option(help="The controller's Unix socket.", envvar="KFAMBASSADOR_XDS_SOCKET")]
AdminSocket = Annotated[
    Path, typer.Option(help="Where Envoy makes the Unix socket of its admin.", envvar="KFAMBASSADOR_ADMIN_SOCKET")
]
ReadyAddress = Annotated[
    str,
    typer.Option(
        help="Where GET /ready and GET /stats/prometheus are answered, and nothing else.",
        envvar="KFAMBASSADOR_READY_ADDRESS",
    ),
]
DrainTime = Annotated[
    float, typer.Option(help="Seconds it takes at most to end, when told to.", min=0, envvar="KFAMBASSADOR_DRAIN_TIME")
]
MinDrainTime = Annotated[
    float,
    typer.Option(
        help="Seconds of these for which it accepts connections in any case, while the cluster learns that it ends.",
        min=0,
        envvar="KFAMBASSADOR_MIN_DRAIN_TIME",
    ),
]
EnvoyLogLevel = Annotated[LogLevel, typer.Option(help="What Envoy tells.", envvar="KFAMBASSADOR_ENVOY_LOG_LEVEL")]
Concurrency = Annotated[
    int | None,
    typer.Option(
        help="Worker threads; else one for each processor it may use.", min=1, envvar="KFAMBASSADOR_CONCURRENCY"
    ),
]
MaxConnections = Annotated[
    int, typer.Option(help="Clients' connections at once.", min=1, envvar="KFAMBASSADOR_MAX_CONNECTIONS")
]
MaxHeap = Annotated[
    int | None,
    typer.Option(
        help="Bytes of heap at which Envoy refuses requests; else 80 % of the container's memory limit, if it has one.",
        min=1,
        envvar="KFAMBASSADOR_MAX_HEAP",
    ),
]
Node = Annotated[
    str | None,
    typer.Option(help="The name by which the controller knows it; else the pod's.", envvar="KFAMBASSADOR_NODE"),
]


@held_back_signals()
def envoy(
    *,
    xds_socket: XdsSocket = _DIRECTORY / XDS_SOCKET,
    admin_socket: AdminSocket = _DIRECTORY / ADMIN_SOCKET,
    ready_address: ReadyAddress = READY_ADDRESS,
    drain_time: DrainTime = 30,
    min_drain_time: MinDrainTime = 5,
    log_level: EnvoyLogLevel = LOG_LEVEL,
    concurrency: Concurrency = None,
    max_connections: MaxConnections = 50_000,
    max_heap: MaxHeap = None,
    node: Node = None,
) -> None:
    """Run Envoy, told what to serve by `kfambassador controller`: the other container of a gateway's pod.

    SIGTERM or Ctrl-C ends it in good order: probes are answered 503, each connection is closed with its next answer,
    and Envoy ends when no client is connected or the drain time is over. A second one ends it at once. The exit code
    is Envoy's.

    Example: kfambassador envoy --drain-time 60
    """
    if min_drain_time > drain_time:
        raise typer.BadParameter(
            f"--min-drain-time {min_drain_time:g} is longer than --drain-time {drain_time:g}, of which it is a part."
        )
    try:
        host, port = Address.read(ready_address)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--ready-address") from error
    # Envoy's messages take long to load and come with an extra, and only this needs them.
    try:
        from kfambassador.envoy.bootstrap import BootstrapSettings
        from kfambassador.proxy.launching import Launch, become, choose_max_heap
    except ModuleNotFoundError as error:
        raise MissingExtra("local", needed_for="run Envoy") from error
    bootstrap = BootstrapSettings(
        directory=admin_socket.parent.absolute(),
        admin_socket=admin_socket.name,
        xds_socket=str(xds_socket.absolute()),
        node=node or socket.gethostname(),
        # Envoy takes no names here.
        ready_address=("127.0.0.1" if host == "localhost" else host, port),
        max_connections=max_connections,
        max_heap=choose_max_heap() if max_heap is None else max_heap,
    )
    launch = Launch(find_envoy(), bootstrap, drain_time=drain_time, min_drain_time=min_drain_time)
    become(replace(launch, concurrency=concurrency, log_level=log_level))
