"""What becomes of a request once a mapping takes it: the path its service sees, or where the client is sent."""

from kfambassador.attributes.base import PathSubstitution
from kfambassador.attributes.redirecting import DEFAULT_REDIRECT_CODE
from kfambassador.resources.mapping import Mapping
from kfambassador.routing.model import PathKind, PathMatch, Split, Target
from kfambassador.routing.regex import substitute
from kfambassador.routing.requests import RequestLine

#: Status codes a redirect may have, in words (RFC 9110, section 15.4).
REDIRECT_WORDS = {
    301: "moved permanently",
    302: "found",
    303: "see other",
    307: "temporary redirect",
    308: "permanent redirect",
}


def rewrite_path(match: PathMatch, mapping: Mapping, path: str) -> str:
    """Give the path the service sees.

    Args:
        match: The condition that took the path.
        mapping: Whose rewrite it is.
        path: The path as the routes saw it, without its query.

    Example:
        >>> mapping = Mapping(name="m", prefix="/models/test/", rewrite="/model/test/:predict", service="m")
        >>> rewrite_path(PathMatch(PathKind.PREFIX, "/models/test/"), mapping, "/models/test/v2")
        '/model/test/:predictv2'
    """
    if mapping.regex_rewrite is not None:
        return _substitute(mapping.regex_rewrite, path)
    return replace_matched(match, "/" if mapping.rewrite is None else mapping.rewrite, path)


def replace_matched(match: PathMatch, replacement: str, path: str) -> str:
    """Put text in the place of what a condition matched; "" leaves the path as it is.

    Example:
        >>> replace_matched(PathMatch(PathKind.EXACT, "/a/b"), "/c", "/a/b")
        '/c'
    """
    if not replacement:
        return path
    return replacement + path[len(match.text) :] if match.kind is PathKind.PREFIX else replacement


def build_location(match: PathMatch, split: Split, request: RequestLine) -> str:
    """Give the address a redirect sends a client to; the query goes along unless the mapping writes one.

    Example:
        >>> from kfambassador.problems import Origin
        >>> mapping = Mapping(name="m", prefix="/old/", service="https://b.com", host_redirect=True, path_redirect="/n")
        >>> split = Split(mapping, Origin(), "default", Target("b.com", 443, tls=True), cluster="", share=100)
        >>> build_location(PathMatch(PathKind.PREFIX, "/old/"), split, RequestLine.read("GET", "/old/x?a=1"))
        'https://b.com/n?a=1'
    """
    mapping, path = split.mapping, request.path
    if mapping.path_redirect is not None:
        path = mapping.path_redirect
    elif mapping.prefix_redirect is not None:
        path = replace_matched(match, mapping.prefix_redirect, path)
    elif mapping.regex_redirect is not None:
        path = _substitute(mapping.regex_redirect, path)
    # Envoy puts a slash before a path that has none.
    path = path if path.startswith("/") else f"/{path}"
    query = request.target.removeprefix(request.path) if "?" not in path else ""
    return f"{_write_origin(split.target)}{path}{query}"


def _substitute(given: PathSubstitution, path: str) -> str:
    """Substitute in a path; where nothing would be left, Envoy leaves the path as it is."""
    return substitute(given.pattern, given.substitution, path) or path


def read_code(mapping: Mapping) -> int:
    """The status of a redirect."""
    return mapping.redirect_response_code or DEFAULT_REDIRECT_CODE


def _write_origin(target: Target) -> str:
    host = f"[{target.host}]" if ":" in target.host else target.host
    port = "" if target.port == (443 if target.tls else 80) else f":{target.port}"
    return f"{'https' if target.tls else 'http'}://{host}{port}"
