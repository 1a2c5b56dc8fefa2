"""Certificates and keys judged before Envoy sees them, and written so that Envoy takes them.

Envoy refuses a cluster for one bad certificate, and with it every later change of anybody's. So what a Secret holds is
read here, and what was read is written anew: nothing but certificates, and nothing that was not understood.
"""

from collections.abc import Collection
from functools import lru_cache
from typing import TYPE_CHECKING, Final, NamedTuple

from kfambassador.routing.model import Certificate, Pem

# Base installations read no Secrets, and loading this takes a while.
if TYPE_CHECKING:
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes

#: The curves Envoy knows for the key exchange, and what OpenSSL calls them.
CURVES: Final = {
    "X25519": "X25519",
    "x25519": "X25519",
    "P-256": "P-256",
    "prime256v1": "P-256",
    "P-384": "P-384",
    "secp384r1": "P-384",
    "P-521": "P-521",
    "secp521r1": "P-521",
    "X25519MLKEM768": "X25519MLKEM768",
}

#: The cipher suites Envoy knows up to TLS 1.2; those of TLS 1.3 nobody chooses.
CIPHERS: Final = frozenset(
    {
        "AES128-GCM-SHA256",
        "AES128-SHA",
        "AES256-GCM-SHA384",
        "AES256-SHA",
        "DES-CBC3-SHA",
        "ECDHE-ECDSA-AES128-GCM-SHA256",
        "ECDHE-ECDSA-AES128-SHA",
        "ECDHE-ECDSA-AES128-SHA256",
        "ECDHE-ECDSA-AES256-GCM-SHA384",
        "ECDHE-ECDSA-AES256-SHA",
        "ECDHE-ECDSA-CHACHA20-POLY1305",
        "ECDHE-RSA-AES128-GCM-SHA256",
        "ECDHE-RSA-AES128-SHA",
        "ECDHE-RSA-AES128-SHA256",
        "ECDHE-RSA-AES256-GCM-SHA384",
        "ECDHE-RSA-AES256-SHA",
        "ECDHE-RSA-CHACHA20-POLY1305",
    }
)

# What Envoy takes for a key of its own.
_SHORTEST_RSA = 2048
_OWN_CURVES = frozenset({"secp256r1", "secp384r1", "secp521r1"})


class Judged(NamedTuple):
    """What Envoy may be given, None when it would refuse it; and why."""

    pem: Pem | None
    reason: str = ""


class JudgedCertificate(NamedTuple):
    """The same of a certificate with its key."""

    certificate: Certificate | None
    reason: str = ""


@lru_cache(maxsize=256)
def judge_authorities(text: str) -> Judged:
    """Judge certificates of authorities in PEM.

    Example:
        >>> judge_authorities("-----BEGIN NONSENSE-----").reason
        'it holds no certificate in PEM that can be read'
    """
    certificates = _read_chain(text)
    return Judged(Pem(_write_chain(certificates))) if certificates else Judged(None, _NO_CERTIFICATE)


@lru_cache(maxsize=256)
def judge_revoked(text: str) -> Judged:
    """Judge a list of revoked certificates in PEM.

    Example:
        >>> judge_revoked("").reason
        'it holds no list of revoked certificates in PEM that can be read'
    """
    from cryptography.hazmat.primitives.serialization import Encoding
    from cryptography.x509 import load_pem_x509_crl

    try:
        return Judged(Pem(load_pem_x509_crl(text.encode()).public_bytes(Encoding.PEM).decode()))
    except ValueError:
        return Judged(None, "it holds no list of revoked certificates in PEM that can be read")


@lru_cache(maxsize=256)
def judge_certificate(chain: str, key: str) -> JudgedCertificate:
    """Judge a certificate, those between it and its authority, and its key, in PEM.

    Example:
        >>> judge_certificate("", "").reason
        'it holds no certificate in PEM that can be read'
    """
    certificates, private = _read_chain(chain), _read_key(key)
    if not certificates:
        return JudgedCertificate(None, _NO_CERTIFICATE)
    if private is None:
        return JudgedCertificate(None, "it holds no private key in PEM that can be read without a password")
    reason = _judge_key(private) or _judge_pair(certificates[0], private)
    if reason:
        return JudgedCertificate(None, reason)
    return JudgedCertificate(Certificate(Pem(_write_chain(certificates)), Pem(_write_key(private))))


def find_unknown_cipher(suites: Collection[str]) -> str | None:
    """Find the first cipher suite Envoy does not know; ``[A|B]`` are equals (Envoy, "cipher_suites").

    Example:
        >>> find_unknown_cipher(["[AES128-SHA|AES256-SHA]", "RC4-MD5"])
        'RC4-MD5'
    """
    names = (name for suite in suites for name in suite.removeprefix("[").removesuffix("]").split("|"))
    return next((name for name in names if name not in CIPHERS), None)


_NO_CERTIFICATE: Final = "it holds no certificate in PEM that can be read"


def _read_chain(text: str) -> "list[x509.Certificate]":
    from cryptography.x509 import load_pem_x509_certificates

    try:
        return load_pem_x509_certificates(text.encode())
    except ValueError:
        return []


def _write_chain(certificates: "list[x509.Certificate]") -> str:
    from cryptography.hazmat.primitives.serialization import Encoding

    return "".join(certificate.public_bytes(Encoding.PEM).decode() for certificate in certificates)


def _read_key(text: str) -> "PrivateKeyTypes | None":
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        return load_pem_private_key(text.encode(), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        return None


def _write_key(key: "PrivateKeyTypes") -> str:
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def _judge_key(key: "PrivateKeyTypes") -> str:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

    if isinstance(key, RSAPrivateKey):
        short = key.key_size < _SHORTEST_RSA
        return f"its RSA key has {key.key_size} bits, and Envoy takes {_SHORTEST_RSA} and more" if short else ""
    if isinstance(key, EllipticCurvePrivateKey):
        known = key.curve.name in _OWN_CURVES
        return "" if known else f"its key is on the curve {key.curve.name}, and Envoy takes P-256, P-384 and P-521"
    return "" if isinstance(key, Ed25519PrivateKey) else "Envoy takes RSA, ECDSA and Ed25519 keys, and this is none"


def _judge_pair(certificate: "x509.Certificate", key: "PrivateKeyTypes") -> str:
    from cryptography.exceptions import UnsupportedAlgorithm

    try:
        fits = certificate.public_key() == key.public_key()
    except (ValueError, UnsupportedAlgorithm):
        fits = False
    return "" if fits else "its private key does not belong to its certificate"
