"""The one door to ``requests``: one call, one answer or one error of ours."""

import json
import time
from collections.abc import Mapping as Dict
from dataclasses import dataclass, field
from types import TracebackType
from typing import Final, Protocol, Self, runtime_checkable

import requests
from requests.auth import AuthBase

from kfambassador.errors import RouteFailed
from kfambassador.routing.describe import Json

_CONNECT_TIMEOUT: Final = 5.0
_QUOTED: Final = 300
_SUCCESS: Final = range(200, 300)


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer, whatever its status.

    Attributes:
        method: What was asked with.
        url: What was asked for.
        status: The HTTP status.
        body: The body as it came.
        latency_ms: From the request's first byte to the answer's last, in milliseconds.
    """

    method: str
    url: str
    status: int
    body: bytes = field(repr=False)
    latency_ms: float

    @property
    def is_success(self) -> bool:
        """Whether the status is one of success."""
        return self.status in _SUCCESS

    @property
    def text(self) -> str:
        """The body as one line of text, cut when long."""
        text = " ".join(self.body.decode(errors="replace").split())
        return text if len(text) <= _QUOTED else f"{text[:_QUOTED]}…"

    def json(self) -> Json:
        """The body read as JSON.

        Raises:
            RouteFailed: It is none.
        """
        try:
            value: Json = json.loads(self.body)
        except ValueError as error:
            message = f"{self.method} {self.url} answered {self.status} with something that is not JSON: {self.text!r}"
            raise RouteFailed(message, status=self.status) from error
        return value


class HttpClient:
    """Connections that are kept; a context manager.

    Args:
        token: A bearer token sent with every request; None sends none.
        direct: Take no notice of proxies in the environment, as for addresses of this machine.
    """

    def __init__(self, *, token: str | None = None, direct: bool = False) -> None:
        self._session = requests.Session()
        self._session.trust_env = not direct
        # An auth of our own also keeps requests from putting a .netrc's password in its place.
        self._session.auth = _Bearer(token)

    def send(
        self,
        method: str,
        url: str,
        *,
        params: Dict[str, str] | tuple[tuple[str, str], ...] = (),
        headers: Dict[str, str] | None = None,
        body: object = None,
        timeout: float = 30.0,
    ) -> Answer:
        """Send one request, without following redirects.

        Args:
            method: Such as ``POST``.
            url: The address.
            params: Query parameters.
            headers: Headers, over the usual ones.
            body: Sent as JSON; arrays and scalars of numpy and its like are sent as lists and numbers. None sends none.
            timeout: Seconds without a byte after which it is given up.

        Raises:
            RouteFailed: There was no answer; its status is None.
        """
        started = time.perf_counter()
        try:
            response = self._session.request(
                method,
                url,
                params=list(params.items()) if isinstance(params, Dict) else params,
                data=None if body is None else json.dumps(body, default=_plain),
                headers={**({} if body is None else {"Content-Type": "application/json"}), **(headers or {})},
                timeout=(_CONNECT_TIMEOUT, timeout),
                allow_redirects=False,
            )
        except requests.RequestException as error:
            raise RouteFailed(f"{method} {url} was not answered: {_words(error)}", status=None) from error
        return Answer(method, url, response.status_code, response.content, 1000 * (time.perf_counter() - started))

    def close(self) -> None:
        """Close the connections."""
        self._session.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class _Bearer(AuthBase):
    def __init__(self, token: str | None) -> None:
        self._token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        if self._token is not None:
            request.headers["Authorization"] = f"Bearer {self._token}"
        return request


@runtime_checkable
class _ToList(Protocol):
    """What numpy's, pandas' and PyTorch's values have in common."""

    def tolist(self) -> object: ...


def _plain(value: object) -> object:
    if isinstance(value, _ToList):
        return value.tolist()
    raise TypeError(f"{type(value).__name__} cannot be sent as JSON: give numbers, text, lists, dicts or arrays")


def _words(error: BaseException) -> str:
    """Say what lies at the bottom of an error; what is wrapped around it speaks of pools and retries."""
    if isinstance(error, requests.Timeout):
        return "no answer in time"
    bottom = error
    while (below := bottom.__cause__ or bottom.__context__) is not None:
        bottom = below
    return bottom.strerror if isinstance(bottom, OSError) and bottom.strerror else str(bottom)
