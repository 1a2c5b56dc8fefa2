"""Mappings and requests at random, few enough in kind that they meet."""

from collections.abc import Iterable
from typing import Any

from hypothesis import strategies as st

from kfambassador.resources.meta import SourcedMapping
from kfambassador.routing.explain import RequestLine
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
    "/a(/b|/ab).*",
    "(?i)/AB.*",
    ".*/b",
    "/[ab]/a/?",
    "^/a/.*$",
    r"/a\d/.*",
    r"\Q/a/b\E.*",
    "/.+",
)

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
def mapping_attributes(draw: st.DrawFn) -> dict[str, Any]:
    """The conditions of one mapping, and where it goes."""
    chosen = draw(st.tuples(*map(st.sampled_from, (_METHODS, _HOSTS, _HEADERS, _QUERIES, _PRECEDENCES))))
    conditions: dict[str, Any] = {}
    for part in chosen:
        conditions |= part
    return {**draw(path_attributes()), **conditions, "service": draw(st.sampled_from(["x.org", "y.org:81", "m"]))}


def mapping_lists(*, least: int = 0, most: int) -> st.SearchStrategy[list[SourcedMapping]]:
    """Mappings of two namespaces, each with a name of its own and some with one age."""
    described = st.tuples(
        mapping_attributes(),
        st.sampled_from(["team", "other"]),
        st.sampled_from(["", "2026-01-01T00:00:00Z", "2026-02-01T00:00:00Z"]),
    )
    return st.lists(described, min_size=least, max_size=most).map(_name_all)


def _name_all(described: Iterable[tuple[dict[str, Any], str, str]]) -> list[SourcedMapping]:
    return [
        sourced(f"m{number}", namespace, created=created, **attributes)
        for number, (attributes, namespace, created) in enumerate(described)
    ]


@st.composite
def requests(draw: st.DrawFn) -> RequestLine:
    """A request as it arrives: its path without doubled slashes, which Envoy would resolve."""
    query = draw(st.sampled_from([None, None, "", "1", "2", "x", "%31"]))
    kind = draw(st.sampled_from([None, None, "", "1", "2", "9"]))
    return RequestLine(
        method=draw(st.sampled_from(["GET", "POST", "PUT"])),
        host=draw(st.sampled_from(["a.com", "b.com", "x.com", "a.net", "127.0.0.1"])),
        path=draw(_PATHS) + draw(st.sampled_from(["", "", "x", "1"])),
        query={} if query is None else {"q": query},
        headers={} if kind is None else {"x-kind": kind},
    )
