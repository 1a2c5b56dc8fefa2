"""Keeps an Envoy running: starts it, and starts it anew when it dies."""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from typing import Final

from kfambassador.errors import ConfigurationError
from kfambassador.local.envoy_process import EnvoyProcess

_log = logging.getLogger(__name__)

#: How often Envoy may be started anew within how many seconds. One that dies more often has a reason to.
MOST_RESTARTS: Final = 3
WITHIN: Final = 60.0

#: Seconds between two attempts to end an Envoy that is just being started anew.
_STOP_EVERY: Final = 0.05


class RestartLimit:
    """Tells whether one more start is too many. Told the time; reads no clock.

    Example:
        >>> limit = RestartLimit(most=2, within=60)
        >>> [limit.allow(now) for now in (0, 1, 2, 60, 61, 62)]
        [True, True, False, True, True, False]
    """

    def __init__(self, *, most: int = MOST_RESTARTS, within: float = WITHIN) -> None:
        self._starts: deque[float] = deque(maxlen=most)
        self._within = within

    def allow(self, now: float) -> bool:
        """Count a start, unless it is one too many."""
        if len(self._starts) == self._starts.maxlen and now - self._starts[0] < self._within:
            return False
        self._starts.append(now)
        return True


class EnvoyKeeper:
    """Runs an Envoy from ``start`` to ``close``, in a thread of its own.

    Args:
        envoy: The process, not started.
        bootstrap: Its first configuration, in JSON.
        clock: Seconds that never go back.
    """

    def __init__(self, envoy: EnvoyProcess, bootstrap: str, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._envoy = envoy
        self._bootstrap = bootstrap
        self._clock = clock
        self._restarts = RestartLimit()
        self._started: Future[None] = Future()
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._keep, name="kfa-envoy", daemon=True)

    def start(self) -> None:
        """Begin to start Envoy; returns at once."""
        self._thread.start()

    def wait_started(self) -> None:
        """Return when Envoy listens.

        Raises:
            PortInUse: Another process holds the port.
            ConfigurationError: It ended or did not become ready.
        """
        self._started.result()

    def close(self) -> None:
        """End Envoy, whatever is being done with it, and keep it so. Does nothing the second time."""
        self._closing.set()
        while self._thread.is_alive():
            self._envoy.stop()
            self._thread.join(_STOP_EVERY)
        self._envoy.stop()

    def _keep(self) -> None:
        try:
            self._launch()
        except BaseException as error:  # noqa: BLE001 - whoever waits for the start is told
            self._started.set_exception(error)
            return
        self._started.set_result(None)
        while not self._closing.is_set():
            code = self._envoy.wait()
            if not self._closing.is_set() and not self._start_anew(code):
                return

    def _launch(self) -> None:
        self._envoy.start(self._bootstrap)
        # To fail when the listener's port was not to be had. An Envoy that is slow to say so, or gone by now, is found
        # out otherwise and not to be ended for it.
        with suppress(OSError):
            self._envoy.address()

    def _start_anew(self, code: int | None) -> bool:
        """Start Envoy again after it ended with an exit code; tell whether there is any use in going on."""
        if not self._restarts.allow(self._clock()):
            _log.error("Envoy ended with code %s, too often: it is left alone. %s says why.", code, self._envoy.log)
            return False
        _log.warning("Envoy ended with code %s and is started anew.", code)
        try:
            self._launch()
        except (ConfigurationError, OSError) as error:
            if not self._closing.is_set():
                _log.error("Envoy could not be started anew. %s", error)
            self._envoy.stop()
        return True
