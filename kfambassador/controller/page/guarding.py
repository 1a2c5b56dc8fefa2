"""Whom a page is for, and whose form it was that came back.

A browser has no bearer token to send, so it is asked for one as for a password (HTTP Basic, any user name): it keeps it
for this address and port alone, which a cookie would not be. Whatever a browser sends by itself it also sends when
another site asks it to; so what changes anything must come from a page of ours, and bring back what only that page had.
"""

import binascii
import hmac
import secrets
from base64 import b64decode
from hashlib import blake2b
from typing import Final

from aiohttp import web
from aiohttp.typedefs import Handler

from kfambassador.controller.access import FORBIDDEN, Refused, is_loopback, read_token

#: Asks a browser for a token.
CHALLENGE: Final = 'Basic realm="kfambassador", charset="UTF-8"'

#: What every page is sent with. Nothing is loaded but our own style and icon, and no page of another site shows ours.
HEADERS: Final = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; "
        "frame-ancestors 'none'"
    ),
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    # Not "no-referrer": with that a browser would not say which site a form came from.
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


def read_credentials(header: str) -> str:
    """Read the token of an ``Authorization`` header: a bearer's, or a password; "" when there is none.

    Example:
        >>> read_credentials("Bearer abc"), read_credentials("Basic YW5hOmE6Yg=="), read_credentials("Basic !")
        ('abc', 'a:b', '')
    """
    scheme, _, given = header.strip().partition(" ")
    if scheme.lower() != "basic":
        return read_token(header)
    try:
        return b64decode(given.strip(), validate=True).decode(errors="surrogateescape").partition(":")[2]
    except (binascii.Error, ValueError):
        return ""


class Forms:
    """Knows the forms of its own pages again. What it gives out is good for as long as the controller runs."""

    def __init__(self) -> None:
        self._key = secrets.token_bytes(32)

    def seal(self, token: str) -> str:
        """Give what a form of somebody's page has to bring back.

        Args:
            token: The bearer token of whom the page is for.
        """
        return blake2b(token.encode(errors="surrogateescape"), key=self._key, digest_size=16).hexdigest()

    def check(self, request: web.Request, seal: str, token: str) -> None:
        """Refuse a form that is no page's of ours.

        Args:
            request: The request it came with.
            seal: What it brought back.
            token: The bearer token of whoever sent it.

        Raises:
            Refused: It is not.
        """
        if not is_same_origin(request):
            raise Refused(FORBIDDEN, "this form was sent by another site")
        if not hmac.compare_digest(seal.encode(errors="surrogateescape"), self.seal(token).encode()):
            raise Refused(FORBIDDEN, "this page is of an earlier run of the controller: load it again")


def is_same_origin(request: web.Request) -> bool:
    """Tell whether a page of this very address sent a request, as its browser says; one that says nothing did not."""
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None and site != "same-origin":
        return False
    origin = request.headers.get("Origin", "")
    return origin.partition("://")[2] == request.host


@web.middleware
async def refuse_strangers(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Refuse requests for another host than this machine, where everybody who reaches it is let in.

    Another site's name may be made to lead here (DNS rebinding); its pages would then be of the same origin as ours.
    """
    name = request.host.rpartition(":")[0] if request.host.rpartition(":")[2].isdigit() else request.host
    if not is_loopback(name.strip("[]")):
        words = f"this answers to localhost only, and was asked for {name}: open it by http://localhost or 127.0.0.1\n"
        return web.Response(text=words, status=421)
    return await handler(request)
