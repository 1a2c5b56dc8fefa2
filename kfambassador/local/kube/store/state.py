"""The state directory: one server at a time, and nobody else reads it."""

import fcntl
import os
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Self

from kfambassador.errors import ConfigurationError, StateInUse
from kfambassador.local.kube.store.certificates import Authority

_DATABASE = "kubernetes.db"
_LOCK = "kubernetes.lock"
_KEY = "kubernetes.key"
_AUTHORITY = "kubernetes-ca.pem"


class StateDirectory:
    """A directory that this process holds alone until it is closed or ends.

    Args:
        path: The directory; it is made, with mode 0700, when it is not there.

    Raises:
        StateInUse: When another server holds it.
        ConfigurationError: When it cannot be made or written.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            path.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._lock = os.open(path / _LOCK, os.O_RDWR | os.O_CREAT, 0o600)
            self._hold()
        except OSError as error:
            message = f"The state directory {path} cannot be used: {error.strerror}. Mend that, or choose another."
            raise ConfigurationError(message) from error

    def _hold(self) -> None:
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            os.ftruncate(self._lock, 0)
            os.pwrite(self._lock, str(os.getpid()).encode(), 0)
            os.close(os.open(self.database, os.O_RDWR | os.O_CREAT, 0o600))
        except BlockingIOError as error:
            holder = os.pread(self._lock, 32, 0).decode() or "unknown"
            os.close(self._lock)
            message = (
                f"The state directory {self._path} is in use by process {holder}. Stop that one, or choose another"
                " directory."
            )
            raise StateInUse(message) from error
        except OSError:
            os.close(self._lock)
            raise

    @property
    def database(self) -> Path:
        """The database file, which only its owner may read."""
        return self._path / _DATABASE

    def read_secret(self, length: int) -> bytes:
        """The directory's secret, which is made when it is first asked for and stays.

        Args:
            length: Its bytes.

        Raises:
            ConfigurationError: When it cannot be read or made, or is not what was made.
        """
        secret = self._read_or_make(_KEY, lambda: secrets.token_bytes(length))
        if len(secret) != length:
            message = f"has {len(secret)} bytes and not {length}"
            raise self._unusable(_KEY, message)
        return secret

    def read_authority(self) -> Authority:
        """The authority that certifies whoever serves the directory; it is made at first and stays.

        Raises:
            ConfigurationError: When it cannot be read or made, is not what was made, or has come to its end.
        """
        text = self._read_or_make(_AUTHORITY, lambda: Authority.make().write())
        try:
            return Authority.read(text)
        except ValueError as error:
            raise self._unusable(_AUTHORITY, f"cannot be used: {error}") from error

    def _read_or_make(self, name: str, make: Callable[[], bytes]) -> bytes:
        path = self._path / name
        try:
            if not path.exists():
                draft = self._path / f".{name}"
                draft.unlink(missing_ok=True)
                with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                    file.write(make())
                draft.rename(path)
            return path.read_bytes()
        except OSError as error:
            message = f"The key {path} cannot be used: {error.strerror}. Mend that, or choose another state directory."
            raise ConfigurationError(message) from error

    def _unusable(self, name: str, because: str) -> ConfigurationError:
        return ConfigurationError(f"The key {self._path / name} {because}. Remove it: a new one is made then.")

    def close(self) -> None:
        """Let the directory go."""
        os.close(self._lock)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
