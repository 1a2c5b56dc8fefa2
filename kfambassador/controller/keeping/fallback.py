"""When what an earlier run kept is served: while the cluster cannot be read at the start, and not a moment longer."""

import asyncio
import logging
from collections.abc import Callable
from typing import Final

from kfambassador.controller.keeping.keeper import Kept
from kfambassador.controller.logs import FIELDS
from kfambassador.envoy.snapshot import Snapshot, TypeUrl

_log = logging.getLogger(__name__)

#: Seconds the first lists may take before what was kept is served, where nothing says that the cluster is away.
PATIENCE: Final = 5.0


class Fallback:
    """Serves what was kept, at most once. Belongs to one event loop's thread.

    Args:
        kept: What an earlier run kept; None when it kept nothing.
        publish: Serves a snapshot.

    Attributes:
        is_used: Whether what was kept is served now.
    """

    def __init__(self, kept: Kept | None, publish: Callable[[Snapshot], None]) -> None:
        self.is_used = False
        self._kept = kept
        self._publish = publish
        self._timer: asyncio.TimerHandle | None = None

    def start(self) -> None:
        """Begin to wait for the cluster's first lists."""
        if self._kept is not None:
            waited = f"it was not read in {PATIENCE:g} s"
            self._timer = asyncio.get_running_loop().call_later(PATIENCE, self.use, waited)

    def use(self, reason: str) -> None:
        """Serve what was kept, unless it is served already or not needed any more.

        Args:
            reason: What keeps the cluster from being read.
        """
        kept, self._kept = self._kept, None
        if kept is None:
            return
        self._cancel()
        self.is_used = True
        clusters = len(kept.snapshot.of_type(TypeUrl.CLUSTER))
        _log.error(
            "The cluster cannot be read. What Envoy acknowledged in an earlier run is served in its place, %d clusters "
            "as of %s, and changes since then are not; %s",
            clusters,
            kept.written.isoformat(timespec="seconds"),
            reason,
            extra={FIELDS: {"kept": kept.written.isoformat(), "clusters": clusters}},
        )
        self._publish(kept.snapshot)

    def end(self) -> None:
        """What was made of the cluster is served from now on."""
        self._cancel()
        self._kept = None
        if self.is_used:
            self.is_used = False
            _log.warning("The cluster was read: what it says is served, and nothing of an earlier run any more")

    def _cancel(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
