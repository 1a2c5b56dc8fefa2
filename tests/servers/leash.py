"""Runs a program that ends, with all it started, when whoever started this does: ``python leash.py PROGRAM ...``.

Standard input is the leash. It is let go of at the latest when its holder dies, however that comes about.
"""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress

#: Seconds a program may take to end by itself.
PATIENCE = 5.0


def hold(program: list[str]) -> int:
    """Run a program until it ends or standard input does; give its exit status."""
    process = subprocess.Popen(program, stdin=subprocess.DEVNULL)
    let_go = threading.Event()

    def watch() -> None:
        # Not by sys.stdin, which would be locked when the program ends by itself.
        while os.read(0, 4096):
            pass
        let_go.set()
        end(process)

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    status = process.wait()
    if let_go.is_set():
        # The program has ended, but perhaps not all that it started.
        watcher.join()
    return status


def end(process: "subprocess.Popen[bytes]") -> None:
    """Ask a program to end, and kill what is left of all it started, in whatever group or session that is."""
    begun = list(find_descendants(process.pid))
    process.terminate()
    with suppress(subprocess.TimeoutExpired):
        process.wait(PATIENCE)
    for pid in (process.pid, *begun):
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def find_descendants(ancestor: int) -> Iterator[int]:
    """The processes that a process started, and those that they did."""
    listed = subprocess.run(["ps", "-A", "-o", "pid=,ppid="], capture_output=True, text=True, check=True)
    pairs = [(int(pid), int(parent)) for pid, parent in map(str.split, listed.stdout.splitlines())]
    parents = [ancestor]
    while parents:
        asked = parents.pop()
        for pid, parent in pairs:
            if parent == asked:
                parents.append(pid)
                yield pid


if __name__ == "__main__":
    sys.exit(hold(sys.argv[1:]))
