"""What a Lease says, and who may claim it: the rules of Kubernetes' own leader election. Pure.

Nobody's time of day is believed. A candidate looks at the Lease again and again; when it has stayed the same for as
long as its holder said it would last, by the candidate's own clock, its holder is gone. The holder counts from before
it asked for its last renewal, so it always stops before anybody else may begin.
"""

import math
from collections.abc import Mapping as Dict
from dataclasses import dataclass

from kfambassador.errors import ConfigurationError
from kfambassador.kube.kinds import LEASE
from kfambassador.kube.objects import Manifest
from kfambassador.names import INSTALL_NAMESPACE, STATUS_LEASE
from kfambassador.resources.fields import as_object, as_text

# client-go's proportions: of 15 seconds, the holder gives up after 10 without a renewal, and renews every 2.
_DEADLINE = 2 / 3
_RETRY = 2 / 15


@dataclass(frozen=True, slots=True)
class LeaseSettings:
    """How replicas agree on who tells the cluster.

    Attributes:
        name: The Lease's name.
        namespace: Where it is: the gateway's namespace.
        duration: Whole seconds after which a Lease that is not renewed may be claimed by another replica.

    Raises:
        ConfigurationError: The duration is no whole number of seconds, or less than one.

    Example:
        >>> settings = LeaseSettings()
        >>> settings.duration, round(settings.deadline, 6), round(settings.retry, 6)
        (15.0, 10.0, 2.0)
    """

    name: str = STATUS_LEASE
    namespace: str = INSTALL_NAMESPACE
    duration: float = 15.0

    def __post_init__(self) -> None:
        """Refuse what a Lease cannot say."""
        if not math.isfinite(self.duration) or self.duration < 1 or self.duration != int(self.duration):
            words = f"lease_duration is {self.duration:g}, and a Lease counts in whole seconds: write 1 or more, as 15."
            raise ConfigurationError(words)

    @property
    def deadline(self) -> float:
        """Seconds without a renewal after which the holder takes itself for deposed; well before others may claim."""
        return self.duration * _DEADLINE

    @property
    def retry(self) -> float:
        """Seconds between two renewals, or two looks."""
        return self.duration * _RETRY


@dataclass(frozen=True, slots=True)
class _Record:
    """What was seen of a Lease."""

    holder: str
    duration: float
    renewed: str
    transitions: int
    acquired: str


class Candidate:
    """One replica in one election. Does nothing itself: it is told what was seen and when, and says what to write.

    Args:
        settings: Which Lease.
        identity: What this replica is called; no two may be called the same.
    """

    def __init__(self, settings: LeaseSettings, *, identity: str) -> None:
        self._settings = settings
        self._identity = identity
        self._record: _Record | None = None
        self._since = 0.0
        self._is_gone = False

    @property
    def holder(self) -> str:
        """Who was seen to hold the Lease; "" for nobody."""
        return self._record.holder if self._record else ""

    def see(self, lease: Manifest | None, *, now: float) -> None:
        """Note the Lease as it is, None when there is none.

        Args:
            lease: The Lease.
            now: The time after it was read, by a clock that never goes back.
        """
        if lease is None:
            # Somebody deleted it. Whoever held it may have renewed it just before, and has not heard of that yet.
            self._since = self._since if self._is_gone else now
            self._is_gone = True
            return
        record = _read(lease, self._settings)
        if record != self._record or self._is_gone:
            self._record, self._since = record, now
        self._is_gone = False

    def may_claim(self, *, now: float, leads: bool = False) -> bool:
        """Tell whether the Lease is this replica's to take, or to keep.

        Args:
            now: The time.
            leads: Whether its own last renewal still counts.
        """
        record = self._record
        if record is None or now - self._since >= record.duration:
            return True
        # Who held last what is gone now nobody knows but its holder.
        return leads if self._is_gone else record.holder in {"", self._identity}

    def claim(self, lease: Manifest | None, *, told: str) -> Manifest:
        """Write the Lease that claims or renews it.

        Args:
            lease: The Lease as it is, None when there is none.
            told: The time of day, for people to read; nobody acts on it.
        """
        record = None if lease is None else _read(lease, self._settings)
        is_renewal = record is not None and record.holder == self._identity
        transitions = 0 if record is None else record.transitions + (not is_renewal)
        spec: dict[str, object] = {
            "holderIdentity": self._identity,
            "leaseDurationSeconds": int(self._settings.duration),
            "acquireTime": record.acquired if record is not None and is_renewal and record.acquired else told,
            "renewTime": told,
            "leaseTransitions": transitions,
        }
        return self._write(spec, lease)

    def release(self, lease: Manifest, *, told: str) -> Manifest:
        """Write the Lease that gives it up: nobody holds it, and whoever looks next may claim it."""
        transitions = _read(lease, self._settings).transitions
        spec: dict[str, object] = {"leaseDurationSeconds": 1, "renewTime": told, "leaseTransitions": transitions}
        return self._write(spec, lease)

    def _write(self, spec: dict[str, object], lease: Manifest | None) -> Manifest:
        known = as_object(lease.get("metadata")) if lease is not None else {}
        # The version and the uid make the API refuse it where somebody else was quicker.
        kept = {name: known[name] for name in ("labels", "annotations", "resourceVersion", "uid") if name in known}
        metadata = {**kept, "name": self._settings.name, "namespace": self._settings.namespace}
        return {"apiVersion": LEASE.api_version, "kind": LEASE.kind, "metadata": metadata, "spec": spec}


def _read(lease: Dict[str, object], settings: LeaseSettings) -> _Record:
    spec = as_object(lease.get("spec"))
    duration, transitions = spec.get("leaseDurationSeconds"), spec.get("leaseTransitions")
    return _Record(
        holder=as_text(spec.get("holderIdentity")),
        duration=float(duration) if isinstance(duration, int) and duration > 0 else settings.duration,
        renewed=as_text(spec.get("renewTime")),
        transitions=transitions if isinstance(transitions, int) else 0,
        acquired=as_text(spec.get("acquireTime")),
    )
