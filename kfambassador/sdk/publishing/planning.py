"""What a call of ``expose`` comes to, and what is wrong with it, before anything is applied. Pure."""

import re
from collections.abc import Iterator, Sequence
from collections.abc import Mapping as Dict
from dataclasses import dataclass, field, replace
from typing import Final

from pydantic import JsonValue

from kfambassador.errors import MappingRejected
from kfambassador.problems import Fault, ObjectKey, Severity, has_errors
from kfambassador.resources.validation import show
from kfambassador.sdk.publishing.backends import Backend, read_backend
from kfambassador.sdk.publishing.publication import Manifest, Publication, compose, place, reject
from kfambassador.sdk.publishing.sources import Source
from kfambassador.sdk.publishing.variants import STABLE, Variant, build_members
from kfambassador.sdk.servers.base import ModelServer

_NAME = re.compile(r"[a-z]([-a-z0-9]{0,55}[a-z0-9])?")
_PLACE = re.compile(r"/[^\s]*[^/\s]/")
_TAKEN_SUFFIX: Final = "-route"


@dataclass(frozen=True, slots=True)
class Plan:
    """A publication, and what has to be there before its carrier.

    Attributes:
        publication: What is published.
        services: Services to make, such as one before a Deployment's pods.
    """

    publication: Publication
    services: tuple[Manifest, ...] = ()


@dataclass(frozen=True, slots=True)
class Wish:
    """What a caller of ``expose`` says.

    Attributes:
        name: The name to publish by.
        service: Where the model server is; see :func:`~kfambassador.sdk.publishing.backends.read_backend`.
        server: What kind of server it is.
        namespace: Where to publish.
        attributes: What the caller says of every mapping; ``prefix`` is the public path.
        labels: Labels for every object, besides ours.
        reaches_here: Whether the gateway reaches this machine's loopback addresses.
        source: What was found where ``service`` names an object, such as a Deployment.
        owner: Who publishes.
        expires_at: Until when; "" for ever.
        before: What is published by that name already; its other variants stay.
    """

    name: str
    service: str | int | None
    server: ModelServer
    namespace: str
    attributes: Dict[str, object] = field(default_factory=dict)
    labels: Dict[str, str] = field(default_factory=dict)
    reaches_here: bool = False
    source: Source | None = None
    owner: str = ""
    expires_at: str = ""
    before: Publication | None = None


def build_plan(wish: Wish) -> Plan:
    """Work out what publishing a model comes to.

    The Service that carries the mappings is named like the model, or ``NAME-route`` where the model's own Service
    holds that name.

    Raises:
        MappingRejected: Something of it is at fault.
    """
    key = ObjectKey("Service", wish.namespace, wish.name)
    faults = (*_check_name(wish.name), *_check_reserved(wish.server, wish.attributes), *_check_prefix(wish))
    backend = _find_backend(wish, key, faults)
    carrier = _choose_carrier(wish, key, backend)
    prefix = wish.attributes.get("prefix")
    base = wish.server.base(wish.name) if prefix is None else str(prefix)
    found = wish.source.attributes if wish.source else {}
    # What the caller says counts over what was found.
    own = {name: value for name, value in found.items() if name not in wish.attributes}
    stable = Variant(name=STABLE, service=str(backend), attributes=own)
    before = wish.before
    publication = Publication(
        name=wish.name,
        namespace=wish.namespace,
        server=wish.server,
        base=base,
        variants=(stable, *(before.variants[1:] if before else ())),
        carrier=carrier,
        attributes=_keep(wish, carrier, base=base, stable=stable),
        labels={**wish.labels},
        previous=before.previous if before else None,
        annotates=wish.source is not None and wish.source.carrier is not None,
        owner=wish.owner,
        expires_at=wish.expires_at,
    )
    return Plan(compose(publication), wish.source.manifests if wish.source else ())


def locate(
    service: str | int | None, *, name: str, namespace: str, attributes: Dict[str, object], reaches_here: bool
) -> Backend:
    """Find where a model server is by what the caller calls it.

    Raises:
        MappingRejected: It cannot be understood, or the gateway cannot reach it.
    """
    key = ObjectKey("Service", namespace, name)
    # A certificate is for the name that was written, and clients are sent to it.
    by_name = bool(attributes.get("tls") or attributes.get("host_redirect"))
    backend, faults = read_backend(service, name=name, namespace=namespace, by_name=by_name)
    # A path that is left out would send every request elsewhere than the caller said.
    problems = place(key, _refuse_path(service, faults))
    if backend is None or has_errors(problems):
        raise reject(key, problems)
    if backend.is_here and not reaches_here:
        raise reject(key, place(key, [_refuse_here(backend)]))
    return backend


def _refuse_path(service: str | int | None, faults: Sequence[Fault]) -> Iterator[Fault]:
    for fault in faults:
        if fault.code != "service-path":
            yield fault
            continue
        message = (
            f"{service!r} has a path, and a service is host and port: say rewrite=... for the path, or name an object "
            "as service/NAME, deployment/NAME or inferenceservice/NAME"
        )
        yield replace(fault, message=message, severity=Severity.ERROR)


def _find_backend(wish: Wish, key: ObjectKey, faults: Sequence[Fault]) -> Backend:
    """Find the backend; what else is wrong is told with it."""
    service = wish.source.service if wish.source else wish.service
    found: list[Backend] = []
    problems = place(key, faults)
    try:
        found.append(
            locate(
                service,
                name=wish.name,
                namespace=wish.namespace,
                attributes=wish.attributes,
                reaches_here=wish.reaches_here,
            )
        )
    except MappingRejected as error:
        problems += error.problems
    if has_errors(problems):
        raise reject(key, problems)
    return found[0]


def _choose_carrier(wish: Wish, key: ObjectKey, backend: Backend) -> ObjectKey:
    if wish.source is not None and wish.source.carrier is not None:
        return wish.source.carrier
    taken = backend.host == f"{wish.name}.{wish.namespace}"
    return ObjectKey("Service", wish.namespace, f"{wish.name}{_TAKEN_SUFFIX}") if taken else key


def _keep(wish: Wish, carrier: ObjectKey, *, base: str, stable: Variant) -> dict[str, JsonValue]:
    """Write what the caller says as JSON, so that the mappings can be written again from the note."""
    said = {name: value for name, value in wish.attributes.items() if name != "prefix" and value is not None}
    (first, *_) = build_members(
        wish.name, namespace=wish.namespace, server=wish.server, base=base, attributes=said, variants=[stable]
    )
    problems = place(carrier, first.faults)
    if first.mapping is None or has_errors(problems):
        raise reject(carrier, problems)
    kept: dict[str, JsonValue] = first.mapping.model_dump(mode="json", include=set(said), exclude_none=True)
    return kept


def _check_name(name: str) -> Iterator[Fault]:
    if not _NAME.fullmatch(name):
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
            "yourself, say server=HTTPServer() without paths"
        )
        yield Fault("reserved-attribute", message, path=name)


def _check_prefix(wish: Wish) -> Iterator[Fault]:
    prefix = wish.attributes.get("prefix")
    if prefix is None:
        return
    if not isinstance(prefix, str):
        yield Fault("wrong-type", f"expected text, got {show(prefix)}", path="prefix")
    elif wish.server.reserved and not _PLACE.fullmatch(prefix):
        message = f"{prefix!r} is no place for a model: write a path with a slash at both ends, such as /models/mnist/"
        yield Fault("bad-prefix", message, path="prefix")
    elif not prefix.startswith("/") and not wish.attributes.get("prefix_regex"):
        message = f"{prefix!r} never matches, because every path starts with a slash; write /{prefix}"
        yield Fault("prefix-without-slash", message, path="prefix")


def _refuse_here(backend: Backend) -> Fault:
    message = (
        f"{backend.host} is this machine, which the gateway of a cluster cannot reach: name a Service of the cluster, "
        "or publish on this machine with connect('local')"
    )
    return Fault("unreachable-service", message, path="service")
