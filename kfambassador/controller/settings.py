"""How a controller is told to run."""

from dataclasses import dataclass, field
from pathlib import Path

from kfambassador.controller.access import is_loopback
from kfambassador.controller.addresses import Address
from kfambassador.controller.debounce import Pace
from kfambassador.controller.reporting.settings import ReportSettings
from kfambassador.controller.reviews import ReviewSettings
from kfambassador.envoy.listeners import ListenerSettings
from kfambassador.errors import ConfigurationError
from kfambassador.kube.reflector import ReflectorSettings
from kfambassador.kube.selectors import Selector
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
        selector: The labels of what tenants write that is acted on; those of what speaks for everybody do not matter.
        state_dir: The directory that keeps what Envoy last acknowledged; None keeps nothing.
        health: Where probes and measurements are answered; None answers none.
        diagnostics_host: Where the read API listens. Anything but loopback needs ``reviews`` or a token.
        diagnostics_port: Its port; 0 takes a free one.
        diagnostics_token: The bearer token whose bearer the read API shows everything; None asks for none.
        reviews: How the read API has the cluster review bearer tokens, so that tenants see what is theirs; None does
            not, and ``diagnostics_token`` is what guards it.
        pace: How bursts of events are joined.
        reflector: How patiently the cluster is followed.
        reporting: What is told to the cluster itself, and by which of several replicas.

    Raises:
        ConfigurationError: The read API would show everybody everything, or it is not clear who guards it.
    """

    xds_socket: Path
    admin_socket: Path | None = None
    listener: ListenerSettings = field(default_factory=ListenerSettings)
    policy: TenancyPolicy = field(default_factory=TenancyPolicy)
    namespace: str | None = None
    selector: Selector = field(default_factory=Selector)
    state_dir: Path | None = None
    health: Address | None = None
    diagnostics_host: str = "127.0.0.1"
    diagnostics_port: int = 0
    diagnostics_token: str | None = field(default=None, repr=False)
    reviews: ReviewSettings | None = None
    pace: Pace = field(default_factory=Pace)
    reflector: ReflectorSettings = field(default_factory=ReflectorSettings)
    reporting: ReportSettings = field(default_factory=ReportSettings)

    def __post_init__(self) -> None:
        """Refuse what would leave the read API unguarded."""
        if self.diagnostics_token is not None and self.reviews is not None:
            raise ConfigurationError(
                "The read API is guarded by diagnostics_token or by reviews, never by both: leave one of them out."
            )
        if self.diagnostics_token is not None and not self.diagnostics_token.strip():
            raise ConfigurationError("diagnostics_token is empty, and would let everybody in: give one, or None.")
        guarded = self.diagnostics_token is not None or self.reviews is not None
        if not guarded and not is_loopback(self.diagnostics_host):
            raise ConfigurationError(
                f"The diagnostics address {self.diagnostics_host!r} can be reached from elsewhere, and nobody guards "
                "the read API: it would show everybody's routes. Let the cluster review who asks "
                "(diagnostics_reviews), or listen on 127.0.0.1."
            )
