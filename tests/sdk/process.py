"""Another process that uses the gateway, to be killed or interrupted."""

import signal
import subprocess
import sys
from typing import Self

from tests.sdk.front import Front
from tests.sdk.team import Team

# What another process does with a gateway; it says when it is done.
PROGRAM = """
import json, sys
from pathlib import Path
import kfambassador as kfa
kubeconfig, url, diagnostics, token, act = sys.argv[1:]
gateway = kfa.connect(
    kfa.Kubeconfig(path=Path(kubeconfig)), url=url, diagnostics_url=diagnostics, diagnostics_token=token, quiet=True
)
def say(words):
    print(words, flush=True)
exec(act)
say("done")
"""


class Process:
    """Another process that uses the gateway through the front; killed at the end of a ``with`` block."""

    def __init__(self, team: Team, front: Front, act: str) -> None:
        config = team.write_kubeconfig("process", team.gateway.client.bearer_token() or "", server=front.url)
        place = team.place
        words = [str(config), place.url, place.diagnostics_url, place.diagnostics_token, act]
        self._process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        assert self._process.stdout is not None
        self._said = self._process.stdout

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.communicate()

    def hear(self) -> str:
        """The next line it says; "" once it has ended."""
        return self._said.readline().strip()

    def hear_until(self, wanted: str) -> None:
        """Wait until it says something; it must before it ends."""
        for said in iter(self.hear, ""):
            if said == wanted:
                return
        raise AssertionError(self.end())

    def send(self, number: signal.Signals) -> None:
        """Send it a signal."""
        self._process.send_signal(number)

    def end(self) -> tuple[int, str]:
        """Wait for its end; give its status and its last words."""
        _, words = self._process.communicate(timeout=60)
        return self._process.returncode, words
