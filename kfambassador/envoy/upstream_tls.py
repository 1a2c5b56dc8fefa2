"""TLS towards a service, in Envoy's words."""

from kfambassador.envoy.protos import DataSource, TlsParameters, TransportSocket, UpstreamTlsContext, pack
from kfambassador.routing.model import Pem, UpstreamTls

# Envoy's names of the versions, by those of a TLSContext.
_VERSIONS = {
    written: TlsParameters.TlsProtocol.Value(name)
    for written, name in {"v1.0": "TLSv1_0", "v1.1": "TLSv1_1", "v1.2": "TLSv1_2", "v1.3": "TLSv1_3"}.items()
}


def build_transport_socket(tls: UpstreamTls) -> TransportSocket:
    """Say how a cluster's connections are protected.

    The service's certificate is checked against the authorities and the name, unless ``tls`` says that it is not
    verified at all.
    """
    context = UpstreamTlsContext(sni=tls.sni)
    common = context.common_tls_context
    parameters = _build_parameters(tls)
    if parameters.ByteSize():
        common.tls_params.CopyFrom(parameters)
    common.alpn_protocols.extend(tls.alpn_protocols)
    if tls.certificate is not None:
        own = common.tls_certificates.add()
        _set_source(own.certificate_chain, tls.certificate.chain)
        _set_source(own.private_key, tls.certificate.key)
    if tls.authorities is not None:
        _set_source(common.validation_context.trusted_ca, tls.authorities)
        if tls.revoked is not None:
            _set_source(common.validation_context.crl, tls.revoked)
        for each in tls.verified_names:
            name = common.validation_context.match_typed_subject_alt_names.add()
            name.san_type = "IP_ADDRESS" if tls.is_address else "DNS"
            name.matcher.exact = each
    return TransportSocket(name="envoy.transport_sockets.tls", typed_config=pack(context))


def _build_parameters(tls: UpstreamTls) -> TlsParameters:
    parameters = TlsParameters(cipher_suites=tls.cipher_suites, ecdh_curves=tls.ecdh_curves)
    if tls.min_version:
        parameters.tls_minimum_protocol_version = _VERSIONS[tls.min_version]
    if tls.max_version:
        parameters.tls_maximum_protocol_version = _VERSIONS[tls.max_version]
    return parameters


def _set_source(source: DataSource, pem: Pem) -> None:
    if pem.file:
        source.filename = pem.file
    else:
        source.inline_string = pem.text
