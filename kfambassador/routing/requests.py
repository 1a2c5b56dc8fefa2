"""A request as far as routing looks at it, and what the listener does to it before any route is asked."""

import re
from collections.abc import Mapping as Dict
from dataclasses import dataclass, field, replace
from typing import Final

from kfambassador.names import HEARSAY_HEADERS, HEARSAY_PREFIXES
from kfambassador.resources.module import NO_MODULE, Module
from kfambassador.routing.matches import HOST, METHOD

_ANY_HOST = "localhost"
# Any text is a URL of some kind; what a parser of URLs would refuse, Envoy may well route.
_URL = re.compile(
    r"(?:[a-z][a-z0-9+.-]*://(?P<host>[^/?#]*))?(?P<path>[^?#]*)(?:\?(?P<query>[^#]*))?", re.IGNORECASE | re.DOTALL
)

# What the gateway itself says of every request; a client's own word does not count.
_SAID_BY_GATEWAY: Final = {":scheme": "http", "x-forwarded-proto": "http"}

# How Envoy spells paths (GURL's canonical form): what is no part of a path is escaped, what needs no escape is not.
_UNTIDY = re.compile(r"%[0-9A-Fa-f]{2}|[^!$&-;=@A-Z_a-z~\[\]]")
# A percent sign that was no escape, and becomes one by what is written without its own.
_BY_ACCIDENT = re.compile(r"\0(?=[0-9A-Fa-f]{2})")
# Dots are dots whatever parameters a server would see behind them: /..;x/ is /../.
_DOT_PARAMETERS = re.compile(r"(?<=/)(\.{1,2});[^/]*")
_PLAIN = re.compile(r"[A-Za-z0-9._~-]")
_SLASHES = re.compile(r"//+")
_ESCAPED_SLASH = re.compile(r"%2f|%5c", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class RequestLine:
    """A request as far as routing looks at it.

    Attributes:
        method: In upper case.
        host: Without its port, in lower case.
        path: Without its query, as it was asked for.
        query: The query parameters as written, not decoded; of one given twice, the first counts. So it is in Envoy.
        headers: Names in lower case.
        search: The query as it was written.
    """

    method: str
    host: str
    path: str
    query: Dict[str, str] = field(default_factory=dict)
    headers: Dict[str, str] = field(default_factory=dict)
    search: str | None = field(default=None, compare=False)

    @classmethod
    def read(cls, method: str, url: str, headers: Dict[str, str] | None = None) -> "RequestLine":
        """Read a request from what a person types.

        Args:
            method: Such as ``get``.
            url: A whole URL, or only its path and query.
            headers: Request headers; ``Host`` beats the URL's host.

        Example:
            >>> read = RequestLine.read("get", "http://A.com:8080/x?a=1", {"X-Y": "z"})
            >>> read.method, read.host, read.target, read.headers
            ('GET', 'a.com', '/x?a=1', {'x-y': 'z'})
        """
        parts = _URL.match(url)
        host, path, query = parts.group("host", "path", "query") if parts else (None, url, None)
        lower = {name.lower(): value for name, value in (headers or {}).items()}
        host = lower.pop("host", _ANY_HOST if host is None else host.rpartition("@")[2])
        path = f"/{path.removeprefix('/')}"
        return cls(method.upper(), _bare_host(host), path, _read_query(query or ""), lower, query)

    @property
    def target(self) -> str:
        """The path and the query."""
        search = self.search
        if search is None and self.query:
            search = "&".join(f"{name}={value}" for name, value in self.query.items())
        return self.path if search is None else f"{self.path}?{search}"

    def header(self, name: str) -> str | None:
        """The value a condition on this header is compared with; None when the request has none.

        Example:
            >>> RequestLine("GET", "a.com", "/x", {"q": "1"}).header(":path")
            '/x?q=1'
        """
        if name in _SAID_BY_GATEWAY:
            return _SAID_BY_GATEWAY[name]
        if name in HEARSAY_HEADERS or name.startswith(HEARSAY_PREFIXES):
            return None
        return {METHOD: self.method, HOST: self.host, ":path": self.target}.get(name, self.headers.get(name))


def arrive(request: RequestLine, module: Module = NO_MODULE) -> RequestLine:
    """Give a request as the routes see it, once the listener has tidied it.

    Args:
        request: The request as it was sent.
        module: What the gateway's owner asked of the listener.
    """
    headers = request.headers
    if module.headers_with_underscores_action == "DROP_HEADER":
        headers = {name: value for name, value in headers.items() if "_" not in name}
    path = normalize_path(request.path, merge_slashes=module.merge_slashes is not False)
    return replace(request, path=path, headers=headers)


def normalize_path(path: str, *, merge_slashes: bool = True) -> str:
    """Give a path as the routes see it: Envoy resolves dots, joins slashes and spells characters one way only.

    Args:
        path: The path as it was asked for, without its query.
        merge_slashes: Whether the gateway joins slashes; its owner may want them left.

    Example:
        >>> normalize_path("/a//b/../c/%41 x"), normalize_path("/a/.")
        ('/a/c/A%20x', '/a/')
    """
    *folders, last = _DOT_PARAMETERS.sub(r"\1", path).replace("\\", "/").split("/")[1:] or [""]
    kept: list[str] = []
    for segment in map(_spell, folders):
        if segment == "..":
            del kept[-1:]
        elif segment != ".":
            kept.append(segment)
    last = _spell(last)
    if last == "..":
        del kept[-1:]
    kept.append("" if last in {".", ".."} else last)
    tidied = "/" + "/".join(kept)
    if not merge_slashes or "//" not in tidied:
        return tidied
    # Of a path that is nothing but slashes, Envoy keeps the first and the last.
    return _SLASHES.sub("/", tidied) if any(kept) else "//"


def find_refusal(request: RequestLine, module: Module = NO_MODULE) -> str:
    """Say why the gateway refuses a request before any route is asked; "" when it does not.

    Args:
        request: The request as it was sent.
        module: What the gateway's owner asked of the listener.

    Example:
        >>> find_refusal(RequestLine("GET", "a.com", "/a%2Fb"))
        '400: %2F in a path could mean two things, so no service is shown one'
    """
    escaped = _ESCAPED_SLASH.search(request.path)
    if escaped and module.reject_requests_with_escaped_slashes is not False:
        return f"400: {escaped[0]} in a path could mean two things, so no service is shown one"
    underscored = next((name for name in request.headers if "_" in name), "")
    if underscored and module.headers_with_underscores_action in {None, "REJECT_REQUEST"}:
        return f"400: header {underscored} has an underscore, which many services take for a dash"
    if request.method == "TRACE":
        return "403: TRACE hands cookies and credentials back as a body"
    if "," in request.host or "@" in request.host:
        return f"403: {request.host} is no single host"
    return ""


def _spell(segment: str) -> str:
    spelled = _UNTIDY.sub(_spell_one, segment)
    return _BY_ACCIDENT.sub("%25", spelled).replace("\0", "%") if "\0" in spelled else spelled


def _spell_one(found: re.Match[str]) -> str:
    text = found[0]
    if text == "%":
        return "\0"
    if len(text) == 1:
        return "".join(f"%{byte:02X}" for byte in text.encode(errors="replace"))
    plain = chr(int(text[1:], 16))
    return plain if _PLAIN.fullmatch(plain) else text


def _read_query(text: str) -> Dict[str, str]:
    query: dict[str, str] = {}
    for part in filter(None, text.split("&")):
        name, _, value = part.partition("=")
        query.setdefault(name, value)
    return query


def _bare_host(host: str) -> str:
    name, colon, port = host.lower().rpartition(":")
    return (name if colon and port.isdigit() else host.lower()).removesuffix(".")
