"""Servers as processes of this machine: started on a free port, waited for by what they say of their health."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from http.client import HTTPException
from pathlib import Path
from typing import Any, Final
from urllib.request import ProxyHandler, Request, build_opener

from tests.servers import leash

#: Seconds a server may take to be well, and its programs to be compiled the first time.
STARTING: Final = 180.0
_BETWEEN: Final = 0.1
_QUOTED: Final = 3000

#: Asks this machine, whatever proxies the environment names.
_DIRECT: Final = build_opener(ProxyHandler({}))


@contextmanager
def running(command: Sequence[str], *, place: Path, log: Path, variables: Mapping[str, str]) -> Iterator["Server"]:
    """Run a server while the block does; nothing it started is left after it."""
    held = [sys.executable, leash.__file__, *command]
    with log.open("wb") as output:
        process = subprocess.Popen(
            held,
            cwd=place,
            env={**os.environ, **variables},
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=subprocess.STDOUT,
            # Ctrl-C is for the tests, which then let go of the leash.
            start_new_session=True,
        )
    try:
        yield Server(process, log)
    finally:
        assert process.stdin
        process.stdin.close()
        process.wait(leash.PATIENCE * 3)


class Server:
    """A server that was started."""

    def __init__(self, process: "subprocess.Popen[bytes]", log: Path) -> None:
        self._process = process
        self._log = log

    def wait(self, health: str) -> None:
        """Wait until a GET of its health is answered with success.

        Raises:
            AssertionError: It ended, or was not well in time; its log's end is told.
        """
        deadline = time.monotonic() + STARTING
        while not answers(health):
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise AssertionError(self.tell())
            time.sleep(_BETWEEN)

    def tell(self) -> str:
        """Say how it is, and the end of its log."""
        ended = self._process.poll()
        what = "is not well" if ended is None else f"ended with {ended}"
        return f"the server {what}; its log ends:\n{self._log.read_text(errors='replace')[-_QUOTED:]}"


def answers(url: str) -> bool:
    """Whether a GET is answered with success."""
    try:
        with _DIRECT.open(url, timeout=5):
            return True
    except (OSError, HTTPException):
        return False


def ask(url: str, body: object = None) -> Any:
    """Ask a server itself; give the answer's JSON."""
    data = None if body is None else json.dumps(body).encode()
    request = Request(url, data=data, headers={"Content-Type": "application/json"})
    with _DIRECT.open(request, timeout=30) as answer:
        return json.load(answer)
