"""How a state directory's Kubernetes API is reached, kept beside its objects: who has a kubeconfig finds it again.

The API's authority is kept by the API itself. Its administrator's token and its port are kept here, for whoever starts
it.
"""

import os
import re
import secrets
from pathlib import Path
from typing import Final

from kfambassador.errors import ConfigurationError

_ADMINISTRATOR: Final = "kubernetes.token"
_PORT: Final = "kubernetes.port"
_TOKEN_FORM: Final = re.compile(r"[A-Za-z0-9_-]{43}")  # 32 random bytes
_HIGHEST_PORT: Final = 65535


def recall_token(state: Path) -> str:
    """Give the administrator's token of a state directory; it is made when it is first asked for, and stays.

    Raises:
        ConfigurationError: It cannot be read or made, or is not what was made.
    """
    path = state / _ADMINISTRATOR
    try:
        if not path.exists():
            state.mkdir(mode=0o700, parents=True, exist_ok=True)
            _make(path, secrets.token_urlsafe(32))
        token = path.read_text(encoding="ascii", errors="replace").strip()
    except OSError as error:
        message = f"The token {path} cannot be used: {error.strerror}. Mend that, or choose another state directory."
        raise ConfigurationError(message) from error
    if not _TOKEN_FORM.fullmatch(token):
        raise ConfigurationError(f"The token {path} is not what was made. Remove it: a new one is made then.")
    return token


def recall_port(state: Path) -> int:
    """Give the port on which the API of a state directory answered last; 0 when none is known."""
    try:
        said = (state / _PORT).read_text(encoding="ascii", errors="replace").strip()
    except OSError:
        return 0
    return int(said) if said.isdecimal() and len(said) <= len(str(_HIGHEST_PORT)) and int(said) <= _HIGHEST_PORT else 0


def keep_port(state: Path, port: int) -> None:
    """Keep the port for the next start; whoever calls holds the directory.

    Raises:
        ConfigurationError: It cannot be written.
    """
    path = state / _PORT
    draft = path.with_suffix(".draft")
    try:
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            file.write(f"{port}\n")
        draft.replace(path)
    except OSError as error:
        message = f"The port in {path} cannot be kept: {error.strerror}. Mend that, or choose another state directory."
        raise ConfigurationError(message) from error


def _make(path: Path, text: str) -> None:
    """Make a file at once and whole; where two make it, the first one's stays."""
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(f"{text}\n")
        try:
            path.hardlink_to(draft)
        except FileExistsError:
            pass
        except OSError:
            draft.rename(path)  # a file system that knows no links
    finally:
        draft.unlink(missing_ok=True)
