"""Asking Envoy itself, over the Unix sockets in its private directory: which route a request takes, what it counts."""

from collections.abc import Mapping as Dict
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import quote

from aiohttp import ClientError, ClientSession, ClientTimeout, UnixConnector
from pydantic import BaseModel, ValidationError
from yarl import URL

from kfambassador.envoy.asking import ANSWER_PREFIX, ASKING
from kfambassador.errors import NoGateway
from kfambassador.routing.describe import Json, name_mapping
from kfambassador.routing.explain import Explanation
from kfambassador.routing.requests import RequestLine

#: Seconds Envoy has for an answer; its main thread may be busy with a large table.
PATIENCE: Final = 5.0

# Everything a request line can carry is passed on as it is; what it cannot is escaped, as any client would.
_VISIBLE: Final = "".join(map(chr, range(0x21, 0x7F)))
# What aiohttp would add by itself, and a condition on a header would see.
_UNSAID: Final = ("Accept", "Accept-Encoding", "User-Agent", "Content-Type")
_OUR_REFUSAL: Final = f"[{ASKING}]"


class _Told(BaseModel, frozen=True):
    route: str | None = None
    cluster: str | None = None
    path: str | None = None
    details: str | None = None


@dataclass(frozen=True, slots=True)
class EnvoyAnswer:
    """Which route Envoy chose for a request.

    Attributes:
        route: The mapping's namespace/name; "" when no route takes the request.
        cluster: Where it would go; "" for a redirect.
        path: The path and query as the routes saw them.
        refusal: Why it is refused before any route is asked, in Envoy's words; "" when it is not.
    """

    route: str = ""
    cluster: str = ""
    path: str = ""
    refusal: str = ""


async def ask_route(socket: Path, request: RequestLine) -> EnvoyAnswer:
    """Ask which route takes a request; it reaches no service.

    Raises:
        NoGateway: Envoy does not answer.
        ValueError: It is no request: its method or a header cannot be written.
    """
    headers = {**request.headers, "Host": request.host}
    status, text, told_apart = await _send(socket, request.method, quote(request.target, safe=_VISIBLE), headers)
    try:
        told = _Told.model_validate_json(text) if text else _read_headers(told_apart)
    except ValidationError as error:
        raise NoGateway(f"Envoy answers a question about routes with {status}: {text[:200]!r}") from error
    details = told.details or ""
    if not details.endswith(_OUR_REFUSAL):
        return EnvoyAnswer(refusal=f"{status}: {details}")
    return EnvoyAnswer(told.route or "", told.cluster or "", told.path or "")


async def ask_admin(socket: Path, path: str, *, method: str = "GET") -> str:
    """Ask Envoy's admin, such as ``/stats?filter=^cluster``; give the answer's text.

    Raises:
        NoGateway: Envoy does not answer, or not with 200.
    """
    status, text, _ = await _send(socket, method, path, {})
    if status != 200:  # noqa: PLR2004 - HTTP's word for success
        raise NoGateway(f"Envoy's admin answers {path} with {status}: {text[:200].strip()}")
    return text


def _read_headers(headers: Dict[str, str]) -> _Told:
    """Read the answer to a HEAD, which has no body; what is not there is told as a dash."""
    told = {name: headers.get(f"{ANSWER_PREFIX}{name}", "-") for name in _Told.model_fields}
    return _Told.model_validate({name: value for name, value in told.items() if value != "-"})


async def _send(socket: Path, method: str, target: str, headers: Dict[str, str]) -> tuple[int, str, Dict[str, str]]:
    url = URL(f"http://envoy{target}", encoded=True)
    try:
        async with (
            ClientSession(
                connector=UnixConnector(str(socket)),
                timeout=ClientTimeout(total=PATIENCE),
                skip_auto_headers=_UNSAID,
                trust_env=False,
            ) as session,
            session.request(method, url, headers=headers, allow_redirects=False) as answer,
        ):
            return answer.status, await answer.text(errors="replace"), answer.headers
    except (ClientError, OSError, TimeoutError) as error:
        raise NoGateway(f"Envoy does not answer at {socket}: {str(error) or 'it took too long'}") from error


def find_difference(explanation: Explanation, answer: EnvoyAnswer) -> str:
    """Say how Envoy's answer differs from the table's; "" when both agree.

    Any split of a canary that has a share is as right as another.
    """
    if explanation.refusal or answer.refusal:
        if explanation.refusal and answer.refusal:
            return ""
        return f"the table says {explanation.refusal or 'it is taken in'}, Envoy {answer.refusal or 'takes it in'}"
    path = answer.path.partition("?")[0]
    if path != explanation.request.path:
        return f"the table takes the path for {explanation.request.path}, Envoy for {path}"
    splits = explanation.winner.splits if explanation.winner else ()
    expected = {(name_mapping(split), split.cluster) for split in splits if split.share} or {("", "")}
    if (answer.route, answer.cluster) in expected:
        return ""
    named = " or ".join(sorted(name or "no route" for name, _ in expected))
    return f"the table says {named}, Envoy {answer.route or 'no route'} with cluster {answer.cluster or 'none'}"


def describe_answer(explanation: Explanation, answer: EnvoyAnswer) -> dict[str, Json]:
    """Describe what Envoy said, and whether the table says the same."""
    difference = find_difference(explanation, answer)
    return {
        "route": answer.route,
        "cluster": answer.cluster,
        "path": answer.path,
        "refusal": answer.refusal,
        "agrees": not difference,
        "difference": difference,
    }
