"""A load on gateways that counts every failed request, and goes where a cluster would send it."""

import random
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from http.client import HTTPConnection, HTTPException
from threading import Event, Lock, Thread
from typing import Final, NamedTuple

from tests.faults.programs import PATIENCE

_OK: Final = "200"


class Target(NamedTuple):
    """A gateway to send requests to.

    Attributes:
        port: Where it listens, on loopback.
        is_ready: Says whether its probe finds it ready; it is asked all the time.
    """

    port: int
    is_ready: Callable[[], bool] = lambda: True


class Load:
    """Sends requests on connections that are kept, as clients of a model do.

    A connection that was asked to be closed is closed, and the next one goes to a gateway that was found ready.

    Args:
        targets: The gateways. Of several, new connections go to those that are ready.
        paths: What is asked for.
        clients: Connections at once.
        pause: Seconds between two requests of one client: the load is to notice failures, not to use up the machine.
        lag: Seconds after which everybody knows that a gateway is ready, or is not any more.

    Attributes:
        answers: How often each outcome came: a status, or how the connection broke.
    """

    def __init__(
        self,
        targets: Sequence[Target],
        paths: Sequence[str],
        *,
        clients: int = 4,
        lag: float = 0.5,
        pause: float = 0.002,
    ) -> None:
        self.answers: Counter[str] = Counter()
        self.bodies: Counter[str] = Counter()
        self._targets = targets
        self._paths = paths
        self._clients = clients
        self._lag = lag
        self._pause = pause
        self._ready: Sequence[Target] = targets
        self._lock = Lock()
        self._stopped = Event()

    @property
    def failed(self) -> dict[str, int]:
        """Every outcome but 200, with its count."""
        return {outcome: count for outcome, count in self.answers.items() if outcome != _OK}

    @property
    def count(self) -> int:
        """How many requests were answered with 200."""
        return self.answers[_OK]

    @contextmanager
    def running(self) -> Iterator["Load"]:
        """Send requests while the block lasts, and at least a hundred after what it did."""
        threads = [Thread(target=self._run) for _ in range(self._clients)]
        if len(self._targets) > 1:
            threads.append(Thread(target=self._probe))
        for thread in threads:
            thread.start()
        try:
            yield self
            self.more(100)
        finally:
            self._stopped.set()
            for thread in threads:
                thread.join()

    def more(self, number: int) -> None:
        """Wait until so many more requests were sent, whatever their outcome."""
        wanted, deadline = self.answers.total() + number, time.monotonic() + PATIENCE
        while self.answers.total() < wanted:
            assert time.monotonic() < deadline, f"nobody answers any more: {self.answers}"
            time.sleep(0.01)

    def _probe(self) -> None:
        """Learn as a cluster does who is ready: by asking, and late."""
        while not self._stopped.wait(0.1):
            found = [target for target in self._targets if target.is_ready()]
            if found != self._ready:
                self._stopped.wait(self._lag)
                self._ready = found

    def _run(self) -> None:
        while not self._stopped.is_set():
            ready = self._ready
            if not ready:
                self._note("nobody is ready")
                self._stopped.wait(self._pause)
                continue
            self._use_one_connection(random.choice(ready))

    def _use_one_connection(self, target: Target) -> None:
        """Send requests until Envoy asks for the connection to be closed, or something goes wrong."""
        connection = HTTPConnection("127.0.0.1", target.port, timeout=30)
        more = True
        try:
            while more and not self._stopped.wait(self._pause):
                connection.request("GET", random.choice(self._paths))
                answer = connection.getresponse()
                body = answer.read().decode(errors="replace")
                self._note(str(answer.status), body)
                more = not answer.will_close
        except (OSError, HTTPException) as error:
            self._note(type(error).__name__)
        finally:
            connection.close()

    def _note(self, outcome: str, body: str = "") -> None:
        with self._lock:
            self.answers[outcome] += 1
            if outcome == _OK:
                self.bodies[body] += 1


def ask(port: int, path: str) -> tuple[int, str]:
    """Send one request; give the status and the body, 0 and the reason where no answer came."""
    connection = HTTPConnection("127.0.0.1", port, timeout=30)
    with suppress(OSError, HTTPException):
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            return answer.status, answer.read().decode(errors="replace")
        finally:
            connection.close()
    return 0, "no answer"
