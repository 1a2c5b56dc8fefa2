"""Documents damaged in every way people and programs damage them."""

import copy
import json
import math
from collections.abc import Iterator
from typing import Any

from hypothesis import strategies as st

from tests.properties.written import ATTRIBUTES, OPTIONAL, Written, write_text

_HUGE_EXPRESSION = "(([a-z]{30}){30}){9}"
ODD_TEXTS = [
    "", " ", "/", "*", "**", "%", "%%", "%REQ(authorization)%", "%NOSUCH%", "%ENVIRONMENT(HOME)%", "%REQ(", "\\",
    "\\1", "\\9", "\\x", "x" * 20_000, "x" * 300, "/" + "x" * 70_000, "é" * 9_000, "a\r\nb", "a\nb", "\x00", "a\x00b",
    "\x7f", "\x85", "\u2028", "\ud800", "a\udfff", "\ufeff", "\U0001f600", "é", "İ", "ß", "\t", "a b", "a,b", ",", ";",
    "a;b=c", "(", ")", "[", "a{", "a{1001}", "(?!x)", "(?<=x)y", r"\1(a)", "(?P<n", "a**", "\\C", "\\pN", "\\p{Nope}",
    "^$", "", "()", "|", ".*", "[[:nope:]]", "(?i)x", _HUGE_EXPRESSION, "(" * 2000, ")" * 5, "a" * 3000 + "+",
    "http://", "https://", "ftp://x", "http://[", "[::1", "::1", "[::1]:80", "fe80::1%eth0", "0x7f.1", "127.1",
    "x:99999", "x:0", "x:-1", "x:80:80", "x:\uff18\uff10", "a..b", "-a", "a-", "a_b", ".", "..", "*.com", "a." * 140,
    "169.254.169.254", "localhost:9", "127.0.0.1:1", "null", "true", "on", "~", "1", "-1", "0", "1e99", "0x10", "NaN",
    "1s", "-1s", "1.5", "99999999999h", "0s", "0.0000000001s", "999999h", "default", "_automatic_", "host", "Host",
    ":authority", ":path", ":method", ":scheme", ":status", ":x", "::", "content-length", "transfer-encoding",
    "connection", "te", "x-envoy-x", "x-envoy-retry-on", "CONNECT", "connect-udp", "h2c", "GET", "get", "G T", "TRACE",
    "kubeflow-userid", "set-cookie", "kubernetes-service", "strict_dns", "5xx", "retriable-headers",
    "http3-post-connect-failure", "x-a", "text/html", "https://a.com", "https://*", "https://a.com/path", "null://",
    "/a/../b", "/a//b", "/a?b", "/a#b", "//", "/%2f",
]  # fmt: skip
ODD_NUMBERS: list[Any] = [
    0, 1, -1, 2, 7, 99, 100, 101, 199, 200, 399, 400, 599, 600, 2**15, 2**16, 2**31 - 1, 2**31, 2**32 - 1, 2**32,
    2**53, 2**63 - 1, 2**63, 2**64, -(2**31), -(2**63), 10**30, 315_576_000_000_000, 315_576_000_001_000,
    0.5, -0.0, 1e308, 1.0, math.nan, math.inf, -math.inf,
]  # fmt: skip
ODD_VALUES: list[Any] = [
    None, True, False, [], {}, [[]], [{}], {"": {}}, [None], {"a": None}, {"a": {"b": [1, {"c": "d"}]}}, [1, "a", {}],
    {"value": "x"}, {"value": 1}, {"header": "x"}, {"regex": "("}, {"policy": "ring_hash"}, {"pattern": "("},
    {"pattern": "a", "substitution": "\\1"}, {"min": 5, "max": 1}, {"x-a": "1", "X-A": "2"}, {"__class__": "x"},
    ["a"] * 3000, {f"x-{number}": "1" for number in range(2000)}, [[[[[[[[[[]]]]]]]]]],
]  # fmt: skip
_SCALARS = st.sampled_from([*ODD_TEXTS, *ODD_NUMBERS]) | st.text(max_size=5)


def _objects(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.dictionaries(st.sampled_from(ODD_TEXTS), inner, max_size=2)


ODD = st.one_of(
    st.sampled_from(ODD_TEXTS), st.sampled_from(ODD_TEXTS), st.sampled_from(ODD_NUMBERS), st.sampled_from(ODD_VALUES),
    st.text(max_size=6),
    st.recursive(_SCALARS, lambda inner: st.lists(inner, max_size=2) | _objects(inner), max_leaves=4),
)  # fmt: skip
_KINDS: list[Any] = ["Maping", "mapping", "", None, 7, [], "Host", "RateLimit", "TCPMapping", "Service", "x" * 300]
_VERSIONS: list[Any] = [
    "ambassador/v2",
    "getambassador.io/v9",
    "getambassador.io",
    "v1",
    "",
    None,
    1,
    "x.getambassador.io/v3alpha1",
]
#: What speaks for everybody, as a tenant writes it, in order and not.
SHARED: list[Written] = [
    {"kind": "Module", "name": "ambassador", "spec": {"config": {"use_proxy_proto": True, "enable_grpc_web": 1}}},
    {"kind": "Module", "name": "ambassador", "spec": {"config": {"cluster_request_timeout_ms": 1, "server_name": "x"}}},
    {"kind": "TLSContext", "name": "upstream", "spec": {"secret": "nobodys", "min_tls_version": "v9", "sni": "x\x00"}},
    {"kind": "AuthService", "name": "auth", "spec": {"auth_service": "127.0.0.1:1", "timeout_ms": 1}},
    {"kind": "KubernetesServiceResolver", "name": "endpoint", "spec": {}},
    {"kind": "KubernetesEndpointResolver", "name": "kubernetes-service", "spec": {}},
    {"kind": "ConsulResolver", "name": "endpoint", "spec": {"address": "127.0.0.1:1", "datacenter": "x"}},
    {"kind": "CircuitBreaker", "name": "limits", "spec": {"max_connections": 0, "max_requests": 0}},
    {"kind": "OutlierDetection", "name": "limits", "spec": {"consecutive_5xx": 0}},
]  # fmt: skip


@st.composite
def mutilate(draw: st.DrawFn, documents: st.SearchStrategy[Written]) -> Written:
    """Damage a document of a strategy, once or a few times over."""
    document = draw(documents)
    if draw(st.integers(0, 9)) == 0:
        document = {"apiVersion": "getambassador.io/v2", **draw(st.sampled_from(SHARED))}
    for _ in range(draw(st.sampled_from([1, 1, 1, 2, 3]))):
        document = draw(_damage(copy.deepcopy(document)))
    return document


@st.composite
def _damage(draw: st.DrawFn, document: Written) -> Written:
    way = draw(st.sampled_from(["attribute"] * 6 + ["inside"] * 8 + ["leaf"] * 4 + ["key", "lose", "version", "kind"]))
    spec = document["spec"] if isinstance(document.get("spec"), dict) else {}
    name = draw(st.sampled_from(OPTIONAL))
    if way == "attribute":
        spec[name] = draw(ODD)
    elif way == "inside":
        spec[name] = copy.deepcopy(draw(st.sampled_from(ATTRIBUTES[name])))
        _replace(draw, spec, draw(st.sampled_from(list(_places({name: spec[name]})))))
    elif way == "leaf":
        _replace(draw, document, draw(st.sampled_from(list(_places(document)))))
    elif way == "key":
        # The deepest first: there stand the names that people choose.
        holders = [each for each in _values(document) if isinstance(each, dict) and each][::-1]
        holder = draw(st.sampled_from(holders))
        old = draw(st.sampled_from(list(holder)))
        holder[draw(st.sampled_from(ODD_TEXTS))] = holder.pop(old)
    elif way == "lose":
        holder = draw(st.sampled_from([document, spec]))
        holder.pop(draw(st.sampled_from(["name", "prefix", "service", "apiVersion", "kind", "spec"])), None)
    elif way == "version":
        document["apiVersion"] = draw(st.sampled_from(_VERSIONS))
    else:
        document["kind"] = draw(st.sampled_from(_KINDS))
    return document


def _places(value: object, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The way to every value inside one, itself left out."""
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, each in inside:
        yield (*path, key)
        yield from _places(each, (*path, key))


def _values(value: object) -> Iterator[object]:
    yield value
    inside = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    for each in inside:
        yield from _values(each)


def _replace(draw: st.DrawFn, holder: Any, path: tuple[Any, ...]) -> None:
    """Put something odd in the place of a value: mostly of its type, or it would get no further than the types do."""
    for step in path[:-1]:
        holder = holder[step]
    value = holder[path[-1]]
    if draw(st.integers(0, 5)) == 0:
        holder[path[-1]] = draw(ODD)
    elif isinstance(value, bool):
        holder[path[-1]] = not value
    elif isinstance(value, str):
        holder[path[-1]] = draw(_odd_texts(value))
    elif isinstance(value, int):
        holder[path[-1]] = draw(st.sampled_from(ODD_NUMBERS))
    elif isinstance(value, list):
        value.extend(draw(st.lists(ODD if not value else st.sampled_from(copy.deepcopy(value)), max_size=3)))
    elif isinstance(value, dict):
        value[draw(st.sampled_from(ODD_TEXTS))] = copy.deepcopy(next(iter(value.values()), draw(ODD)))


def _odd_texts(value: str) -> st.SearchStrategy[str]:
    """Odd text instead of what stood there, or put into it."""
    texts = st.sampled_from(ODD_TEXTS) | st.text(max_size=3)
    return st.one_of(texts, texts.map(value.__add__), st.builds(lambda odd: value[:3] + odd + value[3:], texts))


_BOMBS = [
    "a: &a [x,x]\nb: &b [*a,*a]\nc: &c [*b,*b]\nd: [*c,*c]",
    "&a [*a]",
    "[" * 500,
    "{a: " * 200,
    "? [a]\n: b",
    "<<: {a: b}",
    "!!python/object/apply:os.system ['true']",
    "!!binary aGk=",
    "a: 1\na: 2",
    "- just\n- a list",
    "text",
    "%YAML 9.9\n---\na: b",
    "\ufeffkind: Mapping",
    "a: |\n  x\n---\n y",
    "'",
    "\x00",
    "kind: Mapping\n\tname: m",
    "apiVersion: ambassador/v1\nkind: Mapping\nname: m\nprefix: /m/\nservice: [",
]


@st.composite
def mutilated_texts(draw: st.DrawFn, documents: st.SearchStrategy[Written]) -> str:
    """The text of a document of a strategy, damaged as text."""
    text = write_text(draw(documents))
    way = draw(st.sampled_from(["cut", "insert", "drop", "tabs", "bomb", "bomb", "twice", "indent"]))
    place = draw(st.integers(0, 9999)) % (len(text) + 1)
    if way == "cut":
        return text[:place]
    if way == "insert":
        odd = draw(
            st.sampled_from(["\t", "\x00", "'", '"', "{", "[", "&x ", "*x", ": ", "\n", "%", "@", "\ud800", "\r"])
        )
        return text[:place] + odd + text[place:]
    if way == "drop":
        return text[:place] + text[place + 1 + draw(st.integers(0, 9)) :]
    if way == "tabs":
        return text.replace("  ", "\t")
    if way == "twice":
        return text + text
    return text.replace("\n", "\n ", 3) if way == "indent" else draw(st.sampled_from(_BOMBS))


def write_odd(document: Written) -> str:
    """Write a damaged document as JSON: what stands in it survives as it is."""
    return json.dumps(document)


def mutilate_all() -> Iterator[Written]:
    """Every value that any attribute's table holds, damaged in turn by everything odd of its type."""
    beginnings = {"prefix": ["/x/"], "service": ["127.0.0.1:9", "http://a.com", "m"], "host": ATTRIBUTES["host"]}
    for name, values in {**ATTRIBUTES, **beginnings}.items():
        for companions in _COMPANIONS.get(name, [{}]):
            for value in values:
                for path in _places({name: value}):
                    yield from _damage_place({**companions, name: value}, path)


# What gives an attribute another meaning, or any.
_COMPANIONS: dict[str, list[Written]] = {
    **{name: [{"host_redirect": True}] for name in ("path_redirect", "prefix_redirect", "regex_redirect")},
    "prefix": [{}, {"prefix_regex": True}, {"prefix_exact": True, "case_sensitive": False}],
    "service": [{}, {"tls": True}, {"host_redirect": True}, {"auto_host_rewrite": True, "add_linkerd_headers": True}],
    "method": [{}, {"method_regex": True}, {"cors": ATTRIBUTES["cors"][0]}],
    "host": [{}, {"host_regex": True}],
    "host_rewrite": [{}, {"tls": True}],
    "health_checks": [{}, {"grpc": True}],
}


def _damage_place(spec: Written, path: tuple[Any, ...]) -> Iterator[Written]:
    value: Any = spec
    for step in path:
        value = value[step]
    for odd in _odd_ones(value):
        damaged = holder = copy.deepcopy(spec)
        for step in path[:-1]:
            holder = holder[step]
        holder[path[-1]] = odd
        yield damaged


def _odd_ones(value: Any) -> list[Any]:
    """Everything odd of a value's type."""
    if isinstance(value, bool) or value is None:
        return [not value]
    if isinstance(value, str):
        return [*ODD_TEXTS, *(value + odd for odd in ODD_TEXTS)]
    if isinstance(value, dict):
        inside = next(iter(value.values()), "x")
        return [each for odd in ODD_TEXTS for each in ({**value, odd: inside}, dict.fromkeys([odd], inside))]
    return [value * 2, value * 500] if isinstance(value, list) else ODD_NUMBERS
