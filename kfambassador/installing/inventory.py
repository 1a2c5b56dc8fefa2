"""What is installed, written down in the cluster: so that a later version finds what an earlier one left.

It is a ConfigMap beside the gateway. Nothing is found by labels, which anybody may put on anything.
"""

from dataclasses import dataclass, field
from typing import Final

from kfambassador.errors import ConfigurationError, Forbidden, NotFound
from kfambassador.installing.kinds import Key
from kfambassador.installing.manifests import BASE
from kfambassador.kube.client import KubeClient
from kfambassador.kube.kinds import CONFIG_MAP
from kfambassador.kube.objects import Manifest
from kfambassador.names import MANAGED_BY_LABEL, NAME_LABEL
from kfambassador.resources.fields import as_object, as_text

#: Who owns the fields that are installed.
MANAGER: Final = "kfambassador-install"

#: The ConfigMap's name.
NAME: Final = "kfambassador-install"

#: Says of an object that it was there before the gateway was installed.
_ADOPTED: Final = " adopted"


@dataclass(frozen=True, slots=True)
class Inventory:
    """What is installed in a namespace.

    Attributes:
        version: The version that was installed last.
        overlay: Which overlay.
        components: What was added to it.
        image: The image that was asked for; "" is the version's own.
        objects: The objects.
        adopted: Those of them that were there before.

    Example:
        >>> kept = Inventory("0.1.0", objects=frozenset({Key.read("v1 Service models/kfambassador")}))
        >>> Inventory.read(kept.write("models")) == kept
        True
    """

    version: str
    overlay: str = BASE
    components: tuple[str, ...] = ()
    image: str = ""
    objects: frozenset[Key] = field(default_factory=frozenset)
    adopted: frozenset[Key] = field(default_factory=frozenset)

    def write(self, namespace: str) -> Manifest:
        """Write it as an object."""
        lines = [f"{key.line}{_ADOPTED if key in self.adopted else ''}" for key in sorted(self.objects)]
        return {
            "apiVersion": CONFIG_MAP.api_version,
            "kind": CONFIG_MAP.kind,
            "metadata": {
                "name": NAME,
                "namespace": namespace,
                "labels": {NAME_LABEL: "kfambassador", MANAGED_BY_LABEL: MANAGER},
            },
            "data": {
                "version": self.version,
                "overlay": self.overlay,
                "components": " ".join(self.components),
                "image": self.image,
                "objects": "".join(f"{line}\n" for line in lines),
            },
        }

    @classmethod
    def read(cls, manifest: Manifest) -> "Inventory":
        """Read it from an object.

        Raises:
            ConfigurationError: It lists what this version does not know.
        """
        data = as_object(manifest.get("data"))
        lines = as_text(data.get("objects")).splitlines()
        read = {Key.read(line.removesuffix(_ADOPTED)): line.endswith(_ADOPTED) for line in lines}
        return cls(
            version=as_text(data.get("version")),
            overlay=as_text(data.get("overlay")) or BASE,
            components=tuple(as_text(data.get("components")).split()),
            image=as_text(data.get("image")),
            objects=frozenset(read),
            adopted=frozenset(key for key, adopted in read.items() if adopted),
        )


def find_inventory(client: KubeClient, namespace: str) -> Inventory | None:
    """Find what is installed in a namespace; None when nothing is."""
    try:
        return Inventory.read(client.get(CONFIG_MAP, NAME, namespace=namespace))
    except NotFound:
        return None


def list_shared(client: KubeClient, namespace: str) -> dict[Key, str]:
    """List the objects that gateways in other namespaces have in common with one, each with such a namespace.

    Where one may not look into all namespaces, nothing is known of others.
    """
    try:
        found = client.list(CONFIG_MAP, label_selector=f"{MANAGED_BY_LABEL}={MANAGER}").items
    except Forbidden:
        return {}
    shared: dict[Key, str] = {}
    for each in found:
        home = str(each["metadata"]["namespace"])
        if home != namespace and each["metadata"]["name"] == NAME:
            shared |= dict.fromkeys(_read_objects(each), home)
    return shared


def _read_objects(manifest: Manifest) -> frozenset[Key]:
    try:
        return Inventory.read(manifest).objects
    except ConfigurationError:
        # A newer version's. What it names beside these kinds is none of ours either.
        return frozenset()
