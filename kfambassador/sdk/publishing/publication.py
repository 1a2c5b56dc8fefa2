"""One model as it is published: its note, its mappings, and the Service that carries them. Pure."""

import json
from collections.abc import Iterable, Iterator, Sequence
from collections.abc import Mapping as Dict
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Final

from pydantic import BaseModel, JsonValue, ValidationError

from kfambassador.errors import MappingRejected
from kfambassador.names import (
    CONFIG_ANNOTATION,
    EXPIRES_ANNOTATION,
    EXPOSURE_ANNOTATION,
    EXPOSURE_LABEL,
    MANAGED_BY,
    MANAGED_BY_LABEL,
    NAME_LABEL,
    OWNER_ANNOTATION,
)
from kfambassador.problems import Fault, ObjectKey, Origin, Problem, has_errors
from kfambassador.resources.annotation import read_annotation
from kfambassador.resources.documents import write_documents
from kfambassador.resources.fields import as_object, as_text
from kfambassador.resources.mapping import Mapping
from kfambassador.routing.targets import read_target
from kfambassador.sdk.publishing.variants import (
    STABLE,
    Variant,
    build_members,
    list_answering,
    name_mapping,
    pin_headers,
)
from kfambassador.sdk.servers.base import ModelServer
from kfambassador.sdk.servers.http import HTTPServer
from kfambassador.sdk.servers.registry import AnyServer

Manifest = dict[str, object]

_HERE: Final = "127.0.0.1:"


class _Note(BaseModel, frozen=True):
    """What the annotation of ours holds: all that is needed to write the mappings again."""

    server: AnyServer
    base: str
    variants: tuple[Variant, ...] = ()
    attributes: Dict[str, JsonValue] = {}
    labels: Dict[str, str] = {}
    previous: Variant | None = None
    #: Names of our documents, where the annotation holds other people's as well.
    documents: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Publication:
    """One model as it is published.

    Attributes:
        name: The name it is published by.
        namespace: Where.
        server: What serves it.
        base: Its public path, with a slash at the end.
        variants: Who takes part in its traffic; the stable one first.
        carrier: The Service that carries its mappings.
        attributes: What the caller says of every mapping.
        labels: Labels of the caller's for what is made.
        previous: Who was stable before the last promotion.
        annotates: Whether the carrier is somebody else's Service, of which only annotations and a label are ours.
        owner: Who published it.
        expires_at: Until when it is served, in RFC 3339; "" for ever.
        mappings: Its mappings; the first is named for all.
    """

    name: str
    namespace: str
    server: ModelServer
    base: str
    variants: tuple[Variant, ...]
    carrier: ObjectKey
    attributes: Dict[str, JsonValue] = field(default_factory=dict)
    labels: Dict[str, str] = field(default_factory=dict)
    previous: Variant | None = None
    annotates: bool = False
    owner: str = ""
    expires_at: str = ""
    mappings: tuple[Mapping, ...] = ()

    @property
    def stable(self) -> Variant:
        """Who takes what the others leave."""
        return self.variants[0]

    @property
    def backend(self) -> str:
        """Where its requests go, in words."""
        if not self.mappings:
            return "nowhere"
        answering = [self.mappings_of(variant.name) or self.mappings for variant in list_answering(self.variants)]
        return " and ".join(_tell_place(own[0].service) for own in answering)

    def find(self, variant: str) -> Variant | None:
        """The variant of a name, None when there is none."""
        return next((each for each in self.variants if each.name == variant), None)

    def server_of(self, variant: str) -> ModelServer:
        """What kind of server a variant is."""
        found = self.find(variant)
        return self.server if found is None or found.server is None else found.server

    def mappings_of(self, variant: str) -> tuple[Mapping, ...]:
        """The mappings by which a variant takes its share, without those for requests that ask for it."""
        return self._select(variant, pinned=(False,))

    def list_mappings(self, variant: str) -> tuple[Mapping, ...]:
        """All mappings that lead to a variant."""
        return self._select(variant, pinned=(False, True))

    def _select(self, variant: str, *, pinned: tuple[bool, ...]) -> tuple[Mapping, ...]:
        routes = self.server_of(variant).routes(self.name, self.base)
        names = {name_mapping(route.name, variant, pinned=pin) for route in routes for pin in pinned}
        return tuple(mapping for mapping in self.mappings if mapping.name in names)

    def pin_headers(self, variant: str) -> dict[str, str]:
        """The headers by which a request asks for a variant; none where there is no choice."""
        return pin_headers(self.variants, variant)

    def needs(self, service: ObjectKey) -> bool:
        """Whether a Service is where one of its variants is, or was before the last promotion."""
        known = [*self.variants, *([self.previous] if self.previous else [])]
        read = [read_target(variant.service, namespace=self.namespace).target for variant in known]
        return any(target is not None and target.host == f"{service.name}.{service.namespace}" for target in read)


def compose(publication: Publication) -> Publication:
    """Write a publication's mappings anew from all that is known of it.

    Raises:
        MappingRejected: Something of it is at fault.
    """
    members = build_members(
        publication.name,
        namespace=publication.namespace,
        server=publication.server,
        base=publication.base,
        attributes=publication.attributes,
        variants=publication.variants,
    )
    mappings: list[Mapping] = []
    for member in members:
        problems = place(publication.carrier, member.faults)
        if member.mapping is None or has_errors(problems):
            raise reject(publication.carrier, problems)
        mappings.append(member.mapping)
    return replace(publication, mappings=tuple(mappings))


def read_publication(manifest: Dict[str, object]) -> Publication:
    """Take a publication up again from the Service that carries it; without mappings when it carries none."""
    metadata = as_object(manifest.get("metadata"))
    annotations, labels = as_object(metadata.get("annotations")), as_object(metadata.get("labels"))
    key = ObjectKey("Service", as_text(metadata.get("namespace")), as_text(metadata.get("name")))
    name = as_text(labels.get(EXPOSURE_LABEL)) or key.name
    note = _read_note(as_text(annotations.get(EXPOSURE_ANNOTATION)))
    read = read_annotation(as_text(annotations.get(CONFIG_ANNOTATION)), Origin(key), namespace=key.namespace)
    mappings = tuple(
        sourced.mapping
        for sourced in read.mappings
        if note is None or not note.documents or sourced.mapping.name in note.documents
    )
    if note is None:
        # Somebody edited the note away: what is left is a service behind a path.
        base = mappings[0].prefix if mappings else HTTPServer().base(name)
        service = mappings[0].service if mappings else name
        note = _Note(server=HTTPServer(), base=base, variants=(Variant(name=STABLE, service=service),))
    return Publication(
        name=name,
        namespace=key.namespace,
        server=note.server,
        base=note.base,
        variants=note.variants,
        carrier=key,
        attributes=note.attributes,
        labels=note.labels,
        previous=note.previous,
        annotates=labels.get(MANAGED_BY_LABEL) != MANAGED_BY,
        owner=as_text(annotations.get(OWNER_ANNOTATION)),
        expires_at=as_text(annotations.get(EXPIRES_ANNOTATION)),
        mappings=mappings,
    )


def write_carrier(publication: Publication) -> Manifest:
    """Write the Service that carries a publication's mappings, where it is ours."""
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {
            "name": publication.carrier.name,
            "namespace": publication.namespace,
            "labels": label(publication),
            "annotations": {CONFIG_ANNOTATION: write_documents(*list_documents(publication)), **annotate(publication)},
        },
        # It only carries configuration; an address of its own would be wasted on it.
        "spec": {"clusterIP": "None", "ports": _build_ports(publication)},
    }


def label(publication: Publication) -> dict[str, str]:
    """The labels of everything that is made for a publication."""
    return {
        **publication.labels,
        MANAGED_BY_LABEL: MANAGED_BY,
        NAME_LABEL: publication.name,
        EXPOSURE_LABEL: publication.name,
    }


def annotate(publication: Publication) -> dict[str, str]:
    """The annotations of a carrier, besides the one that holds the mappings."""
    said = {
        EXPOSURE_ANNOTATION: json.dumps(_write_note(publication)),
        OWNER_ANNOTATION: publication.owner,
        EXPIRES_ANNOTATION: publication.expires_at,
    }
    return {name: value for name, value in said.items() if value}


def list_documents(publication: Publication) -> list[dict[str, object]]:
    """The mappings as documents of an annotation."""
    return [_write_document(mapping, publication.server.api_version) for mapping in publication.mappings]


def place(key: ObjectKey, faults: Iterable[Fault]) -> list[Problem]:
    """Say of faults which object they are in."""
    return [fault.at(Origin(key)) for fault in faults]


def reject(key: ObjectKey, problems: Sequence[Problem]) -> MappingRejected:
    """The error that lists why something is not published."""
    return MappingRejected(f"{key.name} is not published in namespace {key.namespace}:", problems)


@contextmanager
def keeping(publication: Publication) -> Iterator[None]:
    """Say of a refused change that what is published stays as it is."""
    try:
        yield
    except MappingRejected as error:
        words = f"{publication.name} stays as it is in namespace {publication.namespace}:"
        raise MappingRejected(words, error.problems) from error


def _read_note(text: str) -> _Note | None:
    try:
        note = _Note.model_validate_json(text)
    except ValidationError:
        return None
    return note if note.variants else None


def _write_note(publication: Publication) -> dict[str, object]:
    names = [mapping.name for mapping in publication.mappings] if publication.annotates else []
    note: dict[str, object] = {
        "server": _write_server(publication.server),
        "base": publication.base,
        "variants": [_write_variant(variant) for variant in publication.variants],
        "attributes": publication.attributes,
        "labels": publication.labels,
        "previous": _write_variant(publication.previous) if publication.previous else None,
        "documents": names,
    }
    return {name: value for name, value in note.items() if value}


def _write_variant(variant: Variant) -> dict[str, object]:
    written = variant.model_dump(mode="json", exclude_none=True, exclude_defaults=True)
    server = {} if variant.server is None else {"server": _write_server(variant.server)}
    return {"name": variant.name, **written, **server}


def _write_server(server: ModelServer) -> dict[str, object]:
    """Write what a server was said to be, and its kind, by which it is told apart when it is read."""
    return {"kind": server.model_dump()["kind"], **server.model_dump(mode="json", exclude_defaults=True)}


def _write_document(mapping: Mapping, api_version: str) -> dict[str, object]:
    written = mapping.model_dump(mode="json", exclude_unset=True, exclude_none=True)
    return {"apiVersion": api_version, "kind": "Mapping", "name": mapping.name, **written}


def _build_ports(publication: Publication) -> list[dict[str, object]]:
    targets = [read_target(mapping.service, namespace=publication.namespace).target for mapping in publication.mappings]
    ports = sorted({target.port for target in targets if target is not None})
    return [{"name": f"http-{port}", "port": port, "protocol": "TCP"} for port in ports]


def _tell_place(service: str) -> str:
    return f"port {service.removeprefix(_HERE)} of this machine" if service.startswith(_HERE) else service
