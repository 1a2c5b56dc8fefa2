"""Configuration in files: judged, and built into routes or Envoy's words, with no cluster."""

import json
import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from kfambassador.cli.output import AT_FAULT, Format, err, out, print_json, print_problems, say, stop
from kfambassador.errors import MissingExtra
from kfambassador.problems import Severity, has_errors
from kfambassador.resources.documents import write_documents
from kfambassador.resources.manifests import read_manifests
from kfambassador.routing.compile import compile_routes
from kfambassador.routing.describe import describe_problem, describe_table
from kfambassador.routing.model import Compiled, RoutingTable

#: What can only be known of a whole cluster.
_OF_CLUSTERS = frozenset({"no-endpoints", "no-such-service"})
_STANDARD_INPUT = "-"

Files = Annotated[
    list[str],
    typer.Argument(
        metavar="FILES", help="Kubernetes manifests, or bare annotation text; YAML or JSON. - is standard input."
    ),
]


class Output(StrEnum):
    """What a build gives."""

    ROUTES = "routes"
    ENVOY = "envoy"


_PLURALS = {"mapping served": "mappings served", "error": "errors", "warning": "warnings", "notice": "notices"}


class Notation(StrEnum):
    """How a build is written."""

    YAML = "yaml"
    JSON = "json"


def lint(
    files: Files,
    form: Annotated[Format, typer.Option("--format", help="For whom to write the result.")] = Format.TEXT,
) -> None:
    """Judge configuration in files: every problem with its file, document and field.

    Exits with 1 when there are errors; warnings and notices are no errors.

    Example: kfambassador lint service.yaml
    """
    compiled = compile_files(files)
    if form is Format.JSON:
        described = [describe_problem(problem) for problem in compiled.problems]
        print_json({"mappings": _count_served(compiled.table), "problems": described})
    else:
        print_problems(compiled.problems, out)
        say(_sum_up(compiled))
    if has_errors(compiled.problems):
        stop(AT_FAULT)


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
    print_problems(compiled.problems, err)
    if has_errors(compiled.problems):
        stop(AT_FAULT)


def compile_files(files: list[str]) -> Compiled:
    """Compile what files hold.

    Problems that ask for a cluster's endpoints are left out when the files hold none.

    Raises:
        typer.BadParameter: A file cannot be read.
    """
    resources = read_manifests((_name(file), _read(file)) for file in files)
    compiled = compile_routes(resources)
    if resources.endpoints:
        return compiled
    problems = tuple(problem for problem in compiled.problems if problem.code not in _OF_CLUSTERS)
    return Compiled(compiled.table, problems)


def _name(file: str) -> str:
    return "standard input" if file == _STANDARD_INPUT else file


def _read(file: str) -> str:
    try:
        data = sys.stdin.buffer.read() if file == _STANDARD_INPUT else Path(file).read_bytes()
        return data.decode("utf-8-sig")
    except OSError as error:
        raise typer.BadParameter(f"cannot read {file}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise typer.BadParameter(f"cannot read {file}: byte {error.start} is not UTF-8 text") from error


def _count_served(table: RoutingTable) -> int:
    return sum(len(route.splits) for route in table.routes())


def _sum_up(compiled: Compiled) -> str:
    counts = [("mapping served", _count_served(compiled.table))]
    counts += [
        (severity.value, found)
        for severity in Severity
        if (found := sum(problem.severity is severity for problem in compiled.problems))
    ]
    return ", ".join(f"{count} {word if count == 1 else _PLURALS[word]}" for word, count in counts)


def _describe_envoy(table: RoutingTable) -> dict[str, object]:
    # Envoy's messages take long to load and come with an extra, and only this needs them.
    try:
        from kfambassador.envoy import protos
        from kfambassador.envoy.listeners import ListenerSettings
        from kfambassador.envoy.snapshot import TypeUrl
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
            json.loads(protos.MessageToJson(message.FromString(resource.body), preserving_proto_field_name=True))
            for _, resource in sorted(snapshot.of_type(type_url).items())
        ]
        for name, (type_url, message) in kinds.items()
    }
