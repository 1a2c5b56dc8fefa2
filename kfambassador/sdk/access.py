"""The ways to one gateway that everything of the SDK shares."""

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from kfambassador.kube.client import KubeClient
from kfambassador.sdk.calling.http import HttpClient
from kfambassador.sdk.targets import Local, Target

if TYPE_CHECKING:
    from kfambassador.sdk.reaching.reading import Reader

_PATIENCE_HERE: Final = 10.0
_PATIENCE: Final = 300.0


@dataclass(frozen=True, slots=True)
class Access:
    """The three ways to a gateway: objects are applied, states are read, and models are called.

    Attributes:
        client: The Kubernetes API.
        reader: What tells what the gateway serves.
        http: Connections to models, through Envoy.
        url: Envoy's address, without a slash at the end.
        place: Whose gateway it is.
        internal_url: Envoy's address inside the cluster, without a slash at the end; "" where there is none.
        quiet: Whether progress is shown to nobody.
        parts: What has to be closed with it, such as a tunnel.
    """

    client: KubeClient
    reader: "Reader"
    http: HttpClient
    url: str
    place: Target = field(default_factory=Local)
    internal_url: str = ""
    quiet: bool = False
    parts: ExitStack = field(default_factory=ExitStack, repr=False)

    @property
    def is_here(self) -> bool:
        """Whether the gateway runs on this machine and reaches its loopback addresses."""
        return isinstance(self.place, Local)

    @property
    def patience(self) -> float:
        """Seconds a model may take to answer when nothing is said: a pod has to be started, a process only asked."""
        return _PATIENCE_HERE if self.is_here else _PATIENCE

    def on_close(self, act: Callable[[], object]) -> None:
        """Do something when the connections are closed."""
        self.parts.callback(act)

    def close(self) -> None:
        """Close all connections."""
        self.client.close()
        self.http.close()
        self.reader.close()
        self.parts.close()
