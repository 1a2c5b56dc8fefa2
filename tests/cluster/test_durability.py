"""What was acknowledged is kept: through kill -9, a full disk and a second server."""

import errno
import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from kfambassador.errors import ConfigurationError, StateInUse
from kfambassador.local.kube.server import KubeServer
from kfambassador.local.kube.store import storage
from tests.cluster.raw_api import MADE, RawApi, config_map

pytestmark = pytest.mark.embedded

MAPS = "/api/v1/namespaces/default/configmaps"

SERVE = """
import json, signal, sys
from pathlib import Path
from typing import Any
from kfambassador.local.kube.server import KubeServer
with KubeServer(state=Path(sys.argv[1])) as server:
    print(json.dumps([server.url, server.token, server.authority]), flush=True)
    signal.pause()
"""


@contextmanager
def opened(state: Path) -> Iterator[RawApi]:
    """Serve a state directory from this process."""
    with KubeServer(state=state) as server:
        api = RawApi(server.url, server.token, server.authority)
        yield api
        api.close()


@contextmanager
def served_elsewhere(state: Path) -> Iterator[tuple[RawApi, "subprocess.Popen[str]"]]:
    """Serve a state directory from a process that can be killed."""
    with subprocess.Popen([sys.executable, "-c", SERVE, str(state)], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        api = RawApi(*json.loads(process.stdout.readline()))
        try:
            yield api, process
        finally:
            api.close()
            process.kill()


def test_a_restart_keeps_objects_and_versions(tmp_path: Path) -> None:
    with opened(tmp_path) as api:
        created = api.create(MAPS, config_map("a"))
        api.create(MAPS, config_map("b"))
        api.delete(f"{MAPS}/b")
        last = api.get(MAPS).version
    with opened(tmp_path) as api:
        assert api.get(f"{MAPS}/a").object == created.object
        assert api.get(MAPS).version == last
        assert int(api.create(MAPS, config_map("b")).version) > int(last)


def test_an_interrupted_namespace_deletion_goes_on(tmp_path: Path) -> None:
    with opened(tmp_path) as api:
        api.create("/api/v1/namespaces", {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "going"}})
    kept = storage.Store(tmp_path / "kubernetes.db", indexes={})
    record = kept.get(storage.Key("namespaces", "", "going"))
    assert record is not None
    going = record.document["metadata"] | {"deletionTimestamp": "2024-01-01T00:00:00Z"}
    kept.put(record.key, record.document | {"metadata": going})
    kept.close()
    with opened(tmp_path) as api:
        assert api.get("/api/v1/namespaces/going").code == 404


def test_a_second_server_on_the_same_state_is_refused(tmp_path: Path) -> None:
    with opened(tmp_path), pytest.raises(StateInUse, match=rf"{tmp_path} is in use by process {os.getpid()}"):
        KubeServer(state=tmp_path).start()
    with served_elsewhere(tmp_path) as (_, process), pytest.raises(StateInUse, match=f"process {process.pid}"):
        KubeServer(state=tmp_path).start()
    with opened(tmp_path) as api:
        assert api.get(MAPS).code == 200


def test_a_disk_full_from_the_start_is_told_and_the_directory_let_go(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as full:
        full.setattr(os, "pwrite", refuse)
        with pytest.raises(ConfigurationError, match=f"{tmp_path} cannot be used: No space left on device"):
            KubeServer(state=tmp_path).start()
    with opened(tmp_path) as api:
        assert api.get(MAPS).code == 200


def test_a_full_disk_refuses_writes_and_loses_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    databases: list[sqlite3.Connection] = []
    connect = sqlite3.connect

    def remember(*arguments: Any, **options: Any) -> sqlite3.Connection:
        databases.append(connect(*arguments, **options))
        return databases[-1]

    monkeypatch.setattr(sqlite3, "connect", remember)
    with opened(tmp_path) as api:
        kept = api.create(MAPS, config_map("kept"))
        (database,) = databases
        database.execute("PRAGMA max_page_count = 1")
        refused = api.create(MAPS, config_map("big") | {"data": {"key": "x" * 1_000_000}})
        assert (refused.code, refused.reason) == (500, "InternalError")
        assert "database or disk is full" in refused.message
        assert "nothing else was lost" in refused.message
        listed = api.get(MAPS, fieldSelector=MADE)
        assert [item["metadata"]["name"] for item in listed.object["items"]] == ["kept"]
        assert listed.version == kept.version
        database.execute("PRAGMA max_page_count = 1000000")
        assert api.create(MAPS, config_map("later")).code == 201
    with opened(tmp_path) as api:
        listed = api.get(MAPS, fieldSelector=MADE)
        assert [item["metadata"]["name"] for item in listed.object["items"]] == ["kept", "later"]
