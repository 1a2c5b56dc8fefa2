"""Kinds: what the server knows about each resource. The built-in ones stand in :mod:`.registry.builtin`."""

from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final, Protocol, TypeAlias

from kfambassador.local.kube.documents.document import Document
from kfambassador.local.kube.documents.faults import FieldFault
from kfambassador.local.kube.documents.metadata import NameRule
from kfambassador.local.kube.schemas.messages import name_message
from kfambassador.local.kube.schemas.schema import Schema, read_schema
from kfambassador.local.kube.schemas.shapes import read_shape


class Index(Protocol):
    """What admission may ask about the other objects."""

    def find(self, index: str, value: str) -> Collection[object]:
        """The objects filed under a value of an index."""
        ...


@dataclass(frozen=True, slots=True)
class Admitted:
    """An object after admission.

    Attributes:
        document: The object with what the server fills in.
        faults: What is wrong with it; with any fault it is refused.
        unknown: The paths of fields that nobody knows and that went.
        warnings: What the caller should know, though it was accepted.
        forbidden: Why nobody may write it as things are, "" when they may.
    """

    document: Document
    faults: tuple[FieldFault, ...] = ()
    unknown: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    forbidden: str = ""


#: Fills in and checks what a schema cannot say: the new object, the old one if any, and the others.
Admission: TypeAlias = Callable[[Document, Document | None, Index], Admitted]


def keep_as_is(document: Document) -> Document:
    """The defaults of a kind whose defaults all stand in its schema."""
    return document


def admit_as_is(document: Document, _before: Document | None, _index: Index) -> Admitted:
    """Admission of a kind without rules of its own."""
    return Admitted(document)


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a table.

    Attributes:
        name: Its heading.
        value: The cell of an object; a time is shown as an age when the type is ``date``.
        type: The OpenAPI type of its cells.
        priority: 0 is always shown, 1 with ``-o wide``.
        description: What the column says.
        format: The OpenAPI format of its cells, "" for none.
    """

    name: str
    value: Callable[[Document], object]
    type: str = "string"
    priority: int = 0
    description: str = ""
    format: str = ""


@dataclass(frozen=True, slots=True)
class Subresource:
    """What may be asked of an object beside the object itself.

    Attributes:
        name: What follows the object's name in the path.
        kind: The kind of what is sent or answered.
        verbs: What may be done with it.
        group: The API group of that kind, "" for the object's own.
        version: The API version of that kind, "" for the object's own.
    """

    name: str
    kind: str
    verbs: tuple[str, ...]
    group: str = ""
    version: str = ""


@dataclass(frozen=True, slots=True)
class Scaling:
    """Where an object says how many replicas it asks for and has.

    Attributes:
        spec: The path of the number asked for.
        status: The path of the number there is.
        selector: The path of the selector of its pods, empty for none.
    """

    spec: tuple[str, ...] = ("spec", "replicas")
    status: tuple[str, ...] = ("status", "replicas")
    selector: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Conversion:
    """How the objects of one kind are stored as those of another.

    Attributes:
        api_version: The API version they are stored in.
        resource: The resource they are stored among.
        store: Turns an object into the one that is stored.
        serve: Turns a stored object into one of this kind.
    """

    api_version: str
    resource: str
    store: Callable[[Document], Document]
    serve: Callable[[Document], Document]


#: How an object that is scaled apart from the rest is asked for its Scale.
SCALE: Final = Subresource("scale", "Scale", ("get", "patch", "update"), "autoscaling", "v1")
#: Where the built-in kinds that are scaled say so.
REPLICAS: Final = Scaling(selector=("spec", "selector"))

#: What may be done with objects that are kept.
KEPT: Final = ("create", "delete", "deletecollection", "get", "list", "patch", "update", "watch")
#: The same where there is no deleting all of them at once.
KEPT_SINGLY: Final = tuple(verb for verb in KEPT if verb != "deletecollection")
#: What may be done with a question: it is answered at once and nothing is kept.
ASKED: Final = ("create",)


@dataclass(frozen=True)
class Kind:
    """A kind of object in one API version.

    Attributes:
        group: The API group, "" for core.
        version: The API version.
        name: The kind's name, as ``Service``.
        plural: Its name in paths, as ``services``.
        namespaced: Whether its objects live in namespaces.
        short_names: Abbreviations for kubectl.
        categories: Groups of kinds for kubectl, as ``all``.
        openapi: The schema of its objects in OpenAPI v3, None for that of the kind's message.
        name_rule: What the names of its objects may look like.
        complete: Fills in the defaults that depend on other fields.
        admit: Rules beyond the schema.
        columns: What kubectl's table shows between name and age.
        whole_table: All columns, for a kind whose table has neither name nor age.
        has_status: Whether ``/status`` is written apart from the rest.
        counts_generation: Whether ``metadata.generation`` counts changes of the specification.
        returns_deleted: Whether a delete answers with the object rather than with a Status.
        is_custom: Whether a CustomResourceDefinition made it.
        stored_version: The API version its objects are stored in, where that is another one.
        singular: Its name in the singular; the lower-case kind unless given.
        warning: What every answer about its objects warns of; "" for nothing.
        subresources: What else may be asked of its objects, beside their status.
        verbs: What may be done with its objects.
        scaling: Where its objects say how many replicas they ask for; a kind with it has :data:`SCALE` among its
            subresources.
        conversion: How its objects are stored as those of another kind, None when they are not.
        selectable_fields: Fields of its own by which a list can select.
        records_author: Whether its specification tells who created it.
    """

    group: str
    version: str
    name: str
    plural: str
    openapi: Document | None = None
    namespaced: bool = True
    short_names: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    name_rule: NameRule = NameRule.SUBDOMAIN
    complete: Callable[[Document], Document] = keep_as_is
    admit: Admission = admit_as_is
    columns: tuple[Column, ...] = ()
    whole_table: tuple[Column, ...] = ()
    has_status: bool = False
    counts_generation: bool = False
    returns_deleted: bool = False
    is_custom: bool = False
    stored_version: str = ""
    singular: str = field(default="")
    warning: str = ""
    subresources: tuple[Subresource, ...] = ()
    verbs: tuple[str, ...] = KEPT
    scaling: Scaling | None = None
    conversion: Conversion | None = None
    selectable_fields: tuple[str, ...] = ()
    records_author: bool = False

    @cached_property
    def schema(self) -> Schema:
        """The schema as the server reads it."""
        return read_shape(self.message) if self.openapi is None else read_schema(self.openapi)

    @property
    def is_read(self) -> bool:
        """Whether its schema has been read, which takes long for a large one."""
        return "schema" in self.__dict__

    @cached_property
    def message(self) -> str:
        """The full name of the message that describes a built-in kind."""
        return name_message(self.group, self.version, self.name)

    @cached_property
    def api_version(self) -> str:
        """What stands in an object's ``apiVersion``."""
        return f"{self.group}/{self.version}" if self.group else self.version

    @cached_property
    def stored_api_version(self) -> str:
        """The ``apiVersion`` its objects are stored in."""
        if self.conversion:
            return self.conversion.api_version
        stored = self.stored_version or self.version
        return f"{self.group}/{stored}" if self.group else stored

    @cached_property
    def resource(self) -> str:
        """The kind's name over all versions, as ``services`` or ``leases.coordination.k8s.io``."""
        return f"{self.plural}.{self.group}" if self.group else self.plural

    @property
    def stored_resource(self) -> str:
        """The resource its objects are stored among: its own, unless they are stored as those of another kind."""
        return self.conversion.resource if self.conversion else self.resource

    def store(self, document: Document) -> Document:
        """An object of this kind as it is stored."""
        stored = self.conversion.store(document) if self.conversion else document
        return stored | {"apiVersion": self.stored_api_version}

    def serve(self, document: Document) -> Document:
        """A stored object as one of this kind."""
        if document.get("apiVersion") == self.api_version:
            return document
        served = self.conversion.serve(document) if self.conversion else document
        return served | {"apiVersion": self.api_version}

    @property
    def has_messages(self) -> bool:
        """Whether its objects can be written in protobuf: those of built-in kinds can, but for the schemas in some."""
        return not self.is_custom and self.resource != DEFINITIONS

    @cached_property
    def is_question(self) -> bool:
        """Whether its objects are questions, answered at once and never kept."""
        return self.verbs == ASKED

    @cached_property
    def path(self) -> str:
        """The path its group and version are served under, as ``/api/v1``."""
        return f"/apis/{self.api_version}" if self.group else f"/api/{self.version}"


NAMESPACES: Final = "namespaces"
DEFINITIONS: Final = "customresourcedefinitions.apiextensions.k8s.io"
