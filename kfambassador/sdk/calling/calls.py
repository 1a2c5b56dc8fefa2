"""Calls to a published model: what is sent so that its route takes them, and what the answer means."""

import re
import shlex
from collections.abc import Mapping as Dict
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import quote, urlencode

from kfambassador.names import SECRET_HEADERS
from kfambassador.resources.mapping import Mapping
from kfambassador.routing.describe import Json
from kfambassador.sdk.calling.bodies import read_body
from kfambassador.sdk.calling.credentials import Credentials
from kfambassador.sdk.calling.http import Answer, HttpClient
from kfambassador.sdk.calling.meanings import explain_answer, explain_failure, find_gateways_words, tell_denial
from kfambassador.sdk.calling.streaming import StreamedAnswer
from kfambassador.sdk.faces.figures import show_prediction
from kfambassador.sdk.faces.routes import show_test

__all__ = [
    "Call",
    "Prediction",
    "RouteTest",
    "build_call",
    "explain_answer",
    "explain_failure",
    "find_gateways_words",
    "fulfil",
    "tell_denial",
]

#: What stands in an address as it is (RFC 3986, 3.3 and 3.4); all else is sent escaped. To curl, brackets are several.
_PLAIN: Final = "!#$%&'()*+,/:;=?@~"


@dataclass(frozen=True, slots=True)
class Call:
    """A request to the gateway.

    Attributes:
        method: Such as ``POST``.
        path: The path.
        headers: Headers its route asks for, and those the caller gives.
        params: Query parameters its route asks for.
        body: Bytes and text are sent as they are, anything else as JSON; None sends none.
    """

    method: str
    path: str
    headers: Dict[str, str] = field(default_factory=dict, repr=False)
    params: Dict[str, str] = field(default_factory=dict)
    body: object = field(default=None, repr=False)

    @property
    def target(self) -> str:
        """Path and query."""
        return f"{self.path}?{urlencode(self.params)}" if self.params else self.path

    def send(
        self, http: HttpClient, url: str, *, timeout: float = 330.0, retries: int | None = 0, most: int | None = None
    ) -> Answer:
        """Send it to the gateway at ``url``; see :meth:`~kfambassador.sdk.calling.http.HttpClient.send`."""
        where = self._find_address(url)
        return http.send(
            self.method, where, headers=self.headers, body=self.body, timeout=timeout, retries=retries, most=most
        )

    def open(self, http: HttpClient, url: str, *, timeout: float = 330.0, retries: int | None = 0) -> StreamedAnswer:
        """Send it, and read the answer as it arrives; see :meth:`~kfambassador.sdk.calling.http.HttpClient.stream`."""
        where = self._find_address(url)
        return http.stream(self.method, where, headers=self.headers, body=self.body, timeout=timeout, retries=retries)

    def curl(self, url: str, credentials: Credentials | None = None) -> str:
        r"""The same as a line for a shell; secrets stand in it as variables of the shell, never themselves.

        Example:
            >>> Call("POST", "/m:predict", headers={"x-team": "a b"}, body={"instances": [1]}).curl("http://h")
            'curl -H \'x-team: a b\' -H \'Content-Type: application/json\' -d \'{"instances": [1]}\' http://h/m:predict'
        """
        body = read_body(self.body)
        named = {name.lower() for name in self.headers}
        headers = (
            self.headers
            if "content-type" in named or body.data is None
            else {**self.headers, "Content-Type": body.content_type}
        )
        words = ["curl", *_write_method(self.method, has_body=body.data is not None)]
        # The caller's own header wins here as well.
        is_replaced = (
            credentials is not None and bool(named) and named.issuperset(map(str.lower, credentials.headers()))
        )
        words += [] if credentials is None or is_replaced else credentials.curl_words()
        words += [word for name, value in headers.items() for word in ("-H", _write_header(name, value))]
        words += [] if body.data is None else _write_data(body.data)
        return " ".join([*words, shlex.quote(f"{url}{quote(self.target, safe=_PLAIN)}")])

    def _find_address(self, url: str) -> str:
        # Anything else could change the host that the address names.
        if not self.path.startswith("/"):
            raise ValueError(f"The path {self.path!r} does not start with a slash: give the whole path after the host.")
        return f"{url}{self.target}"


def _write_method(method: str, *, has_body: bool) -> list[str]:
    """Say a method to curl where it would use another.

    Example:
        >>> _write_method("POST", has_body=True), _write_method("PUT", has_body=True)
        ([], ['-X', 'PUT'])
    """
    if method == "HEAD" and not has_body:
        # With -X it would wait for a body that never comes.
        return ["--head"]
    return [] if method == ("POST" if has_body else "GET") else ["-X", shlex.quote(method)]


def _write_header(name: str, value: str) -> str:
    """Quote a header for a shell.

    Example:
        >>> _write_header("X-Api-Key", "s3cret"), _write_header("x-team", "a"), _write_header("x-empty", "")
        ('"X-Api-Key: $X_API_KEY"', "'x-team: a'", "'x-empty;'")
    """
    if name.lower() in SECRET_HEADERS:
        return f'"{name}: ${re.sub("[^A-Z]", "_", name.upper())}"'
    # To curl, a header without a value is one to leave out; the semicolon sends it empty.
    return shlex.quote(f"{name}: {value}" if value else f"{name};")


def _write_data(data: bytes) -> list[str]:
    """Quote a body for a shell; what is no text has to come from a file."""
    try:
        text = data.decode()
    except UnicodeDecodeError:
        return ["--data-binary", "@FILE"]
    if "\0" in text:
        return ["--data-binary", "@FILE"]
    # To curl, -d @name is a file.
    return ["--data-raw" if text.startswith("@") else "-d", shlex.quote(text)]


def build_call(
    mapping: Mapping, method: str, path: str, *, body: object = None, headers: Dict[str, str] | None = None
) -> Call:
    """Build a call that fulfils what a mapping asks for, as far as that can be known.

    Example:
        >>> mapping = Mapping(name="m", prefix="/m/", service="m", host="m.example", headers={"x-team": "a"})
        >>> build_call(mapping, "GET", "/m/").headers
        {'Host': 'm.example', 'x-team': 'a'}
    """
    host = mapping.hostname or mapping.host
    asked: dict[str, str] = {}
    if host is not None and not mapping.host_regex and host != "*":
        asked["Host"] = host.replace("*", "any")
    asked |= fulfil(mapping.headers)
    return Call(method, path, {**asked, **(headers or {})}, fulfil(mapping.query_parameters), body)


def fulfil(conditions: Dict[str, str | bool]) -> dict[str, str]:
    """Give values that fulfil conditions on headers or query parameters; where any will do it is ``true``."""
    return {name: wanted if isinstance(wanted, str) else "true" for name, wanted in conditions.items()}


@dataclass(frozen=True, slots=True)
class Prediction:
    """What a model answered.

    Attributes:
        values: The predictions, one for each instance.
        raw: The whole answer.
        latency_ms: From asking to the whole answer, in milliseconds.
    """

    values: Json
    raw: Json = field(repr=False)
    latency_ms: float

    def __repr__(self) -> str:
        shown = repr(self.values)
        return f"<Prediction {shown if len(shown) <= 80 else shown[:77] + '...'} in {self.latency_ms:.1f} ms>"  # noqa: PLR2004

    def _repr_html_(self) -> str:
        return show_prediction(self.values, latency_ms=self.latency_ms)


@dataclass(frozen=True, slots=True)
class RouteTest:
    """What became of one request to a route; true when its status was the expected one.

    Attributes:
        path: What was asked for, with its query.
        answer: The whole answer.
        expected: The status that was expected.
        mapping: The mapping that took the request, as namespace/name; several when they share it; "" when none did.
        upstream_path: The path the service saw, "" when no mapping took the request.
        backend: Which variant or service answered; several when they share the route and any may have; "" when unknown.
    """

    path: str
    answer: Answer
    expected: int
    mapping: str
    upstream_path: str
    backend: str = ""

    @property
    def meaning(self) -> str:
        """What the status means in plain words; "" when it is one of success."""
        return explain_answer(self.answer)

    @property
    def status(self) -> int:
        """The status of the answer."""
        return self.answer.status

    @property
    def latency_ms(self) -> float:
        """From asking to the whole answer, in milliseconds."""
        return self.answer.latency_ms

    def __bool__(self) -> bool:
        return self.status == self.expected

    def __repr__(self) -> str:
        verdict = "passed" if self else f"failed, expected {self.expected}"
        taken = f"{self.mapping} → {self.upstream_path}" if self.mapping else "no route"
        taken += f" at {self.backend}" if self.mapping and self.backend else ""
        asked = f"{self.answer.method} {self.path}"
        why = f": {self.meaning}" if not self and self.mapping and self.meaning else ""
        return f"<RouteTest {verdict}: {asked} → {self.status} in {self.latency_ms:.1f} ms, {taken}{why}>"

    def _repr_html_(self) -> str:
        return show_test(self)
