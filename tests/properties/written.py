"""Mappings as people write them: every attribute in every spelling, each document in order by itself."""

import json
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

from kfambassador.names import CONFIG_ANNOTATION
from kfambassador.resources.documents import write_documents
from kfambassador.resources.kinds import API_VERSIONS

Written = dict[str, Any]
Manifest = dict[str, object]

_FLAGS = [True, False]
_LONG_MS = [20_000, 3_600_000]
_SUBSTITUTIONS = [
    {"pattern": "/x", "substitution": ""},
    {"pattern": "^/([a-z]+)([0-9]*)", "substitution": r"/\1-\2\\"},
]
_ADDED = [
    {"x-a": "1"},
    {"X-B": True, "x-team": "a b 100%"},
    {"x-a": {"value": "%REQ(:path)%", "append": False}, "x-d": {"value": "é"}, "x-c": ""},
]
_CONDITIONS = [{"x-a": "1"}, {"X-B": True, "x-team": False}, {"x-a": "", "x-c": "a b"}]
_EXPRESSIONS = [{"x-r": "[0-9]+"}, {"x-r": ".*", "x-s": "a|b"}]
_BREAKER = {"priority": "high", "max_connections": 5, "max_pending_requests": 5, "max_requests": 5, "max_retries": 5}
_HTTP_CHECK = {
    "path": "/well?x=1",
    "hostname": "well.com",
    "add_request_headers": {"x-a": "1%", "x-b": {"value": "2", "append": False}},
    "remove_request_headers": ["x-c"],
    "expected_statuses": [{"min": 200, "max": 299}],
}
_CHECKS = [
    {"health_check": {"http": _HTTP_CHECK}, "timeout": "1s", "interval": "1h", "unhealthy_threshold": 9},
    {"health_check": {"grpc": {"upstream_name": "m", "authority": "a.com"}}, "healthy_threshold": 2},
    {"health_check": {"http": {"path": "/"}}},
]
_LABELS: list[Any] = [
    "a word",
    "remote_address",
    {"generic_key": "g"},
    {"generic_key": {"value": "g", "key": "k"}},
    {"x-team": {"header": "x-team", "omit_if_not_present": True}},
    {"request_headers": {"key": "k", "header_name": ":path"}},
    {"destination_cluster": {"key": "d"}},
    {"source_cluster": {}},
]

#: For each attribute the values it is written with; none where every document has it.
ATTRIBUTES: dict[str, list[Any]] = {
    "cluster_tag": ["tag", "a tag_é"],
    "stats_name": ["m", "m.v1"],
    "health_checks": [*_CHECKS, [_CHECKS[0], _CHECKS[2]], []],
    "outlier_detection": [{}, {"consecutive_5xx": 9, "max_ejection": 0, "interval_ms": 1}, "limits"],
    "circuit_breakers": [_BREAKER, [_BREAKER, {"max_retries": 1}], []],
    "circuit_breaker": ["limits"],
    "load_balancer": [
        {"policy": "round_robin"},
        {"policy": "least_request"},
        {"policy": "ring_hash", "cookie": {"name": "c", "path": "/", "ttl": "60s"}},
        {"policy": "maglev", "cookie": {"name": "c"}},
        {"policy": "ring_hash", "header": "x-a"},
        {"policy": "maglev", "source_ip": True},
    ],
    "resolver": ["endpoint", "kubernetes-service", "kubernetes-endpoint"],
    "dns_type": ["strict_dns", "LOGICAL_DNS"],
    "respect_dns_ttl": _FLAGS,
    "enable_ipv4": _FLAGS,
    "enable_ipv6": _FLAGS,
    "connect_timeout_ms": _LONG_MS,
    "cluster_idle_timeout_ms": [*_LONG_MS, 0],
    "cluster_max_connection_lifetime_ms": _LONG_MS,
    "keepalive": [{}, {"idle_time": 9, "interval": 9, "probes": 9}, {"time": 9}],
    "grpc": _FLAGS,
    "tls": _FLAGS,
    "error_response_overrides": [
        [{"on_status_code": 404, "body": {"text_format": "%RESPONSE_CODE% 100% {of} it", "content_type": "text/html"}}],
        [
            {
                "on_status_code": 503,
                "body": {"json_format": {"code": "%RESPONSE_CODE%", "n": 1, "none": None, "é": True}},
            },
            {"on_status_code": 500, "body": {"text_format": ""}},
        ],
    ],
    "bypass_error_response_overrides": _FLAGS,
    "bypass_auth": _FLAGS,
    "auth_context_extensions": [{"a": "1"}, {"é": "é", "": ""}],
    "labels": [
        {"ambassador": [{"g1": _LABELS[:3]}, {"g2": _LABELS[3:]}]},
        {"ambassador": {"g1": "a word"}, "other": [{"g1": ["a"]}]},
        {"ambassador": []},
    ],
    "rate_limits": [[{"descriptor": "d", "headers": ["x-a"]}], [{}, {"headers": ["x-b"]}], []],
    "priority": ["default", "high"],
    "use_websocket": _FLAGS,
    "allow_upgrade": ["websocket", ["websocket", "spdy/3.1"], "tcp, WEBSOCKET"],
    "shadow": [False],
    "add_request_headers": _ADDED,
    "add_response_headers": _ADDED,
    "remove_request_headers": ["x-c", ["x-c", "x-a"]],
    "remove_response_headers": ["server, date", ["x-c"]],
    "add_linkerd_headers": _FLAGS,
    "cors": [
        {"origins": "https://a.com, https://b.com", "methods": "GET, POST", "headers": "x-a", "max_age": "60"},
        {"origins": ["https://*.a.com"], "methods": ["PUT"], "exposed_headers": ["x-b"], "credentials": True},
        {"origins": [{"regex": "https://[ab]"}, "*"], "headers": ["x-a"], "exposed_headers": "x-a", "max_age": 60},
    ],
    "retry_policy": [
        {"retry_on": "5xx", "num_retries": 2, "per_try_timeout": "1m30s"},
        {"retry_on": ["connect-failure", "retriable-status-codes"], "retriable_status_codes": [503, 100]},
    ],
    "timeout_ms": [*_LONG_MS, 0],
    "idle_timeout_ms": [*_LONG_MS, 0],
    "host_redirect": _FLAGS,
    "path_redirect": ["/n", "/n?y=é"],
    "prefix_redirect": ["/n/"],
    "regex_redirect": _SUBSTITUTIONS,
    "redirect_response_code": [301, 302, 303, 307, 308],
    "rewrite": ["", "/", "/x/", "/100%"],
    "regex_rewrite": _SUBSTITUTIONS,
    "host_rewrite": ["b.com", "b.com:8080"],
    "auto_host_rewrite": _FLAGS,
    "prefix": [],
    "prefix_regex": [],
    "prefix_exact": _FLAGS,
    "case_sensitive": _FLAGS,
    "method": ["GET", "POST"],
    "method_regex": _FLAGS,
    "host": ["a.com", "*.com", "A.*", "a.com:8080", "*"],
    "host_regex": [],
    "hostname": ["a.com", "*", "*.com"],
    "headers": _CONDITIONS,
    "regex_headers": _EXPRESSIONS,
    "query_parameters": _CONDITIONS,
    "regex_query_parameters": _EXPRESSIONS,
    "name": [],
    "service": [],
    "weight": [0, 30, 100],
    "precedence": [-3, 0, 3],
    "ambassador_id": ["default", ["other", "default"], "_automatic_"],
}
#: The attributes that a document may have or lack.
OPTIONAL = [name for name, values in ATTRIBUTES.items() if values]

#: Helpers of Ambassador's conversion: what an older version spelled otherwise.
HELPERS: list[Written] = [
    {"regex_headers": {"x-h": ".*", "x-r": "a"}, "v2BoolHeaders": ["x-h"]},
    {"regex_query_parameters": {"q": ".*"}, "v2BoolQueryParameters": ["q"]},
    {"tls": "", "v2ExplicitTLS": {"tls": "bool:true", "serviceScheme": "http://"}},
    {"v3StatsName": "m"},
    {"v3health_checks": [{"health_check": {"http": {"path": "/"}}}]},
    {"host": "(a|b)[.]com", "host_regex": True},
    {"docs": {"path": "/"}, "envoy_override": {}, "modules": {}},
]
_SCHEMES = st.sampled_from(["", "", "", "http://", "https://", "HTTP://"])
_NAMES = st.sampled_from(["m", "m.v1", "Ein Modell é", "x" * 300])


@dataclass(frozen=True, slots=True)
class Place:
    """Whose a document is, and what sets it apart from all others: its number."""

    namespace: str
    number: int
    created: str

    @property
    def prefix(self) -> str:
        """The beginning of every path that is its own."""
        return f"/{self.namespace}-{self.number}/"


@st.composite
def written_mappings(draw: st.DrawFn, place: Place, *, services: tuple[str, ...] = ("127.0.0.1:9",)) -> list[Written]:
    """The documents of one object: a mapping in order, sometimes beside partners of a canary or a shadow of it."""
    document = draw(_mapping(place, services))
    share = draw(st.sampled_from(["alone", "alone", "canary", "shadow"]))
    if share == "alone" or document["spec"].get("host_redirect"):
        return [document]
    partner = {"shadow": True} if share == "shadow" else {"weight": draw(st.integers(0, 100))}
    alike = {**document["spec"], **partner, "service": draw(st.sampled_from(services))}
    return [document, {**document, "name": f"{document['name']}-partner", "spec": alike}]


@st.composite
def _mapping(draw: st.DrawFn, place: Place, services: tuple[str, ...]) -> Written:
    path: Written = {"prefix": place.prefix}
    if draw(st.integers(0, 3)) == 0:
        path = {"prefix": place.prefix + draw(st.sampled_from(["[a-z]*", ".*", "(x|y)?"])), "prefix_regex": True}
    attributes = draw(st.lists(st.sampled_from(OPTIONAL), max_size=6, unique=True))
    given = {name: draw(st.sampled_from(ATTRIBUTES[name])) for name in attributes}
    helper = draw(st.sampled_from([{}, {}, {}, *HELPERS]))
    spec = path | {"service": draw(_SCHEMES) + draw(st.sampled_from(services))}
    spec |= given | helper
    return {
        "apiVersion": draw(st.sampled_from(API_VERSIONS)),
        "kind": "Mapping",
        "name": f"{draw(_NAMES)}-{place.number}",
        "spec": spec,
    }


def lay_flat(document: Written) -> Written:
    """The document as an annotation holds it mostly: every attribute at its top."""
    spec = document.get("spec")
    rest = {key: value for key, value in document.items() if key != "spec"}
    return {**rest, **spec} if isinstance(spec, dict) else document


def lay_deep(document: Written) -> Written:
    """The document as Kubernetes would have it: its name in ``metadata``."""
    rest = {key: value for key, value in document.items() if key != "name"}
    return {**rest, "metadata": {"name": document.get("name")}}


def annotate(texts: list[str], place: Place, *, more: str = "") -> Manifest:
    """A Service that carries documents as text."""
    return _manifest("v1", "Service", place, {CONFIG_ANNOTATION: "\n---\n".join(texts)}, more=more)


def customize(document: Written, place: Place) -> Manifest:
    """A custom resource that says what a document says; its name and namespace are in order, as the API sees to."""
    manifest = _manifest("", "", place, {}, more="-resource")
    return {**manifest, **{key: document.get(key) for key in ("apiVersion", "kind", "spec")}}


def _manifest(version: str, kind: str, place: Place, annotations: dict[str, str], *, more: str) -> Manifest:
    metadata = {
        "name": f"o{place.number}{more}",
        "namespace": place.namespace,
        "creationTimestamp": place.created,
        "resourceVersion": "1",
        "annotations": annotations,
    }
    return {"apiVersion": version, "kind": kind, "metadata": metadata}


def write_text(document: object) -> str:
    """Write a document as YAML, or as JSON where it holds what no YAML does: half a character."""
    try:
        return write_documents(document)
    except UnicodeEncodeError:
        return json.dumps(document)
