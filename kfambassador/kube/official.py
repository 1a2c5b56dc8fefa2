"""The one door to the ``kubernetes`` package: what it makes of a kubeconfig, or of the pod this runs in.

Its typed models are left alone: they differ between versions of that package, and reading them takes 4 to 17 times as
long as reading JSON. Importing it takes as long as all else a notebook imports: who needs no kubeconfig does
without.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import urllib3
from kubernetes.client import Configuration
from kubernetes.client.rest import RESTClientObject
from kubernetes.config import ConfigException, load_incluster_config
from kubernetes.config.kube_config import KubeConfigLoader, KubeConfigMerger

from kfambassador.errors import ConfigurationError
from kfambassador.kube.entrances import Entered
from kfambassador.names import DEFAULT_NAMESPACE

_SERVICE_ACCOUNT_NAMESPACE: Final = Path("/var/run/secrets/kubernetes.io/serviceaccount/namespace")


@dataclass(frozen=True, slots=True)
class OfficialEntrance:
    """The way in that a configuration of the official package describes: its TLS, proxies and credentials."""

    configuration: Any  # the official package is untyped

    @property
    def url(self) -> str:
        """The address of the API."""
        url: str = self.configuration.host
        return url

    def open(self) -> urllib3.PoolManager:
        """Give connections to it that nobody else has."""
        pools: urllib3.PoolManager = RESTClientObject(self.configuration).pool_manager
        return pools

    def show(self) -> dict[str, str]:
        """Give the headers that say who asks, renewed when they are old; none where a certificate does."""
        return {setting["key"]: setting["value"] for setting in self.configuration.auth_settings().values()}

    def __repr__(self) -> str:
        return "<OfficialEntrance>"  # its configuration would show what is secret


def enter_by_kubeconfig(*, context: str | None, path: Path | None) -> Entered:
    """Enter as a kubeconfig says.

    Args:
        context: The context; None means the file's current one.
        path: The file; None means ``$KUBECONFIG``, or else ``~/.kube/config``.

    Raises:
        ConfigurationError: The file cannot be read, or has no such context.
    """
    files = str(path or os.environ.get("KUBECONFIG") or "~/.kube/config")
    configuration = Configuration()
    with _faults_of(f"the kubeconfig {files}"):
        merged = KubeConfigMerger(files)
        if merged.config is None:
            sought = f", in which context {context!r} was looked for" if context else ""
            raise ConfigException(f"there is no such file{sought}")
        loader = KubeConfigLoader(merged.config, active_context=context, config_persister=merged.save_changes)
        loader.load_and_set(configuration)
        _follow_token_file(configuration, loader._user)  # noqa: SLF001 - the one place where it is to be had
        namespace = loader.current_context["context"].get("namespace") or DEFAULT_NAMESPACE
    return Entered(OfficialEntrance(configuration), namespace)


def enter_as_pod() -> Entered:
    """Enter as the service account of the pod this runs in.

    Raises:
        ConfigurationError: This is no pod, or it has no service account.
    """
    configuration = Configuration()
    with _faults_of("the service account of this pod (is this a pod?)"):
        load_incluster_config(client_configuration=configuration)
        namespace = _SERVICE_ACCOUNT_NAMESPACE.read_text().strip()
    return Entered(OfficialEntrance(configuration), namespace)


def _follow_token_file(configuration: Any, user: Any) -> None:  # noqa: ANN401 - both are untyped
    """Read a user's ``tokenFile`` for every request: somebody renews it, and the official package reads it once."""
    name = user.safe_get("tokenFile") if user and not user.safe_get("token") else None
    if name:
        file = Path(str(name)).resolve()

        def renew(configuration: Any) -> None:  # noqa: ANN401
            configuration.api_key["authorization"] = f"Bearer {file.read_text().strip()}"

        configuration.refresh_api_key_hook = renew


@contextmanager
def _faults_of(what: str) -> Iterator[None]:
    try:
        yield
    except Exception as error:
        # The official loader also lets out what YAML, files and look-ups raise; that might quote a secret.
        words = str(error) if isinstance(error, (ConfigException, OSError)) else type(error).__name__
        raise ConfigurationError(f"Cannot connect with {what}: {words}") from error
