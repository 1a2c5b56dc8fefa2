"""A TLSContext: how TLS is spoken, here towards services (``tls: NAME`` of a mapping)."""

from typing import Annotated, ClassVar, Literal

from pydantic import BeforeValidator, Field

from kfambassador.attributes.base import split_commas
from kfambassador.resources.gateway import GatewayResource

TlsVersion = Literal["v1.0", "v1.1", "v1.2", "v1.3"]
_Names = Annotated[tuple[str, ...], BeforeValidator(split_commas)]


class TLSContext(GatewayResource, frozen=True):
    """How TLS is spoken. Without ``hosts`` it is for connections to services; Ambassador calls that origination.

    Example:
        >>> TLSContext(name="upstream", ca_secret="authorities").sni is None
        True
    """

    noun: ClassVar[str] = "a TLSContext"

    hosts: Annotated[tuple[str, ...], Field(strict=False, description="Host names it ends TLS for.")] = ()
    secret: Annotated[
        str | None, Field(description="The Secret with the gateway's own certificate: name or name.namespace.")
    ] = None
    cert_chain_file: Annotated[str | None, Field(description="The same from a file on Envoy's machine.")] = None
    private_key_file: Annotated[str | None, Field(description="Its key, from a file on Envoy's machine.")] = None
    ca_secret: Annotated[str | None, Field(description="The Secret with the authorities that are believed.")] = None
    cacert_chain_file: Annotated[str | None, Field(description="The same from a file on Envoy's machine.")] = None
    crl_secret: Annotated[str | None, Field(description="The Secret with revoked certificates.")] = None
    alpn_protocols: Annotated[_Names, Field(description="What is offered to speak, such as h2,http/1.1.")] = ()
    cert_required: Annotated[bool | None, Field(description="Whether a client must show a certificate.")] = None
    min_tls_version: Annotated[TlsVersion | None, Field(description="The oldest TLS version, v1.0 to v1.3.")] = None
    max_tls_version: Annotated[TlsVersion | None, Field(description="The newest TLS version, v1.0 to v1.3.")] = None
    cipher_suites: Annotated[_Names, Field(description="Cipher suites in OpenSSL's names.")] = ()
    ecdh_curves: Annotated[_Names, Field(description="Curves for the key exchange.")] = ()
    secret_namespacing: Annotated[bool | None, Field(description="Read name.namespace in secret as such.")] = None
    redirect_cleartext_from: Annotated[int | None, Field(description="A port whose clear requests are redirected.")] = (
        None
    )
    sni: Annotated[str | None, Field(min_length=1, description="The server name to ask services for.")] = None
