"""Taking objects away: what an older version left, or everything; never somebody's Mappings without a word."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final

from kfambassador.errors import ConfigurationError, Forbidden, NotFound
from kfambassador.installing.applying import Action, Step, find, is_ours
from kfambassador.installing.inventory import NAME
from kfambassador.installing.kinds import Key
from kfambassador.kube.client import KubeClient
from kfambassador.kube.kinds import (
    CONFIG_MAP,
    CUSTOM_RESOURCE_DEFINITION,
    DEPLOYMENT,
    GATEWAY_KINDS,
    MAPPING,
    NAMESPACE,
    SECRET,
    SERVICE,
    Kind,
)
from kfambassador.kube.objects import Manifest

#: What people keep in a namespace. What comes and goes with these is not looked for.
_KEPT_KINDS: Final = (MAPPING, *GATEWAY_KINDS, SERVICE, DEPLOYMENT, CONFIG_MAP, SECRET)
#: So many namespaces and objects are named.
_MOST_NAMED: Final = 5
#: What Kubernetes and Istio put into every namespace.
_EVERYWHERE: Final = {"kube-root-ca.crt", "istio-ca-root-cert", "istio-ca-crl"}

Ask = Callable[[str], bool]


@dataclass(frozen=True, slots=True)
class Remover:
    """Takes objects of an installation away.

    Attributes:
        client: The cluster.
        ask: Asked before anything goes that takes objects of other people with it.
        shared: Objects that gateways in other namespaces have too, each with such a namespace.
        adopted: Objects that were there before the installation.
        dry_run: Whether it is only told what would be deleted.
    """

    client: KubeClient
    ask: Ask
    shared: dict[Key, str] = field(default_factory=dict)
    adopted: frozenset[Key] = frozenset()
    dry_run: bool = False

    def prune(self, keys: Iterable[Key]) -> Iterator[Step]:
        """Take away what an older version left."""
        for key in sorted(keys, reverse=True):
            if key.kind not in {NAMESPACE, CUSTOM_RESOURCE_DEFINITION}:
                yield self._remove(key)

    def remove_all(self, keys: Iterable[Key]) -> Iterator[Step]:
        """Take away everything, the last that was applied first."""
        ours = frozenset(keys)
        for key in sorted(ours, reverse=True):
            if key.kind == CUSTOM_RESOURCE_DEFINITION:
                yield self._remove_definition(key, ours)
            elif key.kind == NAMESPACE:
                yield self._remove_namespace(key, ours)
            else:
                yield self._remove(key)

    def _remove(self, key: Key) -> Step:
        if key in self.shared:
            return Step(key, Action.KEPT, notes=(f"the gateway in namespace {self.shared[key]} has it too",))
        live = find(self.client, key)
        if live is None:
            return Step(key, Action.UNCHANGED, notes=("it was not there any more",))
        if not is_ours(live):
            return Step(key, Action.KEPT, notes=("somebody else has made it anew",))
        if not self.dry_run:
            self.client.delete(key.kind, key.name, namespace=key.namespace or None)
        return Step(key, Action.DELETED)

    def _remove_definition(self, key: Key, ours: frozenset[Key]) -> Step:
        if key in self.adopted:
            return Step(key, Action.KEPT, notes=("it was there before the gateway was",))
        live = None if key in self.shared else find(self.client, key)
        found = [each for each in self._list_custom(live) if not _is_one_of(each, ours)] if live else []
        if found:
            told = _tell_objects(found)
            if not self.ask(f"{told} would be deleted with their definition. Delete them?"):
                return Step(key, Action.KEPT, notes=(f"{told} would be lost with it",))
        return self._remove(key)

    def _list_custom(self, definition: Manifest) -> list[Manifest]:
        """List the objects of a definition, as the version that is stored."""
        spec = definition["spec"]
        version = next(each["name"] for each in spec["versions"] if each["storage"])
        kind = Kind(spec["names"]["kind"], spec["names"]["plural"], version, spec["group"])
        try:
            return list(self.client.list(kind).items)
        except NotFound:
            return []

    def _remove_namespace(self, key: Key, ours: frozenset[Key]) -> Step:
        if key in self.adopted:
            return Step(key, Action.KEPT, notes=("it was there before the gateway was",))
        left = self._list_left(key.name, ours)
        if left:
            told = f"namespace {key.name} also has {_tell_some(left)}"
            if not self.ask(f"{told[0].upper()}{told[1:]}, which would be deleted with it. Delete them?"):
                return Step(key, Action.KEPT, notes=(told,))
        return self._remove(key)

    def _list_left(self, namespace: str, ours: frozenset[Key]) -> list[str]:
        """List what others keep in the gateway's namespace."""
        found: list[str] = []
        for kind in _KEPT_KINDS:
            try:
                items = self.client.list(kind, namespace=namespace).items
            except NotFound:
                continue
            except Forbidden:
                found.append(f"{kind.plural} that you may not list")
                continue
            found += [f"{kind.kind} {each['metadata']['name']}" for each in items if not _is_expected(each, ours)]
        return found


def _is_expected(manifest: Manifest, ours: frozenset[Key]) -> bool:
    """Whether nobody misses it: it is ours, or the cluster makes it in every namespace."""
    metadata = manifest["metadata"]
    is_clusters = metadata.get("ownerReferences") or metadata["name"] in _EVERYWHERE
    is_token = manifest.get("type") == "kubernetes.io/service-account-token"
    return bool(is_clusters or is_token or metadata["name"] == NAME or _is_one_of(manifest, ours))


def _is_one_of(manifest: Manifest, keys: frozenset[Key]) -> bool:
    try:
        return Key.of(manifest) in keys
    except ConfigurationError:
        return False


def _tell_objects(objects: list[Manifest]) -> str:
    """Say how many objects of a kind there are, and where.

    Example:
        >>> _tell_objects([{"kind": "Mapping", "metadata": {"name": "m", "namespace": "team"}}] * 2)
        '2 Mappings (2 in team)'
    """
    kind = objects[0]["kind"]
    spaces = Counter(each["metadata"].get("namespace", "") for each in objects).most_common()
    told = [f"{count} in {name}" for name, count in spaces[:_MOST_NAMED]]
    more = [f"and {len(spaces) - _MOST_NAMED} more namespaces"] if len(spaces) > _MOST_NAMED else []
    return f"{len(objects)} {kind}{'s' if len(objects) > 1 else ''} ({', '.join([*told, *more])})"


def _tell_some(names: list[str]) -> str:
    more = [f"{len(names) - _MOST_NAMED} more"] if len(names) > _MOST_NAMED else []
    return ", ".join([*names[:_MOST_NAMED], *more])
