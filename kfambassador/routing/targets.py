"""A mapping's ``service`` text understood: which host and port it means."""

import re
from dataclasses import dataclass
from ipaddress import ip_address

from kfambassador.problems import Fault, Severity
from kfambassador.routing.model import Target

_SERVICE = re.compile(
    r"^(?:(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*)://)?"
    r"(?P<host>\[[^\]]*\]|[^:/?#]*)"
    r"(?::(?P<port>[^/?#]*))?"
    r"(?P<rest>[/?#].*)?$",
    re.DOTALL,
)
_HOST = re.compile(r"^(?=.{1,253}$)[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)*\.?\Z")
_PORT = re.compile(r"[0-9]{1,5}")
_HIGHEST_PORT = 65535
_HTTP_PORT = 80
_HTTPS_PORT = 443


@dataclass(frozen=True, slots=True)
class ReadTarget:
    """What a service text means: the target, or None when the faults leave none."""

    target: Target | None
    faults: tuple[Fault, ...] = ()


def read_target(service: str, *, namespace: str, protected: bool = False) -> ReadTarget:
    """Read ``[scheme://]host[:port]``, the scheme being http or https.

    Args:
        service: The text.
        namespace: Where a name without a dot lives: the mapping's own namespace (Ambassador from 1.0 on). "" leaves
            such names as they are.
        protected: Whether TLS is spoken though the text does not say so. Then the port is 443 where none is written.

    Example:
        >>> str(read_target("test:8000", namespace="kubeflow").target)
        'test.kubeflow:8000'
        >>> read_target("test:80a", namespace="kubeflow").faults[0].message
        "'80a' in 'test:80a' is no port; write a number from 1 to 65535"
    """
    parts = _SERVICE.match(service)
    scheme, host, port, rest = parts.group("scheme", "host", "port", "rest") if parts else (None, "", None, None)
    fault = _check_scheme(scheme) or _check_host(host.lower(), service) or _check_port(port, service)
    if fault is not None:
        return ReadTarget(None, (fault,))
    tls = scheme is not None and scheme.lower() == "https"
    default = _HTTPS_PORT if tls or protected else _HTTP_PORT
    target = Target(_qualify(host.lower(), namespace), int(port) if port else default, tls)
    if rest is None or rest == "/":
        return ReadTarget(target)
    message = f"{rest!r} in {service!r} is left out: a service is host and port; set the path with rewrite"
    return ReadTarget(target, (Fault("service-path", message, path="service", severity=Severity.WARNING),))


def _check_scheme(scheme: str | None) -> Fault | None:
    if scheme is None or scheme.lower() in {"http", "https"}:
        return None
    message = f"{scheme}:// is no scheme of a service; write http://, https:// or none"
    return Fault("bad-service", message, path="service")


def _check_host(host: str, service: str) -> Fault | None:
    if _HOST.match(host) or _is_address(host.strip("[]")):
        return None
    message = (
        f"{host!r} in {service!r} is no host name; write host or host:port" if host else f"{service!r} has no host"
    )
    return Fault("bad-service", message, path="service")


def _check_port(port: str | None, service: str) -> Fault | None:
    if port is None or (_PORT.fullmatch(port) and 0 < int(port) <= _HIGHEST_PORT):
        return None
    message = f"{port!r} in {service!r} is no port; write a number from 1 to {_HIGHEST_PORT}"
    return Fault("bad-service", message, path="service")


def _qualify(host: str, namespace: str) -> str:
    host = host.strip("[]")
    plain = "." in host or ":" in host or host == "localhost"
    return host if plain or not namespace else f"{host}.{namespace}"


def _is_address(host: str) -> bool:
    # Names are many and addresses few; only what could be one is tried. Envoy takes no zone (fe80::1%eth0).
    if "%" in host or (":" not in host and not host[-1:].isdigit()):
        return False
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def is_address(target: Target) -> bool:
    """Tell whether a target is an IP address and needs no look-up."""
    return _is_address(target.host)
