"""Words as they are typed, in a terminal and after a magic of a notebook, read into what the SDK takes.

Both floors that read such words are above this one and do not know each other; here they have one spelling, one
explanation for each, and one way to be wrong.
"""

import re
from collections.abc import Iterable
from enum import StrEnum
from pathlib import Path
from typing import Final

from kfambassador.errors import ConfigurationError, MappingRejected
from kfambassador.resources.documents import read_documents
from kfambassador.routing.policy import GATEWAY_NAMESPACE
from kfambassador.sdk.servers.base import ModelServer
from kfambassador.sdk.servers.http import HTTPServer
from kfambassador.sdk.servers.kserve import KServeV1, KServeV2
from kfambassador.sdk.servers.mlflow import MLflow
from kfambassador.sdk.servers.openai import OpenAI
from kfambassador.sdk.servers.seldon import Seldon
from kfambassador.sdk.servers.tfserving import TFServing
from kfambassador.sdk.servers.torchserve import TorchServe

#: What each option and argument means, wherever it can be typed.
MEANINGS: Final = {
    "ask_envoy": "Ask the running Envoy as well, and tell whether both agree.",
    "dry_run": "Only say what would change.",
    "file": "Ask configuration in files instead of a gateway.",
    "gateway_namespace": f"The gateway's own namespace, with strict and permissive; {GATEWAY_NAMESPACE} when not said. "
    "Modules and their like count in no other.",
    "header": "A request header, as NAME:VALUE.",
    "method": "Such as POST.",
    "model": "The model's name in the server, if another.",
    "name": "The name it is published by.",
    "namespace": "The namespace; the gateway's own default when not said.",
    "new_name": "The name to publish by.",
    "policy": "As which gateway to judge: laptop lets mappings point at this machine and anybody speak for the "
    "gateway; strict is a cluster's default, where a path belongs to the namespace that was first and Services of "
    "others must allow it; permissive is a cluster without these two rules.",
    "server": "What kind of server it is; tfserving when nothing is said or found.",
    "service": "Where it is: a port of this machine, host:port, a Service of the cluster, a URL, deployment/NAME, "
    "inferenceservice/NAME, or service/NAME to annotate that Service itself.",
    "set": "An attribute of the mappings, as NAME=VALUE.",
    "take_over": "Replace what another person published by this name.",
    "target": "local, in-cluster or a kubeconfig context; else KFAMBASSADOR_TARGET.",
    "timeout": "Seconds to wait; 10 on this machine, 300 for a cluster.",
    "ttl": "For how long it is served, such as 30m, 8h or 7d; for ever when not said.",
    "url": "A whole URL, or only its path and query.",
    "variant": "Ask this variant, such as canary; else the split decides.",
    "wait": "Whether to wait until it answers.",
}

_SPAN: Final = re.compile(r"(\d+(?:\.\d+)?)([smhd])")
_SECONDS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86400}

#: What ``expose`` is told in Python by a keyword, and here otherwise.
SAID_OTHERWISE: Final = {
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


_KINDS: Final[dict[ServerKind, type[ModelServer]]] = {
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
    """Make the server a person means; None leaves it to what is found.

    Raises:
        ConfigurationError: A server of that kind calls no model by a name.

    Example:
        >>> choose_server(ServerKind.KSERVE_V2, "iris")
        KServeV2(model='iris')
    """
    if kind is None and model is None:
        return None
    chosen = _KINDS[kind or ServerKind.TFSERVING]
    if model is None:
        return chosen.model_validate({})
    if "model" not in chosen.model_fields:
        raise ConfigurationError(
            f"--model says what a server calls its model; a server of kind {kind} has no such name"
        )
    return chosen.model_validate({"model": model})


def read_span(text: str | None) -> float | None:
    """Read a span of time, ``90s``, ``30m``, ``8h`` or ``7d``, as seconds.

    Raises:
        ConfigurationError: It is none.

    Example:
        >>> read_span("1.5h"), read_span(None)
        (5400.0, None)
    """
    if text is None:
        return None
    found = _SPAN.fullmatch(text.strip())
    if found is None:
        raise ConfigurationError(f"{text!r} is no span of time; write 90s, 30m, 8h or 7d")
    return float(found[1]) * _SECONDS[found[2]]


def read_headers(texts: Iterable[str] | None) -> dict[str, str]:
    """Read request headers as curl takes them, ``NAME:VALUE``.

    Raises:
        ConfigurationError: One is none.

    Example:
        >>> read_headers(["x-team: vision"])
        {'x-team': 'vision'}
    """
    return dict(map(_read_header, texts or ()))


def _read_header(text: str) -> tuple[str, str]:
    name, colon, value = text.partition(":")
    if not name or not colon:
        raise ConfigurationError(f"{text!r} is no header; write NAME:VALUE, such as x-team:vision")
    return name.strip(), value.strip()


def read_settings(settings: Iterable[str] | None) -> dict[str, object]:
    """Read attributes as a person writes them, ``timeout_ms=60000``; values are YAML.

    Raises:
        ConfigurationError: One has no name, or is said by an option.
        MappingRejected: A value is no YAML.

    Example:
        >>> read_settings(["timeout_ms=60000", "method=GET"])
        {'timeout_ms': 60000, 'method': 'GET'}
    """
    return dict(map(_read_setting, settings or ()))


def _read_setting(text: str) -> tuple[str, object]:
    name, equals, value = text.partition("=")
    if equals and name.strip() in SAID_OTHERWISE:
        raise ConfigurationError(
            f"{name.strip()!r} is no attribute of a mapping; it is said by {SAID_OTHERWISE[name.strip()]}"
        )
    documents = read_documents(value) if equals else ()
    if not name or not equals:
        raise ConfigurationError(f"{text!r} is no setting; write NAME=VALUE, such as timeout_ms=60000")
    if documents and documents[0].fault is not None:
        raise MappingRejected(f"{name}: {documents[0].fault.message}")
    return name.strip(), documents[0].value if documents else ""


def read_file(name: str) -> str:
    """Read a file that a person names.

    Raises:
        ConfigurationError: It cannot be read.
    """
    try:
        return decode(Path(name).read_bytes(), name)
    except OSError as error:
        raise ConfigurationError(f"cannot read {name}: {error.strerror}") from error


def decode(data: bytes, name: str) -> str:
    """Read bytes that should be text; a byte order mark is passed over.

    Args:
        data: The bytes.
        name: What they are called, in words.

    Raises:
        ConfigurationError: They are no text.

    Example:
        >>> decode(b"a: 1", "m.yaml")
        'a: 1'
    """
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ConfigurationError(f"cannot read {name}: byte {error.start} is not UTF-8 text") from error
