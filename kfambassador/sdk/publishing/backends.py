"""The ``service`` of ``expose`` understood: where the model server is."""

import re
from dataclasses import dataclass
from ipaddress import ip_address

from kfambassador.problems import Fault
from kfambassador.routing.model import Target
from kfambassador.routing.targets import read_target

_HERE = "127.0.0.1"
_NAME_HERE = "localhost"
#: What a service begins with where a port is written.
_PORT = re.compile(r"([^:/]+://)?(\[[^\]]*\]|[^:/?#]*):\d")


@dataclass(frozen=True, slots=True)
class Backend:
    """Where a model server is.

    Attributes:
        host: A name or address; a Service's carries its namespace.
        port: The port; None when none was given.
        is_here: Whether it is on the caller's own machine.
        tls: Whether it speaks TLS: it was written with ``https://``.
    """

    host: str
    port: int | None
    is_here: bool = False
    tls: bool = False

    def __str__(self) -> str:
        """As it is written for a mapping; without a port where none was given."""
        return f"{'https://' if self.tls else ''}{Target(self.host, self.port) if self.port else self.host}"


def read_backend(
    service: str | int | None, *, name: str, namespace: str, by_name: bool = False
) -> tuple[Backend | None, tuple[Fault, ...]]:
    """Understand where a model server is.

    Args:
        service: A port of this machine, as a number or in digits; ``host:port``, where a host without a dot is a
            Service of the namespace; or None for the Service that has the model's name.
        name: The model's name.
        namespace: The model's namespace.
        by_name: Whether what it is called counts even on this machine: its certificate is for that name, or clients are
            sent there. It always counts with ``https://``. A bare port is then ``localhost``, as certificates have it.

    Returns:
        The backend, None when it cannot be understood; and what is to be said about it.

    Example:
        >>> read_backend(8501, name="mnist", namespace="default")[0]
        Backend(host='127.0.0.1', port=8501, is_here=True, tls=False)
        >>> read_backend("https://localhost:8443", name="mnist", namespace="default")[0]
        Backend(host='localhost', port=8443, is_here=True, tls=True)
    """
    here = _NAME_HERE if by_name else _HERE
    # No Service is called by a number: its name begins with a letter (Kubernetes, RFC 1035 label names).
    is_port = isinstance(service, int) or (service is not None and service.isascii() and service.isdecimal())
    text = name if service is None else f"{here}:{service}" if is_port else f"{service}"
    read = read_target(text, namespace=namespace)
    if read.target is None:
        return None, read.faults
    host, port, tls = read.target
    # What speaks TLS is not the model server as its maker ships it, so its maker's port says nothing.
    given = tls or _PORT.match(text) is not None
    is_here = _is_loopback(host)
    host = _HERE if host == _NAME_HERE and not (tls or by_name) else host
    return Backend(host, port if given else None, is_here, tls), read.faults


def write_service(backend: Backend, *, port: int) -> str:
    """Write a backend as a mapping's service; ``port`` counts where none was given.

    Example:
        >>> write_service(Backend("mnist.team", None), port=8501)
        'mnist.team:8501'
    """
    return f"{'https://' if backend.tls else ''}{Target(backend.host, backend.port or port)}"


def _is_loopback(host: str) -> bool:
    try:
        return host == _NAME_HERE or ip_address(host).is_loopback
    except ValueError:
        return False
