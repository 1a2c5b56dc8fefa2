"""Calls to a published model: what is sent so that its route takes them, and what the answer means."""

import json
import shlex
from collections.abc import Mapping as Dict
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlencode

from kfambassador.resources.mapping import Mapping
from kfambassador.routing.describe import Json
from kfambassador.routing.targets import read_target
from kfambassador.sdk.http import Answer, HttpClient

_NOT_FOUND: Final = 404
_UNAVAILABLE: Final = 503
#: Statuses by which an authorization service denies a request.
_DENIED: Final = frozenset({401, 403})
#: How Envoy's own answers begin, and what each means to the person who asked.
_ENVOYS_WORDS: Final = {
    "no healthy upstream": "the service has no endpoint, or its name is not known to DNS",
    "upstream connect error": "Envoy cannot reach the service; does it run, and is the port right?",
    "upstream request timeout": "the service did not answer in time; timeout_ms says how long Envoy waits",
}


@dataclass(frozen=True, slots=True)
class Call:
    """A request to the gateway.

    Attributes:
        method: Such as ``POST``.
        path: The path.
        headers: Headers its route asks for, and those the caller gives.
        params: Query parameters its route asks for.
        body: Sent as JSON; None sends none.
    """

    method: str
    path: str
    headers: Dict[str, str] = field(default_factory=dict)
    params: Dict[str, str] = field(default_factory=dict)
    body: object = None

    @property
    def target(self) -> str:
        """Path and query."""
        return f"{self.path}?{urlencode(self.params)}" if self.params else self.path

    def send(self, http: HttpClient, url: str, *, timeout: float = 330.0) -> Answer:
        """Send it to the gateway at ``url``; see :meth:`~kfambassador.sdk.http.HttpClient.send`."""
        return http.send(self.method, f"{url}{self.target}", headers=self.headers, body=self.body, timeout=timeout)

    def curl(self, url: str) -> str:
        r"""The same as a line for a shell.

        Example:
            >>> Call("POST", "/m:predict", headers={"x-team": "a b"}, body={"instances": [1]}).curl("http://h")
            'curl -H \'x-team: a b\' -H \'Content-Type: application/json\' -d \'{"instances": [1]}\' http://h/m:predict'
        """
        usual = "GET" if self.body is None else "POST"
        words = ["curl", *([] if self.method == usual else ["-X", self.method])]
        headers = self.headers if self.body is None else {**self.headers, "Content-Type": "application/json"}
        words += [word for name, value in headers.items() for word in ("-H", f"{name}: {value}")]
        words += [] if self.body is None else ["-d", json.dumps(self.body)]
        return shlex.join([*words, f"{url}{self.target}"])


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
    if host is not None and not mapping.host_regex and "*" not in host:
        asked["Host"] = host
    asked |= _fulfil(mapping.headers)
    return Call(method, path, {**asked, **(headers or {})}, _fulfil(mapping.query_parameters), body)


def find_gateways_words(answer: Answer, mapping: Mapping) -> str | None:
    """Say what an answer means that Envoy gave instead of the service; None when the service itself answered.

    Args:
        answer: The answer.
        mapping: The mapping whose service was to answer; where it speaks TLS, more can be the cause.
    """
    if answer.status == _NOT_FOUND and not answer.body:
        return "no route takes this request"
    found = next((meaning for words, meaning in _ENVOYS_WORDS.items() if answer.text.startswith(words)), None)
    if found is None or answer.status != _UNAVAILABLE:
        return found
    return f"{found}{_suspect_tls(mapping)}"


def tell_denial(answer: Answer) -> str:
    """Say who may have denied a request; "" when the answer is no denial.

    Example:
        >>> tell_denial(Answer("GET", "http://h/m/", 404, b"", 1.0))
        ''
    """
    if answer.status not in _DENIED:
        return ""
    return (
        f"it is denied with {answer.status}: an AuthService of the gateway may have done so (send what it asks for, or "
        "set bypass_auth=True), or the server asks for credentials itself"
    )


def _suspect_tls(mapping: Mapping) -> str:
    """Say what may be wrong with TLS, "" where none is spoken."""
    target = read_target(mapping.service, namespace="").target
    if target is None or not (mapping.tls or target.tls):
        return ""
    return (
        ". It is spoken to by TLS: perhaps its certificate is not trusted (name its authority in the ca_secret of a "
        f"TLSContext, and that one in tls=), is for another name than {mapping.host_rewrite or target.host}, or it "
        "does not speak TLS"
    )


def _fulfil(conditions: Dict[str, str | bool]) -> dict[str, str]:
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


@dataclass(frozen=True, slots=True)
class RouteTest:
    """What became of one request to a route; true when its status was the expected one.

    Attributes:
        path: What was asked for, with its query.
        answer: The whole answer.
        expected: The status that was expected.
        mapping: The mapping that took the request, as namespace/name; several when they share it; "" when none did.
        upstream_path: The path the service saw, "" when no mapping took the request.
    """

    path: str
    answer: Answer
    expected: int
    mapping: str
    upstream_path: str

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
        asked = f"{self.answer.method} {self.path}"
        return f"<RouteTest {verdict}: {asked} → {self.status} in {self.latency_ms:.1f} ms, {taken}>"
