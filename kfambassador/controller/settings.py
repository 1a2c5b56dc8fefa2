"""How a controller is told to run."""

from dataclasses import dataclass, field
from pathlib import Path

from kfambassador.controller.debounce import Pace
from kfambassador.envoy.listeners import ListenerSettings
from kfambassador.kube.reflector import ReflectorSettings
from kfambassador.routing.policy import TenancyPolicy


@dataclass(frozen=True, slots=True)
class ControllerSettings:
    """How a controller is told to run.

    Attributes:
        xds_socket: The Unix socket Envoy asks; its directory must be the user's alone.
        admin_socket: The Unix socket of Envoy's admin, asked for what it counts; None asks nobody.
        listener: Where Envoy listens.
        policy: Who may claim what, and which namespace is the gateway's own.
        namespace: The one namespace to follow; None follows all.
        diagnostics_host: Where the read API listens. Anything but loopback shows every tenant's routes.
        diagnostics_port: Its port; 0 takes a free one.
        diagnostics_token: The bearer token the read API asks for; None asks for none.
        pace: How bursts of events are joined.
        reflector: How patiently the cluster is followed.
        write_statuses: Whether the status of Mappings is written (AMBASSADOR_UPDATE_MAPPING_STATUS, which is off).
    """

    xds_socket: Path
    admin_socket: Path | None = None
    listener: ListenerSettings = field(default_factory=ListenerSettings)
    policy: TenancyPolicy = field(default_factory=TenancyPolicy)
    namespace: str | None = None
    diagnostics_host: str = "127.0.0.1"
    diagnostics_port: int = 0
    diagnostics_token: str | None = field(default=None, repr=False)
    pace: Pace = field(default_factory=Pace)
    reflector: ReflectorSettings = field(default_factory=ReflectorSettings)
    write_statuses: bool = True
