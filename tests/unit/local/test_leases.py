"""Leases end with their processes, and a lock with its last holder."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from kfambassador.local.leases import count_leases, sweep_leases, write_lease
from kfambassador.local.lock import GatewayLock, find_holder, is_held
from kfambassador.local.processes import Process

LIVE = """
import sys
from kfambassador.local.processes import Process

print(Process.current(), flush=True)
sys.stdin.read()
"""

LEASE = """
import sys
from pathlib import Path
from kfambassador.local.leases import write_lease

write_lease(Path(sys.argv[1]))
"""

INHERIT = """
import sys
from kfambassador.local.lock import GatewayLock

GatewayLock(int(sys.argv[1])).sign()
"""


@contextmanager
def process(code: str = "", *arguments: str, inherits: tuple[int, ...] = ()) -> Iterator[Process]:
    """Another process, which has done something, and lives until it is killed or the block ends."""
    command = [sys.executable, "-c", code + LIVE, *arguments]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, pass_fds=inherits
    ) as child:
        assert child.stdout is not None
        found = Process.read(child.stdout.readline().strip())
        assert found is not None
        yield found
        child.kill()


def kill(process: Process) -> None:
    """Kill a child and leave its exit code lying."""
    os.kill(process.pid, signal.SIGKILL)
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)


def test_a_process_is_alive_until_it_ends_even_when_nobody_fetches_its_exit_code() -> None:
    with process() as child:
        assert child.is_alive
        kill(child)
        assert not child.is_alive


def test_another_process_with_the_same_number_is_another() -> None:
    me = Process.current()
    assert me.is_alive
    assert not Process(me.pid, started="1").is_alive


@pytest.mark.parametrize("text", ["", "12", "12-", "-3", "x-3", "readme.txt"])
def test_what_names_no_process_is_read_as_none(text: str) -> None:
    assert Process.read(text) is None


def test_a_lease_lasts_as_long_as_its_process(tmp_path: Path) -> None:
    leases = tmp_path / "leases"
    with process(LEASE, str(leases)) as user:
        write_lease(leases)
        write_lease(leases)
        assert count_leases(leases) == 2
        kill(user)
        assert count_leases(leases) == 1
    assert sweep_leases(leases)
    assert [lease.name for lease in leases.iterdir()] == [str(Process.current())]


def test_a_lease_that_ended_between_two_looks_still_tells_of_use(tmp_path: Path) -> None:
    (tmp_path / str(Process(os.getpid(), started="1"))).touch()
    assert count_leases(tmp_path) == 0
    assert sweep_leases(tmp_path)
    assert not sweep_leases(tmp_path)


def test_without_any_lease_there_are_no_users(tmp_path: Path) -> None:
    assert not sweep_leases(tmp_path / "leases")
    assert count_leases(tmp_path / "leases") == 0


def test_a_lock_is_one_s_alone(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    assert not is_held(path)
    lock = GatewayLock.take(path)
    assert lock is not None
    assert is_held(path)
    assert GatewayLock.take(path) is None
    assert find_holder(path) is None
    lock.sign()
    assert find_holder(path) == Process.current()
    lock.release()
    assert not is_held(path)
    assert find_holder(path) is None


def test_a_lock_passes_to_who_inherits_it_and_is_free_when_that_is_killed(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    lock = GatewayLock.take(path)
    assert lock is not None
    with process(INHERIT, str(lock.descriptor), inherits=(lock.descriptor,)) as heir:
        lock.release()
        assert find_holder(path) == heir
        assert GatewayLock.take(path) is None
        kill(heir)
        again = GatewayLock.take(path)
        assert again is not None
        assert find_holder(path) is None
        again.release()
