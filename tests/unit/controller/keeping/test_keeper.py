"""The file that keeps what Envoy last acknowledged: whole or not at all, its owner's alone, and never misunderstood."""

import os
import stat
import time
from dataclasses import replace
from pathlib import Path

import pytest

from kfambassador.controller.keeping import keeper as module
from kfambassador.controller.keeping import writing
from kfambassador.controller.keeping.keeper import FILE, Keeper
from kfambassador.controller.keeping.writing import Unusable, describe_maker, read_snapshot, write_snapshot
from kfambassador.controller.settings import ControllerSettings
from kfambassador.envoy.listeners import ListenerSettings
from kfambassador.envoy.snapshot import EARLIER, Snapshot, TypeUrl, XdsResource
from kfambassador.errors import ConfigurationError
from kfambassador.kube.selectors import Selector
from kfambassador.routing.policy import TenancyPolicy

SETTINGS = ControllerSettings(xds_socket=Path("/run/kfambassador/xds.sock"))
MAKER = describe_maker(SETTINGS)


def snapshot(*bodies: bytes, generation: int = 7) -> Snapshot:
    clusters = {f"c{number}": XdsResource.of(f"c{number}", body) for number, body in enumerate(bodies)}
    listener = XdsResource.of("http", b"\x00\n\xff")
    return Snapshot({TypeUrl.CLUSTER: clusters, TypeUrl.LISTENER: {"http": listener}}, generation=generation)


def keep(directory: Path, kept: Snapshot) -> Path:
    keeper = Keeper(directory, MAKER)
    keeper.start()
    keeper.note_acknowledged(kept)
    keeper.stop()
    assert keeper.fault == ""
    return directory / FILE


def recall(directory: Path) -> Snapshot | None:
    kept = Keeper(directory, MAKER).recall()
    return None if kept is None else kept.snapshot


def test_what_was_kept_comes_back_as_of_an_earlier_run(tmp_path: Path) -> None:
    kept = snapshot(b"one", b"", b"\n")
    keep(tmp_path, kept)
    assert recall(tmp_path) == replace(kept, generation=EARLIER)


def test_the_file_is_its_owners_alone_and_names_no_secret_in_the_clear(tmp_path: Path) -> None:
    file = keep(tmp_path / "new" / "state", snapshot(b"-----BEGIN PRIVATE KEY-----"))
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    assert [path.name for path in file.parent.iterdir()] == [FILE]


def test_the_newest_is_kept_and_what_is_the_same_is_not_written_again(tmp_path: Path) -> None:
    keeper = Keeper(tmp_path, MAKER)
    keeper.start()
    for number in range(200):
        keeper.note_acknowledged(snapshot(b"%d" % number, generation=number))
    keeper.stop()
    last = snapshot(b"199")
    assert recall(tmp_path) == replace(last, generation=EARLIER)
    before = (tmp_path / FILE).stat()
    keeper._next = snapshot(b"199", generation=500)
    keeper._keep()
    assert (tmp_path / FILE).stat().st_ino == before.st_ino


@pytest.mark.parametrize("cut", [0, 1, 20, 45, 60, 100, -1])
def test_half_a_file_is_not_used(tmp_path: Path, cut: int, caplog: pytest.LogCaptureFixture) -> None:
    file = keep(tmp_path, snapshot(os.urandom(200)))
    file.write_bytes(file.read_bytes()[:cut])
    assert recall(tmp_path) is None
    assert f"{file} is not used: it is" in caplog.text


def test_a_file_of_which_any_byte_is_another_is_not_used() -> None:
    kept = write_snapshot(snapshot(b"one", b"two"), made_by=MAKER)
    for place in range(len(kept)):
        damaged = bytearray(kept)
        damaged[place] ^= 0x55
        with pytest.raises(Unusable):
            read_snapshot(bytes(damaged), made_by=MAKER)


def test_a_file_of_another_version_is_not_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(writing, "FORMAT", 2)
        keep(tmp_path, snapshot(b"one"))
    assert recall(tmp_path) is None
    assert "another version of kfambassador wrote it" in caplog.text


OTHER_SETTINGS = [
    replace(SETTINGS, namespace="team"),
    replace(SETTINGS, selector=Selector.read("team=vision")),
    replace(SETTINGS, listener=ListenerSettings(port=9090)),
    replace(SETTINGS, policy=TenancyPolicy.permissive()),
    replace(SETTINGS, policy=TenancyPolicy(header_operators=frozenset({"PROTOCOL"}))),
]


@pytest.mark.parametrize("settings", OTHER_SETTINGS)
def test_what_other_settings_made_is_not_used(settings: ControllerSettings) -> None:
    kept = write_snapshot(snapshot(b"one"), made_by=describe_maker(settings))
    with pytest.raises(Unusable, match="the gateway's settings were others"):
        read_snapshot(kept, made_by=MAKER)


def test_a_pod_that_is_made_anew_may_use_what_the_one_before_kept() -> None:
    moved = replace(SETTINGS, policy=TenancyPolicy(own_addresses=frozenset({("10.0.0.1", 8081)})))
    assert describe_maker(moved) == MAKER


def test_settings_are_named_alike_whatever_the_order_of_their_parts() -> None:
    names = [f"OPERATOR_{number}" for number in range(50)]
    policies = [TenancyPolicy(header_operators=frozenset(each)) for each in (names, reversed(names))]
    made = {describe_maker(replace(SETTINGS, policy=policy)) for policy in policies}
    assert len(made) == 1


def test_a_file_that_others_may_read_or_that_is_none_is_not_used(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    file = keep(tmp_path, snapshot(b"one"))
    file.chmod(0o640)
    assert recall(tmp_path) is None
    assert "it is not a file of this user's alone" in caplog.text
    file.chmod(0o600)
    other = file.rename(tmp_path / "other")
    file.symlink_to(other)
    assert recall(tmp_path) is None
    file.unlink()
    os.mkfifo(file, 0o600)
    assert recall(tmp_path) is None
    file.unlink()
    file.mkdir()
    assert recall(tmp_path) is None


def test_where_nothing_was_kept_there_is_nothing_and_nothing_to_tell(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    assert recall(tmp_path) is None
    assert caplog.text == ""


def test_a_writer_that_was_killed_leaves_the_file_as_it_was_and_its_draft_is_cleared_away(tmp_path: Path) -> None:
    kept = snapshot(b"one")
    file = keep(tmp_path, kept)
    draft = tmp_path / f"{FILE}-abc.draft"
    draft.write_bytes(file.read_bytes()[:10])
    young = tmp_path / f"{FILE}-def.draft"
    young.touch()
    os.utime(draft, (0, time.time() - 2 * module._OLD))
    assert recall(tmp_path) == replace(kept, generation=EARLIER)
    assert not draft.exists()
    assert young.exists()


def test_a_directory_that_cannot_be_written_is_refused_at_the_start(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for directory in (tmp_path / "file", tmp_path / "file" / "state", Path("/proc/state")):
        with pytest.raises(ConfigurationError, match=f"Nothing can be kept in the state directory {directory}: "):
            Keeper(directory, MAKER)


def test_what_cannot_be_written_later_is_told_once_and_again_when_it_can(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    directory = tmp_path / "state"
    keeper = Keeper(directory, MAKER)
    directory.rmdir()
    for number in range(3):
        keeper.note_acknowledged(snapshot(b"%d" % number))
        keeper._keep()
    assert keeper.fault == "No such file or directory"
    directory.mkdir()
    keeper._keep()
    assert keeper.fault == ""
    assert [record.getMessage() for record in caplog.records] == [
        f"What Envoy acknowledged cannot be kept in {directory / FILE}: No such file or directory",
        f"What Envoy acknowledged is kept again, in {directory / FILE}",
    ]
