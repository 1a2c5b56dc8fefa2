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
        RouteFailed,
    )
    from kfambassador.problems import Problem
    from kfambassador.resources.mapping import Mapping
    from kfambassador.sdk.calls import Prediction, RouteTest
    from kfambassador.sdk.exposure import Exposure
    from kfambassador.sdk.gateway import Gateway, connect
    from kfambassador.sdk.servers import HTTPServer, ModelServer, TFServing
    from kfambassador.sdk.targets import InCluster, Kubeconfig, Local
    from kfambassador.sdk.views import Explanation, Route, RouteList

__all__ = [
    "ApiError",
    "ConfigurationError",
    "Conflict",
    "Explanation",
    "Exposure",
    "Forbidden",
    "Gateway",
    "HTTPServer",
    "InCluster",
    "KfAmbassadorError",
    "Kubeconfig",
    "Local",
    "Mapping",
    "MappingRejected",
    "MissingExtra",
    "ModelServer",
    "NoGateway",
    "NotFound",
    "NotServed",
    "Prediction",
    "Problem",
    "Route",
    "RouteFailed",
    "RouteList",
    "RouteTest",
    "TFServing",
    "__version__",
    "connect",
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
        "RouteFailed",
    ),
    "problems": ("Problem",),
    "resources.mapping": ("Mapping",),
    "sdk.calls": ("Prediction", "RouteTest"),
    "sdk.exposure": ("Exposure",),
    "sdk.gateway": ("Gateway", "connect"),
    "sdk.servers": ("HTTPServer", "ModelServer", "TFServing"),
    "sdk.targets": ("InCluster", "Kubeconfig", "Local"),
    "sdk.views": ("Explanation", "Route", "RouteList"),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> object:
    if name not in _HOME_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_HOME_OF[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
