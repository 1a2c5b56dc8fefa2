"""What Envoy would refuse of certificates and keys is found before; what passes is written anew."""

from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)

from kfambassador.routing.certificates import (
    find_unknown_cipher,
    judge_authorities,
    judge_certificate,
    judge_revoked,
)

NAME = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "test")])
DAY = datetime(2024, 1, 1, tzinfo=UTC)
NO_CERTIFICATE = "it holds no certificate in PEM that can be read"
NO_KEY = "it holds no private key in PEM that can be read without a password"


def sign(key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey | dsa.DSAPrivateKey) -> str:
    """A certificate that signed itself."""
    algorithm = None if isinstance(key, ed25519.Ed25519PrivateKey) else hashes.SHA256()
    builder = x509.CertificateBuilder().subject_name(NAME).issuer_name(NAME).public_key(key.public_key())
    builder = builder.serial_number(1).not_valid_before(DAY).not_valid_after(DAY + timedelta(days=1))
    return builder.sign(key, algorithm).public_bytes(Encoding.PEM).decode()


def write(
    key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey | dsa.DSAPrivateKey,
    form: PrivateFormat = PrivateFormat.PKCS8,
    password: bytes = b"",
) -> str:
    """A private key as text."""
    encryption = BestAvailableEncryption(password) if password else NoEncryption()
    return key.private_bytes(Encoding.PEM, form, encryption).decode()


KEY = ec.generate_private_key(ec.SECP256R1())
CERTIFICATE = sign(KEY)
CUT = CERTIFICATE[:-30]
SPOILT = CERTIFICATE.replace("MII", "AAA", 1)


@pytest.mark.parametrize("text", [CERTIFICATE, f"words\n{CERTIFICATE}words\n", CERTIFICATE.replace("\n", "\r\n")])
def test_only_certificates_are_passed_on(text: str) -> None:
    pem, reason = judge_authorities(text + write(KEY))
    assert reason == ""
    assert pem is not None
    assert pem.text == CERTIFICATE


@pytest.mark.parametrize("text", ["", "words", CUT, SPOILT, CERTIFICATE + SPOILT, write(KEY)])
def test_what_is_no_certificate_is_refused(text: str) -> None:
    assert judge_authorities(text) == (None, NO_CERTIFICATE)
    assert judge_certificate(text, write(KEY)) == (None, NO_CERTIFICATE)


@pytest.mark.parametrize(
    "key",
    [
        KEY,
        ec.generate_private_key(ec.SECP384R1()),
        ec.generate_private_key(ec.SECP521R1()),
        rsa.generate_private_key(65537, 2048),
        ed25519.Ed25519PrivateKey.generate(),
    ],
    ids=lambda key: type(key).__name__,
)
def test_keys_envoy_takes(key: ec.EllipticCurvePrivateKey) -> None:
    chain = sign(key) + CERTIFICATE
    certificate, reason = judge_certificate(chain, write(key))
    assert reason == ""
    assert certificate is not None
    assert certificate.chain.text == chain
    assert certificate.key.text == write(key)


def test_a_key_in_an_old_form_is_written_in_todays() -> None:
    certificate, _ = judge_certificate(CERTIFICATE, write(KEY, PrivateFormat.TraditionalOpenSSL))
    assert certificate is not None
    assert certificate.key.text == write(KEY)


@pytest.mark.parametrize(
    ("key", "reason"),
    [
        (rsa.generate_private_key(65537, 1024), "its RSA key has 1024 bits, and Envoy takes 2048 and more"),
        (
            ec.generate_private_key(ec.SECP256K1()),
            "its key is on the curve secp256k1, and Envoy takes P-256, P-384 and P-521",
        ),
        (dsa.generate_private_key(2048), "Envoy takes RSA, ECDSA and Ed25519 keys, and this is none"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_keys_envoy_refuses(key: rsa.RSAPrivateKey, reason: str) -> None:
    assert judge_certificate(sign(key), write(key)) == (None, reason)


def test_a_key_of_another_certificate_is_refused() -> None:
    for other in (ec.generate_private_key(ec.SECP256R1()), ed25519.Ed25519PrivateKey.generate()):
        _, reason = judge_certificate(CERTIFICATE, write(other))
        assert reason == "its private key does not belong to its certificate"


@pytest.mark.parametrize("text", ["", "words", write(KEY, password=b"secret"), CERTIFICATE])
def test_a_key_that_cannot_be_read_is_refused(text: str) -> None:
    assert judge_certificate(CERTIFICATE, text) == (None, NO_KEY)


def test_a_key_is_never_shown() -> None:
    judged = judge_certificate(CERTIFICATE, write(KEY))
    assert "PRIVATE" not in repr(judged)
    assert "CERTIFICATE" not in repr(judged)


def test_revoked_certificates() -> None:
    builder = x509.CertificateRevocationListBuilder().issuer_name(NAME).last_update(DAY).next_update(DAY)
    text = builder.sign(KEY, hashes.SHA256()).public_bytes(Encoding.PEM).decode()
    pem, _ = judge_revoked(f"words\n{text}")
    assert pem is not None
    assert pem.text == text
    assert judge_revoked(CERTIFICATE).pem is None


@pytest.mark.parametrize(
    ("suites", "unknown"),
    [
        ([], None),
        (["ECDHE-RSA-AES128-GCM-SHA256", "[AES128-SHA|AES256-SHA]"], None),
        (["TLS_AES_128_GCM_SHA256"], "TLS_AES_128_GCM_SHA256"),
        (["[AES128-SHA|NONE]"], "NONE"),
        ([""], ""),
    ],
)
def test_cipher_suites(suites: list[str], unknown: str | None) -> None:
    assert find_unknown_cipher(suites) == unknown
