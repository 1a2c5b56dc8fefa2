"""Kubeflow Pipelines steps that publish, test, shift and withdraw a route.

::

    from kfp import dsl
    from kfambassador.pipelines import publish_route, test_route

    @dsl.pipeline(name="publish")
    def publish(service: str):
        published = publish_route(name="mnist", service=service)
        test_route(name="mnist", inputs=[[1.0, 2.0]]).after(published)

Each step is a few lines over the SDK; what it does is in ``steps``, where nothing knows kfp, and kfp enters by
``functions`` and ``components`` alone. Nothing here talks to a cluster by itself, and no name below loads kfp before it
is used. The compiled YAML of each step lies in ``compiled``, for :func:`kfp.components.load_component_from_file`.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kfambassador.pipelines.components import (
        Component,
        Components,
        delete_route,
        list_routes,
        load_components,
        promote_route,
        publish_route,
        rollback_route,
        shift_traffic,
        test_route,
    )

__all__ = [
    "Component",
    "Components",
    "delete_route",
    "list_routes",
    "load_components",
    "promote_route",
    "publish_route",
    "rollback_route",
    "shift_traffic",
    "test_route",
]


def __getattr__(name: str) -> object:
    """Load kfp when the first of the names is used.

    Raises:
        MissingExtra: The extra ``pipelines`` is not installed.
    """
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from kfambassador.pipelines import components

    found: object = getattr(components, name)
    return found


def __dir__() -> list[str]:
    return sorted(__all__)
