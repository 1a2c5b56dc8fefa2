"""Files a person names: Kubernetes manifests or bare annotation text, read into one ResourceSet."""

from collections.abc import Iterable, Iterator
from collections.abc import Mapping as Dict
from typing import Final

from kfambassador.names import CONFIG_ANNOTATION, DEFAULT_NAMESPACE
from kfambassador.problems import Fault, Origin, Problem, Severity
from kfambassador.resources.annotation import Configuration, read_object
from kfambassador.resources.documents import FILE_LIMITS, Document, read_documents
from kfambassador.resources.fields import as_object, as_text
from kfambassador.resources.kinds import is_ambassadors
from kfambassador.resources.meta import ResourceSet
from kfambassador.resources.objects import Contribution, join_contributions, object_key, read_contribution
from kfambassador.resources.validation import show

#: The code of a notice: an object of a kind that nothing is read from.
OTHER_OBJECT: Final = "other-object"

_READ = ("Service", "EndpointSlice", "Secret")
_LISTS = ("List", "ServiceList", "MappingList", "IngressList", "EndpointSliceList")


def read_manifests(texts: Iterable[tuple[str, str]], *, namespace: str = DEFAULT_NAMESPACE) -> ResourceSet:
    """Read files into all that they make known.

    A document of Ambassador's own with a ``metadata`` is a custom resource, one without is annotation text. Kubernetes
    objects contribute what they would in a cluster; objects of other kinds contribute nothing.

    Args:
        texts: For each file its name and its text, YAML or JSON.
        namespace: The namespace of objects that name none, and of bare annotation text.

    Example:
        >>> text = "{apiVersion: ambassador/v1, kind: Mapping, name: m, prefix: /m/, service: m}"
        >>> read_manifests([("m.yaml", text)]).mappings[0].origin.file
        'm.yaml'
    """
    contributions: list[Contribution] = []
    for file, text in texts:
        for document in read_documents(text, FILE_LIMITS):
            contributions.extend(_read_document(document, file, namespace))
    return join_contributions(contributions)


def _read_document(document: Document, file: str, namespace: str) -> Iterator[Contribution]:
    origin = Origin(document=document.number, line=document.line, file=file)
    if document.fault is not None:
        yield _at_fault(origin, document.fault.at(origin))
    elif not isinstance(document.value, dict):
        message = "expected a Kubernetes object or a Mapping, with apiVersion and kind"
        yield _at_fault(origin, Fault("not-an-object", message).at(origin))
    elif is_ambassadors(document.value.get("apiVersion")) and "metadata" not in document.value:
        configuration = read_object(
            document.value, origin, namespace=as_text(document.value.get("namespace")) or namespace
        )
        yield Contribution(origin, configuration, configures=True)
    elif not as_text(document.value.get("apiVersion")) or not as_text(document.value.get("kind")):
        message = "apiVersion or kind is missing; a Kubernetes object and a Mapping have both"
        yield _at_fault(origin, Fault("missing-attribute", message).at(origin))
    else:
        yield from _read_manifest(document.value, origin, namespace)


def _read_manifest(manifest: Dict[str, object], origin: Origin, namespace: str) -> Iterator[Contribution]:
    if manifest.get("kind") in _LISTS:
        yield from _read_items(manifest.get("items"), origin, namespace)
        return
    metadata = {"namespace": namespace, **as_object(manifest.get("metadata"))}
    placed = {**manifest, "metadata": metadata}
    written = as_object(metadata.get("annotations")).get(CONFIG_ANNOTATION)
    if written is None and manifest.get("kind") not in _READ and not is_ambassadors(manifest.get("apiVersion")):
        yield _pass_over(placed, origin.file)
    elif written is None or isinstance(written, str):
        yield read_contribution(placed, file=origin.file)
    else:
        message = f"an annotation is text, got {show(written)}; begin it with | and indent the lines that follow"
        place = Origin(object_key(placed), file=origin.file)
        yield _at_fault(place, Fault("wrong-type", message, path=CONFIG_ANNOTATION).at(place))


def _read_items(items: object, origin: Origin, namespace: str) -> Iterator[Contribution]:
    for number, item in enumerate(items if isinstance(items, list) else []):
        if isinstance(item, dict):
            yield from _read_manifest(item, origin, namespace)
        else:
            message = f"expected a Kubernetes object, got {show(item)}"
            yield _at_fault(origin, Fault("not-an-object", message, path=f"items[{number}]").at(origin))


def _pass_over(manifest: Dict[str, object], file: str) -> Contribution:
    place = Origin(object_key(manifest), file=file)
    message = "it is passed over: a gateway reads nothing from objects of this kind without the annotation"
    told = Fault(OTHER_OBJECT, message, severity=Severity.NOTICE).at(place)
    return Contribution(place, Configuration(problems=(told,)))


def _at_fault(origin: Origin, problem: Problem) -> Contribution:
    return Contribution(origin, Configuration(problems=(problem,)), configures=True)
