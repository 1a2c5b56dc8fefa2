"""A gateway lets clients know where it is, and takes that back at its end.

The shared gateway has a file for all who look for it, and kubeconfigs that somebody asked it to join. The latter are
noted in its runtime directory, a file each, so that whoever ends it or replaces it after a crash knows them.
"""

import logging
import shutil
from collections.abc import Iterator
from hashlib import blake2b
from pathlib import Path

from kfambassador.errors import ConfigurationError
from kfambassador.local.endpoint import GatewayEndpoint
from kfambassador.local.kubeconfig import CONTEXT, ApiAccess, join_kubeconfig, leave_kubeconfig
from kfambassador.local.runtime_directory import RuntimeDirectory, read_endpoint, write_endpoint

_log = logging.getLogger("kfambassador.local")


def give_kubeconfig(path: Path, endpoint: GatewayEndpoint) -> str:
    """Let a kubeconfig know a gateway's Kubernetes API; give words for what was done.

    Raises:
        ConfigurationError: It is no kubeconfig, or cannot be read or written.
    """
    before = join_kubeconfig(path, ApiAccess.to(endpoint))
    words = f"{path} has context {CONTEXT}, which is the current one now"
    return f"{words}; before it was {before}" if before else words


def take_kubeconfig_back(path: Path, endpoint: GatewayEndpoint) -> None:
    """Let a kubeconfig forget a gateway that ends. Where that is not possible it is told, and the end goes on."""
    try:
        leave_kubeconfig(path, ApiAccess.to(endpoint))
    except ConfigurationError as error:
        _log.warning("Context %s stays in a kubeconfig. %s", CONTEXT, error)


def share_kubeconfig(runtime: RuntimeDirectory, path: Path, endpoint: GatewayEndpoint) -> str:
    """Let a kubeconfig know the shared gateway until its end; give words for what was done.

    Args:
        runtime: The gateway's runtime directory.
        path: The kubeconfig.
        endpoint: The gateway.

    Raises:
        ConfigurationError: It is no kubeconfig, or cannot be read or written.
    """
    words = give_kubeconfig(path, endpoint)
    runtime.kubeconfigs.mkdir(mode=0o700, exist_ok=True)
    named = blake2b(str(path.absolute()).encode(), digest_size=8).hexdigest()
    (runtime.kubeconfigs / named).write_text(str(path.absolute()))
    return words


def announce(runtime: RuntimeDirectory, endpoint: GatewayEndpoint) -> None:
    """Tell where the shared gateway is: those who look for it, and kubeconfigs that one that crashed has left."""
    for path in _read_noted(runtime):
        try:
            give_kubeconfig(path, endpoint)
        except ConfigurationError as error:
            _log.warning("A kubeconfig still leads to the gateway that crashed. %s", error)
    write_endpoint(runtime, endpoint)


def retract(runtime: RuntimeDirectory) -> None:
    """Take back what the shared gateway has told, or one that crashed.

    A gateway with a state directory is found again at its next start, so what kubeconfigs say of it stays good.
    """
    endpoint = read_endpoint(runtime)
    if endpoint is not None and endpoint.state is None:
        for path in _read_noted(runtime):
            take_kubeconfig_back(path, endpoint)
    shutil.rmtree(runtime.kubeconfigs, ignore_errors=True)
    runtime.file.unlink(missing_ok=True)


def _read_noted(runtime: RuntimeDirectory) -> Iterator[Path]:
    for note in sorted(runtime.kubeconfigs.glob("*")):
        yield Path(note.read_text())
