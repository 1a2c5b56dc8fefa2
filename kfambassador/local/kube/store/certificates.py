"""Certificates: an authority of this server's own, and what it certifies. The one door to cryptography."""

import datetime as dt
import ipaddress
import ssl
import tempfile
from dataclasses import dataclass, field
from typing import Final, Self

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

#: The names this machine has for itself; nothing else is certified.
LOOPBACK: Final = ("127.0.0.1", "::1")
LOCALHOST: Final = "localhost"

_AUTHORITY_LIFE: Final = dt.timedelta(days=3650)
_CERTIFICATE_LIFE: Final = dt.timedelta(days=365)
_AGE: Final = dt.timedelta(days=1)  # a client whose clock is behind must not find it not yet valid
_NAME: Final = "kfambassador local Kubernetes API"


@dataclass(frozen=True, slots=True)
class Authority:
    """A certificate authority that certifies loopback only, so that its key opens nothing else to whoever gets it.

    Example:
        >>> authority = Authority.make()
        >>> authority.certificate.splitlines()[0]
        '-----BEGIN CERTIFICATE-----'
        >>> Authority.read(authority.write()).certificate == authority.certificate
        True
    """

    _certificate: x509.Certificate
    _key: ec.EllipticCurvePrivateKey = field(repr=False)

    @classmethod
    def make(cls) -> Self:
        """Make one with a new key, good for ten years."""
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"{_NAME} authority")])
        networks = [x509.IPAddress(ipaddress.ip_network(address)) for address in LOOPBACK]
        only = x509.NameConstraints([x509.DNSName(LOCALHOST), *networks], excluded_subtrees=None)
        builder = (
            _begin(name, key.public_key(), name, life=_AUTHORITY_LIFE)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(_usage(of_authority=True), critical=True)
            .add_extension(only, critical=True)
        )
        return cls(builder.sign(key, SHA256()), key)

    @classmethod
    def read(cls, text: bytes) -> Self:
        """Read what ``write`` wrote.

        Raises:
            ValueError: It was not written by it, or the certificate is no longer good.
        """
        certificate, key = x509.load_pem_x509_certificate(text), load_pem_private_key(text, password=None)
        if not isinstance(key, ec.EllipticCurvePrivateKey) or key.public_key() != certificate.public_key():
            raise ValueError("the key is not the certificate's")
        if certificate.not_valid_after_utc < _now() + _CERTIFICATE_LIFE:
            raise ValueError(f"it ends on {certificate.not_valid_after_utc:%Y-%m-%d}")
        return cls(certificate, key)

    def write(self) -> bytes:
        """Write certificate and key, in PEM."""
        return _write(self._key, self._certificate)

    @property
    def certificate(self) -> str:
        """What clients are to trust, in PEM."""
        return self._certificate.public_bytes(Encoding.PEM).decode()

    def certify(self) -> ssl.SSLContext:
        """Make the TLS of a server on loopback, with a new key, good for a year."""
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, _NAME)])
        addresses = [x509.IPAddress(ipaddress.ip_address(address)) for address in LOOPBACK]
        issuer = self._key.public_key()
        builder = (
            _begin(name, key.public_key(), self._certificate.subject, life=_CERTIFICATE_LIFE)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_usage(of_authority=False), critical=True)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
            .add_extension(x509.SubjectAlternativeName([x509.DNSName(LOCALHOST), *addresses]), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer), critical=False)
        )
        return _serve(_write(key, builder.sign(self._key, SHA256())))


def _begin(
    name: x509.Name, key: ec.EllipticCurvePublicKey, issuer: x509.Name, *, life: dt.timedelta
) -> x509.CertificateBuilder:
    now = _now()
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _AGE)
        .not_valid_after(now + life)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    )


def _usage(*, of_authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not of_authority,
        key_cert_sign=of_authority,
        crl_sign=of_authority,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _write(key: ec.EllipticCurvePrivateKey, certificate: x509.Certificate) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()) + certificate.public_bytes(Encoding.PEM)


def _serve(pem: bytes) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    # Python reads a key from files only; this one is its owner's alone and is gone at once.
    with tempfile.NamedTemporaryFile() as file:
        file.write(pem)
        file.flush()
        context.load_cert_chain(file.name)
    return context


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)
