"""Where to publish: the laptop, a cluster of a kubeconfig, or the cluster this runs in."""

from collections.abc import Mapping as Dict
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeAlias

#: The environment variable that says where to publish when the caller does not.
TARGET_VARIABLE: Final = "KFAMBASSADOR_TARGET"

_SERVICE_ACCOUNT_TOKEN: Final = Path("/var/run/secrets/kubernetes.io/serviceaccount/token")


@dataclass(frozen=True, slots=True)
class Local:
    """The one gateway of this user on this machine; it is started when there is none.

    Example:
        >>> print(Local())
        this machine
    """

    def __str__(self) -> str:
        return "this machine"


@dataclass(frozen=True, slots=True)
class Kubeconfig:
    """A cluster a kubeconfig knows.

    Attributes:
        context: The context; None means the file's current one.
        path: The file; None means ``$KUBECONFIG``, or else ``~/.kube/config``.

    Example:
        >>> print(Kubeconfig("staging"))
        the cluster of context 'staging'
    """

    context: str | None = None
    path: Path | None = None

    def __str__(self) -> str:
        return f"the cluster of context {self.context!r}" if self.context else "the cluster of the current context"


@dataclass(frozen=True, slots=True)
class InCluster:
    """The cluster this process runs in, as its pod's service account.

    Example:
        >>> print(InCluster())
        the cluster this runs in
    """

    def __str__(self) -> str:
        return "the cluster this runs in"


Target: TypeAlias = Local | Kubeconfig | InCluster


def choose_target(asked: Target | str | None, environ: Dict[str, str]) -> Target:
    """Decide where to publish.

    A kubeconfig that merely lies about is never used: a laptop must not publish to a company's cluster by default.

    Args:
        asked: What the caller says: a target, ``local``, ``in-cluster``, or the name of a kubeconfig context.
        environ: The environment; ``KFAMBASSADOR_TARGET`` counts when the caller says nothing.

    Example:
        >>> choose_target(None, {}), choose_target("staging", {})
        (Local(), Kubeconfig(context='staging', path=None))
        >>> choose_target(None, {"KFAMBASSADOR_TARGET": "in-cluster"})
        InCluster()
    """
    if asked is None:
        asked = environ.get(TARGET_VARIABLE) or ("in-cluster" if _is_pod(environ) else "local")
    if not isinstance(asked, str):
        return asked
    if asked == "local":
        return Local()
    return InCluster() if asked == "in-cluster" else Kubeconfig(context=asked)


def _is_pod(environ: Dict[str, str]) -> bool:
    return "KUBERNETES_SERVICE_HOST" in environ and _SERVICE_ACCOUNT_TOKEN.exists()
