"""The paths that TensorFlow Serving and the first protocol of KServe have in common: ``/v1/models/NAME:verb``."""

from kfambassador.sdk.servers.base import (
    WHOLE,
    Operation,
    ServerRoute,
    take_below,
    take_spellings,
)


def write_v1_routes(name: str, base: str, model: str) -> tuple[ServerRoute, ...]:
    """Route a model's verbs, its status and what is below it.

    Args:
        name: The name the model is published by.
        base: Its public path.
        model: What the server calls it.
    """
    served = f"/v1/models/{model}"
    path = base.rstrip("/")
    return (
        take_below(name, f"{path}/", f"{served}/", **WHOLE),
        take_below(f"{name}-verbs", f"{path}:", f"{served}:", method="POST", **WHOLE),
        *take_spellings(f"{name}-predict", base, f"{served}:predict", method="POST", **WHOLE),
        *take_spellings(f"{name}-status", base, served, method="GET"),
    )


def ask_verb(base: str, verb: str, summary: str) -> Operation:
    """One verb of a model.

    Example:
        >>> ask_verb("/models/mnist/", "predict", "predictions").path
        '/models/mnist:predict'
    """
    return Operation("POST", f"{base.rstrip('/')}:{verb}", summary)
