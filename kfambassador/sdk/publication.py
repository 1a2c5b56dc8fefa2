"""What publishing a model comes to: its mappings and the Kubernetes objects that carry them. Pure."""

import json
import re
from collections.abc import Iterable, Iterator
from collections.abc import Mapping as Dict
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Final

from pydantic import BaseModel, ValidationError

from kfambassador.errors import MappingRejected
from kfambassador.names import CONFIG_ANNOTATION, MANAGED_BY, MANAGED_BY_LABEL, SERVICE_NAME_LABEL
from kfambassador.problems import Fault, ObjectKey, Origin, Problem, has_errors
from kfambassador.resources.annotation import read_annotation
from kfambassador.resources.documents import write_documents
from kfambassador.resources.fields import as_object, as_text
from kfambassador.resources.mapping import Mapping
from kfambassador.resources.validation import show
from kfambassador.routing.targets import read_target
from kfambassador.sdk.attributes import build_mapping
from kfambassador.sdk.backends import Backend, read_backend, write_service
from kfambassador.sdk.servers import AnyServer, HTTPServer, ModelServer

#: Label that holds the name something was published by.
NAME_LABEL: Final = "app.kubernetes.io/name"

#: Annotation that says how a model was published, so that another process can take the exposure up again.
EXPOSURE_ANNOTATION: Final = "kfambassador/exposure"

_NAME = re.compile(r"^[a-z]([-a-z0-9]{0,55}[a-z0-9])?$")
_PLACE = re.compile(r"^/[^\s]*[^/\s]/$")
_TAKEN_SUFFIX = "-route"

Manifest = dict[str, object]


class _Note(BaseModel, frozen=True):
    """What the annotation of ours holds."""

    server: AnyServer
    base: str


@dataclass(frozen=True, slots=True)
class Publication:
    """One model as it is published.

    Attributes:
        name: The name it is published by.
        namespace: Where.
        server: What serves it.
        base: Its public path, with a slash at the end.
        mappings: Its mappings; the first is named for all.
        carrier: The Service that carries them.
    """

    name: str
    namespace: str
    server: ModelServer
    base: str
    mappings: tuple[Mapping, ...]
    carrier: ObjectKey

    @property
    def backend(self) -> str:
        """Where its requests go, in words."""
        service = self.mappings[0].service
        here = f"{self.carrier.name}.{self.namespace}:"
        return f"port {service.removeprefix(here)} of this machine" if service.startswith(here) else service


@dataclass(frozen=True, slots=True)
class Plan:
    """A publication and the objects that make it so, in the order to apply them."""

    publication: Publication
    manifests: tuple[Manifest, ...]


def build_plan(
    name: str,
    *,
    service: str | int | None,
    server: ModelServer,
    namespace: str,
    attributes: Dict[str, object],
    labels: Dict[str, str],
    reaches_here: bool,
) -> Plan:
    """Work out what publishing a model comes to.

    The Service that carries the mappings is named like the model, or ``NAME-route`` where the model's own Service
    holds that name.

    Args:
        name: The name to publish by.
        service: Where the model server is; see :func:`~kfambassador.sdk.backends.read_backend`.
        server: What kind of server it is.
        namespace: Where to publish.
        attributes: What the caller says of every mapping; ``prefix`` is the public path.
        labels: Labels for every object, besides ours.
        reaches_here: Whether the gateway reaches this machine's loopback addresses.

    Raises:
        MappingRejected: Something of it is at fault.
    """
    # A certificate is for the name that was written, and clients are sent to it: no Service of ours stands before it.
    by_name = bool(attributes.get("tls") or attributes.get("host_redirect"))
    backend, faults = read_backend(service, name=name, namespace=namespace, by_name=by_name)
    key = ObjectKey("Service", namespace, name)
    faults = (*_check_name(name), *faults, *_check_reserved(server, attributes), *_check_prefix(server, attributes))
    problems = _place(key, faults)
    if backend is None or has_errors(problems):
        raise _rejection(key, problems)
    if backend.is_here and not reaches_here:
        raise _rejection(key, _place(key, [_refuse_here(backend)]))
    if backend.host == f"{name}.{namespace}":
        key = ObjectKey("Service", namespace, f"{name}{_TAKEN_SUFFIX}")
    prefix = attributes.get("prefix")
    base = server.base(name) if prefix is None else str(prefix)
    target = Backend(f"{key.name}.{namespace}", backend.port, tls=backend.tls) if backend.needs_endpoints else backend
    mappings = _build_mappings(key, name, server=server, base=base, target=target, attributes=attributes)
    publication = Publication(name, namespace, server, base, mappings, key)
    manifests = [_build_service(publication, labels)]
    if backend.needs_endpoints:
        manifests.insert(0, _build_slice(publication, backend, labels))
    return Plan(publication, tuple(manifests))


def read_publication(manifest: Dict[str, object]) -> Publication:
    """Take a publication up again from the Service that carries it."""
    metadata = as_object(manifest.get("metadata"))
    annotations, labels = as_object(metadata.get("annotations")), as_object(metadata.get("labels"))
    key = ObjectKey("Service", as_text(metadata.get("namespace")), as_text(metadata.get("name")))
    read = read_annotation(as_text(annotations.get(CONFIG_ANNOTATION)), Origin(key), namespace=key.namespace)
    mappings = tuple(sourced.mapping for sourced in read.mappings)
    name = as_text(labels.get(NAME_LABEL)) or key.name
    try:
        note = _Note.model_validate_json(as_text(annotations.get(EXPOSURE_ANNOTATION)))
    except ValidationError:
        # Somebody edited the note away: what is left is a service behind a path.
        base = mappings[0].prefix if mappings else HTTPServer().base(name)
        return Publication(name, key.namespace, HTTPServer(), base, mappings, key)
    return Publication(name, key.namespace, note.server, note.base, mappings, key)


def _place(key: ObjectKey, faults: Iterable[Fault]) -> list[Problem]:
    return [fault.at(Origin(key)) for fault in faults]


def _rejection(key: ObjectKey, problems: list[Problem]) -> MappingRejected:
    return MappingRejected(f"{key.name} is not published in namespace {key.namespace}:", problems)


def _check_name(name: str) -> Iterator[Fault]:
    if not _NAME.match(name):
        message = (
            f"{name!r} cannot name a Service: small letters, digits and dashes, a letter first, at most 57 of them. "
            "Where the server calls its model otherwise, say TFServing(model=...)"
        )
        yield Fault("bad-name", message, path="name")


def _check_reserved(server: ModelServer, attributes: Dict[str, object]) -> Iterator[Fault]:
    for name in sorted(server.reserved & attributes.keys()):
        kind = type(server).__name__
        message = (
            f"{kind} brings its own paths and methods, and answers itself; to write paths, redirects or shadows "
            "yourself, say server=HTTPServer()"
        )
        yield Fault("reserved-attribute", message, path=name)


def _check_prefix(server: ModelServer, attributes: Dict[str, object]) -> Iterator[Fault]:
    prefix = attributes.get("prefix")
    if prefix is None:
        return
    if not isinstance(prefix, str):
        yield Fault("wrong-type", f"expected text, got {show(prefix)}", path="prefix")
    elif server.reserved and not _PLACE.match(prefix):
        message = f"{prefix!r} is no place for a model: write a path with a slash at both ends, such as /models/mnist/"
        yield Fault("bad-prefix", message, path="prefix")
    elif not prefix.startswith("/") and not attributes.get("prefix_regex"):
        message = f"{prefix!r} never matches, because every path starts with a slash; write /{prefix}"
        yield Fault("prefix-without-slash", message, path="prefix")


def _refuse_here(backend: Backend) -> Fault:
    message = (
        f"{backend.host} is this machine, which the gateway of a cluster cannot reach: name a Service of the cluster, "
        "or publish on this machine with connect('local')"
    )
    return Fault("unreachable-service", message, path="service")


def _build_mappings(
    key: ObjectKey, name: str, *, server: ModelServer, base: str, target: Backend, attributes: Dict[str, object]
) -> tuple[Mapping, ...]:
    said = {field: value for field, value in attributes.items() if field != "prefix"}
    mappings: list[Mapping] = []
    for route in server.routes(name, base):
        service = write_service(target, port=route.port or server.port)
        mapping, faults = build_mapping({"name": route.name, **route.attributes, "service": service, **said})
        problems = _place(key, faults)
        if mapping is None or has_errors(problems):
            raise _rejection(key, problems)
        mappings.append(mapping)
    return tuple(mappings)


def _build_service(publication: Publication, labels: Dict[str, str]) -> Manifest:
    documents = [_write_document(mapping, publication.server.api_version) for mapping in publication.mappings]
    note = {"server": publication.server.model_dump(mode="json", exclude_none=True), "base": publication.base}
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {
            "name": publication.carrier.name,
            "namespace": publication.namespace,
            "labels": _label(publication.name, labels),
            "annotations": {
                CONFIG_ANNOTATION: write_documents(*documents),
                EXPOSURE_ANNOTATION: json.dumps(note),
            },
        },
        "spec": {"type": "ClusterIP", "ports": _build_ports(publication)},
    }


def _write_document(mapping: Mapping, api_version: str) -> dict[str, object]:
    written = mapping.model_dump(mode="json", exclude_unset=True, exclude_none=True)
    return {"apiVersion": api_version, "kind": "Mapping", "name": mapping.name, **written}


def _build_ports(publication: Publication) -> list[dict[str, object]]:
    targets = [read_target(mapping.service, namespace=publication.namespace).target for mapping in publication.mappings]
    ports = sorted({target.port for target in targets if target is not None})
    return [{"name": f"http-{port}", "port": port, "protocol": "TCP"} for port in ports]


def _build_slice(publication: Publication, backend: Backend, labels: Dict[str, str]) -> Manifest:
    """Say where a Service without selector ends: on this machine."""
    return {
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": {
            "name": publication.carrier.name,
            "namespace": publication.namespace,
            "labels": _label(publication.name, labels) | {SERVICE_NAME_LABEL: publication.carrier.name},
        },
        "addressType": f"IPv{ip_address(backend.host).version}",
        "ports": _build_ports(publication),
        "endpoints": [{"addresses": [backend.host], "conditions": {"ready": True}}],
    }


def _label(name: str, labels: Dict[str, str]) -> dict[str, str]:
    return {**labels, MANAGED_BY_LABEL: MANAGED_BY, NAME_LABEL: name}
