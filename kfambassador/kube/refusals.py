"""What went wrong between us and a Kubernetes API, in words for a person."""

import json
import ssl
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

import urllib3.exceptions as http

from kfambassador.errors import ApiError, Cause
from kfambassador.kube.kinds import Kind
from kfambassador.kube.permissions import advise, read_denial

#: A server's words are quoted up to this many characters, so that a page of HTML does not flood a log.
_QUOTED: Final = 500


@dataclass(frozen=True, slots=True)
class Request:
    """What was asked of the API, for messages.

    Attributes:
        server: The address of the API.
        verb: Kubernetes' word for it: ``list``, ``watch``, ``get``, ``create``, ``update``, ``patch``, ``delete``.
        kind: The kind it was asked for.
        namespace: Where; None means in all namespaces, or that the kind has none.
        name: The object; None means the collection.
        subresource: The part of the object that is written apart from the rest, ``status``; "" for the object.

    Example:
        >>> from kfambassador.kube.kinds import SERVICE
        >>> str(Request("http://127.0.0.1:8001", "delete", SERVICE, namespace="kubeflow", name="mnist"))
        "delete services 'mnist' in namespace 'kubeflow'"
    """

    server: str
    verb: str
    kind: Kind
    namespace: str | None = None
    name: str | None = None
    subresource: str = ""

    @property
    def path(self) -> str:
        """Where it is asked for."""
        path = self.kind.path(namespace=self.namespace, name=self.name)
        return f"{path}/{self.subresource}" if self.subresource else path

    def __str__(self) -> str:
        """Say it in one phrase."""
        part = f"/{self.subresource}" if self.subresource else ""
        named = f" {self.name!r}" if self.name is not None else ""
        placed = f" in namespace {self.namespace!r}" if self.kind.namespaced and self.namespace is not None else ""
        return f"{self.verb} {self.kind.plural}{part}{named}{placed}"


def read_refusal(request: Request, status: int, *, body: bytes, headers: Mapping[str, str]) -> ApiError:
    """Turn an answer that is no success into the error that stands for it."""
    try:
        document = json.loads(body)
    except ValueError:
        document = None
    if not isinstance(document, dict):
        document = {"message": body.decode(errors="replace").strip()}
    return explain_status(request, document, status=status, retry_after=_seconds(headers.get("Retry-After")))


def explain_status(
    request: Request, document: Mapping[str, object], *, status: int | None = None, retry_after: float | None = None
) -> ApiError:
    """Turn a Kubernetes ``Status`` object into an error.

    Args:
        request: What was asked.
        document: The ``Status``; its ``message`` and ``reason`` are used when they are there.
        status: The HTTP status; None means the ``code`` of the ``Status``.
        retry_after: Seconds the server asked to wait.
    """
    if status is None:
        code = document.get("code")
        status = code if isinstance(code, int) else 500
    said = str(document.get("message") or "no further words")
    said = said if len(said) <= _QUOTED else f"{said[:_QUOTED]}…"
    message = f"The Kubernetes API at {request.server} refused to {request} ({status}): {said}"
    if advice := _advise(status, said):
        message = f"{message.rstrip('.')}. {advice}"
    reason, causes = str(document.get("reason") or ""), tuple(_read_causes(document))
    return ApiError.of(message, status=status, reason=reason, retry_after=retry_after, causes=causes)


def _read_causes(document: Mapping[str, object]) -> Iterator[Cause]:
    details = document.get("details")
    causes = details.get("causes") if isinstance(details, dict) else None
    for cause in causes if isinstance(causes, list) else ():
        if isinstance(cause, dict):
            yield Cause(*(str(cause.get(name) or "") for name in ("field", "reason", "message")))


_FORBIDDEN: Final = 403
_ADVICE: Final = {
    401: "Log in again, or check the token and the user of the kubeconfig.",
    429: "The server is overloaded: try again later.",
}


def _advise(status: int, said: str) -> str | None:
    """Say what can be done; a 403 that speaks of no permission is a quota's or a webhook's, and says it itself."""
    denial = read_denial(said) if status == _FORBIDDEN else None
    return advise(denial) if denial is not None else _ADVICE.get(status)


def explain_silence(request: Request, error: http.HTTPError, *, timeout: float) -> ApiError:
    """Say why no whole answer came.

    Args:
        request: What was asked.
        error: What the HTTP library raised.
        timeout: How many seconds an answer was waited for.
    """
    return ApiError.of(f"{_silence(request.server, error, timeout)} (while trying to {request})", status=None)


def _silence(server: str, error: http.HTTPError, timeout: float) -> str:
    if isinstance(error, http.SSLError):
        return (
            f"The Kubernetes API at {server} could not be trusted: {_certificate_fault(error)}. "
            "Check the server's address and the certificate authority it was given with"
        )
    if isinstance(error, http.NameResolutionError):
        return f"No host answers to the name in {server}. Check the address of the Kubernetes API"
    if isinstance(error, http.ClosedPoolError):
        return f"This client of the Kubernetes API at {server} is closed: connect again"
    # Old urllib3 versions make a refused connection a kind of timeout, so the order of the two matters.
    if isinstance(error, (http.NewConnectionError, http.ConnectTimeoutError)):
        return f"No Kubernetes API answers at {server}: is the gateway or cluster running?"
    if isinstance(error, http.TimeoutError):
        return f"The Kubernetes API at {server} said nothing for {timeout:g} s: is it stopped or overloaded?"
    return f"The Kubernetes API at {server} cut the connection: {type(error).__name__}"


def _certificate_fault(error: http.SSLError) -> str:
    cause = error.args[0] if error.args else error
    if isinstance(cause, ssl.SSLCertVerificationError):
        return str(cause.verify_message)
    return str(cause)


def _seconds(text: str | None) -> float | None:
    # The header may also be a date, which needs a clock that agrees with the server's: the usual pause serves as well.
    return float(text) if text is not None and text.isascii() and text.isdigit() else None


def explain_babble(request: Request) -> ApiError:
    """Say that what answered does not speak the Kubernetes API: a proxy's log-in page, another kind of server."""
    return ApiError.of(
        f"What answers at {request.server} does not speak the Kubernetes API (while trying to {request}): "
        "check the address.",
        status=None,
    )
