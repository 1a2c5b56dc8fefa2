"""The kinds of objects that an installation is made of, in the order they are applied in; and which object is which."""

from typing import Final, NamedTuple, Self

from kfambassador.errors import ConfigurationError
from kfambassador.kube.kinds import (
    CONFIG_MAP,
    CUSTOM_RESOURCE_DEFINITION,
    DEPLOYMENT,
    GATEWAY_KINDS,
    INGRESS,
    MAPPING,
    NAMESPACE,
    SERVICE,
    Kind,
)
from kfambassador.kube.objects import Manifest
from kfambassador.names import AMBASSADOR_GROUP

_RBAC: Final = "rbac.authorization.k8s.io"

#: Each kind before those that need it to be there. What serves requests comes after what keeps others out.
KINDS: Final = (
    NAMESPACE,
    CUSTOM_RESOURCE_DEFINITION,
    Kind("ServiceAccount", "serviceaccounts", "v1"),
    Kind("ClusterRole", "clusterroles", "v1", _RBAC, namespaced=False),
    Kind("Role", "roles", "v1", _RBAC),
    Kind("ClusterRoleBinding", "clusterrolebindings", "v1", _RBAC, namespaced=False),
    Kind("RoleBinding", "rolebindings", "v1", _RBAC),
    CONFIG_MAP,
    Kind("NetworkPolicy", "networkpolicies", "v1", "networking.k8s.io"),
    SERVICE,
    DEPLOYMENT,
    Kind("PodDisruptionBudget", "poddisruptionbudgets", "v1", "policy"),
    Kind("HorizontalPodAutoscaler", "horizontalpodautoscalers", "v2", "autoscaling"),
    Kind("ServiceMonitor", "servicemonitors", "v1", "monitoring.coreos.com"),
    *GATEWAY_KINDS,
    MAPPING,
    Kind("AuthorizationPolicy", "authorizationpolicies", "v1", "security.istio.io"),
    Kind("VirtualService", "virtualservices", "v1", "networking.istio.io"),
    INGRESS,
)

#: Kinds of others, each with whose it is.
FOREIGN: Final = {
    "monitoring.coreos.com": "the Prometheus Operator",
    "security.istio.io": "Istio",
    "networking.istio.io": "Istio",
}

_RANKS: Final = {(kind.api_version, kind.kind): rank for rank, kind in enumerate(KINDS)}


class Key(NamedTuple):
    """Which object something is; in the order of application.

    Attributes:
        rank: The place of its kind in :data:`KINDS`.
        namespace: Its namespace; "" where it has none.
        name: Its name.

    Example:
        >>> key = Key.read("apps/v1 Deployment kfambassador/kfambassador")
        >>> print(key)
        Deployment kfambassador/kfambassador
        >>> key.line
        'apps/v1 Deployment kfambassador/kfambassador'
    """

    rank: int
    namespace: str
    name: str

    @classmethod
    def of(cls, manifest: Manifest) -> Self:
        """Tell which object a manifest is of.

        Raises:
            ConfigurationError: An installation has no objects of this kind.
        """
        metadata = manifest["metadata"]
        return cls(_rank(manifest["apiVersion"], manifest["kind"]), metadata.get("namespace", ""), metadata["name"])

    @classmethod
    def read(cls, line: str) -> Self:
        """Read what :attr:`line` wrote.

        Raises:
            ConfigurationError: Another version wrote it, or nobody.
        """
        match line.split():
            case [api_version, kind, place]:
                namespace, _, name = place.rpartition("/")
                return cls(_rank(api_version, kind), namespace, name)
        raise ConfigurationError(f"{line!r} names no object: it should read like 'apps/v1 Deployment NAMESPACE/NAME'.")

    @property
    def kind(self) -> Kind:
        """Its kind."""
        return KINDS[self.rank]

    @property
    def is_ambassadors(self) -> bool:
        """Whether it is one of Ambassador's custom resources."""
        return self.kind.group == AMBASSADOR_GROUP

    @property
    def line(self) -> str:
        """It as a line of a list that is kept."""
        return f"{self.kind.api_version} {self.kind.kind} {self.place}"

    @property
    def place(self) -> str:
        """Its namespace and name."""
        return f"{self.namespace}/{self.name}" if self.namespace else self.name

    def __str__(self) -> str:
        """Say it in words."""
        return f"{self.kind.kind} {self.place}"


def _rank(api_version: str, kind: str) -> int:
    try:
        return _RANKS[(api_version, kind)]
    except KeyError:
        raise ConfigurationError(
            f"{api_version} {kind} is no kind that this version installs: does a newer one have it?"
        ) from None
