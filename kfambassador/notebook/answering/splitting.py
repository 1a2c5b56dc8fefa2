"""A model's split, changed from a page: weights, promotion and the way back, and how far it has come."""

from typing import TYPE_CHECKING

from kfambassador.notebook.answering.arguments import Published, Splitting, Turning
from kfambassador.notebook.progressing import describe_status
from kfambassador.routing.describe import Json

if TYPE_CHECKING:
    from kfambassador.sdk.gateway import Gateway
    from kfambassador.sdk.traffic.shares import Shares


def change_weight(gateway: "Gateway", question: Splitting) -> dict[str, Json]:
    """Give a variant another weight; tell the effective shares, and what the weights were."""
    exposure = gateway.get_exposure(question.name, namespace=question.namespace)
    before: dict[str, Json] = {variant.name: variant.weight for variant in exposure.variants}
    known = next((each for each in exposure.variants if each.name == question.variant), None)
    if known is not None and known.shadow:
        shares = exposure.shadow(known.service, question.weight, variant=known.name)
    else:
        shares = exposure.canary(weight=question.weight, variant=question.variant)
    return {"shares": describe_shares(shares), "before": before}


def turn(gateway: "Gateway", question: Turning) -> dict[str, Json]:
    """Promote a variant, or go back."""
    exposure = gateway.get_exposure(question.name, namespace=question.namespace)
    if question.action == "promote":
        shares = exposure.promote(question.variant) if question.variant else exposure.promote()
    else:
        shares = exposure.rollback(question.variant)
    return {"shares": describe_shares(shares)}


def tell_shares(gateway: "Gateway", question: Published) -> dict[str, Json]:
    """Tell the effective shares and the weights, as they are now."""
    exposure = gateway.get_exposure(question.name, namespace=question.namespace)
    weights: dict[str, Json] = {variant.name: variant.weight for variant in exposure.variants}
    return {"shares": describe_shares(exposure.split()), "weights": weights}


def tell_status(gateway: "Gateway", question: Published) -> dict[str, Json]:
    """Tell how far it has come."""
    return describe_status(gateway.get_exposure(question.name, namespace=question.namespace).status)


def describe_shares(shares: "Shares") -> list[Json]:
    """Describe who gets how much.

    Example:
        >>> from kfambassador.sdk.traffic.shares import Share, Shares
        >>> describe_shares(Shares([Share("stable", "m:80", 100)]))
        [{'variant': 'stable', 'service': 'm:80', 'percent': 100, 'copy': False}]
    """
    return [
        {"variant": each.variant, "service": each.service, "percent": each.percent, "copy": each.is_copy}
        for each in shares
    ]
