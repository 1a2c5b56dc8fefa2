"""Splitting, watching and moving a model's traffic from a shell."""

from typing import Annotated

import typer
from rich.text import Text

from kfambassador.cli.options import For, Model, Name, Namespace, Server, To
from kfambassador.cli.output import Format, out, print_json
from kfambassador.errors import RolledBack
from kfambassador.sdk.connecting import connect
from kfambassador.sdk.publishing.variants import CANARY
from kfambassador.sdk.shell_words import choose_server, read_span
from kfambassador.sdk.traffic.rollout import Guard
from kfambassador.sdk.traffic.shares import Shares
from kfambassador.sdk.traffic.statistics import Statistics

Variant = Annotated[str, typer.Option(help="What the variant is called.")]
Place = Annotated[str | None, typer.Argument(metavar="SERVICE", help="Where it is, as for expose; else it stays.")]


def split(name: Name, namespace: Namespace = None, target: To = None, form: For = Format.TEXT) -> None:
    """Show who gets how much of a model's requests.

    Example: kfambassador split mnist
    """
    with connect(target, quiet=True) as gateway:
        _show(gateway.get_exposure(name, namespace=namespace).split(), form)


def canary(
    name: Name,
    service: Place = None,
    *,
    weight: Annotated[int, typer.Option(help="Its share in percent, exact at 0 and 100.", min=0, max=100)] = 10,
    variant: Variant = CANARY,
    server: Server = None,
    model: Model = None,
    namespace: Namespace = None,
    target: To = None,
    form: For = Format.TEXT,
) -> None:
    """Send a share of a model's requests to another server of it, or change that share.

    Example: kfambassador canary mnist mnist-v2:8501 --weight 10
    """
    with connect(target, quiet=form is Format.JSON) as gateway:
        published = gateway.get_exposure(name, namespace=namespace)
        _show(published.canary(service, weight, variant=variant, server=choose_server(server, model)), form)


def shadow(
    name: Name,
    service: Place = None,
    *,
    percent: Annotated[int, typer.Option(help="How many of the requests are copied.", min=0, max=100)] = 100,
    namespace: Namespace = None,
    target: To = None,
    form: For = Format.TEXT,
) -> None:
    """Send copies of a model's requests to another server, whose answers are thrown away; without SERVICE, end that.

    Example: kfambassador shadow mnist mnist-v3:8501 --percent 20
    """
    with connect(target, quiet=form is Format.JSON) as gateway:
        _show(gateway.get_exposure(name, namespace=namespace).shadow(service, percent), form)


def promote(
    name: Name,
    *,
    variant: Variant = CANARY,
    namespace: Namespace = None,
    target: To = None,
    form: For = Format.TEXT,
) -> None:
    """Make a canary the stable server; it takes all requests.

    Example: kfambassador promote mnist
    """
    with connect(target, quiet=form is Format.JSON) as gateway:
        _show(gateway.get_exposure(name, namespace=namespace).promote(variant), form)


def rollback(name: Name, namespace: Namespace = None, target: To = None, form: For = Format.TEXT) -> None:
    """Send every request to the stable server again; without a canary, back before the last promotion.

    Example: kfambassador rollback mnist
    """
    with connect(target, quiet=form is Format.JSON) as gateway:
        _show(gateway.get_exposure(name, namespace=namespace).rollback(), form)


def rollout(
    name: Name,
    *,
    steps: Annotated[str, typer.Option(help="The canary's shares in percent, with commas.")] = "5,25,50,100",
    every: Annotated[str, typer.Option(help="How long each share is watched.")] = "60s",
    error_rate: Annotated[float, typer.Option(help="The largest part of its requests that may fail.")] = 0.01,
    p99_ms: Annotated[float | None, typer.Option(help="How long 99 of 100 requests may take at most.")] = None,
    min_requests: Annotated[int, typer.Option(help="How many it must have had in all to be trusted.", min=0)] = 1,
    promote: Annotated[bool, typer.Option(help="Whether it becomes the stable server at the end.")] = True,
    variant: Variant = CANARY,
    namespace: Namespace = None,
    target: To = None,
) -> None:
    """Give a canary more and more requests while it does well; go back by itself when it does not.

    Example: kfambassador rollout mnist --steps 10,50,100 --every 5m --p99-ms 200
    """
    try:
        shares = [int(step) for step in steps.split(",")]
    except ValueError as error:
        raise typer.BadParameter(f"--steps are percentages with commas, such as 5,25,100, not {steps!r}") from error
    with connect(target) as gateway:
        published = gateway.get_exposure(name, namespace=namespace)
        guard = Guard(error_rate=error_rate, p99_ms=p99_ms, min_requests=min_requests)
        try:
            done = published.rollout(shares, read_span(every) or 0.0, while_=guard, variant=variant, promote=promote)
        except RolledBack as error:
            out.print(Text(str(error.history)))
            raise
        out.print(Text(str(done)))


def statistics(
    name: Annotated[str | None, typer.Argument(metavar="NAME", help="The name it is published by; else all.")] = None,
    namespace: Namespace = None,
    target: To = None,
    form: For = Format.TEXT,
) -> None:
    """Show what Envoy counts: requests, errors and how long they took.

    Example: kfambassador statistics mnist
    """
    with connect(target, quiet=True) as gateway:
        found: Statistics = (
            gateway.statistics() if name is None else gateway.get_exposure(name, namespace=namespace).statistics()
        )
    if form is Format.JSON:
        print_json([row.model_dump(mode="json") for row in found])
    else:
        out.print(Text(str(found)))


def _show(shares: Shares, form: Format) -> None:
    if form is Format.JSON:
        print_json({share.variant: {"service": share.service, "share": str(share)} for share in shares})
    else:
        out.print(Text(str(shares)))
