"""How a controller is told to run."""

from dataclasses import dataclass, field
from pathlib import Path

from kfambassador.controller.debounce import Pace
from kfambassador.envoy.listeners import ListenerSettings
from kfambassador.kube.reflector import ReflectorSettings


@dataclass(frozen=True, slots=True)
class ControllerSettings:
    """How a controller is told to run.

    Attributes:
        xds_socket: The Unix socket Envoy asks; its directory must be the user's alone.
        listener: Where Envoy listens.
        namespace: The one namespace to follow; None follows all.
        diagnostics_host: Where the read API listens. Anything but loopback shows every tenant's routes.
        diagnostics_port: Its port; 0 takes a free one.
        diagnostics_token: The bearer token the read API asks for; None asks for none.
        pace: How bursts of events are joined.
        reflector: How patiently the cluster is followed.
    """

    xds_socket: Path
    listener: ListenerSettings = field(default_factory=ListenerSettings)
    namespace: str | None = None
    diagnostics_host: str = "127.0.0.1"
    diagnostics_port: int = 0
    diagnostics_token: str | None = field(default=None, repr=False)
    pace: Pace = field(default_factory=Pace)
    reflector: ReflectorSettings = field(default_factory=ReflectorSettings)
