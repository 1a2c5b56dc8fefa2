"""Publishing, listing and taking down, as the SDK does it."""

from typing import Annotated

import typer
from rich.text import Text

from kfambassador.cli.options import (
    For,
    Model,
    Name,
    Namespace,
    NewName,
    Server,
    Service,
    Settings,
    To,
)
from kfambassador.cli.output import Format, out, print_json, print_table
from kfambassador.sdk.connecting import connect
from kfambassador.sdk.exposure import Exposure
from kfambassador.sdk.publishing.rendering import render as render_manifests
from kfambassador.sdk.shell_words import MEANINGS, choose_server, read_settings, read_span

Ttl = Annotated[str | None, typer.Option(help=MEANINGS["ttl"])]


def expose(
    name: NewName,
    service: Service,
    *,
    server: Server = None,
    model: Model = None,
    settings: Settings = None,
    namespace: Namespace = None,
    wait: Annotated[bool, typer.Option(help=MEANINGS["wait"])] = True,
    timeout: Annotated[float | None, typer.Option(help=MEANINGS["timeout"], min=0)] = None,
    ttl: Ttl = None,
    take_over: Annotated[bool, typer.Option("--take-over", help=MEANINGS["take_over"])] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help=MEANINGS["dry_run"])] = False,
    target: To = None,
    form: For = Format.TEXT,
) -> None:
    """Publish a model, and return when it answers through the gateway.

    Example: kfambassador expose mnist 127.0.0.1:8501 --set timeout_ms=60000
    """
    kind = choose_server(server, model)
    attributes = read_settings(settings)
    # What was typed is checked by expose itself, as a caller's keywords are.
    with connect(target, quiet=form is Format.JSON) as gateway:
        if dry_run:
            found = gateway.diff(
                name,
                service=service,
                server=kind,
                namespace=namespace,
                ttl=read_span(ttl),
                **attributes,  # type: ignore[arg-type]  # a person's, judged at run time
            )
            out.print(Text(found.yaml.rstrip("\n") if found else "nothing would change"))
            return
        exposure = gateway.expose(
            name,
            service=service,
            server=kind,
            namespace=namespace,
            wait=wait,
            timeout=timeout,
            ttl=read_span(ttl),
            take_over=take_over,
            **attributes,  # type: ignore[arg-type]  # a person's, judged at run time
        )
        _show_exposure(exposure, form)


def render(
    name: NewName,
    service: Service,
    *,
    server: Server = None,
    model: Model = None,
    settings: Settings = None,
    namespace: Namespace = None,
    ttl: Ttl = None,
) -> None:
    """Print what expose would apply, as YAML, without a gateway or a cluster.

    Example: kfambassador render mnist mnist-server:8501 | kubectl apply -f -
    """
    manifests = render_manifests(
        name,
        service=service,
        server=choose_server(server, model),
        namespace=namespace,
        ttl=read_span(ttl),
        **read_settings(settings),  # type: ignore[arg-type]  # a person's, judged at run time
    )
    typer.echo(str(manifests), nl=False)


def list_exposures(
    *,
    namespace: Annotated[str | None, typer.Option("--namespace", "-n", help="The namespace; * is all of them.")] = None,
    target: To = None,
    form: For = Format.TEXT,
) -> None:
    """List what is published, and how far each has come.

    Example: kfambassador list --namespace '*'
    """
    with connect(target, quiet=form is Format.JSON) as gateway:
        found = [(exposure, exposure.status) for exposure in gateway.list_exposures(namespace=namespace)]
    if form is Format.JSON:
        print_json([{**_describe(exposure), "status": status.phase.value} for exposure, status in found])
        return
    rows = [
        (each.name, each.namespace, status.phase.value, each.url, each.backend, each.owner) for each, status in found
    ]
    print_table(("NAME", "NAMESPACE", "STATUS", "URL", "SERVICE", "OWNER"), rows, empty="nothing is published")


def delete(name: Name, namespace: Namespace = None, target: To = None) -> None:
    """Take down what was published by a name, and nothing else.

    Example: kfambassador delete mnist
    """
    with connect(target) as gateway:
        gateway.delete_exposure(name, namespace=namespace)
        out.print(f"deleted {name}")


def leftovers(
    *,
    namespace: Annotated[str | None, typer.Option("--namespace", "-n", help="The namespace; * is all of them.")] = None,
    delete: Annotated[bool, typer.Option("--delete", help="Take yours away.")] = False,
    everybodys: Annotated[
        bool, typer.Option("--everybodys", help="With --delete, take other people's away too.")
    ] = False,
    target: To = None,
) -> None:
    """List what was published from here and serves nothing any more.

    Example: kfambassador leftovers --namespace '*' --delete
    """
    with connect(target) as gateway:
        found = gateway.leftovers(namespace=namespace)
        out.print(Text(str(found)))
        if delete:
            out.print(f"deleted {found.delete(everybodys=everybodys)}")


def _describe(exposure: Exposure) -> dict[str, object]:
    return {
        "name": exposure.name,
        "namespace": exposure.namespace,
        "url": exposure.url,
        "internal_url": exposure.internal_url,
        "mappings": [mapping.name for mapping in exposure.mappings],
        "curl": exposure.curl(),
    }


def _show_exposure(exposure: Exposure, form: Format) -> None:
    if form is Format.JSON:
        print_json(_describe(exposure))
    else:
        out.print(Text.assemble((exposure.name, "bold"), " at ", (exposure.url, "bold cyan")))
        if exposure.internal_url != exposure.url:
            # The other may be a tunnel's, which ends with this command.
            out.print(Text.assemble("inside the cluster at ", (exposure.internal_url, "cyan")))
        out.print(Text(exposure.curl()))
