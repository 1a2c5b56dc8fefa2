"""Kinds: what the server knows about each resource. The built-in ones stand in :mod:`.builtin`."""

from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final, Protocol, TypeAlias

from kfambassador.local.kube.documents import Document
from kfambassador.local.kube.faults import FieldFault
from kfambassador.local.kube.metadata import NameRule
from kfambassador.local.kube.schema import Schema, read_schema


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
    """

    document: Document
    faults: tuple[FieldFault, ...] = ()


#: Fills in and checks what a schema cannot say: the new object, the old one if any, and the others.
Admission: TypeAlias = Callable[[Document, Document | None, Index], Admitted]


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
    """

    name: str
    value: Callable[[Document], object]
    type: str = "string"
    priority: int = 0
    description: str = ""


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


#: What may be done with objects that are kept.
KEPT: Final = ("create", "delete", "deletecollection", "get", "list", "patch", "update", "watch")
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
        openapi: The schema of its objects in OpenAPI v3.
        name_rule: What the names of its objects may look like.
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
    """

    group: str
    version: str
    name: str
    plural: str
    openapi: Document
    namespaced: bool = True
    short_names: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    name_rule: NameRule = NameRule.SUBDOMAIN
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

    @cached_property
    def schema(self) -> Schema:
        """The schema as the server reads it."""
        return read_schema(self.openapi)

    @cached_property
    def api_version(self) -> str:
        """What stands in an object's ``apiVersion``."""
        return f"{self.group}/{self.version}" if self.group else self.version

    @cached_property
    def stored_api_version(self) -> str:
        """The ``apiVersion`` its objects are stored in."""
        stored = self.stored_version or self.version
        return f"{self.group}/{stored}" if self.group else stored

    @cached_property
    def resource(self) -> str:
        """The kind's name over all versions, as ``services`` or ``leases.coordination.k8s.io``."""
        return f"{self.plural}.{self.group}" if self.group else self.plural

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
