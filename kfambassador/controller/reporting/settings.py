"""What is told to the cluster, and by whom."""

from dataclasses import dataclass, field

from kfambassador.controller.reporting.event_book import EventPace
from kfambassador.controller.reporting.lease import LeaseSettings


@dataclass(frozen=True, slots=True)
class ReportSettings:
    """What is told to the cluster, and by whom.

    Attributes:
        statuses: Whether the status of Mappings is written (AMBASSADOR_UPDATE_MAPPING_STATUS, which is off there).
        events: Whether Events are written.
        lease: How replicas agree on who writes. None: there is no other replica, now or ever, and this one writes; two
            of that kind would write the same twice, and overwrite each other where they differ.
        identity: What this replica is called, such as its pod's name; "" is the machine's name.
        event_pace: How fast Events are written on one object, and how often again.
    """

    statuses: bool = True
    events: bool = True
    lease: LeaseSettings | None = None
    identity: str = ""
    event_pace: EventPace = field(default_factory=EventPace)
