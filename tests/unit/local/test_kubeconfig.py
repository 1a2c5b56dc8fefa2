"""Kubeconfigs are joined and left: what others have written stays, and what is none is refused in words."""

import os
import re
import stat
import threading
from base64 import b64decode
from pathlib import Path
from typing import Any

import pytest
import yaml

from kfambassador.errors import ConfigurationError
from kfambassador.local import kubeconfig
from kfambassador.local.kubeconfig import CONTEXT, ApiAccess, join_kubeconfig, leave_kubeconfig, write_kubeconfig

ACCESS = ApiAccess("https://127.0.0.1:6443", token="of-the-administrator", authority="-----BEGIN CERTIFICATE-----\nx\n")
OTHER = ApiAccess("https://127.0.0.1:7443", token="of-another", authority="-----BEGIN CERTIFICATE-----\ny\n")

# As kubectl, minikube and the clouds' tools write them, with what readers of YAML take for different things.
THEIRS = """\
apiVersion: v1
clusters:
- cluster:
    certificate-authority: ca.pem
    extensions:
    - extension:
        last-update: Mon, 01 Jan 2026 10:00:00 UTC
        version: v1.30
      name: cluster_info
    server: https://prod.example:443
  name: prod
- {name: "dev", cluster: {server: 'https://dev.example', insecure-skip-tls-verify: true}}
contexts:
- context:
    cluster: prod
    namespace: on
    user: me
  name: prod
current-context: prod
kind: Config
preferences: {colors: yes}
users:
- name: me
  user:
    exec:
      apiVersion: client.authentication.k8s.io/v1
      args: [--at, 12:30:45, --number, 0123, --big, 1_000, --date, 2026-01-01, --octal, 0o17, --exp, 1e3, --none, ~]
      command: get-token
      env: null
- name: old
  user: {username: "0123", password: '!*&%#`@ "''', token: "tab\\there"}
unknown: [1.10, .inf, "null", !theirs x, ! 12, !!str 012]
"""


def as_written(text: str) -> Any:
    """What a file says, with every plain scalar left as the text it is: the judge knows no types either."""

    return yaml.load(text, yaml.BaseLoader)


def typed_scalars(text: str) -> list[tuple[str, str]]:
    """Each scalar with the type that YAML gives it, so that 0123 is not "0123"."""
    root = yaml.compose(text)
    assert root is not None
    nodes, found = [root], []
    while nodes:
        node = nodes.pop()
        if isinstance(node, yaml.ScalarNode):
            found.append((node.value, node.tag))
        elif isinstance(node, yaml.MappingNode):
            nodes += [each for pair in node.value for each in pair]
        else:
            nodes += node.value
    return sorted(found)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "config"


# Joining


def test_a_new_file_lets_the_administrator_in_and_is_its_owners(tmp_path: Path) -> None:
    path = tmp_path / ".kube" / "config"
    assert join_kubeconfig(path, ACCESS) == ""
    assert as_written(path.read_text()) == as_written(write_kubeconfig(ACCESS))
    config = yaml.safe_load(path.read_text())
    assert (config["apiVersion"], config["kind"], config["current-context"]) == ("v1", "Config", CONTEXT)
    [cluster], [user], [context] = config["clusters"], config["users"], config["contexts"]
    assert {cluster["name"], user["name"], context["name"]} == {CONTEXT}
    assert user["user"] == {"token": ACCESS.token}
    assert b64decode(cluster["cluster"].pop("certificate-authority-data")).decode() == ACCESS.authority
    assert cluster["cluster"] == {"server": ACCESS.url}
    assert context["context"] == {"cluster": CONTEXT, "user": CONTEXT, "namespace": "default"}
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(path.parent.iterdir()) == [path]


def test_the_secret_is_in_the_file_and_nowhere_else(path: Path) -> None:
    join_kubeconfig(path, ACCESS)
    assert path.read_text().count(ACCESS.token) == 1
    assert ACCESS.token not in repr(ACCESS)


def test_what_others_wrote_stays_to_the_letter(path: Path) -> None:
    path.write_text(THEIRS)
    path.chmod(0o644)
    assert join_kubeconfig(path, ACCESS) == "prod"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    joined = as_written(path.read_text())
    assert joined.pop("current-context") == CONTEXT
    for name in ("clusters", "users", "contexts"):
        assert joined[name].pop()["name"] == CONTEXT
    before = as_written(THEIRS)
    del before["current-context"]
    assert joined == before
    ours = typed_scalars(write_kubeconfig(ACCESS))
    theirs = [each for each in typed_scalars(path.read_text()) if each not in ours]
    renamed = THEIRS.replace("current-context: prod", f"current-context: {CONTEXT}")
    assert theirs == [each for each in typed_scalars(renamed) if each not in ours]


def test_an_earlier_one_of_ours_is_replaced_where_it_stands(path: Path) -> None:
    path.write_text(THEIRS)
    join_kubeconfig(path, OTHER)
    text = path.read_text().replace("- name: dev", "- name: last")
    path.write_text(text)
    before = as_written(text)
    before["clusters"].append({"name": "later", "cluster": {"server": "https://later.example"}})
    path.write_text(yaml.safe_dump({**before, "unknown": None}))
    assert join_kubeconfig(path, ACCESS) == ""
    joined = yaml.safe_load(path.read_text())
    assert [each["name"] for each in joined["clusters"]] == ["prod", "dev", CONTEXT, "later"]
    assert joined["clusters"][2]["cluster"]["server"] == ACCESS.url
    assert OTHER.token not in path.read_text()


def test_to_join_twice_changes_nothing(path: Path) -> None:
    path.write_text(THEIRS)
    join_kubeconfig(path, ACCESS)
    once = path.read_bytes()
    join_kubeconfig(path, ACCESS)
    assert path.read_bytes() == once


@pytest.mark.parametrize(
    "text",
    [
        "",
        "# nothing but words\n",
        "apiVersion: v1\nkind: Config\n",
        "apiVersion: v1\nkind: Config\nclusters: null\ncontexts: ~\nusers:\ncurrent-context: ''\npreferences: {}\n",
        '{"kind": "Config", "apiVersion": "v1", "clusters": [], "users": [], "contexts": []}',
        "clusters: []\n",
    ],
    ids=["empty", "comment", "kind only", "nulls", "JSON", "without kind"],
)
def test_one_that_knows_no_cluster_is_joined(path: Path, text: str) -> None:
    path.write_text(text)
    assert join_kubeconfig(path, ACCESS) == ""
    joined = yaml.safe_load(path.read_text())
    assert [each["name"] for each in joined["clusters"]] == [CONTEXT]
    assert (joined["kind"], joined["apiVersion"]) == ("Config", "v1")


def test_where_a_link_leads_is_written_and_the_link_stays(tmp_path: Path, path: Path) -> None:
    kept = tmp_path / "dotfiles" / "kube"
    kept.parent.mkdir()
    kept.write_text(THEIRS)
    path.symlink_to(kept)
    join_kubeconfig(path, ACCESS)
    assert path.is_symlink()
    assert ACCESS.token in kept.read_text()
    assert {each.name for each in tmp_path.rglob("*")} == {"config", "dotfiles", "kube"}


def test_many_that_write_at_once_lose_nothing(path: Path) -> None:
    path.write_text(THEIRS)
    writers = [threading.Thread(target=join_kubeconfig, args=(path, access)) for access in (ACCESS, OTHER) * 8]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    names = [each["name"] for each in as_written(path.read_text())["clusters"]]
    assert names == ["prod", "dev", CONTEXT]
    assert list(path.parent.iterdir()) == [path]


# Leaving


def test_what_was_there_before_is_what_is_left(path: Path) -> None:
    path.write_text(THEIRS)
    join_kubeconfig(path, ACCESS)
    assert leave_kubeconfig(path, ACCESS)
    left = as_written(path.read_text())
    # Which other cluster is meant from now on is for a person to say.
    assert left == as_written(THEIRS) | {"current-context": ""}
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_another_current_context_stays_the_current_one(path: Path) -> None:
    path.write_text(THEIRS)
    join_kubeconfig(path, ACCESS)
    path.write_text(path.read_text().replace(f"current-context: {CONTEXT}", "current-context: prod"))
    assert leave_kubeconfig(path, ACCESS)
    assert as_written(path.read_text()) == as_written(THEIRS)


def test_one_whose_place_another_has_taken_leaves_nothing(path: Path) -> None:
    join_kubeconfig(path, ACCESS)
    join_kubeconfig(path, OTHER)
    before = path.read_bytes()
    assert not leave_kubeconfig(path, ACCESS)
    assert path.read_bytes() == before


def test_what_somebody_has_added_to_it_leaves_with_it(path: Path) -> None:
    path.write_text(write_kubeconfig(ACCESS).replace("    server:", "    disable-compression: true\n    server:"))
    assert leave_kubeconfig(path, ACCESS)
    assert as_written(path.read_text())["clusters"] == []


def test_a_file_that_is_gone_stays_so(path: Path) -> None:
    assert not leave_kubeconfig(path, ACCESS)
    assert list(path.parent.iterdir()) == []


# Refusing


@pytest.mark.parametrize(
    ("text", "because"),
    [
        ("services:\n  web: {image: web}\n", "it has neither clusters nor users nor contexts"),
        (
            "apiVersion: v1\nkind: Pod\nmetadata: {name: secret-thing}\n",
            "its apiVersion and kind are not v1 and Config",
        ),
        ("apiVersion: v2\nkind: Config\n", "its apiVersion and kind are not v1 and Config"),
        ("secret-thing\n", "it is no object with clusters, users and contexts"),
        ("- secret-thing\n", "it is no object with clusters, users and contexts"),
        ("kind: Config\nclusters: {a: b}\n", "its clusters are no list of entries with names"),
        ("kind: Config\nusers: [secret-thing]\n", "its users are no list of entries with names"),
        ("kind: Config\ncontexts: [{context: {}}]\n", "its contexts are no list of entries with names"),
        ("kind: Config\n---\nkind: Config\n", "it holds 2 documents"),
        ("kind: [Config\n", "not YAML at line 2, column 1"),
        ("kind: Config\nusers: &all []\ncontexts: *all\n", "*all is an alias; write the value out (line 3)"),
        ("kind: Config\nusers: !mine []\n", "the tag !mine is not allowed (line 2)"),
        ("kind: Config\nkind: Config\n", "the key 'kind' stands twice (line 2)"),
    ],
)
def test_what_is_no_kubeconfig_is_refused_and_stays(path: Path, text: str, because: str) -> None:
    path.write_text(text)
    for act in (join_kubeconfig, leave_kubeconfig):
        with pytest.raises(ConfigurationError, match=f"^{re.escape(f'{path} is no kubeconfig: {because}')}") as refused:
            act(path, ACCESS)
        assert str(refused.value).endswith("It is left as it is: name another file.")
        assert "secret-thing" not in str(refused.value)
    assert path.read_text() == text
    assert list(path.parent.iterdir()) == [path]


def test_what_is_no_text_is_refused(path: Path) -> None:
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigurationError, match="is no kubeconfig: it is not text in UTF-8"):
        join_kubeconfig(path, ACCESS)


@pytest.mark.parametrize(
    ("place", "words"),
    [("file/config", "written: File exists"), ("directory", "read: Is a directory")],
)
def test_one_that_cannot_be_used_is_told_and_nothing_is_left(tmp_path: Path, place: str, words: str) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "directory").mkdir()
    before = sorted(tmp_path.iterdir())
    with pytest.raises(ConfigurationError, match=rf"The kubeconfig .* cannot be {words}\. Name another file"):
        join_kubeconfig(tmp_path / place, ACCESS)
    assert sorted(tmp_path.iterdir()) == before


@pytest.mark.skipif(os.geteuid() == 0, reason="whoever may do everything is refused nothing")
def test_a_directory_that_is_not_to_be_written_is_told(path: Path) -> None:
    path.parent.chmod(0o500)
    with pytest.raises(ConfigurationError, match=r"cannot be written: Permission denied\. Name another file"):
        join_kubeconfig(path, ACCESS)


def test_one_that_another_program_holds_is_told_with_what_to_do(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kubeconfig, "LOCK_TIMEOUT", 0.1)
    path.write_text(THEIRS)
    lock = path.with_name("config.lock")
    lock.touch()
    with pytest.raises(ConfigurationError, match=r"is being written by another program.* remove config\.lock"):
        join_kubeconfig(path, ACCESS)
    assert (path.read_text(), lock.exists()) == (THEIRS, True)
