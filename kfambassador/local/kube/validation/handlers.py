"""Handlers: how a container is asked whether it is well, and told that it starts or ends. Pure."""

from collections.abc import Iterator
from typing import Final

from kfambassador.local.kube.documents.addresses import check_port, check_port_or_name
from kfambassador.local.kube.documents.document import Document
from kfambassador.local.kube.documents.faults import Fault, FieldFault
from kfambassador.local.kube.validation.amounts import NOT_NEGATIVE

_PROBES: Final = ("livenessProbe", "readinessProbe", "startupProbe")
_WAYS_TO_ASK: Final = ("exec", "httpGet", "tcpSocket", "grpc")
_WAYS_TO_TELL: Final = ("exec", "httpGet", "tcpSocket", "sleep")
_COUNTED: Final = ("initialDelaySeconds", "timeoutSeconds", "periodSeconds", "successThreshold", "failureThreshold")


def check_handlers(container: Document, path: str) -> Iterator[FieldFault]:
    """Find what is wrong with the probes and the lifecycle of a container."""
    for name in _PROBES:
        if (probe := container.get(name)) is not None:
            yield from _check_probe(probe, f"{path}.{name}", name)
    lifecycle: Document = container.get("lifecycle") or {}
    for name in ("postStart", "preStop"):
        if (handler := lifecycle.get(name)) is not None:
            yield from _check_handler(handler, f"{path}.lifecycle.{name}", _WAYS_TO_TELL)


def _check_probe(probe: Document, path: str, name: str) -> Iterator[FieldFault]:
    yield from _check_handler(probe, path, _WAYS_TO_ASK)
    for field in _COUNTED:
        if (probe.get(field) or 0) < 0:
            yield FieldFault(Fault.INVALID, f"{path}.{field}", NOT_NEGATIVE, probe[field])
    if name != "readinessProbe" and probe.get("successThreshold") not in {None, 0, 1}:
        yield FieldFault(Fault.INVALID, f"{path}.successThreshold", "must be 1", probe["successThreshold"])
    seconds = probe.get("terminationGracePeriodSeconds")
    if seconds is not None and name == "readinessProbe":
        rule = "must not be set for readinessProbes"
        yield FieldFault(Fault.INVALID, f"{path}.terminationGracePeriodSeconds", rule, seconds)


def _check_handler(handler: Document, path: str, ways: tuple[str, ...]) -> Iterator[FieldFault]:
    found = [way for way in ways if handler.get(way) is not None]
    if not found:
        yield FieldFault(Fault.REQUIRED, path, "must specify a handler type")
        return
    for way in found[1:]:
        yield FieldFault(Fault.FORBIDDEN, f"{path}.{way}", "may not specify more than 1 handler type")
    way, said = found[0], handler[found[0]]
    if way == "exec" and not said.get("command"):
        yield FieldFault(Fault.REQUIRED, f"{path}.exec.command")
    if way in {"httpGet", "tcpSocket"}:
        yield from check_port_or_name(said.get("port", 0), f"{path}.{way}.port")
    if way == "grpc":
        yield from check_port(said.get("port", 0), f"{path}.grpc.port")
