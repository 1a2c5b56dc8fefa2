"""What is wrong with what a mapping has the gateway answer itself: to browsers' questions, and instead of errors."""

import re
from collections.abc import Iterable, Iterator
from typing import Final

from kfambassador.attributes.cors import CorsPolicy, OriginPattern, write_origin
from kfambassador.attributes.error_responses import ErrorBody, ErrorResponse, split_body
from kfambassador.problems import Fault, Severity
from kfambassador.resources.mapping import Mapping
from kfambassador.resources.validation import show
from kfambassador.routing.operators import OPERATOR
from kfambassador.routing.regex import check_regex, matches_whole
from kfambassador.routing.texts import LONGEST_HEADER, TOKEN, check_expression, check_length, check_printable

# An origin as browsers write it (RFC 6454, section 6.1), with wildcards where a host or port may stand.
_ORIGIN = re.compile(r"[a-z][a-z0-9+.*-]*://[^/?#@\s]+|\*|null")
# Origins that nobody means: who lets them in lets in everybody. Envoy takes a matcher that matches the star for all.
_ANYBODY: Final = ("https://any.invalid", "http://any.invalid", "null", "*")


def check_answers(mapping: Mapping) -> Iterator[Fault]:
    """Judge what the gateway answers itself."""
    if mapping.cors is not None:
        yield from _check_cors(mapping.cors)
    if mapping.error_response_overrides:
        yield from _check_overrides(mapping.error_response_overrides)


def _check_cors(cors: CorsPolicy) -> Iterator[Fault]:
    for name in ("methods", "headers", "exposed_headers"):
        for number, value in enumerate(getattr(cors, name)):
            if not TOKEN.fullmatch(value):
                what = "HTTP method" if name == "methods" else "header name"
                yield Fault("bad-header", f"{show(value)} is no {what}", path=f"cors.{name}[{number}]")
    if cors.max_age is not None and not re.fullmatch(r"\s*[0-9]{1,9}\s*", str(cors.max_age)):
        message = f"expected seconds as a whole number, got {show(cors.max_age)}"
        yield Fault("wrong-type", message, path="cors.max_age")
    if not cors.origins:
        message = "cors without origins lets nobody call; name them, or leave cors out"
        yield Fault("no-effect", message, path="cors.origins", severity=Severity.WARNING)
    for number, origin in enumerate(cors.origins):
        yield from _check_origin(origin, f"cors.origins[{number}]", credentials=cors.credentials)


def _check_origin(origin: str | OriginPattern, path: str, *, credentials: bool) -> Iterator[Fault]:
    kind, text = write_origin(origin)
    if kind == "regex" and check_regex(text):
        yield from check_expression(text, path)
        return
    if isinstance(origin, str) and not _ORIGIN.fullmatch(text):
        message = (
            f"{show(origin)} is no origin that a browser sends: a scheme and a host, without a path, such as "
            "https://a.com, https://*.a.com, or {regex: expression}"
        )
        yield Fault("bad-origin", message, path=path)
    elif credentials and any(_takes(kind, text, each) for each in _ANYBODY):
        message = f"{show(text)} lets any page use its visitors' cookies; name the origins, or set credentials to false"
        yield Fault("cors-credentials", message, path=path)


def _takes(kind: str, text: str, origin: str) -> bool:
    return text == origin if kind == "exact" else matches_whole(text, origin)


def _check_overrides(overrides: Iterable[ErrorResponse]) -> Iterator[Fault]:
    seen: set[int] = set()
    for number, override in enumerate(overrides):
        path = f"error_response_overrides[{number}]"
        if override.on_status_code in seen:
            message = f"{override.on_status_code} has a body already; only the first counts"
            yield Fault("no-effect", message, path=f"{path}.on_status_code", severity=Severity.WARNING)
        seen.add(override.on_status_code)
        yield from _check_body(override.body, f"{path}.body")


def _check_body(body: ErrorBody, path: str) -> Iterator[Fault]:
    if body.content_type is not None:
        yield from check_printable(body.content_type, f"{path}.content_type")
        yield from check_length(body.content_type, LONGEST_HEADER, f"{path}.content_type")
    if body.text_format_source is not None:
        message = "a file on Envoy's machine is not a mapping's to show, and is left out; write text_format"
        yield Fault("no-effect", message, path=f"{path}.text_format_source", severity=Severity.WARNING)
    elif (body.text_format is None) is (body.json_format is None):
        rest = "text_format counts" if body.text_format is not None else "the errors stay as they are"
        message = f"expected one of text_format and json_format; {rest}"
        yield Fault("no-effect", message, path=path, severity=Severity.WARNING)
    texts = [body.text_format or "", *(each for each in (body.json_format or {}).values() if isinstance(each, str))]
    for text in texts:
        if any(OPERATOR.search(literal) for literal in split_body(text)[::2]):
            message = f"{show(text)} is answered as it is written; that operator of Envoy's is not expanded"
            yield Fault("body-operator", message, path=path, severity=Severity.WARNING)
