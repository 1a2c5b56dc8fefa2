"""Ingresses: what the API checks when an Ingress is written. Pure."""

from collections.abc import Iterator
from typing import Final

from kfambassador.local.kube.documents.addresses import check_port, check_port_or_name, read_address
from kfambassador.local.kube.documents.document import Document
from kfambassador.local.kube.documents.faults import Fault, FieldFault, list_new, unsupported
from kfambassador.local.kube.documents.metadata import NameRule
from kfambassador.local.kube.kinds.kind import Admitted, Index

_PATH_TYPES: Final = ("Exact", "ImplementationSpecific", "Prefix")
_NEVER_INSIDE: Final = ("//", "/./", "/../", "%2f", "%2F")
_NEVER_LAST: Final = ("/..", "/.")


def admit_ingress(ingress: Document, before: Document | None, _index: Index) -> Admitted:
    """See that an Ingress leads somewhere."""
    spec: Document = ingress.get("spec") or {}
    filled = ingress | {"spec": spec, "status": ingress.get("status") or {"loadBalancer": {}}}
    return Admitted(filled, list_new(_check(spec), _check(before.get("spec") or {}) if before else ()))


def _check(spec: Document) -> Iterator[FieldFault]:
    rules: list[Document] = spec.get("rules") or []
    default = spec.get("defaultBackend")
    if not rules and default is None:
        rule = "either `defaultBackend` or `rules` must be specified"
        yield FieldFault(Fault.INVALID, "spec", rule, [])
    if default is not None:
        yield from _check_backend(default, "spec.defaultBackend")
    for place, each in enumerate(rules):
        yield from _check_rule(each, f"spec.rules[{place}]")
    for place, secured in enumerate(spec.get("tls") or ()):
        for number, host in enumerate(secured.get("hosts") or ()):
            yield from _check_host(host, f"spec.tls[{place}].hosts[{number}]")
        name = secured.get("secretName")
        if name and (fault := NameRule.SUBDOMAIN.find_fault(name, f"spec.tls[{place}].secretName")):
            yield fault
    name = spec.get("ingressClassName")
    if name is not None and (fault := NameRule.SUBDOMAIN.find_fault(name, "spec.ingressClassName")):
        yield fault


def _check_rule(rule: Document, path: str) -> Iterator[FieldFault]:
    if host := rule.get("host"):
        if read_address(host):
            yield FieldFault(Fault.INVALID, f"{path}.host", "must be a DNS name, not an IP address", host)
        yield from _check_host(host, f"{path}.host")
    http = rule.get("http")
    if http is None:
        return
    paths: list[Document] = http.get("paths") or []
    if not paths:
        yield FieldFault(Fault.REQUIRED, f"{path}.http.paths")
    for place, each in enumerate(paths):
        yield from _check_path(each, f"{path}.http.paths[{place}]")


def _check_host(host: str, path: str) -> Iterator[FieldFault]:
    if "*" not in host:
        fault = NameRule.SUBDOMAIN.find_fault(host, path)
    elif host.startswith("*.") and NameRule.SUBDOMAIN.find_fault(host[2:], path) is None:
        fault = None
    else:
        rule = "a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS subdomain"
        fault = FieldFault(Fault.INVALID, path, rule, host)
    if fault:
        yield fault


def _check_path(each: Document, path: str) -> Iterator[FieldFault]:
    sort, text = each.get("pathType"), str(each.get("path") or "")
    if not sort:
        yield FieldFault(Fault.REQUIRED, f"{path}.pathType", "pathType must be specified")
        return
    if sort not in _PATH_TYPES:
        yield unsupported(f"{path}.pathType", sort, _PATH_TYPES)
    elif not text.startswith("/") and (text or sort != "ImplementationSpecific"):
        yield FieldFault(Fault.INVALID, f"{path}.path", "must be an absolute path", text)
    if sort in {"Exact", "Prefix"}:
        for part in _NEVER_INSIDE:
            if part in text:
                yield FieldFault(Fault.INVALID, f"{path}.path", f"must not contain '{part}'", text)
        for part in _NEVER_LAST:
            if text.endswith(part):
                yield FieldFault(Fault.INVALID, f"{path}.path", f"cannot end with '{part}'", text)
    yield from _check_backend(each.get("backend") or {}, f"{path}.backend")


def _check_backend(backend: Document, path: str) -> Iterator[FieldFault]:
    service, resource = backend.get("service"), backend.get("resource")
    if service is not None and resource is not None:
        yield FieldFault(Fault.INVALID, path, "cannot set both resource and service backends", "")
    elif service is None and resource is None:
        yield FieldFault(Fault.INVALID, path, "resource or service backend is required", "")
    elif resource is not None:
        for field in ("kind", "name"):
            if not resource.get(field):
                yield FieldFault(Fault.REQUIRED, f"{path}.resource.{field}", f"{field} is required")
    else:
        yield from _check_service(service or {}, path)


def _check_service(service: Document, path: str) -> Iterator[FieldFault]:
    name, port = str(service.get("name") or ""), service.get("port") or {}
    if not name:
        yield FieldFault(Fault.REQUIRED, f"{path}.service.name")
    elif fault := NameRule.SERVICE.find_fault(name, f"{path}.service.name"):
        yield fault
    if port.get("name") and port.get("number"):
        yield FieldFault(Fault.INVALID, path, "cannot set both port name & port number", "")
    elif port.get("name"):
        yield from check_port_or_name(port["name"], f"{path}.service.port.name")
    elif port.get("number"):
        yield from check_port(port["number"], f"{path}.service.port.number")
    else:
        yield FieldFault(Fault.REQUIRED, path, "port name or number is required")
