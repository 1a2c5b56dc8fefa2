"""What an answer that is no success means to the person who asked: one table for statuses, one for Envoy's own words.

Nothing is sent or decided here.
"""

from http import HTTPMethod
from typing import Final
from urllib.parse import urlsplit

from kfambassador.errors import RouteFailed
from kfambassador.resources.mapping import Mapping
from kfambassador.routing.targets import read_target
from kfambassador.sdk.calling.http import Answer

_BAD_REQUEST: Final = 400
_NOT_FOUND: Final = 404
_UNAVAILABLE: Final = 503
_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
#: Statuses by which an authorization service denies a request.
_DENIED: Final = frozenset({401, 403})

#: How Envoy's own answers begin, and what each means to the person who asked.
_ENVOYS_WORDS: Final = {
    "no healthy upstream": "the service has no endpoint, or its name is not known to DNS",
    "upstream connect error": "Envoy cannot reach the service; does it run, and is the port right?",
    "upstream request timeout": "the service did not answer in time; timeout_ms says how long Envoy waits",
    "upstream max stream duration reached": "the answer took longer than Envoy lets one take",
    "stream timeout": "nothing was sent or answered for too long; idle_timeout_ms says how long Envoy waits",
    "request timeout": "the request did not arrive whole in time",
    "Payload Too Large": "the request's body is larger than the gateway takes",
    "RBAC: access denied": "an AuthorizationPolicy of the service mesh does not let this caller in",
}

#: What more an upstream connect error says (Envoy's "reset reason").
_RESET_REASONS: Final = {
    "overflow": "too many requests at once for this service: its circuit breaker is open; circuit_breakers says at how "
    "many",
    "connection timeout": "Envoy gets no connection to the service in time; does a network policy or firewall drop it? "
    "connect_timeout_ms says how long Envoy tries",
    "connection termination": "the service closed the connection instead of answering: did it crash, or does it speak "
    "another protocol on this port?",
    "remote reset": "the service broke off instead of answering: did it crash?",
    "protocol error": "the service speaks another protocol on this port than Envoy does: gRPC needs grpc: true, and "
    "plain HTTP must not have it",
}

#: What a status means when nobody says more.
_STATUSES: Final = {
    400: "the server does not understand what was sent",
    404: "the server has nothing there: is the model loaded, and is it its name?",
    405: "the server does not take this method there",
    408: "the request did not arrive whole in time",
    413: "the request's body is larger than the gateway or the server takes: send fewer inputs at once",
    415: "the server does not take this content type: give a Content-Type header",
    422: "the server understands what was sent, and its model does not take it",
    429: "too many requests: a rate limit of the gateway or the server. With retries= it is asked again as Retry-After "
    "says",
    431: "the request's headers are larger than the gateway takes: a long cookie or token?",
    500: "the server itself failed; its log says why",
    501: "the gateway or the server does not know this method",
    502: "what is behind the gateway gave no answer that can be understood: does the server speak another protocol on "
    "this port, or is another proxy in between?",
    503: "the server is not ready, overloaded or away. With retries= it is asked again",
    504: "what is behind the gateway did not answer in time; timeout_ms says how long Envoy waits",
}


def explain_answer(answer: Answer, mapping: Mapping | None = None) -> str:
    """Say what an answer means, "" when it is one of success or nothing is known of its status.

    Args:
        answer: The answer.
        mapping: The mapping whose service was to answer, where it is known; where it speaks TLS, more can be the cause.

    Example:
        >>> explain_answer(Answer("POST", "http://h/m:predict", 405, b"", 1.0))
        'the server does not take this method there'
    """
    if answer.is_success:
        return ""
    return (
        find_gateways_words(answer, mapping)
        or tell_redirect(answer)
        or tell_denial(answer)
        or _STATUSES.get(answer.status, "")
    )


def explain_failure(answer: Answer, mapping: Mapping | None = None) -> RouteFailed:
    """Make the error that stands for an answer that is no success: what it means, and its own words."""
    words = explain_answer(answer, mapping)
    said = f"{words} ({answer.text})" if words and answer.text else words or answer.text or "nothing more"
    often = "" if answer.tries == 1 else f", asked {answer.tries} times"
    return RouteFailed(f"{answer.method} {answer.url} answered {answer.status}{often}: {said}", status=answer.status)


def find_gateways_words(answer: Answer, mapping: Mapping | None = None) -> str | None:
    """Say what an answer means that Envoy gave instead of the service; None when the service itself answered.

    Args:
        answer: The answer.
        mapping: As for :func:`explain_answer`.
    """
    if answer.status == _NOT_FOUND and not answer.body:
        return "no route takes this request"
    if answer.status == _BAD_REQUEST and answer.text == "Bad Request" and answer.method not in HTTPMethod.__members__:
        return f"{answer.method} is no method that Envoy knows: is it typed right?"
    found = next((meaning for words, meaning in _ENVOYS_WORDS.items() if answer.text.startswith(words)), None)
    if found is None or not answer.text.startswith("upstream connect error"):
        return f"{found}{_suspect_tls(mapping)}" if found and answer.status == _UNAVAILABLE else found
    for reason, meaning in _RESET_REASONS.items():
        if f"reset reason: {reason}" in answer.text:
            return f"{meaning}{_suspect_tls(mapping) if reason == 'connection termination' else ''}"
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
        f"it is denied with {answer.status}: an AuthService of the gateway may have done so (send what it asks for "
        "with connect(credentials=...), or set bypass_auth=True), or the server asks for credentials itself"
    )


def tell_redirect(answer: Answer) -> str:
    """Say where an answer sends its caller, who is not sent there; "" when it is no redirect.

    Example:
        >>> tell_redirect(Answer("GET", "http://h/", 302, b"", 1.0, {"location": "https://h/dex/auth?state=1"}))
        'it is a redirect to https://h/dex/auth: the gateway asks for a login; give connect(credentials=...)'
    """
    if answer.status not in _REDIRECTS:
        return ""
    # The query is left out: a login's holds what only the browser should know.
    target = urlsplit(answer.headers.get("location", ""))
    where = f"{target.scheme}://{target.hostname}" if target.hostname else ""
    where += f":{target.port}" if target.hostname and target.port else ""
    shown = f"{where}{target.path}" or "nowhere"
    login = any(sign in f"{target.netloc}{target.path}".lower() for sign in _LOGINS)
    asks = "the gateway asks for a login; give connect(credentials=...)" if login else "redirects are not followed"
    return f"it is a redirect to {shown}: {asks}"


#: What the addresses of login pages have in common (Dex, oauth2-proxy, OIDC AuthService, Keycloak, IAP).
_LOGINS: Final = ("login", "auth", "signin", "sign-in", "sign_in", "sso", "oidc", "realms", "accounts.google")


def _suspect_tls(mapping: Mapping | None) -> str:
    """Say what may be wrong with TLS, "" where none is spoken."""
    target = read_target(mapping.service, namespace="").target if mapping is not None else None
    if mapping is None or target is None or not (mapping.tls or target.tls):
        return ""
    return (
        ". It is spoken to by TLS: perhaps its certificate is not trusted (name its authority in the ca_secret of a "
        f"TLSContext, and that one in tls=), is for another name than {mapping.host_rewrite or target.host}, or it "
        "does not speak TLS"
    )
