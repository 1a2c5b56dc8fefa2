"""The documents of an annotation, each a mapping or its problems with their place."""

from dataclasses import dataclass, replace

from kfambassador.problems import Fault, Origin, Problem, Severity
from kfambassador.resources.documents import ANNOTATION_LIMITS, Limits, Value, read_documents
from kfambassador.resources.meta import SourcedMapping
from kfambassador.resources.validation import show
from kfambassador.resources.versions import read_mapping

# The name this gateway goes by, and the one that every gateway answers to (Ambassador, "ambassador_id").
_OWN_IDS = frozenset({"default", "_automatic_"})


@dataclass(frozen=True, slots=True)
class Configuration:
    """What one object, or one text, contributes to the routes."""

    mappings: tuple[SourcedMapping, ...] = ()
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
    problems: list[Problem] = []
    for document in read_documents(text, limits):
        place = replace(origin, document=document.number, line=document.line)
        if document.fault is not None:
            problems.append(document.fault.at(place))
            continue
        read = read_object(document.value, place, namespace=namespace, created=created)
        mappings.extend(read.mappings)
        problems.extend(read.problems)
    return Configuration(tuple(mappings), tuple(problems))


def read_object(value: Value, origin: Origin, *, namespace: str, created: str = "") -> Configuration:
    """Read one document, or one custom resource, as a mapping; see :func:`read_annotation`."""
    read = read_mapping(value)
    problems = [fault.at(origin) for fault in read.faults]
    if read.namespace not in {"", namespace}:
        message = (
            f"namespace {read.namespace!r} is not the namespace of the object that carries it, {namespace!r}; "
            "put the mapping on an object of that namespace"
        )
        problems.append(Fault("foreign-namespace", message, path="namespace").at(origin))
        return Configuration(problems=tuple(problems))
    if read.mapping is None:
        return Configuration(problems=tuple(problems))
    if _OWN_IDS.isdisjoint(read.mapping.ambassador_id):
        message = f"it is for another gateway, {show(list(read.mapping.ambassador_id))}, and is left out here"
        fault = Fault("other-gateway", message, path="ambassador_id", severity=Severity.NOTICE)
        return Configuration(problems=(*problems, fault.at(origin)))
    mapping = SourcedMapping(read.mapping, origin, namespace=namespace, created=created)
    return Configuration((mapping,), tuple(problems))
