"""Leases: which processes use the shared gateway.

A lease is an empty file named after its process. Nobody gives one back: it ends with the process, however that ends.
"""

from pathlib import Path

from kfambassador.local.processes import Process


def write_lease(directory: Path) -> None:
    """Say that this process uses the gateway until it ends; to say it twice is no fault."""
    directory.mkdir(mode=0o700, exist_ok=True)
    (directory / str(Process.current())).touch(mode=0o600)


def count_leases(directory: Path) -> int:
    """Count the processes that use the gateway now."""
    return sum(_is_current(lease) for lease in directory.glob("*"))


def sweep_leases(directory: Path) -> bool:
    """Remove the leases of processes that have ended.

    Returns:
        Whether any process uses the gateway, or did since somebody swept last.
    """
    leases = list(directory.glob("*"))
    for lease in leases:
        if not _is_current(lease):
            lease.unlink(missing_ok=True)
    return bool(leases)


def _is_current(lease: Path) -> bool:
    process = Process.read(lease.name)
    return process is not None and process.is_alive
