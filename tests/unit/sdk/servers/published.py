"""Servers published side by side: what their routes do with a request, worked out by the routing table alone."""

from collections.abc import Mapping as Dict
from functools import cache
from typing import get_args

from kfambassador.problems import Origin
from kfambassador.resources.meta import ResourceSet, SourcedMapping
from kfambassador.routing.compile import compile_routes
from kfambassador.routing.explain import explain
from kfambassador.routing.model import RoutingTable
from kfambassador.routing.policy import TenancyPolicy
from kfambassador.routing.requests import RequestLine
from kfambassador.sdk.attributes import build_mapping
from kfambassador.sdk.servers.base import ModelServer
from kfambassador.sdk.servers.http import HTTPServer
from kfambassador.sdk.servers.kserve import KServeV1, KServeV2
from kfambassador.sdk.servers.mlflow import MLflow
from kfambassador.sdk.servers.openai import OpenAI
from kfambassador.sdk.servers.registry import AnyServer
from kfambassador.sdk.servers.seldon import Seldon
from kfambassador.sdk.servers.tfserving import TFServing
from kfambassador.sdk.servers.torchserve import TorchServe

#: Every kind, as a model is usually published with it.
SERVERS: dict[str, ModelServer] = {
    "tfserving": TFServing(grpc_port=8500),
    "kserve-v1": KServeV1(),
    "kserve-v2": KServeV2(grpc_port=8001),
    "torchserve": TorchServe(),
    "mlflow": MLflow(),
    "seldon": Seldon(),
    "seldon-path": Seldon(namespace="team"),
    "openai": OpenAI(),
    "http": HTTPServer(paths={"predict": "/generate", "metadata": "/info"}, health="/healthz"),
    "http-only": HTTPServer(paths={"predict": "/generate", "invoke": "PUT /run"}, health="/healthz", only_paths=True),
}

KINDS: tuple[type[ModelServer], ...] = get_args(get_args(AnyServer)[0])


def publish(*models: tuple[str, ModelServer]) -> RoutingTable:
    """Publish models, each at a service of its own name."""
    mappings = []
    for name, server in models:
        for route in server.routes(name, server.base(name)):
            service = f"{name}.kubeflow:{route.port or server.port}"
            mapping, faults = build_mapping({"name": route.name, **route.attributes, "service": service})
            assert mapping is not None, faults
            mappings.append(SourcedMapping(mapping, Origin(), namespace="kubeflow"))
    compiled = compile_routes(ResourceSet(mappings=tuple(mappings)), TenancyPolicy.laptop())
    assert [problem for problem in compiled.problems if problem.code != "prefix-without-slash"] == []
    return compiled.table


@cache
def publish_kinds(*models: tuple[str, str]) -> RoutingTable:
    """Publish models by the names their servers have in ``SERVERS``."""
    return publish(*((name, SERVERS[kind]) for name, kind in models))


def find_upstream(
    table: RoutingTable, method: str, path: str, headers: Dict[str, str] | None = None
) -> tuple[str, str] | None:
    """Where a request goes: the service and the path it sees."""
    explanation = explain(table, RequestLine.read(method, path, headers or {}))
    if explanation.winner is None:
        return None
    split = explanation.winner.splits[0]
    return split.mapping.service, explanation.upstream_path(split)
