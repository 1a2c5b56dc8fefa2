"""Kubernetes Secrets, as far as TLS needs them."""

from base64 import b64encode

import pytest

from kfambassador.resources.secret import Secret, SecretKey, read_secret


def encode(text: str) -> str:
    return b64encode(text.encode()).decode()


def test_both_spellings_of_its_texts_are_read() -> None:
    read = read_secret(
        {
            "metadata": {"name": "own", "namespace": "team"},
            "data": {"tls.crt": encode("chain"), "tls.key": encode("key"), "ca.crt": encode("old")},
            "stringData": {"ca.crt": "authorities", "crl.pem": "revoked"},
        }
    )
    assert read == Secret(SecretKey("team", "own"), "chain", "key", "authorities", "revoked")


@pytest.mark.parametrize("data", [{"tls.key": "%"}, {"tls.key": "/w=="}, {"tls.key": 5}, "text", None])
def test_what_cannot_be_read_is_left_out(data: object) -> None:
    assert read_secret({"metadata": {"name": "own"}, "data": data}) == Secret(SecretKey("default", "own"))


def test_its_texts_are_never_shown() -> None:
    read = read_secret({"metadata": {"name": "own"}, "stringData": {"tls.key": "secret", "crl.pem": "secret"}})
    assert "secret" not in repr(read)
