"""TLS towards services, on a real Envoy and real servers: who is believed, by which name, and what is spoken."""

import ssl
from base64 import b64encode
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from http.client import HTTPConnection
from itertools import count
from pathlib import Path

import grpc
import pytest
import trustme
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key

from kfambassador.envoy.listeners import ListenerSettings
from kfambassador.envoy.snapshot import Snapshot
from kfambassador.envoy.translate import translate
from kfambassador.resources.documents import write_documents
from kfambassador.routing.compile import compile_routes
from kfambassador.routing.policy import TenancyPolicy
from tests.backends import Echo
from tests.behaviour.servers import GrpcEchoServer, TlsEchoServer, serving
from tests.builders import Manifest, document, resource_set, service, slice_, sourced
from tests.xds_gateway import XdsGateway, request, xds_gateway

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("upstream-tls")]


@dataclass
class World:
    """A gateway, a connection to it that is kept, and the authority that signs what is in order.

    Attributes:
        trusted: The file with the authorities the gateway believes where nobody names others.
    """

    gateway: XdsGateway
    connection: HTTPConnection
    authority: trustme.CA
    trusted: Path
    generations: Iterator[int]
    stack: ExitStack

    def serve(self, name: str, *names: str) -> tuple[Manifest, ...]:
        """Start a server whose certificate is for these names; give its Service in namespace team."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.authority.issue_cert(*names).configure_cert(context)
        server = TlsEchoServer(name, context)
        self.stack.enter_context(serving(server))
        return described(name, server.port)

    def publish(self, *items: Manifest) -> None:
        """Serve what was written, and wait until the connection's worker does."""
        generation = next(self.generations)
        mark = sourced(f"g{generation}", "marks", prefix=f"/mark/{generation}", host_redirect=True, service="a.example")
        resources = resource_set(*items, mark, generation=generation)
        self.gateway.serve(self.translate(resources))
        while request(self.connection, "GET", f"/mark/{generation}")[0].status != 301:
            pass

    def translate(self, resources: object) -> Snapshot:
        """Compile and translate, believing the authority."""
        policy = TenancyPolicy.laptop(trusted_ca=str(self.trusted))
        return translate(compile_routes(resources, policy).table, ListenerSettings(port=0))  # type: ignore[arg-type]

    def ask(self, path: str) -> int:
        """Send a request; give the status."""
        return request(self.connection, "GET", path)[0].status


def described(name: str, port: int) -> tuple[Manifest, ...]:
    """The Service of a server, and its endpoint."""
    return service(name, "team", ports=(443,)), slice_(name, "team", "127.0.0.1", ports=(port,))


def annotated(*documents: dict[str, object]) -> Manifest:
    """Documents as somebody applies them."""
    return service("routes", "team", annotation=write_documents(*documents))


def context(name: str, **options: object) -> dict[str, object]:
    """A TLSContext."""
    return {"apiVersion": "ambassador/v1", "kind": "TLSContext", "name": name, **options}


def secret(name: str, **texts: bytes) -> Manifest:
    """A Secret of namespace team; the names of its texts have underscores for dots."""
    data = {key.replace("_", "."): b64encode(text).decode() for key, text in texts.items()}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name, "namespace": "team"}, "data": data}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    authority = trustme.CA()
    trusted = tmp_path_factory.mktemp("trusted") / "ca.pem"
    authority.cert_pem.write_to_path(str(trusted))
    generations = count(1)
    nothing = translate(
        replace(compile_routes(resource_set(), TenancyPolicy.laptop()).table, generation=next(generations)),
        ListenerSettings(port=0),
    )
    with ExitStack() as stack:
        gateway = stack.enter_context(xds_gateway(nothing))
        connection = stack.enter_context(closing(gateway.connect()))
        yield World(gateway, connection, authority, trusted, generations, stack)


@pytest.mark.parametrize("name", ["named.team", "named.team.svc", "named.team.svc.cluster.local"])
def test_a_certificate_for_any_name_of_the_service_is_right(world: World, name: str) -> None:
    items = world.serve("named", name)
    world.publish(*items, annotated(document("m", service="https://named")))
    assert world.ask("/m/") == 200


def test_a_certificate_for_another_service_is_wrong(world: World) -> None:
    items = world.serve("wrong", "right.team", "wrong.other.svc")
    world.publish(*items, annotated(document("m", service="https://wrong")))
    assert world.ask("/m/") == 503


def test_a_certificate_for_all_names_of_a_domain_is_right_for_each(world: World) -> None:
    items = world.serve("wild", "*.example.org")
    documents = [
        document("one", service="wild", tls="one"),
        document("two", service="wild", tls="two"),
        context("one", sni="a.example.org"),
        context("two", sni="a.b.example.org"),
    ]
    world.publish(*items, annotated(*documents))
    assert world.ask("/one/") == 200
    assert world.ask("/two/") == 503


def test_a_revoked_certificate_is_not_believed(world: World) -> None:
    own = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    leaf = world.authority.issue_cert("revoked.team")
    leaf.configure_cert(own)
    server = TlsEchoServer("revoked", own)
    world.stack.enter_context(serving(server))
    serial = x509.load_pem_x509_certificate(leaf.cert_chain_pems[0].bytes()).serial_number
    documents = [
        document("revoked", tls="revoked", service="revoked"),
        document("good", tls="good", service="revoked"),
        context("revoked", crl_secret="bad"),
        context("good", crl_secret="good"),
    ]
    world.publish(
        *described("revoked", server.port),
        secret("bad", crl_pem=revoke(world.authority, serial)),
        secret("good", crl_pem=revoke(world.authority, serial + 1)),
        annotated(*documents),
    )
    assert world.ask("/revoked/") == 503
    assert world.ask("/good/") == 200


def revoke(authority: trustme.CA, serial: int) -> bytes:
    """A list of one revoked certificate."""
    issuer = x509.load_pem_x509_certificate(authority.cert_pem.bytes())
    key = load_pem_private_key(authority.private_key_pem.bytes(), None)
    now = datetime.now(UTC)
    entry = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(now - timedelta(days=1)).build()
    builder = x509.CertificateRevocationListBuilder().issuer_name(issuer.subject).add_revoked_certificate(entry)
    signed = (
        builder.last_update(now - timedelta(days=1))
        .next_update(now + timedelta(days=1))
        .sign(
            key,  # type: ignore[arg-type]
            hashes.SHA256(),
        )
    )
    return signed.public_bytes(Encoding.PEM)


def test_grpc_is_spoken_over_tls(world: World) -> None:
    leaf = world.authority.issue_cert("calls.team")
    pairs = [(leaf.private_key_pem.bytes(), b"".join(each.bytes() for each in leaf.cert_chain_pems))]
    echo = GrpcEchoServer("calls")
    server = grpc.server(ThreadPoolExecutor(4), handlers=(echo,))
    port = server.add_secure_port("127.0.0.1:0", grpc.ssl_server_credentials(pairs))
    server.start()
    world.stack.callback(lambda: server.stop(None).wait())
    checks = [{"health_check": {"grpc": {"upstream_name": "a.Service"}}}]
    plain = document("m", prefix="/a.Service/", rewrite="", service="https://calls", grpc=True)
    checked = document("n", prefix="/b.Service/", rewrite="", service="https://calls", grpc=True, health_checks=checks)
    world.publish(*described("calls", port), annotated(plain, checked))
    address, listens = world.gateway.address()
    with grpc.insecure_channel(f"{address}:{listens}") as channel:
        for path in ("/a.Service/Call", "/b.Service/Call"):
            call = channel.unary_unary(path, lambda text: text, lambda text: text)
            # A cluster whose endpoints are checked is there once the first answer is.
            answer = next(filter(None, (_try(call) for _ in range(1000))))
            assert b'"calls"' in answer
    assert sum(path.endswith("Call") for path in (each.path for each in echo.script.seen)) == 2


def _try(call: object) -> bytes | None:
    try:
        answer: bytes = call(b"", timeout=10)  # type: ignore[operator]
    except grpc.RpcError:
        return None
    return answer


class _TellsProtocol(TlsEchoServer):
    """A server that tells which protocol was settled on."""

    def tell(self, connection: ssl.SSLSocket) -> list[tuple[str, str]]:
        return [*super().tell(connection), (":alpn", connection.selected_alpn_protocol() or "none")]


def test_a_server_that_takes_http_2_is_not_lured_into_it(world: World) -> None:
    own = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    own.set_alpn_protocols(["h2", "http/1.1"])
    world.authority.issue_cert("both.team").configure_cert(own)
    server = _TellsProtocol("both", own)
    world.stack.enter_context(serving(server))
    documents = [document("m", tls="both", service="both"), context("both", alpn_protocols="h2,http/1.1")]
    world.publish(*described("both", server.port), annotated(*documents))
    response, body = request(world.connection, "GET", "/m/")
    assert response.status == 200
    assert Echo.read(body).header(":alpn") == "http/1.1"
