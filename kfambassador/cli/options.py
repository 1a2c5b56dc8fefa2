"""Options that several commands have, so that they are spelled and explained alike."""

from enum import StrEnum
from typing import Annotated, Final

import typer

from kfambassador.cli.output import Format
from kfambassador.errors import MappingRejected
from kfambassador.resources.documents import read_documents
from kfambassador.sdk.servers.base import ModelServer
from kfambassador.sdk.servers.http import HTTPServer
from kfambassador.sdk.servers.kserve import KServeV1, KServeV2
from kfambassador.sdk.servers.mlflow import MLflow
from kfambassador.sdk.servers.openai import OpenAI
from kfambassador.sdk.servers.seldon import Seldon
from kfambassador.sdk.servers.tfserving import TFServing
from kfambassador.sdk.servers.torchserve import TorchServe

To = Annotated[
    str | None,
    typer.Option("--target", help="local, in-cluster or a kubeconfig context; else KFAMBASSADOR_TARGET.", metavar="X"),
]
For = Annotated[Format, typer.Option("--format", help="For whom to write the result.")]
Namespace = Annotated[
    str | None, typer.Option("--namespace", "-n", help="The namespace; the gateway's own default when not said.")
]
Name = Annotated[str, typer.Argument(metavar="NAME", help="The name it is published by.")]
Service = Annotated[
    str,
    typer.Argument(
        metavar="SERVICE",
        help="Where it is: a port of this machine, host:port, a Service of the cluster, a URL, deployment/NAME, "
        "inferenceservice/NAME, or service/NAME to annotate that Service itself.",
    ),
]
Model = Annotated[str | None, typer.Option(help="The model's name in the server, if another.")]
Settings = Annotated[
    list[str] | None,
    typer.Option("--set", "-s", help="An attribute of the mappings, as NAME=VALUE.", metavar="X=Y"),
]


#: What ``expose`` is told in Python by a keyword, and here otherwise.
_SAID_OTHERWISE: Final = {
    "name": "NAME",
    "service": "SERVICE",
    **{said: f"--{said.replace('_', '-')}" for said in ("server", "namespace", "wait", "timeout", "ttl", "take_over")},
}


class ServerKind(StrEnum):
    """Which kind of server a model is served by."""

    TFSERVING = "tfserving"
    KSERVE_V1 = "kserve-v1"
    KSERVE_V2 = "kserve-v2"
    TORCHSERVE = "torchserve"
    MLFLOW = "mlflow"
    SELDON = "seldon"
    OPENAI = "openai"
    HTTP = "http"


Server = Annotated[
    ServerKind | None, typer.Option(help="What kind of server it is; tfserving when nothing is said or found.")
]

_KINDS: dict[ServerKind, type[ModelServer]] = {
    ServerKind.TFSERVING: TFServing,
    ServerKind.KSERVE_V1: KServeV1,
    ServerKind.KSERVE_V2: KServeV2,
    ServerKind.TORCHSERVE: TorchServe,
    ServerKind.MLFLOW: MLflow,
    ServerKind.SELDON: Seldon,
    ServerKind.OPENAI: OpenAI,
    ServerKind.HTTP: HTTPServer,
}


def choose_server(kind: ServerKind | None, model: str | None) -> ModelServer | None:
    """Make the server a person means; None leaves it to what is found."""
    if kind is None and model is None:
        return None
    chosen = _KINDS[kind or ServerKind.TFSERVING]
    if model is None:
        return chosen.model_validate({})
    if "model" not in chosen.model_fields:
        raise typer.BadParameter(
            f"--model says what a server calls its model; a server of kind {kind} has no such name"
        )
    return chosen.model_validate({"model": model})


def read_settings(settings: list[str] | None) -> dict[str, object]:
    """Read attributes as a person writes them, ``timeout_ms=60000``; values are YAML."""
    return dict(map(_read_setting, settings or ()))


def _read_setting(text: str) -> tuple[str, object]:
    name, equals, value = text.partition("=")
    if equals and name.strip() in _SAID_OTHERWISE:
        words = f"{name.strip()!r} is no attribute of a mapping; it is said by {_SAID_OTHERWISE[name.strip()]}"
        raise typer.BadParameter(words)
    documents = read_documents(value) if equals else ()
    if not name or not equals:
        raise typer.BadParameter(f"{text!r} is no setting; write NAME=VALUE, such as timeout_ms=60000")
    if documents and documents[0].fault is not None:
        raise MappingRejected(f"{name}: {documents[0].fault.message}")
    return name.strip(), documents[0].value if documents else ""
