"""What a caller shows so that a gateway lets it in: tokens, cookies and passwords, never seen where they are held.

A secret is in no repr, no error and no pickle. What goes over the network in clear is warned of, not refused: inside a
cluster a gateway is often plain HTTP.
"""

import re
import shlex
import time
import warnings
from abc import ABC, abstractmethod
from base64 import b64encode
from ipaddress import ip_address
from pathlib import Path
from typing import Final, Self
from urllib.parse import urlsplit

from pydantic import SecretStr

from kfambassador.errors import ConfigurationError
from kfambassador.routing.texts import TOKEN

#: Where Kubernetes puts the token of a pod's service account (Kubernetes, "Configure Service Accounts for Pods").
SERVICE_ACCOUNT_TOKEN: Final = Path("/var/run/secrets/kubernetes.io/serviceaccount/token")

#: Seconds after which a token file is read again even if it looks unchanged.
_REREAD_AFTER: Final = 60.0

#: What a header may hold without any doubt: visible ASCII and, inside, blanks (RFC 9110, 5.5).
_VISIBLE: Final = re.compile(r"[!-~](?:[ -~]*[!-~])?")
#: A cookie's value (RFC 6265, 4.1.1); its name is a token.
_COOKIE_VALUE: Final = re.compile(r"[!#-+\--:<-\[\]-~]*")


class CredentialsInClear(UserWarning):
    """Credentials are sent over HTTP without TLS to another machine: whoever is in between can read them."""


class Credentials(ABC):
    """What lets a caller in. Immutable; copied it is the same, and it cannot be pickled if it holds a secret.

    Example:
        >>> class ApiKey(Credentials):  # one of your own
        ...     def headers(self) -> dict[str, str]:
        ...         return {"x-api-key": "s3cret"}
        ...     def curl_words(self) -> list[str]:
        ...         return ["-H", '"x-api-key: $API_KEY"']
        >>> ApiKey()
        ApiKey('**********')
    """

    @abstractmethod
    def headers(self) -> dict[str, str]:
        """The headers to send, with the secret in them. Not to be kept, printed or logged."""

    @abstractmethod
    def curl_words(self) -> list[str]:
        """Words for a shell that make curl send the same; each is quoted already, and a variable takes the secret."""

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, _memo: dict[int, object]) -> Self:
        return self

    def __reduce__(self) -> str | tuple[object, ...]:
        raise TypeError(
            f"{type(self).__name__} is not pickled: its secret would lie readable in the pickle. Make it where it is "
            "used, or give a TokenFile, which holds only a path."
        )

    def __repr__(self) -> str:
        return f"{type(self).__name__}('**********')"


class BearerToken(Credentials):
    """A token, sent as ``Authorization: Bearer`` (RFC 6750).

    Args:
        token: The token; blanks and line ends around it are taken off.

    Raises:
        ConfigurationError: It is empty, or no header can hold it.

    Example:
        >>> BearerToken("s3cret")
        BearerToken('**********')
        >>> BearerToken("s3cret").curl_words()
        ['-H', '"Authorization: Bearer $TOKEN"']
    """

    def __init__(self, token: str) -> None:
        self._token = SecretStr(_check_token(token, of="this token"))

    def headers(self) -> dict[str, str]:
        """The header with the token."""
        return {"Authorization": f"Bearer {self._token.get_secret_value()}"}

    def curl_words(self) -> list[str]:
        """The header with ``$TOKEN``."""
        return ["-H", '"Authorization: Bearer $TOKEN"']


class TokenFile(Credentials):
    """A token that a file holds, as Kubernetes gives it to pods; it is read again as it is renewed.

    The file is read again when it changed, and once a minute in any case.

    Args:
        path: The file; by default the pod's service account token. Kubeflow Pipelines' is
            ``/var/run/secrets/kubeflow/pipelines/token``.

    Example:
        >>> TokenFile("/tmp/token").curl_words()
        ['-H', '"Authorization: Bearer $(cat /tmp/token)"']
    """

    def __init__(self, path: str | Path = SERVICE_ACCOUNT_TOKEN) -> None:
        self.path = Path(path)
        self._seen: tuple[object, float, SecretStr] | None = None

    def headers(self) -> dict[str, str]:
        """The header with the token that the file holds now.

        Raises:
            ConfigurationError: The file cannot be read, or holds no token.
        """
        try:
            state = self.path.stat()
            mark = (state.st_mtime_ns, state.st_size, state.st_ino)
            now = time.monotonic()
            if self._seen is None or self._seen[0] != mark or now - self._seen[1] >= _REREAD_AFTER:
                text = self.path.read_text(errors="replace")
                self._seen = (mark, now, SecretStr(_check_token(text, of=f"the token in {self.path}")))
        except OSError as error:
            # There is nothing secret in it yet.
            raise ConfigurationError(f"The token file {self.path} cannot be read: {error.strerror}.") from error
        return {"Authorization": f"Bearer {self._seen[2].get_secret_value()}"}

    def curl_words(self) -> list[str]:
        """The header with what the file holds when the line is run."""
        return ["-H", f'"Authorization: Bearer $(cat {shlex.quote(str(self.path))})"']

    def __reduce__(self) -> tuple[object, ...]:
        return type(self), (str(self.path),)

    def __repr__(self) -> str:
        return f"TokenFile({str(self.path)!r})"


class Cookie(Credentials):
    """A cookie of a login in the browser, as Kubeflow's ``authservice_session`` or ``oauth2_proxy_kubeflow``.

    Args:
        name: Its name.
        value: Its value.

    Raises:
        ConfigurationError: The name or the value is none that a cookie can have.

    Example:
        >>> Cookie("authservice_session", "s3cret")
        Cookie('authservice_session', '**********')
        >>> Cookie("authservice_session", "s3cret").curl_words()
        ['-b', 'authservice_session="$COOKIE"']
    """

    def __init__(self, name: str, value: str) -> None:
        if not TOKEN.fullmatch(name):
            raise ConfigurationError(f"{name!r} is no cookie's name: give name and value apart.")
        value = value.strip()
        if not value or not _COOKIE_VALUE.fullmatch(value):
            raise ConfigurationError(
                f"The value of cookie {name} is empty, or has blanks, quotes, commas, semicolons, backslashes or "
                "other characters that no cookie has: copy only what stands after the equals sign."
            )
        self.name = name
        self._value = SecretStr(value)

    def headers(self) -> dict[str, str]:
        """The header with the cookie."""
        return {"Cookie": f"{self.name}={self._value.get_secret_value()}"}

    def curl_words(self) -> list[str]:
        """The cookie with ``$COOKIE``."""
        return ["-b", f'{shlex.quote(self.name)}="$COOKIE"']

    def __repr__(self) -> str:
        return f"Cookie({self.name!r}, '**********')"


class BasicAuth(Credentials):
    """A user and a password, sent as ``Authorization: Basic`` in UTF-8 (RFC 7617).

    Args:
        user: The user, without a colon.
        password: The password.

    Raises:
        ConfigurationError: The user has a colon.

    Example:
        >>> BasicAuth("alice", "s3cret")
        BasicAuth('alice', '**********')
        >>> BasicAuth("alice", "s3cret").curl_words()
        ['-u', 'alice:"$PASSWORD"']
    """

    def __init__(self, user: str, password: str) -> None:
        if ":" in user:
            # What stands after the colon may be the password: it is not quoted.
            raise ConfigurationError("A user of BasicAuth cannot have a colon: give user and password apart.")
        self.user = user
        self._password = SecretStr(password)

    def headers(self) -> dict[str, str]:
        """The header with both."""
        pair = f"{self.user}:{self._password.get_secret_value()}"
        return {"Authorization": f"Basic {b64encode(pair.encode()).decode()}"}

    def curl_words(self) -> list[str]:
        """The user, and the password as ``$PASSWORD``."""
        return ["-u", f'{shlex.quote(self.user)}:"$PASSWORD"']

    def __repr__(self) -> str:
        return f"BasicAuth({self.user!r}, '**********')"


def origin_of(url: str) -> str:
    """Scheme, host and port of a URL: what credentials are bound to (RFC 6454).

    Raises:
        ValueError: The URL cannot be read; the message holds nothing of it that may be secret.

    Example:
        >>> origin_of("https://Models.Example/m/?a=1"), origin_of("http://127.0.0.1:8080")
        ('https://models.example:443', 'http://127.0.0.1:8080')
    """
    try:
        parts = urlsplit(url)
        port = parts.port or {"http": 80, "https": 443}.get(parts.scheme, 0)
        host = parts.hostname or ""
    except ValueError:
        host, port = "", 0
    if not host or not port:
        raise ValueError("it has no scheme, host and port that can be read")
    return f"{parts.scheme}://{f'[{host}]' if ':' in host else host}:{port}"


def is_loopback(url: str) -> bool:
    """Whether a URL leads to this machine only.

    Example:
        >>> is_loopback("http://localhost:80"), is_loopback("http://[::1]:80"), is_loopback("http://10.0.0.1")
        (True, True, False)
    """
    host = urlsplit(url).hostname or ""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def warn_in_clear(url: str) -> None:
    """Warn when credentials that are about to be sent to a URL can be read on their way."""
    if urlsplit(url).scheme == "http" and not is_loopback(url):
        message = (
            f"Credentials are sent to {origin_of(url)} without TLS: whoever is on the way can read them. Use an "
            "https:// address where the gateway has one."
        )
        warnings.warn(message, CredentialsInClear, stacklevel=3)


def _check_token(text: str, *, of: str) -> str:
    token = text.strip()
    if not token:
        raise ConfigurationError(f"There is nothing in {of}.")
    if not _VISIBLE.fullmatch(token):
        raise ConfigurationError(
            f"A header cannot hold {of}: it has line breaks or characters other than visible ASCII. Is it the right "
            "one?"
        )
    return token
