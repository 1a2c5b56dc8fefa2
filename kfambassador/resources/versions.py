"""The spellings of a resource in each API version, read into one shape.

Two layouts are read: flat, with every field at the top, and Kubernetes-like, with ``metadata`` and ``spec``
(Ambassador, "Configuration by annotation"). What a single attribute was written like in one version or another is its
family's to know.
"""

from collections.abc import Mapping as Dict
from dataclasses import dataclass, replace

from pydantic import ValidationError

from kfambassador.attributes.base import as_list
from kfambassador.problems import Fault, Severity, suggest
from kfambassador.resources.documents import Value
from kfambassador.resources.fields import as_object, as_text
from kfambassador.resources.gateway import GatewayResource
from kfambassador.resources.helpers import restore_id, restore_spelling
from kfambassador.resources.kinds import READ_KINDS, check_kind
from kfambassador.resources.mapping import Mapping
from kfambassador.resources.options import read_options
from kfambassador.resources.validation import MOST_TOLD, check_value, describe_refusals, limit_faults, show

# What Ambassador itself ignores, in every release that still read it or in all that came after, and why.
_WITHOUT_EFFECT = {
    "docs": "it was for Ambassador's developer portal",
    "envoy_override": "Ambassador has ignored it since 0.50",
    "modules": "Ambassador has ignored it since 0.50",
    "v2BoolHeaders": "it only helped to convert between versions",
    "v2BoolQueryParameters": "it only helped to convert between versions",
    "v2ExplicitTLS": "it only helped to convert between versions",
}
_METADATA = frozenset({"apiVersion", "generation", "kind", "metadata_labels", "namespace"})


@dataclass(frozen=True, slots=True)
class ReadResource:
    """What became of one document.

    Attributes:
        resource: The resource, or None when the document is at fault.
        namespace: The namespace the document itself names; "" when it names none.
        faults: What is to be told about it.
    """

    resource: Mapping | GatewayResource | None = None
    namespace: str = ""
    faults: tuple[Fault, ...] = ()


def read_resource(document: Value) -> ReadResource:
    """Read one document as the resource of whichever kind and version it says it is.

    Example:
        >>> read = read_resource({"apiVersion": "ambassador/v0", "kind": "Mapping", "name": "m",
        ...                       "prefix": "/m/", "service": "m", "methd": "GET"})
        >>> read.resource.prefix, read.faults[0].message
        ('/m/', 'methd is not an attribute of a Mapping and is left out; did you mean method?')
    """
    if not isinstance(document, dict):
        message = f"expected an object with apiVersion, kind and name, got {show(document)}"
        return ReadResource(faults=(Fault("not-an-object", message),))
    fault = check_value(document) or check_kind(document)
    if fault is not None:
        return ReadResource(faults=(fault,))
    fields, namespace, where = _fold(document)
    model = READ_KINDS[as_text(document["kind"])]
    resource: Mapping | GatewayResource | None
    if issubclass(model, Mapping):
        resource, faults = _read_mapping(fields)
    else:
        resource, faults = read_options(model, fields)
    if where:
        faults = [replace(fault, path=f"{where}.{fault.path}" if fault.path else "") for fault in faults]
    return ReadResource(resource, namespace, limit_faults(faults))


def _fold(document: Dict[str, Value]) -> tuple[dict[str, object], str, str]:
    """Bring both layouts to one: the fields, the namespace named, and where the fields stood."""
    metadata = as_object(document.get("metadata"))
    if "spec" in document or metadata:
        fields = dict(as_object(document.get("spec")))
        if isinstance(metadata.get("name"), str):
            fields["name"] = metadata["name"]
        namespace, where = as_text(metadata.get("namespace")), "spec"
    else:
        fields = {key: value for key, value in document.items() if key not in _METADATA}
        namespace, where = as_text(document.get("namespace")), ""
    identity = fields.get("ambassador_id")
    if isinstance(identity, (str, list)):
        ids = [identity] if isinstance(identity, str) else identity
        fields["ambassador_id"] = [restore_id(each) for each in ids]
    # An attribute with nothing behind its colon is one its author left out.
    return {key: value for key, value in fields.items() if value is not None}, namespace, where


def _read_mapping(written: dict[str, object]) -> tuple[Mapping | None, list[Fault]]:
    faults: list[Fault] = []
    fields = restore_spelling(written)
    for name in [name for name in fields if name not in Mapping.model_fields]:
        del fields[name]
        faults.append(_judge_unknown(name, nearest=len(faults) < MOST_TOLD))
    try:
        return Mapping.model_validate(fields), faults
    except ValidationError as error:
        return _read_without_entries(fields, error, faults)


def _read_without_entries(
    fields: dict[str, object], error: ValidationError, faults: list[Fault]
) -> tuple[Mapping | None, list[Fault]]:
    """Read a mapping again without the bad entries of lists whose entries hold by themselves."""
    refused = describe_refusals(error, fields)
    places = {detail["loc"][:2] for detail in error.errors(include_url=False)}
    if not all(place[0] in Mapping.entrywise_fields() and len(place) > 1 for place in places):
        return None, [*faults, *refused]
    smaller = dict(fields)
    for name in {place[0] for place in places}:
        written = as_list(fields[str(name)])
        entries = written if isinstance(written, tuple) else ()
        smaller[str(name)] = [each for index, each in enumerate(entries) if (name, index) not in places]
    told = [
        replace(fault, message=f"{fault.message}; this entry is left out", severity=Severity.WARNING)
        for fault in refused
    ]
    return Mapping.model_validate(smaller), [*faults, *told]


def _judge_unknown(name: str, *, nearest: bool) -> Fault:
    if name in _WITHOUT_EFFECT:
        message = f"{name} has no effect: {_WITHOUT_EFFECT[name]}"
        return Fault("no-effect", message, path=name, severity=Severity.NOTICE)
    near = suggest(name, Mapping.model_fields) if nearest else ""
    message = f"{name} is not an attribute of a Mapping and is left out{near}"
    return Fault("unknown-attribute", message, path=name, severity=Severity.WARNING)
