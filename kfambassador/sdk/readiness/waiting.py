"""Waiting for a publication to answer, and saying which step is missing when it does not."""

import time
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Final

from kfambassador.errors import (
    KfAmbassadorError,
    MappingRejected,
    NoGateway,
    NotServed,
    Unauthorized,
    Unavailable,
)
from kfambassador.resources.fields import is_number
from kfambassador.sdk.access import Access
from kfambassador.sdk.publishing.objects import delete_publication
from kfambassador.sdk.publishing.publication import Publication
from kfambassador.sdk.readiness.diagnosis import diagnose
from kfambassador.sdk.readiness.looking import ENDPOINT_CODES, Looker, Sight
from kfambassador.sdk.readiness.progress import Progress, Watched, choose_progress
from kfambassador.sdk.readiness.proof import CONFLICT, DISAGREEMENT, build_probe
from kfambassador.sdk.readiness.status import ExposureStatus, Phase

__all__ = ["Access", "build_probe", "read_status", "take_down", "wait_for_status", "wait_until_answering"]

#: Called with each new status.
Callback = Callable[[ExposureStatus], object]

#: Seconds between two looks while nothing changes. What the gateway itself decides is seen at once.
POLLING_INTERVAL: Final = 0.5

_FIRST_PAUSE: Final = 0.02
_PROBE_TIMEOUT: Final = 5.0
# Causes are looked for once something is slow, and now and then after that.
_SLOW: Final = 2.0
_BETWEEN_CAUSES: Final = 5.0
# An API that is away, started anew or asks for new credentials may be there again in a moment.
_PASSING: Final = (NoGateway, Unavailable, Unauthorized)


def wait_until_answering(
    access: Access,
    publication: Publication,
    version: str,
    *,
    timeout: float,
    progress: Progress | None = None,
    polling_interval: float = POLLING_INTERVAL,
    callbacks: Sequence[Callback] = (),
) -> ExposureStatus:
    """Wait until a publication is accepted, programmed into every Envoy, and answered by its own servers.

    Of a publication with variants each is asked by its header.

    Args:
        access: The gateway.
        publication: What was published.
        version: The resourceVersion of the Service that carries it.
        timeout: Seconds.
        progress: Shows what is going on; None shows it here, unless the connection is quiet. It is closed at the end.
        polling_interval: Seconds between two looks while nothing changes.
        callbacks: Each is called with each new status.

    Returns:
        The last status.

    Raises:
        MappingRejected: The gateway left a mapping out.
        NotServed: It was deleted or has expired, somebody else takes its requests, or time is up; the message says
            which step is missing and what the likely cause is.
        NoGateway: The gateway's read API was away to the end.
        ApiError: The Kubernetes API was away to the end, or refuses.
    """
    return wait_for_status(
        access,
        publication,
        version,
        {Phase.ANSWERING},
        timeout=timeout,
        progress=progress,
        polling_interval=polling_interval,
        callbacks=callbacks,
    )


def wait_for_status(
    access: Access,
    publication: Publication,
    version: str,
    status: Collection[str] | str,
    *,
    timeout: float,
    progress: Progress | None = None,
    polling_interval: float = POLLING_INTERVAL,
    callbacks: Sequence[Callback] = (),
) -> ExposureStatus:
    """Wait until a publication has come to one of some phases, or past it.

    Args:
        access: The gateway.
        publication: What was published.
        version: The resourceVersion of the Service that carries it.
        status: One phase or several, as :class:`~kfambassador.sdk.readiness.status.Phase` or by name.
        timeout: Seconds.
        progress: Shows what is going on; None shows it here, unless the connection is quiet. It is closed at the end.
        polling_interval: Seconds between two looks while nothing changes.
        callbacks: Each is called with each new status.

    Returns:
        The status that was waited for.

    Raises:
        ValueError: There is no such phase, or a time is negative.
        MappingRejected: The gateway left a mapping out, and that was not waited for.
        NotServed: The same of its deletion and expiry; or time is up.
        NoGateway: The gateway's read API was away to the end.
        ApiError: The Kubernetes API was away to the end, or refuses.
    """
    wanted = frozenset(Phase.read(each) for each in ([status] if isinstance(status, str) else status))
    check_times(timeout, polling_interval)
    shown = Watched(choose_progress(quiet=access.quiet) if progress is None else progress)
    looker = Looker(access, publication, version)
    try:
        wait = _Wait(looker, wanted, timeout=timeout, interval=polling_interval, progress=shown, callbacks=callbacks)
        return wait.run()
    finally:
        shown.close()


def check_times(timeout: float, polling_interval: float = POLLING_INTERVAL) -> None:
    """Refuse times that no wait can have.

    Raises:
        ValueError: They are no numbers, or negative.
    """
    # Compared so that NaN, which would never come, is refused as well.
    if not (is_number(timeout) and timeout >= 0 and is_number(polling_interval) and polling_interval > 0):
        words = f"timeout={timeout!r} and polling_interval={polling_interval!r} are seconds: give positive ones"
        raise ValueError(words)


def read_status(access: Access, publication: Publication, version: str) -> ExposureStatus:
    """Look once how far a publication has come, and for the likely cause where something is missing.

    Args:
        access: The gateway.
        publication: What was published.
        version: The resourceVersion of the Service that carries it.

    Raises:
        NoGateway: The gateway's read API does not answer.
        ApiError: The Kubernetes API does not answer.
    """
    looker = Looker(access, publication, version)
    *_, last = looker.look(wait=0.0, probing=_PROBE_TIMEOUT, is_suspect=True)
    return replace(last.status, cause=diagnose(access, publication, last.status, last.doubt))


def take_down(access: Access, namespace: str, name: str, *, timeout: float) -> bool:
    """Delete a publication, and wait until the gateway serves nothing of it any more.

    Args:
        access: The gateway.
        namespace: Where it is published.
        name: What it was published by.
        timeout: Seconds to wait. A gateway that does not say so in time, or is away, will see to it when it can.

    Returns:
        Whether there was anything to delete.
    """
    deleted = delete_publication(access.client, namespace, name)
    deadline = time.monotonic() + timeout
    for key, left in deleted:
        wait = max(0.0, deadline - time.monotonic())
        with suppress(NoGateway):
            if left:
                # What others wrote there is served on, so it is never absent.
                access.reader.source(key, resource_version=left, wait=wait)
            else:
                access.reader.await_absence(key, wait=wait)
    return bool(deleted)


class _Wait:
    """One wait: looks again and again, and tells what it sees."""

    def __init__(
        self,
        looker: Looker,
        wanted: frozenset[Phase],
        *,
        timeout: float,
        interval: float,
        progress: Progress,
        callbacks: Sequence[Callback],
    ) -> None:
        self._looker = looker
        self._wanted = wanted
        self._interval = interval
        self._progress = progress
        self._callbacks = callbacks
        self._started = time.monotonic()
        self._deadline = self._started + timeout
        self._causes_due = self._started + _SLOW
        self._cause = ""
        self._sight = Sight(looker.begin())
        self._told: ExposureStatus | None = None
        self._trouble: KfAmbassadorError | None = None

    def run(self) -> ExposureStatus:
        """Look until the end."""
        pause = _FIRST_PAUSE
        self._tell(self._sight.status)
        while True:
            began = time.monotonic()
            is_last = began >= self._deadline
            if self._look():
                return self._sight.status
            self._refuse()
            if is_last:
                raise self._give_up()
            self._find_cause()
            now = time.monotonic()
            # A look that waited for the gateway's word has been pause enough.
            time.sleep(max(0.0, min(began + pause, self._deadline) - now))
            pause = min(2 * pause, self._interval)

    def _look(self) -> bool:
        """Look once; tell whether what is waited for is there."""
        now = time.monotonic()
        left = max(0.0, self._deadline - now)
        known = self._sight.status.phase
        sights = self._looker.look(
            wait=min(left, self._interval),
            probing=max(1.0, min(left, _PROBE_TIMEOUT)),
            is_suspect=not left or now - self._started >= self._interval or Phase.GONE in self._wanted,
        )
        while True:
            # Only this call: what a callback raises is for its caller.
            try:
                sight = next(sights, None)
            except _PASSING as error:
                self._trouble = error
                self._tell(replace(self._sight.status, message=str(error), cause="", code="unreachable"))
                return False
            if sight is None:
                self._trouble = None
                return False
            # On the way to the probe nothing is news that was known before.
            if sight.doubt is not None or not sight.status.phase is known is Phase.PROGRAMMED:
                self._see(sight)
            if any(sight.status.phase.reaches(phase) for phase in self._wanted):
                return True

    def _see(self, sight: Sight) -> None:
        cause = self._cause if sight.status.phase is self._sight.status.phase else ""
        self._cause = cause
        self._tell(replace(sight.status, cause=cause))
        self._sight = sight

    def _tell(self, status: ExposureStatus) -> None:
        self._progress.show(status)
        if status != self._told:
            self._told = status
            for callback in self._callbacks:
                callback(status)

    def _find_cause(self) -> None:
        now = time.monotonic()
        if now < self._causes_due or self._trouble is not None:
            return
        self._causes_due = now + _BETWEEN_CAUSES
        self._cause = self._diagnose()
        self._tell(replace(self._sight.status, cause=self._cause))

    def _diagnose(self) -> str:
        looker = self._looker
        return diagnose(looker.access, looker.publication, self._sight.status, self._sight.doubt)

    def _refuse(self) -> None:
        """Raise where waiting mends nothing."""
        status, carrier = self._sight.status, self._looker.publication.carrier
        if status.phase is Phase.REJECTED:
            raise MappingRejected(f"The gateway does not serve {carrier}:", status.problems)
        if status.phase is Phase.EXPIRED:
            raise NotServed(f"{carrier} is not served: {status.message}", stage="accepted")
        if status.phase is Phase.GONE:
            raise NotServed(f"{status.message}, so {status.name} is not served", stage="accepted")
        if status.code == CONFLICT and self._trouble is None and Phase.ANSWERING in self._wanted:
            self._refuse_conflict()

    def _refuse_conflict(self) -> None:
        """Raise because somebody else takes the requests, unless the routes were taken away a moment ago."""
        with suppress(*_PASSING):
            for sight in self._looker.look(wait=0.0, probing=_PROBE_TIMEOUT, is_suspect=True):
                self._sight = sight
        status = self._sight.status
        if status.code == CONFLICT:
            hints = dict.fromkeys(problem.message for problem in status.problems)
            raise NotServed("\n  ".join([status.message, *hints]), stage="programmed")
        if status.is_failure:
            self._tell(status)
            self._refuse()

    def _give_up(self) -> KfAmbassadorError:
        if self._trouble is not None:
            return self._trouble
        status, publication = self._sight.status, self._looker.publication
        cause = self._diagnose()
        if status.phase is Phase.APPLIED:
            return NotServed(_join(f"{publication.carrier} is applied, and {status.message}", cause), stage="accepted")
        if status.phase is Phase.ACCEPTED:
            message = f"{publication.carrier} is read, and not yet served"
            return NotServed(_join(message, cause), stage="programmed")
        if not status or self._sight.doubt is not None:
            stage = "programmed" if status.code == DISAGREEMENT else "answering"
            return NotServed(_tell_silence(publication, status, cause), stage=stage)
        wanted = " or ".join(sorted(self._wanted))
        return NotServed(
            f"{publication.name} is {status.phase}, and did not become {wanted} in time", stage="answering"
        )


def _join(message: str, cause: str) -> str:
    return f"{message}: {cause}" if cause else message


def _tell_silence(publication: Publication, status: ExposureStatus, cause: str) -> str:
    hints = dict.fromkeys(
        problem.message for problem in status.problems if not cause or problem.code not in ENDPOINT_CODES
    )
    lines = "".join(f"\n  {line}" for line in [*cause.splitlines(), *hints])
    return f"{publication.name} is routed to {publication.backend}, but does not answer: {status.message}{lines}"
