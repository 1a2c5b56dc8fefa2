"""The environments of real servers, and the leash their programs are kept on."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.servers import environments, leash
from tests.servers.environments import REQUIREMENTS, CannotMakeError, is_left_out, list_names, make_environment

#: Starts a program in a session of its own, tells both numbers, and lives on.
PARENT = """
import os, subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], start_new_session=True)
print(os.getpid(), child.pid, flush=True)
time.sleep(600)
"""


@pytest.fixture
def pins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The pins of an environment that is made elsewhere, without any package index."""
    monkeypatch.setattr(environments, "PLACE", tmp_path / "made")
    monkeypatch.setattr(environments, "REQUIREMENTS", tmp_path)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    pins = tmp_path / "nothing.txt"
    pins.write_text("# nothing\n")
    return pins


def test_an_environment_is_made_once_and_anew_when_its_pins_change(pins: Path) -> None:
    told: list[str] = []
    programs = make_environment("nothing", told.append)
    lives_apart = "import sys; sys.exit(sys.prefix == sys.base_prefix)"
    assert subprocess.run([programs / "python", "-c", lives_apart], check=False).returncode == 0
    assert told.pop().startswith("nothing: made in ")
    told.clear()
    assert make_environment("nothing", told.append) == programs
    assert told == []
    pins.write_text("# something else\n")
    make_environment("nothing", told.append)
    assert told


def test_what_was_broken_off_is_made_anew(pins: Path) -> None:
    programs = make_environment("nothing", lambda _words: None)
    (programs.parent / "made").unlink()
    (programs.parent / "half").touch()
    make_environment("nothing", lambda _words: None)
    assert not (programs.parent / "half").exists()


def test_what_cannot_be_fetched_is_told_in_words(pins: Path) -> None:
    pins.write_text("kserve==0.21.0\n")
    with pytest.raises(CannotMakeError) as caught:
        make_environment("nothing", lambda _words: None)
    assert "The environment of nothing could not be made" in str(caught.value)
    assert "KFAMBASSADOR_SERVERS=skip leaves these tests out" in str(caught.value)
    assert "kserve==0.21.0" in str(caught.value)


def test_they_are_left_out_only_when_that_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(environments.SWITCH, raising=False)
    assert not is_left_out()
    monkeypatch.setenv(environments.SWITCH, "skip")
    assert is_left_out()
    monkeypatch.setenv(environments.SWITCH, "no")
    with pytest.raises(CannotMakeError, match="the one value it may have is skip"):
        is_left_out()


@pytest.mark.parametrize("name", list_names())
def test_pins_are_exact(name: str) -> None:
    lines = (REQUIREMENTS / f"{name}.txt").read_text().splitlines()
    pinned = [line for line in lines if not line.startswith("#")]
    assert pinned
    assert [line for line in pinned if not re.fullmatch(r"[A-Za-z0-9._-]+==[A-Za-z0-9.!]+", line)] == []


def test_nothing_is_left_of_a_program_whose_leash_was_let_go() -> None:
    command = [sys.executable, leash.__file__, sys.executable, "-c", PARENT]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as held:
        assert held.stdin
        assert held.stdout
        numbers = [int(number) for number in held.stdout.readline().split()]
        assert len(numbers) == 2
        held.stdin.close()
        held.wait()
    assert [number for number in numbers if is_running(number)] == []


def is_running(pid: int) -> bool:
    """Whether a process runs; one that has ended and that nobody has asked about does not."""
    told = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return bool(told.stdout.strip()) and not told.stdout.strip().startswith("Z")
