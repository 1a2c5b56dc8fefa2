"""The lock that makes a gateway a user's only one.

It is a lock of the kernel's, so it is free as soon as its holder has ended, however that was. The file it is on stays.
"""

import fcntl
import os
from pathlib import Path
from typing import Self

from kfambassador.local.processes import Process


class GatewayLock:
    """A lock that is held, from :meth:`take` to :meth:`release`; and on in each process that inherited its descriptor.

    Attributes:
        descriptor: The open file.
    """

    def __init__(self, descriptor: int) -> None:
        self.descriptor = descriptor

    @classmethod
    def take(cls, path: Path) -> Self | None:
        """Take the lock; None when somebody holds it."""
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        if not _lock(descriptor, fcntl.LOCK_EX):
            os.close(descriptor)
            return None
        os.ftruncate(descriptor, 0)
        return cls(descriptor)

    def sign(self) -> None:
        """Write into the file that this process holds the lock."""
        os.pwrite(self.descriptor, str(Process.current()).encode(), 0)

    def release(self) -> None:
        """Let this process's hold on the lock go."""
        os.close(self.descriptor)


def is_held(path: Path) -> bool:
    """Tell whether somebody holds the lock."""
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except FileNotFoundError:
        return False
    try:
        return not _lock(descriptor, fcntl.LOCK_SH)
    finally:
        os.close(descriptor)


def find_holder(path: Path) -> Process | None:
    """Find the process that holds the lock; None when nobody does, or it has not signed yet."""
    if not is_held(path):
        return None
    holder = Process.read(path.read_text())
    return holder if holder is not None and holder.is_alive else None


def _lock(descriptor: int, how: int) -> bool:
    try:
        fcntl.flock(descriptor, how | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
