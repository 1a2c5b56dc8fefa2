"""The peer's own cases, where a folder of them lies beside the project: the same answers, or a reason for another."""

import json
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from kfambassador.routing.policy import TenancyPolicy
from tests.backends import EchoServer
from tests.behaviour.casefile import Request
from tests.behaviour.client import Answered, Client
from tests.behaviour.pipeline import Place, read_services, write_slices
from tests.behaviour.servers import Authorities, GrpcEchoServer, TlsEchoServer, serving
from tests.behaviour.world import World
from tests.builders import Manifest, service

FOLDER = Path(__file__).parents[3] / "shared" / "peer"

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("behaviour")]

Asked = dict[str, Any]
Case = dict[str, Any]


def cases() -> dict[str, Case]:
    """The cases by id."""
    index = FOLDER / "cases.jsonl"
    read = [json.loads(line) for line in index.read_text().splitlines()] if index.exists() else []
    return {case["id"]: case for case in read}


CASES = cases()


def is_elsewhere(request: Asked) -> bool:
    """Tell whether a request is for TLS or another port of the gateway: a later issue."""
    return bool(request["scheme"] != "http" or request["port"] != 8080)


def is_internal(request: Asked) -> bool:
    """Tell whether a request asks for the peer's own pages: its diagnostics, and statistics behind a route."""
    return bool(request["path"].startswith("/ambassador/v0/") or request["path"] == "/metrics")


#: What is not asked here at all.
NOT_ASKED = (is_elsewhere, is_internal)

_EVERY_HOST = {1, 2, 4, 5}

#: Where we answer otherwise on purpose: for each reason the cases, and which of their requests (counted from 1).
DIFFERENCES: dict[str, dict[str, set[int]]] = {
    "a mapping of v3alpha1 without a hostname serves every host; there it serves nobody, silently": {
        "unit/cache_delta_2": _EVERY_HOST,
        "unit/cache_random_1": _EVERY_HOST,
        "unit/cache_random_3": _EVERY_HOST,
        "unit/cache_random_5": _EVERY_HOST,
        "unit/cache_test_2": {1, 2, 4, 5, 7, 8, 10, 11, 13, 14, 16, 17, 19, 20, 22, 23},
        "unit/cache_test_4": {1, 2, 4, 5, 7, 8, 10, 11, 13, 14, 16, 17, 19, 20, 22, 23},
        "unit/mapping_selector_irrelevant_labels_in": {4, 5, 7, 8},
        "unit/test_healthchecks.test_healthcheck.1": {1, 2, 3, 4},
    },
    "a Host with its port is the same host; there it is nobody's": {
        "kat/Plain/HostHeaderMapping-GRPC": {4},
        "kat/t_mappingtests_default/HostHeaderMappingStripMatchingHostPort": {5},
        "unit/prefix_wildcard_and_hostname_with_port_in": {16, 17},
    },
    "a host that is only * is any host; there it makes the mapping vanish": {
        "unit/test_mapping.test_mapping_host_star_error": _EVERY_HOST,
    },
    "error_response_overrides are served; there they make the mapping vanish": {
        "unit/test_error_response_unsupported.test_mapping_error_response_overrides_logs_error": _EVERY_HOST,
    },
    "an AuthService that cannot be read leaves the gateway closed; there it leaves it open": {
        "kat/t_basics/InvalidResources": {2, 4},
    },
    "a header with an underscore is another to services that speak CGI, and is refused unless the Module says else": {
        "kat/t_headerswithunderscoresaction/AllowHeadersWithUnderscoresTest": {1},
    },
    "a Host sends clear requests to https unless it says else; Hosts are a later issue": {
        "kat/t_extauth/AuthenticationDisabledOnRedirectTest": {1},
        "kat/t_hosts/HostCRDDoubleCrossNamespace": {4, 7},
        "kat/t_hosts/HostCRDForcedStar": {2},
        "kat/t_hosts/HostCRDManualContext": {3},
        "kat/t_hosts/HostCRDRootRedirectSlashMapping": {1, 2},
        "kat/t_hosts/HostCRDSingle": {2},
        "kat/t_hosts/HostCRDWildcards": {4, 6},
        "kat/t_redirect/XFPRedirect": {1},
        "unit/host_missing_tls_in": {7, 8},
        "unit/mapping_selector_and_authority_in": _EVERY_HOST,
        "unit/mapping_selector_and_hostname_in": _EVERY_HOST,
        "unit/mapping_selector_irrelevant_labels_in": {1, 2},
    },
    "Ingress objects are not read": {
        "kat/Plain/HostHeaderMappingIngress-GRPC": {3},
        "kat/Plain/SimpleIngressWithAnnotations-GRPC": {1, 2},
        "kat/Plain/SimpleMappingIngress-GRPC": {1, 2},
        "kat/t_ingress/IngressStatusTest2": {1, 2},
        "kat/t_ingress/IngressStatusTestWithAnnotations": {1, 3},
        "kat/t_ingress/IngressStatusTestWithIngressClass": {1, 2},
    },
    "a RateLimitService is a later issue": {
        "e2e/ratelimit-grpc": {3},
        "kat/t_ratelimit/RateLimitV1Test": {3},
    },
    "the backend there does as the request tells it, and ours only tells what it saw": {
        "kat/t_extauth/AuthenticationHTTPBufferedTest": {1, 2, 3, 4},
        "kat/t_extauth/AuthenticationWebsocketTest": {1},
    },
    "our backend refuses what theirs takes: a path without a slash, and headers of more than 8 KiB": {
        "kat/Plain/SimpleMapping-GRPC-Rewrite-foo": {1, 2},
        "kat/t_max_req_header_kb/MaxRequestHeaderKBTest": {2},
    },
    "the clients there sent several requests at once, came from other addresses, or kept a header to themselves": {
        "kat/t_chunked_length/AllowChunkedLengthTestTrue": {3},
        "kat/t_circuitbreaker/GlobalCircuitBreakingTest": {2},
        "kat/t_ip_allow_deny/IPDeny": {1, 5},
    },
}


@dataclass
class Peer:
    """Servers that go by whatever names a case gives its backends."""

    world: World
    clear: list[EchoServer]
    secure: list[TlsEchoServer]
    calls: list[GrpcEchoServer]
    counts: dict[str, int] = field(default_factory=dict)

    def places(self, case: Case) -> dict[str, Place]:
        """Put a server behind every port of every backend of the case."""
        found = {}
        clear, secure, calls = iter(self.clear), iter(self.secure), iter(self.calls)
        for host, backend in case["backends"].items():
            ports = {}
            for port, kind in backend["ports"].items():
                pool: Iterator[Any] = secure if kind == "tls" else calls if "grpc" in backend["kind"] else clear
                server = next(pool)
                server.name = backend["name"]
                ports[int(port)] = (server.port,)
            found[host] = Place(ports)
        return found


@pytest.fixture(scope="module")
def peer(behaviour_world: World) -> Iterator[Peer]:
    authorities = Authorities()
    with ExitStack() as stack:
        clear = [stack.enter_context(EchoServer()) for _ in range(24)]
        secure = [TlsEchoServer("", authorities.server_context("localhost")) for _ in range(12)]
        calls = [GrpcEchoServer("") for _ in range(4)]
        for server in secure:
            stack.enter_context(serving(server))
        for each in calls:
            stack.enter_context(each.serving())
        yield Peer(behaviour_world, clear, secure, calls)


@pytest.mark.skipif(not CASES, reason=f"there is no folder {FOLDER.name} beside the project")
@pytest.mark.parametrize("name", CASES)
def test_we_answer_as_the_peer_does_or_say_why_not(peer: Peer, name: str) -> None:
    differences = dict(ask(peer, CASES[name]))
    listed = {number for listing in DIFFERENCES.values() for number in listing.get(name, ())}
    unlisted = [f"{number}. {told}" for number, told in differences.items() if number not in listed]
    assert not unlisted, "\n".join(unlisted)
    assert listed - differences.keys() == set(), "these no longer differ"


@pytest.mark.skipif(not CASES, reason=f"there is no folder {FOLDER.name} beside the project")
def test_the_list_of_differences_is_of_cases_that_are_there() -> None:
    asked = sum(is_asked(request) for case in CASES.values() for request in case["requests"])
    listed = {reason: sum(map(len, listing.values())) for reason, listing in DIFFERENCES.items()}
    assert {name for listing in DIFFERENCES.values() for name in listing} <= CASES.keys()
    summary = [f"{asked} requests of {len(CASES)} cases: {asked - sum(listed.values())} answered as the peer does"]
    sys.stdout.write("\n".join([*summary, *(f"{count:4} {reason}" for reason, count in listed.items())]) + "\n")


def ask(peer: Peer, case: Case) -> Iterator[tuple[int, str]]:
    """Apply a case and send its requests; give those that are answered otherwise."""
    places = peer.places(case)
    policy = replace(
        TenancyPolicy.permissive(gateway_namespace=case["gateway_namespace"]),
        loopback=True,
        verify_upstreams=False,
    )
    text = "\n---\n".join(
        yaml.dump(each, Dumper=yaml.CSafeDumper) for each in [*case["resources"], *missing(case, places)]
    )
    served = with_peers(text, places)
    with peer.world.serving(served, policy, namespace=case["gateway_namespace"]) as started:
        for number, request in enumerate(case["requests"], start=1):
            if not is_asked(request):
                continue
            ours, theirs = observe(send(started.client, request)), expected(case, request)
            wrong = {key: (ours.get(key), value) for key, value in theirs.items() if ours.get(key) != value}
            if wrong:
                line = f"{request['method']} {request['host']} {request['path']} {request.get('headers', '')}"
                yield (
                    number,
                    f"{line}: " + ", ".join(f"{key}: ours {one}, theirs {two}" for key, (one, two) in wrong.items()),
                )


def is_asked(request: Asked) -> bool:
    """Tell whether a request is sent here."""
    return not any(is_one(request) for is_one in NOT_ASKED)


def missing(case: Case, places: dict[str, Place]) -> Iterator[Manifest]:
    """Services for backends the case has no Service of, as those found by DNS."""
    known = {
        f"{each['metadata']['name']}.{each['metadata'].get('namespace', case['gateway_namespace'])}"
        for each in case["resources"]
        if each["kind"] == "Service"
    }
    for host, place in places.items():
        if host not in known and "." in host:
            name, _, namespace = host.partition(".")
            yield service(name, namespace, ports=tuple((f"p{port}", port) for port in place.ports))


def with_peers(text: str, places: dict[str, Place]) -> str:
    """Add the endpoints of the backends, each to the Service of its name and namespace."""
    slices = [
        slice_
        for each in read_services(text)
        if (place := places.get(f"{each['metadata']['name']}.{each['metadata'].get('namespace', 'default')}"))
        for slice_ in write_slices(each["metadata"]["name"], each["metadata"].get("namespace", "default"), place, each)
    ]
    return "\n---\n".join([text, *(yaml.dump(each, Dumper=yaml.CSafeDumper) for each in slices)])


def send(client: Client, request: dict[str, Any]) -> Answered:
    """Send a request of the peer's."""
    method = "GRPC" if request.get("grpc_type") == "real" else request["method"]
    headers = {name.lower(): value for name, value in request.get("headers", {}).items()}
    host = headers.pop("host", request["host"])
    if method == "GRPC":
        headers.pop("content-type", None)
    said = {"send": f"{method} {request['path']}", "host": host, "headers": headers, "expect": 200}
    return client.send(Request.model_validate(said))


def observe(answered: Answered) -> dict[str, object]:
    """What is compared of an answer of ours."""
    echo = answered.echo
    seen: dict[str, object] = {"status": answered.status, "location": answered.header("location")}
    if echo is not None:
        path, _, query = echo.path.partition("?")
        seen |= {
            "backend": echo.backend,
            "path": path,
            "query": query,
            "method": echo.method,
            "host": echo.header("host"),
        }
    return seen


def expected(case: Case, request: dict[str, Any]) -> dict[str, object]:
    """What is compared of what was observed there."""
    observed = request["observed"]
    wanted = {key: observed[key] for key in ("status", "backend", "path", "method", "host") if key in observed}
    if {"weight", "load_balancer"} & {*case["features"]}:
        # Chance decides, or what addresses hash to; and canaries may each have a host of their own.
        wanted = {key: value for key, value in wanted.items() if key not in {"backend", "host"}}
    location = observed.get("response_headers", {}).get("Location")
    return wanted | ({"location": location[0]} if location else {})
