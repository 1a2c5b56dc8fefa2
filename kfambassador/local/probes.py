"""Questions to a gateway on this machine that need no token."""

import time
from http.client import HTTPConnection, HTTPException
from typing import Final
from urllib.parse import urlsplit

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
    answer = _ask(diagnostics_url, f"{DIAGNOSTICS_PREFIX}/check_ready", timeout=timeout)
    if answer is None:
        return f"the controller does not answer at {diagnostics_url}"
    status, text = answer
    return None if status == _OK else text.strip()


def is_answering(api_url: str, *, timeout: float) -> bool:
    """Tell whether a Kubernetes API answers at an address within so many seconds."""
    answer = _ask(api_url, "/livez", timeout=timeout)
    return answer is not None and answer[0] == _OK


def wait_ready(diagnostics_url: str, *, timeout: float) -> str | None:
    """Wait until a gateway is ready; return what is still missing when so many seconds are over, or None."""
    deadline = time.monotonic() + timeout
    while (missing := find_missing(diagnostics_url)) is not None and time.monotonic() < deadline:
        time.sleep(LOOK_EVERY)
    return missing


def _ask(url: str, path: str, *, timeout: float) -> tuple[int, str] | None:
    connection = HTTPConnection(urlsplit(url).netloc, timeout=timeout)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.read().decode(errors="replace")
    except (OSError, HTTPException):
        return None
    finally:
        connection.close()
