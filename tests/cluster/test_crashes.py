"""Several writers, several kills at any moment: no acknowledged write is lost, and revisions never go back."""

import itertools
import os
import random
import signal
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import requests

from tests.cluster.raw_api import Answer, RawApi, config_map
from tests.cluster.test_durability import MAPS, served_elsewhere

pytestmark = pytest.mark.embedded

WRITERS = 4
ROUNDS = 4
WRITES = 25  # of each writer, before the server may be killed
RESTS = ("", "x" * 20_000)  # short writes, and those that are made beside the loop

Value = str | None  # what an object holds, None for one that is not there


@dataclass
class Writer:
    """Somebody who writes objects of their own and notes what was acknowledged."""

    name: str
    chance: random.Random
    known: dict[str, Value] = field(default_factory=dict)
    #: What was sent and never answered: it happened, or it did not.
    pending: tuple[str, Value] | None = None
    newest: int = 0
    written: int = 0

    def write_until_killed(self, api: RawApi, enough: threading.Semaphore) -> None:
        """Create, change and delete, one after the other, until nobody answers any more."""
        try:
            for number in itertools.count(1):
                self._write(api)
                if number == WRITES:
                    enough.release()
        except requests.RequestException:
            pass  # killed
        finally:
            enough.release()  # whatever went wrong, nobody waits for this one
            api.close()

    def _write(self, api: RawApi) -> None:
        name = f"{self.name}-{self.chance.randrange(8)}"
        before, value = self.known.get(name), str(self.written)
        self.written += 1
        wanted = None if before is not None and self.chance.random() < 0.4 else value
        self.pending = (name, wanted)
        answer = self._send(api, name, before, wanted)
        assert answer.code in {200, 201}, answer.message
        self.known[name], self.pending = wanted, None
        if wanted is not None:
            self.see(answer)
        elif self.chance.random() < 0.3:
            self.see(api.get(MAPS, limit=1))  # a delete tells no revision, a list does

    def _send(self, api: RawApi, name: str, before: Value, wanted: Value) -> Answer:
        if wanted is None:
            return api.delete(f"{MAPS}/{name}")
        data = {"value": wanted, "rest": self.chance.choice(RESTS)}
        if before is None:
            return api.create(MAPS, config_map(name) | {"data": data})
        return api.patch(f"{MAPS}/{name}", {"data": data})

    def see(self, answer: Answer) -> None:
        """Note a revision; they only grow."""
        assert int(answer.version) > self.newest or "items" in answer.object
        self.newest = max(self.newest, int(answer.version))

    def check(self, found: dict[str, Value]) -> None:
        """See that all that was acknowledged is there; what was under way is now known."""
        if self.pending:
            name, value = self.pending
            assert found.get(name) in {value, self.known.get(name)}
            self.known[name], self.pending = found.get(name), None
        mine = {name: value for name, value in found.items() if name.startswith(f"{self.name}-")}
        assert mine == {name: value for name, value in self.known.items() if value is not None}


def check_all(api: RawApi, writers: list[Writer]) -> None:
    """See that nothing acknowledged is missing and that the revision is none of the past."""
    listed = api.get(MAPS)
    found: dict[str, Value] = {
        item["metadata"]["name"]: item["data"]["value"] for item in listed.object["items"] if "value" in item["data"]
    }
    for writer in writers:
        writer.check(found)
        assert int(listed.version) >= writer.newest


def write_and_kill(state: Path, writers: list[Writer]) -> None:
    """Serve, let all write, and kill the server in the middle of it."""
    enough = threading.Semaphore(0)
    with served_elsewhere(state) as (api, process):
        check_all(api, writers)
        with ThreadPoolExecutor(WRITERS) as pool:
            ends = [pool.submit(writer.write_until_killed, api.again(), enough) for writer in writers]
            for _ in writers:
                enough.acquire()
            os.kill(process.pid, signal.SIGKILL)
        for end in ends:
            end.result()


def test_no_acknowledged_write_is_lost_whenever_the_server_is_killed(tmp_path: Path) -> None:
    writers = [Writer(f"writer{number}", random.Random(number)) for number in range(WRITERS)]
    for _ in range(ROUNDS):
        write_and_kill(tmp_path, writers)
    with served_elsewhere(tmp_path) as (api, _):
        check_all(api, writers)
    assert all(writer.written >= ROUNDS * WRITES for writer in writers)
