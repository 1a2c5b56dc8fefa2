"""The test form: one request, sent through the gateway, and what became of it."""

from http import HTTPStatus
from typing import TYPE_CHECKING, Final

from kfambassador.notebook.answering.arguments import Sending
from kfambassador.routing.describe import Json
from kfambassador.sdk.calling.http import Answer

if TYPE_CHECKING:
    from kfambassador.sdk.gateway import Gateway

#: Bytes of an answer that are shown; a page is no place for more.
_SHOWN: Final = 100_000


def send(gateway: "Gateway", question: Sending) -> dict[str, Json]:
    """Send the request, and tell what became of it."""
    headers = _write_headers(question)
    tried = gateway.test(
        question.method,
        question.path,
        headers=headers,
        body=question.body,
        timeout=question.timeout,
    )
    answer = tried.answer
    shown, is_text = _read_text(answer.body[:_SHOWN], whole=len(answer.body) <= _SHOWN)
    return {
        "status": answer.status,
        "reason": _name_status(answer.status),
        "is_success": answer.is_success,
        "latency_ms": round(answer.latency_ms, 1),
        "headers": [[name, value] for name, value in answer.headers.items()],
        "body": shown if is_text else f"{len(answer.body)} bytes that are no text",
        "is_text": is_text,
        "cut": _tell_cut(shown, answer),
        "meaning": tried.meaning,
        "mapping": tried.mapping,
        "backend": tried.backend,
        "upstream_path": tried.upstream_path,
        "url": answer.url,
        **write_curl(gateway, question),
    }


def write_curl(gateway: "Gateway", question: Sending) -> dict[str, Json]:
    """Write the request as a line for a shell; secrets stand in it as variables."""
    headers = _write_headers(question)
    line = gateway.curl(question.method, question.path, headers=headers, body=question.body)
    return {"curl": line}


def _write_headers(question: Sending) -> dict[str, str]:
    """The headers as they are sent: a body is JSON where nobody says otherwise."""
    headers = {**question.headers}
    if question.body is not None and "content-type" not in {name.lower() for name in headers}:
        headers["Content-Type"] = "application/json"
    return headers


def _read_text(body: bytes, *, whole: bool) -> tuple[str, bool]:
    """Read a body as text; give it, and whether it is text. A cut may go through a character."""
    try:
        text = body.decode()
    except UnicodeDecodeError as error:
        if whole or error.end < len(body):
            return "", False
        text = body[: error.start].decode()
    return text, "\0" not in text


def _tell_cut(shown: str, answer: Answer) -> str:
    """Say what of an answer is left out; "" when nothing is."""
    size = len(answer.body)
    went_on = "" if answer.is_whole else f"It went on after {size:,} bytes."
    cut = f"The first {len(shown):,} characters of {size:,} bytes." if shown and size > _SHOWN else ""
    return " ".join(filter(None, (cut, went_on)))


def _name_status(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""
