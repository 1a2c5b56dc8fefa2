"""A process between a gateway and its Envoy, so that Envoy ends whenever and however the gateway ends.

It is a process because nothing less will do: a parent-death signal is sent when the *thread* that started the child
ends, and does not exist on macOS. It runs as a script with nothing but the standard library, so it starts quickly:

    python -I -S guard.py OWNER GRACE COMMAND...

OWNER is the gateway's process id. The guard's standard input is a pipe that OWNER holds open: when that closes, on
purpose or by death, Envoy is told to end and after GRACE seconds is made to. The exit code is Envoy's, or 128 and its
signal's number, as a shell would say it.
"""

import ctypes
import os
import select
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial

#: How often, in seconds, the owner is looked for. Its pipe tells at once, except when a child that the owner forked
#: lives on and holds a copy of it.
LOOK_EVERY = 1.0

#: The exit code when there is nothing to guard, as a shell would say it.
CANNOT_RUN = 126

#: What tells a program to end.
ENDS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)

# Loaded here, because between fork and exec nothing may be.
_LIBC = ctypes.CDLL(None)
_PR_SET_PDEATHSIG = 1


def main(arguments: Sequence[str]) -> int:
    """Run Envoy until it ends, the owner is gone or a signal says so; answer with its exit code."""
    owner, grace, *command = arguments
    told = listen_for_signals()
    try:
        envoy = start_bound(command)
    except OSError as error:
        sys.stderr.write(f"Cannot run {command[0]}: {error.strerror}\n")
        return CANNOT_RUN
    while envoy.poll() is None and os.getppid() == int(owner):
        readable, _, _ = select.select([sys.stdin, told], [], [], LOOK_EVERY)
        if sys.stdin in readable or (told in readable and _told_to_end(told)):
            break
    return as_shells_say(_end(envoy, grace=float(grace)))


@contextmanager
def held_back_signals() -> Iterator[None]:
    """Keep what tells to end until the program listens that this process turns into, or until the block's end.

    The kernel drops such a signal where it is for the first process of a container and nobody listens. Where this
    process stays what it is, what came meanwhile counts then: its children would never hear what is held back for good.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, ENDS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def listen_for_signals() -> int:
    """Turn what tells to end, and that a child ended, into bytes of a pipe, so that one select waits for everything.

    Returns:
        The pipe's end to read from: a byte a signal, its number.
    """
    told, tell = os.pipe()
    os.set_blocking(tell, False)
    signal.set_wakeup_fd(tell)
    for number in (*ENDS, signal.SIGCHLD):
        signal.signal(number, lambda _number, _frame: None)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, ENDS)
    return told


def start_bound(command: Sequence[str]) -> "subprocess.Popen[bytes]":
    """Start a program that Linux ends should this process be killed; only from a process with one thread.

    Raises:
        OSError: It cannot be run.
    """
    bind = partial(_die_with, os.getpid())
    # No environment: whoever may write a header format can read Envoy's. A group of its own: Ctrl-C in a terminal is
    # for whoever watches over it.
    return subprocess.Popen(command, stdin=subprocess.DEVNULL, env={}, preexec_fn=bind, process_group=0)  # noqa: PLW1509 - no threads here


def as_shells_say(code: int) -> int:
    """The exit code of a program, or 128 and the number of the signal that ended it.

    Example:
        >>> as_shells_say(1), as_shells_say(-9)
        (1, 137)
    """
    return code if code >= 0 else 128 - code


def _told_to_end(told: int) -> bool:
    return any(number != signal.SIGCHLD for number in os.read(told, 64))


def _die_with(guard: int) -> None:
    """In the child, before it becomes Envoy: let Linux end it should somebody kill the guard."""
    if sys.platform == "linux":
        _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != guard:
            os._exit(1)


def _end(envoy: "subprocess.Popen[bytes]", *, grace: float) -> int:
    envoy.terminate()
    try:
        return envoy.wait(timeout=grace)
    except subprocess.TimeoutExpired:
        envoy.kill()
        return envoy.wait()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
