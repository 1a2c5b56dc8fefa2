"""One object after the other: applied, or tried; what others set stays, unless it is to be taken over."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from kfambassador.errors import ConfigurationError, Conflict, NotFound
from kfambassador.installing.comparing import Change, compare
from kfambassador.installing.conflicts import leave_out, list_owned, tell_owner
from kfambassador.installing.inventory import MANAGER
from kfambassador.installing.kinds import FOREIGN, Key
from kfambassador.kube.client import KubeClient
from kfambassador.kube.kinds import CUSTOM_RESOURCE_DEFINITION, NAMESPACE
from kfambassador.kube.objects import Manifest
from kfambassador.resources.fields import as_object

#: Left out are fields, and of those that are left there are fewer each time: this only ends what a server does wrong.
_MOST_TRIES: Final = 20


class Action(StrEnum):
    """What becomes of an object."""

    CREATED = "created"
    CHANGED = "changed"
    UNCHANGED = "unchanged"
    KEPT = "kept"
    DELETED = "deleted"


@dataclass(frozen=True, slots=True)
class Step:
    """What became of one object.

    Attributes:
        key: Which object.
        action: What became of it.
        changes: What of it changed.
        notes: What a person should know of it.
        was_there: Whether it was there before, and not ours.
    """

    key: Key
    action: Action
    changes: tuple[Change, ...] = ()
    notes: tuple[str, ...] = ()
    was_there: bool = False


@dataclass(frozen=True, slots=True)
class Applier:
    """Applies objects.

    Attributes:
        client: The cluster.
        take_over: Whether what others set is taken over from them.
        dry_run: Whether the server is only asked what it would do.
    """

    client: KubeClient
    take_over: bool = False
    dry_run: bool = False

    def apply(self, manifest: Manifest) -> Step:
        """Apply an object.

        Raises:
            ApiError: The server refused it.
        """
        key = Key.of(manifest)
        live = find(self.client, key)
        was_there = live is not None and not is_ours(live)
        if self.take_over and live is not None and _asks_webhook(live):
            if self.dry_run:
                return Step(key, Action.CHANGED, notes=("its conversion webhook would be taken away",))
            # Nobody may apply a webhook away that somebody else applied, and one is refused where nothing is converted.
            self.client.patch(key.kind, key.name, {"spec": {"conversion": {"strategy": "None", "webhook": None}}})
        try:
            stored, notes = self._write(key, manifest)
        except NotFound:
            # Whether there is such a kind and such a namespace was looked for beforehand: they are made in this run.
            if not self.dry_run:
                raise
            return Step(key, Action.CREATED, notes=("not tried: what it needs is not there yet",))
        except _Theirs as theirs:
            return Step(key, Action.KEPT, notes=(str(theirs),), was_there=True)
        if live is None:
            return Step(key, Action.CREATED, notes=notes)
        changes = compare(live, stored)
        return Step(key, Action.CHANGED if changes else Action.UNCHANGED, changes, notes, was_there)

    def _write(self, key: Key, manifest: Manifest) -> tuple[Manifest, tuple[str, ...]]:
        notes: list[str] = []
        for _ in range(_MOST_TRIES):
            try:
                stored = self.client.apply(
                    manifest, kind=key.kind, manager=MANAGER, force=self.take_over, dry_run=self.dry_run
                )
            except Conflict as conflict:
                manifest, kept = _give_way(key, manifest, conflict)
                notes += kept
            else:
                return stored, tuple(notes)
        raise ConfigurationError(f"{key} could not be applied: the server names conflicts without end.")


class _Theirs(Exception):
    """An object that is somebody else's as a whole."""


def _give_way(key: Key, manifest: Manifest, conflict: Conflict) -> tuple[Manifest, list[str]]:
    """Leave out what is others', and say so."""
    owned = list_owned(conflict)
    if owned and key.kind == CUSTOM_RESOURCE_DEFINITION:
        # Half of one definition and half of another would be a third, which nobody has tried.
        owners = ", ".join(sorted({tell_owner(each) for each in owned}))
        raise _Theirs(f"it is {owners}'s and stays as it is; --take-over replaces it") from conflict
    notes = []
    for cause in owned:
        without = leave_out(manifest, cause.field)
        if without is None:
            continue
        manifest = without
        notes.append(f"{cause.field.removeprefix('.')} stays as {tell_owner(cause)} set it")
    if not notes:
        raise conflict
    return manifest, notes


def find(client: KubeClient, key: Key) -> Manifest | None:
    """Find an object; None when it, its namespace or its kind is not there."""
    try:
        return client.get(key.kind, key.name, namespace=key.namespace or None)
    except NotFound:
        return None


def _asks_webhook(manifest: Manifest) -> bool:
    """Whether objects of a definition are converted by a webhook, as Emissary's are."""
    return as_object(as_object(manifest.get("spec")).get("conversion")).get("strategy") == "Webhook"


def is_ours(manifest: Manifest) -> bool:
    """Tell whether an installation of ours applied an object.

    Example:
        >>> is_ours({"metadata": {"managedFields": [{"manager": "kfambassador-install", "operation": "Apply"}]}})
        True
    """
    return any(each.get("manager") == MANAGER for each in manifest["metadata"].get("managedFields") or ())


def check_cluster(client: KubeClient, manifests: Iterable[Manifest]) -> None:
    """Look whether a cluster has what others have to bring: kinds and namespaces.

    Raises:
        ConfigurationError: It has not; all that is missing is named.
    """
    keys = [Key.of(each) for each in manifests]
    if missing := [*_list_missing_kinds(client, keys), *_list_missing_namespaces(client, keys)]:
        raise ConfigurationError(
            f"Nothing was applied, since this cluster lacks what others bring: {'; '.join(missing)}. "
            "Is this the cluster, and this overlay, that is meant?"
        )


def _list_missing_kinds(client: KubeClient, keys: list[Key]) -> Iterator[str]:
    for kind in dict.fromkeys(key.kind for key in keys if key.kind.group in FOREIGN):
        try:
            client.list(kind)
        except NotFound:
            yield f"{kind.kind} ({kind.api_version}), of {FOREIGN[kind.group]}"


def _list_missing_namespaces(client: KubeClient, keys: list[Key]) -> Iterator[str]:
    made = {key.name for key in keys if key.kind == NAMESPACE}
    for name in sorted({key.namespace for key in keys if key.namespace} - made):
        try:
            client.get(NAMESPACE, name)
        except NotFound:
            yield f"namespace {name}"
