"""Mappings and requests at random, few enough in kind that they meet."""

from collections.abc import Iterable, Sequence
from functools import partial
from typing import Any, NamedTuple

from hypothesis import strategies as st

from kfambassador.resources.meta import SourcedMapping
from kfambassador.routing.requests import RequestLine
from tests.builders import sourced

_SEGMENTS = st.sampled_from(["a", "b", "a", "b", "ab", "A", "1", "a1"])
_PATHS = st.builds(
    lambda segments, end: "/" + "/".join(segments) + end, st.lists(_SEGMENTS, max_size=3), st.sampled_from(["", "/"])
).map(lambda path: path.replace("//", "/"))

EXPRESSIONS = (
    "/a.*",
    "/a/.*",
    "/a/[0-9]+",
    "/a?b/.*",
    "/b?a.*",
    "/a*b.*",
    "/b{0,1}a.*",
    "/ab*.*",
    "/a{1,2}/.*",
    "/(a|b)/.*",
    "/a/b|/b/.*",
    r"/a/[\]]|/b/[ab]",
    "/ab(?i)*.*",
    "/a(/b|/ab).*",
    "(?i)/AB.*",
    ".*/b",
    "/[ab]/a/?",
    "^/a/.*$",
    r"/a\d/.*",
    r"\Q/a/b\E.*",
    "/a/b$|/b",
    r"/a\b.*",
    "/(?P<kind>[ab])/.*",
    "(?:/(?P<kind>[ab]))+",
    "/.+",
)

#: So many that each takes few paths, and all together not every path.
NARROW_EXPRESSIONS = [f"/({one})/{two}" for one in ("a", "b", "ab", "a1") for two in ("a", "b", "ab", "1", "a1/?")]

# Mostly nothing: a mapping that takes nearly no request proves nearly nothing.
_METHODS: list[dict[str, Any]] = [
    *[{}] * 6,
    {"method": "GET"},
    {"method": "POST"},
    {"method": "P.*", "method_regex": True},
]
_HOSTS: list[dict[str, Any]] = [
    *[{}] * 10,
    {"host": "a.com"},
    {"host": "A.COM:8080"},
    {"host": "*.com"},
    {"host": "a.*"},
    {"host": "[ab][.]com", "host_regex": True},
]
HOSTS = [f"h{number}.com" for number in range(6)]
_MANY_HOSTS: list[dict[str, Any]] = [*_HOSTS, *[{"host": host} for host in [*HOSTS, "H1.com.", "h2.com:80"]] * 5]
_HEADERS: list[dict[str, Any]] = [
    *[{}] * 8,
    {"headers": {"X-Kind": "1"}},
    {"headers": {"x-kind": True}},
    {"headers": {"x-kind": ""}},
    {"regex_headers": {"x-kind": "[12]"}},
]
_QUERIES: list[dict[str, Any]] = [
    *[{}] * 6,
    {"query_parameters": {"q": "1"}},
    {"query_parameters": {"q": True}},
    {"regex_query_parameters": {"q": "[0-9]*"}},
]
_QUERY_STRINGS = ["", "", "", "?", "?q", "?q=", "?q=1", "?q=2", "?q=%31", "?x=/a/b?q=1&q=1", "??q=1", "?%3F"]
_PRECEDENCES = [*[{}] * 4, {"precedence": 1}, {"precedence": -1}]


@st.composite
def path_attributes(draw: st.DrawFn) -> dict[str, Any]:
    """A condition on the path, of every kind."""
    kind = draw(st.sampled_from(["prefix", "prefix", "exact", "regex", "regex", "any case"]))
    if kind == "regex":
        return {"prefix": draw(st.sampled_from(EXPRESSIONS)), "prefix_regex": True}
    path = {"prefix": draw(_PATHS)}
    return path | {"prefix": {}, "exact": {"prefix_exact": True}, "any case": {"case_sensitive": False}}[kind]


@st.composite
def mapping_attributes(draw: st.DrawFn, hosts: Sequence[dict[str, Any]] = _HOSTS) -> dict[str, Any]:
    """The conditions of one mapping, and where it goes."""
    chosen = draw(st.tuples(*map(st.sampled_from, (_METHODS, hosts, _HEADERS, _QUERIES, _PRECEDENCES))))
    conditions: dict[str, Any] = {}
    for part in chosen:
        conditions |= part
    return {**draw(path_attributes()), **conditions, "service": draw(st.sampled_from(["x.org", "y.org:81", "m"]))}


def mapping_lists(*, least: int = 0, most: int) -> st.SearchStrategy[list[SourcedMapping]]:
    """Mappings of two namespaces, each with a name of its own and some with one age; in some lists most have a host."""
    return st.sampled_from([_HOSTS, _MANY_HOSTS]).flatmap(partial(_list_mappings, least, most))


def _list_mappings(least: int, most: int, hosts: Sequence[dict[str, Any]]) -> st.SearchStrategy[list[SourcedMapping]]:
    described = st.tuples(
        mapping_attributes(hosts),
        st.sampled_from(["team", "other"]),
        st.sampled_from(["", "2026-01-01T00:00:00Z", "2026-02-01T00:00:00Z"]),
    )
    return st.lists(described, min_size=least, max_size=most).map(_name_all)


def _name_all(described: Iterable[tuple[dict[str, Any], str, str]]) -> list[SourcedMapping]:
    return [
        sourced(f"m{number}", namespace, created=created, **attributes)
        for number, (attributes, namespace, created) in enumerate(described)
    ]


class Asked(NamedTuple):
    """A request as it is sent."""

    method: str
    url: str
    headers: dict[str, str]


@st.composite
def sent_requests(draw: st.DrawFn, *, hosts: int = len(HOSTS)) -> Asked:
    """A request as it is sent: its path without doubled slashes, which Envoy would resolve.

    Args:
        hosts: How many of the numbered hosts are asked.
    """
    query = draw(
        st.sampled_from(["", "", "?", "?q", "?q=", "?q=1", "?q=2", "?q=%31", "?x=/a/b?q=1&q=1", "??q=1", "?%3F"])
    )
    kind = draw(st.sampled_from([None, None, "", "1", "2", "9"]))
    host = draw(st.sampled_from(["a.com", "b.com", "a.net", "127.0.0.1"]) | st.integers(0, hosts).map("h{}.com".format))
    spelled = draw(st.sampled_from([host, host, host.upper(), host.title(), f"{host}:8080", f"{host}."]))
    return Asked(
        method=draw(st.sampled_from(["GET", "POST", "PUT"])),
        url=draw(_PATHS) + draw(st.sampled_from(["", "", "x", "1", "%3F", "%C3%A9"])) + query,
        headers={"Host": spelled} | ({} if kind is None else {"x-kind": kind}),
    )


def requests() -> st.SearchStrategy[RequestLine]:
    """A request as routing looks at it."""
    return sent_requests().map(lambda asked: RequestLine.read(*asked))
