"""Configuration in files: judged, and built into routes or Envoy's words, with no cluster."""

import sys
from enum import StrEnum
from typing import Annotated

import typer

from kfambassador.cli.files import Files, compile_files
from kfambassador.cli.output import AT_FAULT, err, print_json, print_problems, stop
from kfambassador.errors import MissingExtra
from kfambassador.problems import Severity, has_errors
from kfambassador.resources.documents import write_documents
from kfambassador.routing.describe import describe_table
from kfambassador.routing.model import RoutingTable


class Output(StrEnum):
    """What a build gives."""

    ROUTES = "routes"
    ENVOY = "envoy"


class Notation(StrEnum):
    """How a build is written."""

    YAML = "yaml"
    JSON = "json"


def translate(
    files: Files,
    output: Annotated[Output, typer.Option(help="The routing table, or what Envoy is told.")] = Output.ROUTES,
    notation: Annotated[Notation, typer.Option("--format", help="How to write it.")] = Notation.YAML,
) -> None:
    """Build configuration in files, as the gateway would: into routes, or into Envoy's words.

    What is at fault is left out, told on standard error, and makes the exit code 1.

    Example: kfambassador translate service.yaml --output envoy --format json
    """
    compiled = compile_files(files)
    if output is Output.ROUTES:
        value: dict[str, object] = {**describe_table(compiled.table)}
    else:
        value = _describe_envoy(compiled.table)
    if notation is Notation.JSON:
        print_json(value)
    else:
        sys.stdout.write(write_documents(value))
    print_problems((each for each in compiled.problems if each.severity is not Severity.NOTICE), err)
    if has_errors(compiled.problems):
        stop(AT_FAULT)


def _describe_envoy(table: RoutingTable) -> dict[str, object]:
    # Envoy's messages take long to load and come with an extra, and only this needs them.
    try:
        from kfambassador.envoy import protos
        from kfambassador.envoy.listeners import ListenerSettings
        from kfambassador.envoy.snapshot import TypeUrl
        from kfambassador.envoy.telling import tell_message
        from kfambassador.envoy.translate import translate as build_snapshot
    except ModuleNotFoundError as error:
        raise MissingExtra("gateway", needed_for="write Envoy's configuration") from error
    snapshot = build_snapshot(table, ListenerSettings())
    kinds = {
        "listeners": (TypeUrl.LISTENER, protos.Listener),
        "route_configurations": (TypeUrl.ROUTE_CONFIGURATION, protos.RouteConfiguration),
        "clusters": (TypeUrl.CLUSTER, protos.Cluster),
        "endpoints": (TypeUrl.ENDPOINTS, protos.ClusterLoadAssignment),
    }
    return {
        name: [
            tell_message(message.FromString(resource.body))
            for _, resource in sorted(snapshot.of_type(type_url).items())
        ]
        for name, (type_url, message) in kinds.items()
    }
