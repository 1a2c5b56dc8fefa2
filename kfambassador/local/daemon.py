"""The user's one shared laptop gateway: a background process, started when somebody needs it.

Every notebook, terminal and panel of a user finds the same one by its runtime file. It ends when nobody has used it for
a while, or when told to.
"""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Final, TextIO, TypeAlias

from kfambassador.errors import ConfigurationError, NoGateway, PortInUse, StateInUse
from kfambassador.local import daemon_process
from kfambassador.local.announcing import announce, retract
from kfambassador.local.daemon_process import Orders
from kfambassador.local.endpoint import GatewayEndpoint
from kfambassador.local.envoy_process import ENVOY_VARIABLE, find_envoy
from kfambassador.local.leases import count_leases, write_lease
from kfambassador.local.lock import GatewayLock, find_holder, is_held
from kfambassador.local.ports import check_port
from kfambassador.local.probes import LOOK_EVERY, find_missing, is_answering
from kfambassador.local.processes import Process
from kfambassador.local.runtime_directory import RuntimeDirectory, open_runtime_directory, read_endpoint

#: Seconds without use after which the gateway ends.
IDLE_TIMEOUT: Final = 30 * 60.0

#: Seconds within which a gateway that is well answers, on a machine that is busy.
ANSWER_TIMEOUT: Final = 5.0

#: Seconds somebody else may take to start the gateway.
START_TIMEOUT: Final = 60.0

#: Seconds the port of a gateway that crashed may take to be free again: its Envoy ends after it.
PORT_TIMEOUT: Final = 3.0

_ADDRESS: Final = "127.0.0.1"
_KILL_TIMEOUT: Final = 5.0
_LAST_WORDS: Final = 12
_ERRORS: Final = {kind.__name__: kind for kind in (PortInUse, StateInUse)}

Progress: TypeAlias = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class GatewayStatus:
    """How the shared gateway is.

    Attributes:
        endpoint: How to reach it; None when none runs.
        missing: What keeps it from being ready; None when nothing does.
        users: How many processes use it.
        log: The file in which it says what it does; None when it says that in a terminal.
        file: The file that tells its addresses and tokens, readable by its user alone.
    """

    endpoint: GatewayEndpoint | None
    missing: str | None
    users: int
    log: Path | None
    file: Path


def ensure_gateway(
    *,
    http_port: int = 0,
    api_port: int = 0,
    state: Path | None = None,
    progress: Progress | None = None,
    idle_timeout: float = IDLE_TIMEOUT,
) -> GatewayEndpoint:
    """Find the shared gateway, or start it; when this returns it answers.

    One that has crashed or does not answer is replaced, with the same ports and state directory where it can be.

    Args:
        http_port: Where models answer, if it is to be started; 0 takes a free port.
        api_port: Where its Kubernetes API answers, if it is to be started; 0 takes the one on which the state directory
            was served last, if it is free, or any free port.
        state: The directory that keeps all objects, if it is to be started; None keeps them in memory.
        progress: Told in a few words what is done next.
        idle_timeout: Seconds without use after which it ends, if it is to be started.

    Raises:
        MissingExtra: The extra ``local`` is not installed.
        PortInUse: Another process holds the port.
        StateInUse: Another gateway holds the state directory.
        NoGateway: Somebody else began to start it and does not come to an end.
        ConfigurationError: It runs with another port or state directory, or cannot be started; the message says why.
    """
    runtime = open_runtime_directory()
    state = None if state is None else state.absolute()
    before = read_endpoint(runtime)
    deadline = time.monotonic() + START_TIMEOUT
    while time.monotonic() < deadline:
        running = _find_running(runtime)
        if running is not None and is_answering(running, timeout=ANSWER_TIMEOUT):
            _check_same(running, http_port=http_port, api_port=api_port, state=state)
            return running
        if running is not None:
            stop_gateway(timeout=ANSWER_TIMEOUT)
        elif (lock := GatewayLock.take(runtime.lock)) is not None:
            wanted = Orders(http_port, api_port, state, idle_timeout)
            return _start(runtime, lock, _follow_up(before, wanted), tell=progress or _say_nothing)
        time.sleep(LOOK_EVERY)
    raise NoGateway(
        f"Another process began to start the gateway and did not come to an end within {START_TIMEOUT:g} s. "
        f"End it with: kfambassador local stop. Its log is {runtime.log}."
    )


@contextmanager
def shared_role() -> Iterator[Callable[[GatewayEndpoint], None] | None]:
    """Let this process be the shared gateway meanwhile, if no other is.

    Yields:
        What to call once the gateway answers, so that others find it; None when there is a shared gateway already.
    """
    runtime = open_runtime_directory()
    lock = GatewayLock.take(runtime.lock)
    if lock is None:
        yield None
        return
    lock.sign()
    # What a gateway before this one said is not what this one says.
    runtime.log.unlink(missing_ok=True)
    try:
        yield partial(announce, runtime)
    finally:
        retract(runtime)
        lock.release()


def find_gateway(runtime: RuntimeDirectory | None = None) -> GatewayEndpoint | None:
    """Find the shared gateway; None when none runs, or it does not answer. To look is not to use it.

    Args:
        runtime: Where it tells of itself; None means where this process's environment says.
    """
    running = _find_running(runtime or open_runtime_directory())
    if running is None or not is_answering(running, timeout=ANSWER_TIMEOUT):
        return None
    return running


def gateway_status() -> GatewayStatus:
    """Tell how the shared gateway is; to ask is not to use it."""
    runtime = open_runtime_directory()
    running = _find_running(runtime)
    log = runtime.log if runtime.log.exists() else None
    if running is None:
        missing: str | None = "it is starting or ending" if is_held(runtime.lock) else "it does not run"
    elif (missing := find_missing(running.diagnostics_url)) and log is not None:
        missing = f"{missing} ({log}: {' '.join(_read_last_words(log, lines=1))})"
    return GatewayStatus(running, missing, count_leases(runtime.leases), log, runtime.file)


def stop_gateway(*, timeout: float = 10.0) -> bool:
    """End the shared gateway: tell it to, and make it when it does not within so many seconds.

    Returns:
        Whether there was one.
    """
    runtime = open_runtime_directory()
    process = _await_holder(runtime, timeout=timeout)
    if process is None:
        retract(runtime)
        return False
    for number, patience in ((signal.SIGTERM, timeout), (signal.SIGKILL, _KILL_TIMEOUT)):
        with suppress(ProcessLookupError):
            os.kill(process.pid, number)
        if _wait_for(lambda: not process.is_alive, timeout=patience):
            break
    left = read_endpoint(runtime)
    if left is not None and left.pid == process.pid:
        retract(runtime)
    return True


def hold_lease() -> None:
    """Say that this process uses the shared gateway, which then does not end before it."""
    write_lease(open_runtime_directory().leases)


def _find_running(runtime: RuntimeDirectory) -> GatewayEndpoint | None:
    """Find what the file tells, if it is of the process that holds the lock and not of one that crashed."""
    endpoint = read_endpoint(runtime)
    holder = find_holder(runtime.lock)
    return endpoint if endpoint is not None and holder is not None and endpoint.pid == holder.pid else None


def _check_same(running: GatewayEndpoint, *, http_port: int, api_port: int, state: Path | None) -> None:
    if http_port not in {0, running.port}:
        difference = f"on port {running.port}, not {http_port}"
    elif api_port not in {0, running.api_port}:
        difference = f"with its Kubernetes API on port {running.api_port}, not {api_port}"
    elif state is not None and state != running.state:
        difference = f"with {f'the state directory {running.state}' if running.state else 'no state directory'}"
    else:
        return
    raise ConfigurationError(
        f"Your gateway runs already, {difference}. Stop it first: kfambassador local stop. "
        "Or start one of your own: kfambassador local"
    )


def _follow_up(before: GatewayEndpoint | None, wanted: Orders) -> Orders:
    """Take over from a gateway that crashed what is not said otherwise."""
    if before is None:
        return wanted
    http_port = wanted.http_port or _take_over(before.port)
    api_port = wanted.api_port or _take_over(before.api_port)
    return replace(wanted, http_port=http_port, api_port=api_port, state=wanted.state or before.state)


def _take_over(port: int) -> int:
    """Give a port of a gateway that crashed as soon as it is free; 0 when it does not get free."""
    return port if _wait_for(lambda: _is_free(port), timeout=PORT_TIMEOUT) else 0


def _start(runtime: RuntimeDirectory, lock: GatewayLock, orders: Orders, *, tell: Progress) -> GatewayEndpoint:
    """Start the process. It inherits the lock, so there is no moment in which two could start."""
    reading, writing = os.pipe()
    with os.fdopen(reading) as report:
        try:
            _spawn(runtime, orders, lock=lock.descriptor, report=writing)
        finally:
            os.close(writing)
            lock.release()
        _read_report(report, runtime, tell)
    endpoint = read_endpoint(runtime)
    if endpoint is None:
        raise NoGateway("The gateway was stopped as soon as it had started.")
    return endpoint


def _spawn(runtime: RuntimeDirectory, orders: Orders, *, lock: int, report: int) -> None:
    envoy = {ENVOY_VARIABLE: str(find_envoy().absolute())}
    # Without the working directory (-P) among the places that modules come from.
    python = [sys.executable, "-P", "-m", daemon_process.__name__]
    with os.fdopen(os.open(runtime.log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as log:
        subprocess.run(
            [*python, str(runtime.path), str(lock), str(report), orders.write()],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            pass_fds=(lock, report),
            start_new_session=True,
            env=os.environ | envoy,
            check=False,
        )


def _read_report(report: TextIO, runtime: RuntimeDirectory, tell: Progress) -> None:
    """Follow the start of the process to its end."""
    for line in map(json.loads, report):
        match line:
            case {"progress": words}:
                tell(words)
            case {"error": kind, "message": message}:
                raise _ERRORS.get(kind, ConfigurationError)(message)
            case _:
                return
    words = _read_last_words(runtime.log, lines=_LAST_WORDS)
    raise ConfigurationError("\n  ".join([f"The gateway did not start. The end of its log, {runtime.log}:", *words]))


def _read_last_words(log: Path, *, lines: int) -> list[str]:
    return log.read_text(errors="replace").splitlines()[-lines:]


def _await_holder(runtime: RuntimeDirectory, *, timeout: float) -> Process | None:
    """Find the process of the gateway; one that has only just begun signs its lock in a moment."""
    _wait_for(lambda: find_holder(runtime.lock) is not None or not is_held(runtime.lock), timeout=timeout)
    return find_holder(runtime.lock)


def _is_free(port: int) -> bool:
    try:
        check_port(_ADDRESS, port)
    except ConfigurationError:
        return False
    return True


def _wait_for(condition: Callable[[], bool], *, timeout: float) -> bool:
    """Wait until something is so; tell whether it is, when so many seconds are over at the latest."""
    deadline = time.monotonic() + timeout
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(LOOK_EVERY)
    return True


def _say_nothing(_words: str) -> None:
    """Take the place of a listener that nobody gave."""
