"""kfambassador: put a model behind a URL on Kubernetes.

::

    import kfambassador as kfa

    gateway = kfa.connect()                                    # a cluster when told or inside one, else this machine
    mnist = gateway.expose("mnist", service="127.0.0.1:8501")  # returns when the model answers through the gateway
    mnist.predict([[1.0, 2.0]])
    mnist.delete()

The names below are all that is promised. Each is loaded when it is first used, so importing the package costs nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import ModuleType

    from IPython.core.interactiveshell import InteractiveShell

    from kfambassador.errors import (
        ApiError,
        ConfigurationError,
        Conflict,
        Forbidden,
        KfAmbassadorError,
        MappingRejected,
        MissingExtra,
        NoGateway,
        NotFound,
        NotServed,
        RolledBack,
        RouteFailed,
    )
    from kfambassador.problems import Problem
    from kfambassador.resources.mapping import Mapping
    from kfambassador.sdk.calling.calls import Prediction, RouteTest
    from kfambassador.sdk.calling.credentials import BasicAuth, BearerToken, Cookie, Credentials, TokenFile
    from kfambassador.sdk.connecting import connect
    from kfambassador.sdk.exposure import Exposure
    from kfambassador.sdk.gateway import Gateway
    from kfambassador.sdk.publishing.difference import Difference
    from kfambassador.sdk.publishing.leftovers import Leftovers
    from kfambassador.sdk.publishing.rendering import Manifests, render
    from kfambassador.sdk.readiness.status import ExposureStatus, Phase
    from kfambassador.sdk.servers.base import ModelServer
    from kfambassador.sdk.servers.http import HTTPServer
    from kfambassador.sdk.servers.kserve import KServeV1, KServeV2
    from kfambassador.sdk.servers.mlflow import MLflow
    from kfambassador.sdk.servers.openai import OpenAI
    from kfambassador.sdk.servers.seldon import Seldon
    from kfambassador.sdk.servers.tfserving import TFServing
    from kfambassador.sdk.servers.torchserve import TorchServe
    from kfambassador.sdk.targets import InCluster, Kubeconfig, Local
    from kfambassador.sdk.traffic.rollout import Guard, Rollout
    from kfambassador.sdk.traffic.shares import Shares
    from kfambassador.sdk.traffic.statistics import SplitStatistics, Statistics
    from kfambassador.sdk.views import Explanation, Route, RouteList

__all__ = [
    "ApiError",
    "BasicAuth",
    "BearerToken",
    "ConfigurationError",
    "Conflict",
    "Cookie",
    "Credentials",
    "Difference",
    "Explanation",
    "Exposure",
    "ExposureStatus",
    "Forbidden",
    "Gateway",
    "Guard",
    "HTTPServer",
    "InCluster",
    "KServeV1",
    "KServeV2",
    "KfAmbassadorError",
    "Kubeconfig",
    "Leftovers",
    "Local",
    "MLflow",
    "Manifests",
    "Mapping",
    "MappingRejected",
    "MissingExtra",
    "ModelServer",
    "NoGateway",
    "NotFound",
    "NotServed",
    "OpenAI",
    "Phase",
    "Prediction",
    "Problem",
    "RolledBack",
    "Rollout",
    "Route",
    "RouteFailed",
    "RouteList",
    "RouteTest",
    "Seldon",
    "Shares",
    "SplitStatistics",
    "Statistics",
    "TFServing",
    "TokenFile",
    "TorchServe",
    "__version__",
    "connect",
    "render",
]

__version__ = "0.1.0"

_HOMES = {
    "errors": (
        "ApiError",
        "ConfigurationError",
        "Conflict",
        "Forbidden",
        "KfAmbassadorError",
        "MappingRejected",
        "MissingExtra",
        "NoGateway",
        "NotFound",
        "NotServed",
        "RolledBack",
        "RouteFailed",
    ),
    "problems": ("Problem",),
    "resources.mapping": ("Mapping",),
    "sdk.calling.calls": (
        "Prediction",
        "RouteTest",
    ),
    "sdk.connecting": ("connect",),
    "sdk.calling.credentials": (
        "BasicAuth",
        "BearerToken",
        "Cookie",
        "Credentials",
        "TokenFile",
    ),
    "sdk.publishing.difference": ("Difference",),
    "sdk.exposure": ("Exposure",),
    "sdk.gateway": ("Gateway",),
    "sdk.publishing.leftovers": ("Leftovers",),
    "sdk.publishing.rendering": (
        "Manifests",
        "render",
    ),
    "sdk.traffic.rollout": (
        "Guard",
        "Rollout",
    ),
    "sdk.servers.base": ("ModelServer",),
    "sdk.servers.http": ("HTTPServer",),
    "sdk.servers.kserve": (
        "KServeV1",
        "KServeV2",
    ),
    "sdk.servers.mlflow": ("MLflow",),
    "sdk.servers.openai": ("OpenAI",),
    "sdk.servers.seldon": ("Seldon",),
    "sdk.servers.tfserving": ("TFServing",),
    "sdk.servers.torchserve": ("TorchServe",),
    "sdk.traffic.shares": ("Shares",),
    "sdk.traffic.statistics": (
        "SplitStatistics",
        "Statistics",
    ),
    "sdk.readiness.status": (
        "ExposureStatus",
        "Phase",
    ),
    "sdk.targets": (
        "InCluster",
        "Kubeconfig",
        "Local",
    ),
    "sdk.views": (
        "Explanation",
        "Route",
        "RouteList",
    ),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}


if not TYPE_CHECKING:
    # A type checker that saw it would take every name, a misspelt one too, for one of ours.

    def __getattr__(name: str) -> object:
        if name not in _HOME_OF:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        value = getattr(import_module(f"{__name__}.{_HOME_OF[name]}"), name)
        globals()[name] = value
        return value


def __dir__() -> list[str]:
    return sorted(__all__)


def load_ipython_extension(ipython: "InteractiveShell") -> None:
    """Bring the magics into a shell: ``%load_ext kfambassador``.

    Args:
        ipython: The shell.

    Raises:
        MissingExtra: IPython is not installed.
    """
    _import_magics().load(ipython)


def unload_ipython_extension(ipython: "InteractiveShell") -> None:
    """Take the magics out of a shell: ``%unload_ext kfambassador``.

    Args:
        ipython: The shell.
    """
    _import_magics().unload(ipython)


def _import_magics() -> "ModuleType":
    try:
        return import_module("kfambassador.notebook.magics.loading")
    except ModuleNotFoundError as error:
        if not (error.name or "").startswith("IPython"):
            raise
        from kfambassador.errors import MissingExtra

        raise MissingExtra("notebook", needed_for="use magics in a notebook") from error
