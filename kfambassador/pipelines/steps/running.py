"""What all steps have in common: whom they talk to, and how they end."""

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Final, TypeAlias

from kfambassador.errors import KfAmbassadorError, NotFound
from kfambassador.pipelines.steps.wording import tell
from kfambassador.sdk.connecting import connect
from kfambassador.sdk.exposure import Exposure
from kfambassador.sdk.gateway import Gateway

#: Takes a name and a number that kfp shows as a metric.
Log: TypeAlias = Callable[[str, float], None]

#: What a process ends with that was told to (POSIX: 128 and the signal's number).
_TOLD_TO_END: Final = 128 + signal.SIGTERM
#: How often a step looks whether the process that started it is there, in seconds.
_PARENT_LOOKS: Final = 0.5


class Stopped(SystemExit):
    """The step was told to end before it had done what it was to do.

    Attributes:
        words: What to say of it; whoever cleans up after it says what was done.
    """

    def __init__(self, words: str = "the step was stopped") -> None:
        super().__init__(_TOLD_TO_END)
        self.words = words


@contextmanager
def as_step() -> Iterator[None]:
    """Run what a pipeline's step does: what is wrong is told in words, and a step that is stopped cleans up.

    A pod that is to end gets SIGTERM, which would end Python at once, in the middle of a rollout. Here it is raised, so
    that a canary is taken back. In a container a shell stands between kfp and this process; where the signal ends the
    shell alone, the step notices that nobody waits for it any more.

    Raises:
        SystemExit: With the words, where an error of ours came up.
        Stopped: The step was told to end, or the process that started it has ended.

    Example:
        >>> try:
        ...     with as_step():
        ...         raise KfAmbassadorError("nothing is published as 'mnist'")
        ... except SystemExit as end:
        ...     print(end)
        kfambassador: nothing is published as 'mnist'
    """
    is_main = threading.current_thread() is threading.main_thread()
    before = signal.signal(signal.SIGTERM, _end) if is_main else None
    is_over = threading.Event()
    if is_main:
        threading.Thread(target=_watch_parent, args=(os.getppid(), is_over), daemon=True).start()
    try:
        yield
    except Stopped as stop:
        sys.stderr.write(f"kfambassador: {stop.words}\n")
        raise
    except KfAmbassadorError as error:
        # Whoever reads a step's log looks for what to do; a trace through kfp and through us is no help.
        raise SystemExit(f"kfambassador: {tell(error)}") from error
    finally:
        is_over.set()
        if is_main:
            signal.signal(signal.SIGTERM, before)


def _end(_number: int, _frame: FrameType | None) -> None:
    # Whoever is told twice would be stopped in the middle of cleaning up.
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    raise Stopped


def _watch_parent(parent: int, is_over: threading.Event) -> None:
    """Stop the main thread when the process that started this one has ended."""
    main = threading.main_thread().ident
    while not is_over.wait(_PARENT_LOOKS):
        if os.getppid() != parent and main is not None:
            # To that thread, whose pause it ends.
            signal.pthread_kill(main, signal.SIGTERM)
            return


def open_gateway(target: str | None) -> Gateway:
    """Connect: to the gateway of the cluster a step runs in, as its pod's service account; else to this machine's.

    Args:
        target: ``local``, ``in-cluster`` or a kubeconfig context; None and "" mean what ``KFAMBASSADOR_TARGET`` says.
    """
    return connect(target or None)


def find_exposure(gateway: Gateway, name: str, namespace: str | None) -> Exposure | None:
    """Take up what was published by a name; None where nothing is.

    Args:
        gateway: The gateway.
        name: The name.
        namespace: Where; None and "" mean the gateway's usual one.
    """
    try:
        return gateway.get_exposure(name, namespace=namespace or None)
    except NotFound:
        return None


def say(words: object) -> None:
    """Write something into the step's log."""
    sys.stdout.write(f"{words}\n")


def write(path: str, text: str) -> None:
    """Write a file that kfp keeps; the folder may not be there yet."""
    file = Path(path)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")
