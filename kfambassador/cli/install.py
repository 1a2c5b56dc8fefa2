"""Putting the gateway into a cluster, and taking it out again."""

import sys
from collections.abc import Callable
from typing import Annotated, Final

import typer
from rich.text import Text

from kfambassador import __version__
from kfambassador.cli.output import AT_FAULT, err, out, print_table, say, stop
from kfambassador.installing.applying import Action, Step
from kfambassador.installing.installation import Options, Wish, plan
from kfambassador.installing.installation import install as put_in
from kfambassador.installing.installation import uninstall as take_out
from kfambassador.installing.waiting import Readiness
from kfambassador.kube.client import KubeClient
from kfambassador.names import INSTALL_NAMESPACE

Context = Annotated[
    str | None, typer.Option("--context", help="The kubeconfig's context; its current one when nothing is said.")
]
Namespace = Annotated[str, typer.Option("--namespace", "-n", help="The gateway's own namespace.")]
Timeout = Annotated[float, typer.Option(help="Seconds to wait at most.", min=0)]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Ask the cluster what would become of it; change nothing.")]

_STYLES: Final = {
    Action.CREATED: "green",
    Action.CHANGED: "yellow",
    Action.UNCHANGED: "dim",
    Action.KEPT: "cyan",
    Action.DELETED: "red",
}
#: So many changes of one object are shown.
_MOST_CHANGES: Final = 12


def install(
    *,
    context: Context = None,
    namespace: Namespace = INSTALL_NAMESPACE,
    overlay: Annotated[
        str | None, typer.Option(help="What is installed: base, kubeflow (with Istio) or kubeflow-ingress.")
    ] = None,
    component: Annotated[
        list[str] | None, typer.Option(help="What is added: service-monitor, grafana-dashboard, read-api.")
    ] = None,
    image: Annotated[
        str | None, typer.Option(help="The gateway's image, in a registry that the cluster reaches.")
    ] = None,
    take_over: Annotated[
        bool, typer.Option("--take-over", help="Change also what somebody else has set since, or before.")
    ] = False,
    wait: Annotated[bool, typer.Option(help="Return when the gateway is ready.")] = True,
    timeout: Timeout = 300.0,
    dry_run: DryRun = False,
) -> None:
    """Install the gateway in a cluster, or bring it up to this version; return when it is ready.

    What others set stays as it is, and is told. What is not said is as it was when it was installed before.

    Example: kfambassador install --context staging --image registry.example/kfambassador:0.1.0
    """
    with KubeClient.from_kubeconfig(context=context) as client:
        planned = plan(client, Wish(namespace, overlay, component, image))
        wish, before = planned.wish, planned.before
        was = f" instead of {before.version}" if before is not None and before.version != __version__ else ""
        say(f"kfambassador {__version__}{was}, {wish.overlay} in namespace {namespace} of {client.server}")
        say(f"image {wish.image}")
        steps: list[Step] = []
        options = Options(take_over=take_over, dry_run=dry_run, wait=wait, timeout=timeout)
        done = put_in(client, planned, options, show=_follow(steps, quiet=dry_run), tell=say)
    _conclude(done, steps, "installed" if wait else "applied", namespace, dry_run=dry_run)


def uninstall(
    *,
    context: Context = None,
    namespace: Namespace = INSTALL_NAMESPACE,
    yes: Annotated[
        bool, typer.Option("--yes", help="Delete also what people made, such as all Mappings of the cluster.")
    ] = False,
    timeout: Timeout = 300.0,
    dry_run: DryRun = False,
) -> None:
    """Take away what install put into a cluster.

    Definitions of which there are objects, and a namespace in which people keep something, are asked for. Where nobody
    can be asked they stay, unless --yes is said.

    Example: kfambassador uninstall --context staging
    """

    def ask(question: str) -> bool:
        if yes or dry_run:
            return yes
        return sys.stdin.isatty() and typer.confirm(question, err=True)

    with KubeClient.from_kubeconfig(context=context) as client:
        say(f"kfambassador in namespace {namespace} of {client.server}")
        steps: list[Step] = []
        show = _follow(steps, quiet=dry_run)
        done = take_out(client, namespace, ask=ask, show=show, timeout=timeout, dry_run=dry_run)
    _conclude(done, steps, "uninstalled", namespace, dry_run=dry_run)


def _follow(steps: list[Step], *, quiet: bool) -> Callable[[Step], None]:
    """Give what keeps each step, and shows it unless it is to be quiet."""

    def follow(step: Step) -> None:
        steps.append(step)
        if not quiet:
            _show(step)

    return follow


def _show(step: Step) -> None:
    """Show what became of an object, as soon as it has; nothing of one that stays as it is."""
    if not _is_news(step):
        return
    line = Text.assemble((f"{step.action.value:<10}", _STYLES[step.action]), str(step.key))
    out.print(line)
    for note in step.notes:
        out.print(Text(f"{'':<10}  {note}", style="cyan"))


def _is_news(step: Step) -> bool:
    return step.action is not Action.UNCHANGED or bool(step.notes)


def _print_plan(steps: list[Step]) -> None:
    """Print what would become of each object, and what of it would change."""
    rows: list[tuple[str, str, str]] = []
    for step in filter(_is_news, steps):
        lines = [*step.notes, *map(str, step.changes[:_MOST_CHANGES])]
        if len(step.changes) > _MOST_CHANGES:
            lines.append(f"and {len(step.changes) - _MOST_CHANGES} more")
        first, *rest = lines or [""]
        rows += [(step.action.value, str(step.key), first), *(("", "", line) for line in rest)]
    print_table(("ACTION", "OBJECT", "WHAT"), rows, empty="nothing would change")
    out.print(Text(f"nothing was changed; it would be: {_count(steps)}", style="bold"))


def _count(steps: list[Step]) -> str:
    counts = [(action, sum(step.action is action for step in steps)) for action in Action]
    return ", ".join(f"{count} {action}" for action, count in counts if count)


def _conclude(done: Readiness, steps: list[Step], verb: str, namespace: str, *, dry_run: bool) -> None:
    """Say how it ended; what is not as it should be makes the exit code 1."""
    if dry_run:
        _print_plan(steps)
        return
    if done.is_ready:
        words = "; ".join([_count(steps), *done.words])
        out.print(Text(f"{verb} in namespace {namespace}: {words}", style="bold green"))
        return
    fault = "not all of it is gone yet" if verb == "uninstalled" else "the gateway is not ready"
    err.print(Text(f"{verb} in namespace {namespace}, but {fault}:", style="bold red"))
    for line in done.words:
        err.print(Text(f"  {line}", style="red"))
    stop(AT_FAULT)
