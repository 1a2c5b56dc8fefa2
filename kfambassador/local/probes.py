"""Questions to a gateway on this machine that need no token."""

import ssl
import time
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import Final
from urllib.parse import urlsplit

from kfambassador.local.endpoint import GatewayEndpoint
from kfambassador.names import DIAGNOSTICS_PREFIX

#: Pause between two looks at a condition, in seconds.
LOOK_EVERY: Final = 0.01

_OK: Final = 200


def find_missing(diagnostics_url: str, *, timeout: float = 5.0) -> str | None:
    """Ask a controller what keeps its gateway from being ready; None when nothing does.

    Args:
        diagnostics_url: Where its read API answers.
        timeout: Seconds without an answer after which that is the answer.
    """
    connection = HTTPConnection(urlsplit(diagnostics_url).netloc, timeout=timeout)
    answer = _ask(connection, f"{DIAGNOSTICS_PREFIX}/check_ready")
    if answer is None:
        return f"the controller does not answer at {diagnostics_url}"
    status, text = answer
    return None if status == _OK else text.strip()


def is_answering(endpoint: GatewayEndpoint, *, timeout: float) -> bool:
    """Tell whether a gateway's Kubernetes API answers within so many seconds."""
    try:
        trusted = ssl.create_default_context(cadata=endpoint.api_authority)
    except ssl.SSLError:
        return False  # what told of the gateway is spoilt
    answer = _ask(HTTPSConnection(urlsplit(endpoint.api_url).netloc, timeout=timeout, context=trusted), "/livez")
    return answer is not None and answer[0] == _OK


def wait_ready(diagnostics_url: str, *, timeout: float) -> str | None:
    """Wait until a gateway is ready; return what is still missing when so many seconds are over, or None."""
    deadline = time.monotonic() + timeout
    while (missing := find_missing(diagnostics_url)) is not None and time.monotonic() < deadline:
        time.sleep(LOOK_EVERY)
    return missing


def _ask(connection: HTTPConnection, path: str) -> tuple[int, str] | None:
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.read().decode(errors="replace")
    except (OSError, HTTPException):
        return None
    finally:
        connection.close()
