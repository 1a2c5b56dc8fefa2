"""The documents of an annotation, each a resource or its problems with their place."""

from dataclasses import dataclass, replace

from kfambassador.problems import Fault, Origin, Problem
from kfambassador.resources.documents import ANNOTATION_LIMITS, Limits, Value, read_documents
from kfambassador.resources.gateway import GatewayResource
from kfambassador.resources.mapping import Mapping
from kfambassador.resources.meta import SourcedMapping, SourcedResource
from kfambassador.resources.versions import read_resource


@dataclass(frozen=True, slots=True)
class Configuration:
    """What one object, or one text, says to the gateway."""

    mappings: tuple[SourcedMapping, ...] = ()
    shared: tuple[SourcedResource, ...] = ()
    problems: tuple[Problem, ...] = ()


def read_annotation(
    text: str, origin: Origin, *, namespace: str, created: str = "", limits: Limits = ANNOTATION_LIMITS
) -> Configuration:
    r"""Read the documents of an annotation; one at fault never takes another with it.

    Args:
        text: Any number of YAML documents, each one object of Ambassador's.
        origin: The object that carries the text, or the file.
        namespace: The namespace the mappings belong to: that of the object.
        created: The object's creationTimestamp; older claims to a prefix win.
        limits: How much text is too much.

    Returns:
        The mappings that could be read, and the problems of all documents in order.

    Example:
        >>> text = "{apiVersion: ambassador/v0, kind: Mapping, name: m, prefix: /m/, service: m}\n---\nkind: ["
        >>> read = read_annotation(text, Origin(), namespace="default")
        >>> read.mappings[0].mapping.name, read.problems[0].origin.document
        ('m', 2)
    """
    mappings: list[SourcedMapping] = []
    shared: list[SourcedResource] = []
    problems: list[Problem] = []
    for document in read_documents(text, limits):
        place = replace(origin, document=document.number, line=document.line)
        if document.fault is not None:
            problems.append(document.fault.at(place))
            continue
        read = read_object(document.value, place, namespace=namespace, created=created)
        mappings.extend(read.mappings)
        shared.extend(read.shared)
        problems.extend(read.problems)
    return Configuration(tuple(mappings), tuple(shared), tuple(problems))


def read_object(value: Value, origin: Origin, *, namespace: str, created: str = "") -> Configuration:
    """Read one document, or one custom resource; see :func:`read_annotation`."""
    read = read_resource(value)
    problems = [fault.at(origin) for fault in read.faults]
    if read.namespace not in {"", namespace}:
        message = (
            f"namespace {read.namespace!r} is not the namespace of the object that carries it, {namespace!r}; "
            "put it on an object of that namespace"
        )
        problems.append(Fault("foreign-namespace", message, path="namespace").at(origin))
        return Configuration(problems=tuple(problems))
    told = tuple(problems)
    if isinstance(read.resource, Mapping):
        return Configuration(
            (SourcedMapping(read.resource, origin, namespace=namespace, created=created),), problems=told
        )
    if isinstance(read.resource, GatewayResource):
        sourced = SourcedResource(read.resource, origin, namespace=namespace, created=created)
        return Configuration(shared=(sourced,), problems=told)
    return Configuration(problems=told)
