"""Installing and uninstalling as a whole: what is asked for, in which order it is done, and what came of it."""

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from kfambassador import __version__
from kfambassador.errors import ConfigurationError
from kfambassador.installing.applying import Action, Applier, Step, check_cluster
from kfambassador.installing.inventory import MANAGER, NAME, Inventory, find_inventory, list_shared
from kfambassador.installing.kinds import Key
from kfambassador.installing.manifests import BASE, read_manifests
from kfambassador.installing.placing import place
from kfambassador.installing.removing import Ask, Remover
from kfambassador.installing.waiting import Readiness, Tell, wait_for_definitions, wait_for_gateway, wait_until_gone
from kfambassador.kube.client import KubeClient
from kfambassador.kube.kinds import CONFIG_MAP, CUSTOM_RESOURCE_DEFINITION, DEPLOYMENT, NAMESPACE
from kfambassador.kube.objects import Manifest
from kfambassador.names import INSTALL_NAMESPACE
from kfambassador.pipelines.image import IMAGE, choose_image

#: The name of the Deployment.
DEPLOYED: Final = "kfambassador"

Show = Callable[[Step], None]


@dataclass(frozen=True, slots=True)
class Wish:
    """What is to be installed. What is None is as it was when it was installed before, or else the default.

    Attributes:
        namespace: The gateway's namespace.
        overlay: Which overlay.
        components: What is added to it.
        image: The gateway's image.
    """

    namespace: str = INSTALL_NAMESPACE
    overlay: str | None = None
    components: Sequence[str] | None = None
    image: str | None = None


@dataclass(frozen=True, slots=True)
class Options:
    """How it is to be done.

    Attributes:
        take_over: Whether what others set is taken over from them.
        dry_run: Whether the cluster is only asked what it would do.
        wait: Whether to wait until the gateway is ready.
        timeout: Seconds to wait at most.
    """

    take_over: bool = False
    dry_run: bool = False
    wait: bool = True
    timeout: float = 300.0


@dataclass(frozen=True, slots=True)
class Plan:
    """What will be installed, now that it is known what was there before.

    Attributes:
        wish: What was asked for, with nothing left open.
        before: What is installed as yet; None when nothing is.
        manifests: The objects, in the order in which they are applied.
    """

    wish: Wish
    before: Inventory | None
    manifests: tuple[Manifest, ...]


def plan(client: KubeClient, wish: Wish) -> Plan:
    """Work out what is to be installed.

    Raises:
        ConfigurationError: There is no such overlay or component; the image of before cannot be brought up to date; or
            the cluster lacks what others have to bring.
    """
    before = find_inventory(client, wish.namespace)
    kept = before or Inventory(__version__)
    whole = replace(
        wish,
        overlay=wish.overlay or kept.overlay,
        components=tuple(kept.components if wish.components is None else wish.components),
        image=choose_image(wish.image or renew(kept.image)),
    )
    objects = read_manifests(whole.overlay or BASE, whole.components or ())
    placed = place(objects, namespace=whole.namespace, image=whole.image or IMAGE)
    manifests = tuple(sorted(placed, key=Key.of))
    check_cluster(client, manifests)
    return Plan(whole, before, manifests)


def renew(image: str) -> str:
    """Give the image that was asked for in an earlier installation this version's tag; "" when none was.

    Args:
        image: The image as it was asked for.

    Raises:
        ConfigurationError: It is named by its digest, which nobody can guess of another version.

    Example:
        >>> renew("registry.example:5000/kfambassador:0.0.1") == f"registry.example:5000/kfambassador:{__version__}"
        True
    """
    if not image or image.endswith(f":{__version__}"):
        return image
    if "@" in image:
        raise ConfigurationError(
            f"The installed image is {image}, which is one version's for good: say this version's with --image."
        )
    repository, _, tag = image.rpartition(":")
    return f"{image if '/' in tag or not repository else repository}:{__version__}"


def install(client: KubeClient, planned: Plan, options: Options, *, show: Show, tell: Tell) -> Readiness:
    """Install what was planned, take away what an earlier version left, and wait until the gateway is ready.

    Args:
        client: The cluster.
        planned: What :func:`plan` worked out.
        options: How it is to be done.
        show: Shown what became of each object.
        tell: Told what is waited for.

    Returns:
        Whether the gateway is ready, and what a person should know. A dry run waits for nothing.

    Raises:
        ApiError: The cluster refused an object; what was applied before it stays.
    """
    deadline = time.monotonic() + options.timeout
    steps = _Steps(client, planned, options, show)
    steps.apply(NAMESPACE.kind)
    old = planned.before.objects if planned.before else frozenset()
    steps.note(old)
    steps.apply(CUSTOM_RESOURCE_DEFINITION.kind)
    steps.note(old)
    if not options.dry_run:
        names = [each["metadata"]["name"] for each in planned.manifests if each["kind"] == "CustomResourceDefinition"]
        defined = wait_for_definitions(client, names, deadline=deadline)
        if not defined.is_ready:
            return defined
    steps.apply()
    steps.prune()
    steps.note()
    if options.dry_run or not options.wait:
        return Readiness(is_ready=True, words=())
    return wait_for_gateway(client, DEPLOYED, namespace=planned.wish.namespace, deadline=deadline, tell=tell)


class _Steps:
    """Goes through a plan, and keeps what became of each object."""

    def __init__(self, client: KubeClient, planned: Plan, options: Options, show: Show) -> None:
        self._client = client
        self._planned = planned
        self._options = options
        self._applier = Applier(client, take_over=options.take_over, dry_run=options.dry_run)
        self._show = show
        self._left = list(planned.manifests)
        self._done: list[Step] = []
        self._written = planned.before

    def apply(self, kind: str = "") -> None:
        """Apply what is left of a kind, or all that is left."""
        now = [each for each in self._left if not kind or each["kind"] == kind]
        self._left = [each for each in self._left if each not in now]
        for manifest in now:
            step = self._applier.apply(manifest)
            self._done.append(step)
            self._show(step)

    def note(self, also: Iterable[Key] = ()) -> None:
        """Write down what is installed before it is: a run that is broken off leaves nothing that nobody knows of."""
        wish, before = self._planned.wish, self._planned.before
        theirs = {step.key for step in self._done if step.action is Action.KEPT}
        objects = frozenset({Key.of(each) for each in self._planned.manifests} - theirs) | frozenset(also)
        adopted = {step.key for step in self._done if step.was_there} | (before.adopted if before else frozenset())
        now = Inventory(
            __version__,
            overlay=wish.overlay or BASE,
            components=tuple(wish.components or ()),
            image="" if wish.image == IMAGE else wish.image or "",
            objects=objects,
            adopted=frozenset(adopted & objects),
        )
        if now != self._written and not self._options.dry_run:
            self._client.apply(now.write(wish.namespace), manager=MANAGER, force=True)
            self._written = now

    def prune(self) -> None:
        """Take away what an earlier version left."""
        before, namespace = self._planned.before, self._planned.wish.namespace
        kept = {Key.of(each) for each in self._planned.manifests}
        if before is not None and (old := before.objects - kept):
            shared = list_shared(self._client, namespace)
            remover = Remover(self._client, _refuse, shared, before.adopted, dry_run=self._options.dry_run)
            for step in remover.prune(old):
                self._show(step)


def _refuse(question: str) -> bool:
    del question
    return False


def uninstall(
    client: KubeClient, namespace: str, *, ask: Ask, show: Show, timeout: float = 300.0, dry_run: bool = False
) -> Readiness:
    """Take away all that was installed.

    Args:
        client: The cluster.
        namespace: The gateway's namespace.
        ask: Asked before anything goes that takes objects of other people with it.
        show: Shown what became of each object.
        timeout: Seconds to wait at most until the gateway is gone.
        dry_run: Whether it is only told what would be deleted.

    Returns:
        Whether all that was deleted is gone.

    Raises:
        ConfigurationError: Nothing was installed there.
    """
    kept = find_inventory(client, namespace)
    if kept is None:
        raise ConfigurationError(
            f"Nothing that kfambassador install put there is in namespace {namespace!r}: it has no ConfigMap {NAME}. "
            "What kubectl or Helm applied is theirs to delete."
        )
    remover = Remover(client, ask, list_shared(client, namespace), kept.adopted, dry_run=dry_run)
    steps = []
    for step in remover.remove_all(kept.objects):
        show(step)
        steps.append(step)
    if dry_run:
        return Readiness(is_ready=True, words=())
    client.delete(CONFIG_MAP, NAME, namespace=namespace)
    deadline = time.monotonic() + timeout
    gone = {step.key.kind for step in steps if step.action is Action.DELETED}
    if NAMESPACE in gone:
        return wait_until_gone(client, NAMESPACE, namespace, deadline=deadline)
    return wait_until_gone(client, DEPLOYMENT, DEPLOYED, namespace=namespace, deadline=deadline)
