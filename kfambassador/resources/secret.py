"""Kubernetes Secrets, as far as TLS needs them. Their text is never shown."""

import binascii
from base64 import b64decode
from collections.abc import Mapping as Dict
from dataclasses import dataclass, field
from typing import NamedTuple

from kfambassador.names import DEFAULT_NAMESPACE
from kfambassador.resources.fields import as_object, as_text


class SecretKey(NamedTuple):
    """Which Secret: its namespace and name."""

    namespace: str
    name: str


@dataclass(frozen=True, slots=True)
class Secret:
    """A Secret.

    Attributes:
        key: Its namespace and name.
        certificate: ``tls.crt``, in PEM; "" when it has none.
        private_key: ``tls.key``, in PEM.
        authorities: ``ca.crt``, in PEM; what Ambassador reads for authorities is ``tls.crt`` where there is no other.
        revoked: ``crl.pem``, the revoked certificates, in PEM.
    """

    key: SecretKey
    certificate: str = field(default="", repr=False)
    private_key: str = field(default="", repr=False)
    authorities: str = field(default="", repr=False)
    revoked: str = field(default="", repr=False)


def read_secret(manifest: Dict[str, object]) -> Secret:
    """Read a Secret from its manifest; what is missing or odd is left out rather than refused.

    Example:
        >>> read_secret({"metadata": {"name": "ca"}, "stringData": {"ca.crt": "PEM"}}).key
        SecretKey(namespace='default', name='ca')
    """
    metadata = as_object(manifest.get("metadata"))
    texts = {name: _decode(value) for name, value in as_object(manifest.get("data")).items()}
    texts |= {name: as_text(value) for name, value in as_object(manifest.get("stringData")).items()}
    return Secret(
        key=SecretKey(as_text(metadata.get("namespace")) or DEFAULT_NAMESPACE, as_text(metadata.get("name"))),
        certificate=texts.get("tls.crt", ""),
        private_key=texts.get("tls.key", ""),
        authorities=texts.get("ca.crt", ""),
        revoked=texts.get("crl.pem", ""),
    )


def _decode(value: object) -> str:
    try:
        return b64decode(as_text(value), validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return ""
