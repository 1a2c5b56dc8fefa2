"""The one door to ``requests``: one call, one answer or one error of ours."""

import json
import time
from collections.abc import Iterator
from collections.abc import Mapping as Dict
from dataclasses import dataclass, field
from http.cookiejar import DefaultCookiePolicy
from types import TracebackType
from typing import ClassVar, Final, NamedTuple, Self
from urllib.parse import urlsplit

import requests
from requests.auth import AuthBase
from urllib3.exceptions import HTTPError, NewConnectionError, ReadTimeoutError

from kfambassador.errors import RouteFailed
from kfambassador.resources.fields import is_number
from kfambassador.routing.describe import Json
from kfambassador.routing.texts import FIELD_VALUE
from kfambassador.sdk.calling.bodies import Body, read_body
from kfambassador.sdk.calling.credentials import Credentials, origin_of, warn_in_clear
from kfambassador.sdk.calling.retrying import find_pause, is_unsent, may_ask_again
from kfambassador.sdk.calling.streaming import StreamedAnswer, read_begun

_CONNECT_TIMEOUT: Final = 5.0
_QUOTED: Final = 300
_SUCCESS: Final = range(200, 300)
_UNAVAILABLE: Final = 503
_REFUSAL: Final = 4096

Params = Dict[str, str] | tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer, whatever its status.

    Attributes:
        method: What was asked with.
        url: What was asked for.
        status: The HTTP status.
        body: The body as it came.
        latency_ms: From the request's first byte to the answer's last, in milliseconds; of the last one, where it was
            asked several times.
        headers: The answer's headers, names in lower case.
        tries: How often it was asked.
        is_whole: Whether the body was read to its end.
    """

    method: str
    url: str
    status: int
    body: bytes = field(repr=False)
    latency_ms: float
    headers: Dict[str, str] = field(default_factory=dict, repr=False)
    tries: int = 1
    is_whole: bool = True

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

    No redirect is followed, no cookie kept, and no .netrc read: what is sent is what the caller says.

    Args:
        credentials: Sent with every request, unless the caller gives the same header. None sends none.
        origin: The only scheme, host and port the credentials are sent to, as a URL; None means those of the first
            request.
        direct: Take no notice of proxies in the environment, as for addresses of this machine.
        connect_timeout: Seconds to wait for a connection.
    """

    def __init__(
        self,
        *,
        credentials: Credentials | None = None,
        origin: str | None = None,
        direct: bool = False,
        connect_timeout: float = _CONNECT_TIMEOUT,
    ) -> None:
        self.credentials = credentials
        self._origin = None if origin is None else origin_of(origin)
        self._told = False
        self._connect_timeout = connect_timeout
        self._session = requests.Session()
        self._session.trust_env = not direct
        self._session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        # An auth of our own also keeps requests from putting a .netrc's password in its place.
        self._session.auth = _Showing(self.credentials)

    def send(
        self,
        method: str,
        url: str,
        *,
        params: Params = (),
        headers: Dict[str, str] | None = None,
        body: object = None,
        timeout: float = 30.0,
        retries: int | None = 0,
        most: int | None = None,
    ) -> Answer:
        """Send one request, without following redirects.

        Args:
            method: Such as ``POST``.
            url: The address.
            params: Query parameters.
            headers: Headers, over the usual ones.
            body: Bytes and text are sent as they are, anything else as JSON; arrays and scalars of numpy and its like
                as lists and numbers. None sends none. A ``Content-Type`` among the headers wins over the usual one.
            timeout: Seconds without a byte after which it is given up; after so many seconds nothing is asked again.
            retries: How often to ask again at 429, 502, 503 and 504, as the server's ``Retry-After`` says or after a
                growing pause. Where the service saw nothing of the request (no connection was made, to the gateway or
                by Envoy) it is asked again twice even with 0, and with None never.
            most: Bytes of the answer to read, and then no longer than ``timeout`` in all: some answers never end. None
                reads it whole.

        Raises:
            RouteFailed: There was no answer; its status is None.
            ValueError: A header holds what none can, or the time is none.
            TypeError: A header is no text.
        """
        asked = _Asked(method, url, params, dict(headers or {}), read_body(body), timeout, stream=False, most=most)
        reply = self._ask(asked, retries)
        told = (reply.latency_ms, reply.headers, reply.tries, reply.is_whole)
        return Answer(method, url, reply.status, reply.body, *told)

    def stream(
        self,
        method: str,
        url: str,
        *,
        params: Params = (),
        headers: Dict[str, str] | None = None,
        body: object = None,
        timeout: float = 330.0,
        retries: int | None = 0,
    ) -> StreamedAnswer:
        """Send one request, and read its answer as it arrives; use it as a context manager.

        The arguments are those of :meth:`send`. Nothing is asked again once the answer has begun.

        Raises:
            RouteFailed: There was no answer; its status is None.
        """
        # A compressed answer would arrive in the blocks of the compression.
        plain = {"Accept-Encoding": "identity"}
        asked = _Asked(method, url, params, {**plain, **(headers or {})}, read_body(body), timeout, stream=True)
        reply = self._ask(asked, retries)
        raw = reply.response.raw
        return StreamedAnswer(method, url, raw, headers=reply.headers, begun=reply.body, close=reply.response.close)

    def _ask(self, asked: "_Asked", retries: int | None) -> "_Reply":
        """Ask until there is an answer to keep."""
        _check_headers(asked.headers)
        _check_timeout(asked.timeout)
        self._check_address(asked)
        started = time.perf_counter()
        tries = 0
        while True:
            tries += 1
            left = asked.timeout - (time.perf_counter() - started)
            reply = self._ask_once(asked, timeout=left, tries=tries)
            unsent = reply.unsent if isinstance(reply, _Reply) else reply.refused or (reply.late and bool(retries))
            if not may_ask_again(tries, retries=retries, status=reply.status, unsent=unsent):
                break
            pause = find_pause(tries, reply.headers)
            if time.perf_counter() - started + pause >= asked.timeout:
                break
            reply.close()
            time.sleep(pause)
        if isinstance(reply, _Reply):
            return reply
        often = "" if tries == 1 else f"asked {tries} times "
        spent = f"{often}in {time.perf_counter() - started:.1f} s"
        # Raised with nothing behind it: the frames that failed hold the request's headers, and with them the secret.
        raise RouteFailed(f"{asked.method} {asked.url} was not answered ({spent}): {reply.words}", status=None)

    def _ask_once(self, asked: "_Asked", *, timeout: float, tries: int) -> "_Reply | _Failure":
        started = time.perf_counter()
        try:
            response = self._session.request(
                asked.method,
                asked.url,
                params=list(asked.params.items()) if isinstance(asked.params, Dict) else asked.params,
                data=asked.body.data,
                headers=asked.body.add_type(asked.headers),
                timeout=(min(self._connect_timeout, timeout), timeout),
                allow_redirects=False,
                stream=asked.stream or asked.most is not None,
            )
            body, is_whole = _read(asked, response, until=started + timeout)
        except (requests.RequestException, HTTPError) as error:
            return _Failure.of(error)
        return _Reply(response, body, 1000 * (time.perf_counter() - started), tries, is_whole)

    def _check_address(self, asked: "_Asked") -> None:
        """Make sure that the secret goes where it belongs, and that none stands in the address."""
        try:
            parts = urlsplit(asked.url)
            origin = origin_of(asked.url) if self.credentials else ""
        except ValueError as error:
            if self.credentials:
                raise RouteFailed(f"{asked.method} {asked.url} is not sent: {error}", status=None) from None
            return
        if parts.username is not None or parts.password is not None:
            shown = f"{asked.method} {parts.scheme}://…@{parts.hostname}{parts.path}"
            message = f"{shown} is not sent: an address with a user is not taken; give credentials=BasicAuth(...)"
            raise RouteFailed(message, status=None)
        if self.credentials is None:
            return
        if self._origin is None or self._origin == origin:
            self._first_use(asked.url, origin)
            return
        message = f"{asked.method} {asked.url} is not sent: the credentials are for {self._origin}, and for no other"
        raise RouteFailed(message, status=None)

    def _first_use(self, url: str, origin: str) -> None:
        self._origin = origin
        if not self._told:
            self._told = True
            warn_in_clear(url)

    def close(self) -> None:
        """Close the connections."""
        self._session.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<HttpClient {f'with {self.credentials!r}' if self.credentials else 'without credentials'}>"


class _Asked(NamedTuple):
    """One request, before credentials."""

    method: str
    url: str
    params: Params
    headers: Dict[str, str]
    body: Body
    timeout: float
    stream: bool
    most: int | None = None


@dataclass(frozen=True, slots=True)
class _Reply:
    response: requests.Response
    body: bytes
    latency_ms: float
    tries: int
    is_whole: bool

    @property
    def status(self) -> int:
        return self.response.status_code

    @property
    def headers(self) -> dict[str, str]:
        return {name.lower(): value for name, value in self.response.headers.items()}

    @property
    def unsent(self) -> bool:
        return is_unsent(self.status, self.body.decode(errors="replace"))

    def close(self) -> None:
        self.response.close()


@dataclass(frozen=True, slots=True)
class _Failure:
    """That there was no answer.

    Attributes:
        words: Why.
        refused: No connection could be made.
        late: None was made in time.
    """

    words: str
    refused: bool
    late: bool

    status: ClassVar[None] = None
    headers: ClassVar[Dict[str, str]] = {}

    @classmethod
    def of(cls, error: Exception) -> Self:
        late = isinstance(error, requests.ConnectTimeout)
        refused = not late and any(isinstance(each, NewConnectionError) for each in _chain(error))
        return cls(_words(error), refused, late)

    def close(self) -> None:
        """Do nothing: there is no connection."""


class _Showing(AuthBase):
    """Puts credentials into requests; the caller's own headers win."""

    def __init__(self, credentials: Credentials | None) -> None:
        self._credentials = credentials

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        if self._credentials is not None:
            for name, value in self._credentials.headers().items():
                if name == "Cookie" and name in request.headers:
                    request.headers[name] = f"{request.headers[name]}; {value}"
                else:
                    request.headers.setdefault(name, value)
        return request


def _check_headers(headers: Dict[str, str]) -> None:
    """Refuse what would be refused below in words that quote it; it may be a secret."""
    for name, value in headers.items():
        if not isinstance(value, str):
            raise TypeError(f"The header {name} is {type(value).__name__}, and a header is text: put it in quotes.")
        if not FIELD_VALUE.fullmatch(value):
            raise ValueError(f"The header {name} holds line breaks or characters that no header can.")


def _check_timeout(timeout: float) -> None:
    if not (is_number(timeout) and timeout > 0):
        raise ValueError(f"timeout={timeout!r}: expected seconds above 0.")


def _read(asked: _Asked, response: requests.Response, *, until: float) -> tuple[bytes, bool]:
    """Read of an answer what is wanted now; give it, and whether it is all there will be."""
    if asked.stream:
        # Of a stream only what says that there is none: perhaps Envoy's words.
        is_refused = response.status_code == _UNAVAILABLE
        return (response.raw.read1(_REFUSAL, decode_content=True) if is_refused else b""), False
    if asked.most is None:
        return response.content, True
    body, is_whole = read_begun(response.raw, most=asked.most, until=until)
    if not is_whole:
        response.close()
    return body, is_whole


def _words(error: BaseException) -> str:
    """Say what lies at the bottom of an error; what is wrapped around it speaks of pools and retries."""
    if isinstance(error, requests.Timeout | ReadTimeoutError):
        return "no answer in time"
    if isinstance(error, requests.exceptions.InvalidHeader):
        return "a header holds what no header can"  # requests would quote it, and it may be a secret
    *_, bottom = _chain(error)
    return bottom.strerror if isinstance(bottom, OSError) and bottom.strerror else str(bottom)


def _chain(error: BaseException) -> Iterator[BaseException]:
    below: BaseException | None = error
    while below is not None:
        yield below
        below = below.__cause__ or below.__context__
