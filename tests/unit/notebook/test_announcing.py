"""Announcing which gateway a kernel uses: files in Jupyter's runtime directory."""

import json
import os
import socket
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from kfambassador.local.processes import Process
from kfambassador.notebook.announcing import Announced, describe, find_announcements
from kfambassador.sdk.targets import InCluster, Kubeconfig, Local

#: A process that announces two gateways and waits until it is told to end, well or badly.
ANNOUNCING = """
import os, sys
from types import SimpleNamespace
from kfambassador.notebook.announcing import announce
from kfambassador.sdk.targets import Kubeconfig, Local
for place in (Local(), Kubeconfig("staging"), Local()):
    announce(SimpleNamespace(place=place, url="http://127.0.0.1:1", token="secret"))
print("announced", flush=True)
if sys.stdin.readline().strip() == "crash":
    os._exit(1)
"""


@pytest.fixture
def runtime(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", str(tmp_path / "jupyter"))
    monkeypatch.setenv("KFAMBASSADOR_RUNTIME_DIR", str(tmp_path / "gateway"))
    monkeypatch.setenv("KUBECONFIG", "kube.yaml")
    monkeypatch.chdir(tmp_path)
    return tmp_path / "jupyter"


@contextmanager
def announcing_process() -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(
        [sys.executable, "-c", ANNOUNCING], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "announced\n"
        yield process


def end(process: subprocess.Popen[str], how: str) -> None:
    process.communicate(f"{how}\n")


def announcements(runtime: Path) -> list[Path]:
    return sorted(runtime.glob("kfambassador-*"))


def write(runtime: Path, name: str, **document: object) -> Path:
    runtime.mkdir(exist_ok=True)
    path = runtime / f"kfambassador-{name}.json"
    path.write_text(json.dumps(document))
    path.chmod(0o600)
    return path


def described(process: str, *gateways: object, host: str | None = None) -> dict[str, object]:
    return {"process": process, "host": host or socket.gethostname(), "gateways": gateways}


def test_a_kernel_says_which_gateways_it_uses_and_no_secret_and_takes_it_back(runtime: Path) -> None:
    with announcing_process() as process:
        [file] = announcements(runtime)
        assert file.name.startswith(f"kfambassador-{process.pid}-")
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        assert "secret" not in file.read_text()
        assert find_announcements() == [
            Announced(Local(), runtime.parent / "gateway"),
            Announced(Kubeconfig("staging", runtime.parent / "kube.yaml")),
        ]
        end(process, "well")
    assert announcements(runtime) == []
    assert find_announcements() == []


def test_what_a_crash_left_is_passed_over_and_cleared_away(runtime: Path) -> None:
    with announcing_process() as process:
        end(process, "crash")
    assert len(announcements(runtime)) == 1
    assert find_announcements() == []
    assert announcements(runtime) == []


def test_a_number_that_another_process_has_now_counts_as_ended(runtime: Path) -> None:
    file = write(runtime, "1", **described(f"{os.getpid()}-1", {"kind": "in-cluster"}))
    assert find_announcements() == []
    assert not file.exists()


def test_processes_of_other_machines_with_the_same_home_are_left_alone(runtime: Path) -> None:
    file = write(runtime, "1", **described("1-1", {"kind": "in-cluster"}, host="elsewhere"))
    assert find_announcements() == []
    assert file.exists()


def test_what_is_not_understood_is_passed_over(runtime: Path) -> None:
    me = str(Process.current())
    write(runtime, "1", **described(me, {"kind": "in-cluster"}, {"kind": "moon"}, 7, {"kind": "local", "runtime": "x"}))
    write(runtime, "2", host=socket.gethostname(), process=me, gateways="many")
    write(runtime, "3", **described("nonsense", {"kind": "in-cluster"})).write_text("[not json")
    assert find_announcements() == [Announced(InCluster())]


def test_only_what_this_user_alone_can_have_written_counts(runtime: Path, tmp_path: Path) -> None:
    document = described(str(Process.current()), {"kind": "in-cluster"})
    write(runtime, "writable", **document).chmod(0o666)
    (runtime / "kfambassador-link.json").symlink_to(write(runtime, "target", **document).rename(tmp_path / "target"))
    os.mkfifo(runtime / "kfambassador-pipe.json")
    write(runtime, "large", **document, filling="x" * 100_000)
    assert find_announcements() == []


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_files_of_others_do_not_count(runtime: Path) -> None:
    file = write(runtime, "other", **described(str(Process.current()), {"kind": "in-cluster"}))
    os.chown(file, 4711, 4711)
    assert find_announcements() == []
    assert file.exists()


def test_a_runtime_directory_that_cannot_be_written_keeps_nobody_from_connecting(
    runtime: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", str(tmp_path / "file/jupyter"))
    with announcing_process() as process:
        end(process, "well")
    assert process.returncode == 0


def test_a_kubeconfig_is_found_from_another_directory(runtime: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KUBECONFIG", f"a.yaml{os.pathsep}/etc/b.yaml")
    joined = f"{Path.cwd()}/a.yaml{os.pathsep}/etc/b.yaml"
    assert describe(Kubeconfig("staging")) == Announced(Kubeconfig("staging", Path(joined)))
    monkeypatch.delenv("KUBECONFIG")
    assert describe(Kubeconfig("staging")) == Announced(Kubeconfig("staging"))
