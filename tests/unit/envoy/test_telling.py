"""Envoy's messages told to people: everything but secrets."""

from kfambassador.envoy.protos import Cluster, DataSource, UpstreamTlsContext, pack
from kfambassador.envoy.telling import HIDDEN, tell_message
from kfambassador.envoy.upstream_tls import build_transport_socket
from kfambassador.routing.model import Certificate, Pem, UpstreamTls


def test_a_private_key_is_hidden_however_deep_it_stands() -> None:
    certificate = Certificate(Pem("the chain"), Pem("the key"))
    tls = UpstreamTls(sni="a", authorities=Pem("the authorities"), certificate=certificate)
    cluster = Cluster(name="c", transport_socket=build_transport_socket(tls))
    told = str(tell_message(cluster))
    assert "the key" not in told
    assert HIDDEN in told
    assert "the chain" in told
    assert "the authorities" in told


def test_a_key_in_bytes_is_hidden_too_and_the_name_of_its_file_is_not() -> None:
    context = UpstreamTlsContext()
    own = context.common_tls_context.tls_certificates.add()
    own.private_key.inline_bytes = b"the key"
    own.password.inline_string = "the password"
    other = context.common_tls_context.tls_certificates.add(private_key=DataSource(filename="/key.pem"))
    assert other.private_key.filename
    told = tell_message(pack(context))
    own_told, other_told = told["common_tls_context"]["tls_certificates"]  # type: ignore[index]
    assert own_told == {"private_key": {"inline_bytes": HIDDEN}, "password": {"inline_string": HIDDEN}}
    assert other_told == {"private_key": {"filename": "/key.pem"}}
