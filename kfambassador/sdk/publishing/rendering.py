"""The objects of a publication without any cluster: for files, for review and for GitOps."""

from collections.abc import Iterable, Sequence
from typing import Unpack, overload

from kfambassador.resources.documents import write_documents
from kfambassador.sdk.attributes import ExposeArguments
from kfambassador.sdk.faces.figures import show_text
from kfambassador.sdk.publishing.publication import Manifest
from kfambassador.sdk.publishing.publish import plan_offline
from kfambassador.sdk.signatures import spell_out


class Manifests(Sequence[Manifest]):
    """Kubernetes objects; as text they are YAML for kubectl.

    Example:
        >>> manifests = Manifests([{"apiVersion": "v1", "kind": "Service", "metadata": {"name": "m"}}])
        >>> manifests
        <Manifests Service; str() of it is YAML>
        >>> print(manifests, end="")
        apiVersion: v1
        kind: Service
        metadata:
          name: m
    """

    def __init__(self, manifests: Iterable[Manifest]) -> None:
        self._manifests = tuple(manifests)

    @overload
    def __getitem__(self, index: int) -> Manifest: ...
    @overload
    def __getitem__(self, index: slice) -> "Manifests": ...
    def __getitem__(self, index: int | slice) -> "Manifest | Manifests":
        return Manifests(self._manifests[index]) if isinstance(index, slice) else self._manifests[index]

    def __len__(self) -> int:
        return len(self._manifests)

    def __str__(self) -> str:
        return write_documents(*self._manifests)

    def __repr__(self) -> str:
        named = ", ".join(str(manifest["kind"]) for manifest in self._manifests)
        return f"<Manifests {named}; str() of it is YAML>"

    def _repr_html_(self) -> str:
        return show_text(repr(self).strip("<>"), str(self))


@spell_out
def render(name: str, **arguments: Unpack[ExposeArguments]) -> Manifests:
    """Write what :meth:`~kfambassador.sdk.gateway.Gateway.expose` would apply, without a gateway or a cluster.

    Args:
        name: The name to publish by.
        **arguments: As for expose. A Deployment or an InferenceService cannot be looked up; say where the model is.

    Raises:
        MappingRejected: Something of it is at fault.

    Example:
        >>> service, = render("mnist", service="mnist-server:8501", namespace="team")
        >>> service["metadata"]["name"], service["spec"]["ports"][0]["port"]
        ('mnist', 8501)
    """
    return Manifests(plan_offline(name, arguments))
