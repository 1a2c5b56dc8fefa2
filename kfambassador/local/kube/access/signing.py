"""Signing: tokens in the form of JSON Web Tokens (RFC 7519) that one key signs and knows again. Pure."""

import base64
import binascii
import hashlib
import hmac
import json
from typing import Final

from kfambassador.local.kube.documents.document import Document, encode

#: The bytes of a key.
KEY_LENGTH: Final = 32

_SEPARATORS: Final = 2  # of the three parts


class TokenKey:
    """A key that signs tokens.

    A cluster signs with a private key whose public half others may have. Nobody but this server reads these tokens, so
    one secret does (HS256).

    Args:
        secret: The key.

    Example:
        >>> key = TokenKey(b"0" * KEY_LENGTH)
        >>> key.read(key.sign({"sub": "jane"}))
        {'sub': 'jane'}
        >>> TokenKey(b"1" * KEY_LENGTH).read(key.sign({"sub": "jane"})) is None
        True
    """

    def __init__(self, secret: bytes) -> None:
        self._secret = secret
        identity = hashlib.sha256(secret).hexdigest()[:16]
        self._header = _write(encode({"alg": "HS256", "kid": identity, "typ": "JWT"}))

    def sign(self, claims: Document) -> str:
        """Write a token that says the claims."""
        content = f"{self._header}.{_write(encode(claims))}"
        return f"{content}.{self._signature(content)}"

    def read(self, token: str) -> Document | None:
        """The claims of a token, None when this key did not sign it."""
        content, _, signature = token.rpartition(".")
        header, _, claims = content.partition(".")
        if token.count(".") != _SEPARATORS or header != self._header:
            return None
        if not hmac.compare_digest(signature.encode(), self._signature(content).encode()):
            return None
        try:
            read: Document = json.loads(base64.urlsafe_b64decode(claims + "=" * (-len(claims) % 4)))
        except (binascii.Error, ValueError):
            return None
        return read

    def _signature(self, content: str) -> str:
        return _write(hmac.digest(self._secret, content.encode(), "sha256"))


def _write(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
