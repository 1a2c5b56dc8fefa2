"""Kubeconfigs: what lets kubectl and every other client into the Kubernetes API of this machine.

A kubeconfig is its user's, and holds other clusters too. So it is joined as kind and minikube do it: a cluster, a user
and a context of one name are added or replaced, and everything else stays as it was written. Like kubectl, whoever
writes holds ``FILE.lock`` meanwhile.
"""

import os
import secrets
import time
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Self

from kfambassador.errors import ConfigurationError
from kfambassador.local.endpoint import GatewayEndpoint
from kfambassador.resources.documents import FILE_LIMITS, read_documents, write_documents

#: The name of cluster, user and context.
CONTEXT: Final = "kfambassador-local"

#: Seconds for which another program may hold the lock of a kubeconfig; kubectl holds it for milliseconds.
LOCK_TIMEOUT: Final = 5.0

_LOOK_EVERY: Final = 0.02
_VERSION: Final = {"apiVersion": "v1", "kind": "Config"}
_CURRENT: Final = "current-context"
_CLUSTERS: Final = "clusters"
_LISTS: Final = (_CLUSTERS, "users", "contexts")

_Config = dict[str, Any]


@dataclass(frozen=True, slots=True)
class ApiAccess:
    """What a client needs to get into a Kubernetes API.

    Attributes:
        url: Where it answers.
        token: Whose it is: the administrator's, or that of a ServiceAccount.
        authority: The certificate it is to be trusted by, in PEM; no secret.
        namespace: The namespace to work in.

    Example:
        >>> access = ApiAccess("https://127.0.0.1:6443", token="secret", authority="-----BEGIN CERTIFICATE-----")
        >>> access
        ApiAccess(url='https://127.0.0.1:6443', namespace='default')
        >>> print(write_kubeconfig(access).splitlines()[2])
        current-context: kfambassador-local
    """

    url: str
    token: str = field(repr=False)
    authority: str = field(repr=False)
    namespace: str = "default"

    @classmethod
    def to(cls, endpoint: GatewayEndpoint) -> Self:
        """Give what lets its administrator into a gateway's API."""
        return cls(endpoint.api_url, endpoint.api_token, endpoint.api_authority)


def write_kubeconfig(access: ApiAccess) -> str:
    """Write a kubeconfig that knows this API only. It holds the token."""
    lists = {name: [entry] for name, entry in _describe(access).items()}
    return write_documents(_VERSION | {_CURRENT: CONTEXT} | lists)


def join_kubeconfig(path: Path, access: ApiAccess) -> str:
    """Add this API to a kubeconfig, or replace what it holds of an earlier one, and make its context the current one.

    The file is made where there is none, its directory too, and is its owner's alone from now on. It is replaced at
    once and whole; where it is a link, what it leads to is. Comments are lost, as they are with kubectl.

    Args:
        path: The file.
        access: The API, and who enters.

    Returns:
        The context that was the current one; "" when there was none, or it was this one.

    Raises:
        ConfigurationError: It is no kubeconfig, or cannot be read or written; it stays as it is then.
    """
    with _held(path) as file:
        config = _read(file, path)
        before = config.get(_CURRENT)
        for name, entry in _describe(access).items():
            config[name] = _replace(_entries(config, name), entry)
        _write(file, _VERSION | config | {_CURRENT: CONTEXT}, path)
    return "" if _is_empty(before) or before == CONTEXT else str(before)


def check_kubeconfig(path: Path) -> None:
    """See that a kubeconfig can be joined, as far as that is known before it is written. Nothing is changed.

    Args:
        path: The file; one that is not there yet will be made.

    Raises:
        ConfigurationError: It is no kubeconfig, or cannot be read.
    """
    _read(path, path)


def leave_kubeconfig(path: Path, access: ApiAccess) -> bool:
    """Take this API out of a kubeconfig again, unless another one has taken its place there.

    No context is the current one then: which other cluster is meant is for a person to say.

    Returns:
        Whether it was there.

    Raises:
        ConfigurationError: It is no kubeconfig, or cannot be read or written; it stays as it is then.
    """
    if not path.exists():
        return False
    with _held(path) as file:
        config = _read(file, path)
        if not any(_leads_to(entry, access) for entry in _entries(config, _CLUSTERS)):
            return False
        for name in _LISTS:
            config[name] = [entry for entry in _entries(config, name) if entry["name"] != CONTEXT]
        if config.get(_CURRENT) == CONTEXT:
            config[_CURRENT] = ""
        _write(file, config, path)
    return True


def _describe(access: ApiAccess) -> dict[str, _Config]:
    """Describe it as an entry of each list."""
    trusted = b64encode(access.authority.encode()).decode()
    cluster = {"server": access.url, "certificate-authority-data": trusted}
    context = {"cluster": CONTEXT, "user": CONTEXT, "namespace": access.namespace}
    return {
        _CLUSTERS: {"name": CONTEXT, "cluster": cluster},
        "users": {"name": CONTEXT, "user": {"token": access.token}},
        "contexts": {"name": CONTEXT, "context": context},
    }


def _leads_to(entry: _Config, access: ApiAccess) -> bool:
    """Whether a cluster is ours, whatever else somebody has written there."""
    wanted = _describe(access)[_CLUSTERS]
    said = entry.get("cluster")
    return entry["name"] == wanted["name"] and isinstance(said, dict) and wanted["cluster"].items() <= said.items()


def _replace(entries: list[_Config], entry: _Config) -> list[_Config]:
    """Put an entry where the first of its name stands, or behind the last."""
    names = [each["name"] for each in entries]
    place = names.index(entry["name"]) if entry["name"] in names else len(entries)
    others = [each for each in entries[place:] if each["name"] != entry["name"]]
    return [*entries[:place], entry, *others]


def _read(file: Path, path: Path) -> _Config:
    """Read a kubeconfig, every scalar as it was written; what is not there or empty is one that knows nothing."""
    try:
        documents = read_documents(file.read_text(encoding="utf-8"), FILE_LIMITS, verbatim=True)
    except FileNotFoundError:
        return {}
    except UnicodeDecodeError as error:
        raise _no_kubeconfig(path, "it is not text in UTF-8") from error
    except OSError as error:
        raise _unusable(path, "read", error) from error
    if not documents:
        return {}
    if len(documents) > 1:
        raise _no_kubeconfig(path, f"it holds {len(documents)} documents")
    if fault := documents[0].fault:
        raise _no_kubeconfig(path, fault.message)
    config = documents[0].value
    if because := _find_fault(config):
        raise _no_kubeconfig(path, because)
    return config if isinstance(config, dict) else {}


def _find_fault(config: object) -> str:
    """Say why something is no kubeconfig; "" when it is one. No value is told: it might be a secret."""
    if not isinstance(config, dict):
        return "it is no object with clusters, users and contexts"
    if any(not _is_empty(config.get(name)) and config[name] != said for name, said in _VERSION.items()):
        return "its apiVersion and kind are not v1 and Config"
    if not config.keys() & {"kind", *_LISTS}:
        return "it has neither clusters nor users nor contexts"
    for name in _LISTS:
        entries = config.get(name)
        is_list = isinstance(entries, list) and all(isinstance(each, dict) and "name" in each for each in entries)
        if not is_list and not _is_empty(entries):
            return f"its {name} are no list of entries with names"
    return ""


def _is_empty(value: object) -> bool:
    """Whether nothing is said, in one of the ways in which a scalar can be written that says nothing."""
    return value is None or (isinstance(value, str) and value.lower() in {"", "~", "null"})


def _entries(config: _Config, name: str) -> list[_Config]:
    found = config.get(name)
    return found if isinstance(found, list) else []


def _write(file: Path, config: _Config, path: Path) -> None:
    draft = file.with_name(f".{file.name}.{secrets.token_hex(4)}")
    try:
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as text:
            text.write(write_documents(config))
            text.flush()
            os.fsync(text.fileno())
        draft.replace(file)
    except OSError as error:
        with suppress(OSError):
            draft.unlink()
        raise _unusable(path, "written", error) from error


@contextmanager
def _held(path: Path) -> Iterator[Path]:
    """Keep other programs from writing a kubeconfig meanwhile; give the file itself, which a link may lead to."""
    lock = path.with_name(f"{path.name}.lock")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = path.resolve()
        _take(lock, path)
    except OSError as error:
        raise _unusable(path, "written", error) from error
    try:
        yield file
    finally:
        lock.unlink(missing_ok=True)


def _take(lock: Path, path: Path) -> None:
    deadline = time.monotonic() + LOCK_TIMEOUT
    while True:
        with suppress(FileExistsError):
            os.close(os.open(lock, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
            return
        if time.monotonic() > deadline:
            raise ConfigurationError(
                f"The kubeconfig {path} is being written by another program, for {LOCK_TIMEOUT:g} s now: there is "
                f"{lock}. Try again; if no program does, one was killed: remove {lock.name}."
            )
        time.sleep(_LOOK_EVERY)


def _no_kubeconfig(path: Path, because: str) -> ConfigurationError:
    return ConfigurationError(f"{path} is no kubeconfig: {because}. It is left as it is: name another file.")


def _unusable(path: Path, how: str, error: OSError) -> ConfigurationError:
    return ConfigurationError(f"The kubeconfig {path} cannot be {how}: {error.strerror}. Name another file.")
