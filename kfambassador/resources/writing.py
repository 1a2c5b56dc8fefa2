"""Resources written as custom resources, in the words of one API version.

The readers take every version's spelling, so what is written here is read back as it was meant; and Ambassador's own
controller, which is stricter, understands it as well where its version has words for it.
"""

import re
from collections.abc import Callable
from collections.abc import Mapping as Dict
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256
from typing import Final

from kfambassador.names import AMBASSADOR_GROUP
from kfambassador.problems import Fault, Severity
from kfambassador.resources.fields import as_object, as_objects, as_text
from kfambassador.resources.gateway import GatewayResource
from kfambassador.resources.helpers import ANY_VALUE, BOOL_HEADERS, BOOL_QUERY_PARAMETERS
from kfambassador.resources.legacy import CircuitBreaker, OutlierDetection
from kfambassador.resources.mapping import Mapping

_FIRST = ("ambassador_id", "hostname", "host", "host_regex", "prefix", "prefix_exact", "prefix_regex", "service")
_LONGEST_NAME = 253
_HASH_DIGITS = 8
_NAME = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
_SCHEME = re.compile(r"^(https?)://", re.IGNORECASE)

Fields = dict[str, object]


class Version(StrEnum):
    """A version whose words can be written."""

    V2 = "v2"
    V3ALPHA1 = "v3alpha1"


@dataclass(frozen=True, slots=True)
class Written:
    """A resource written.

    Attributes:
        manifest: The custom resource; None where the kind has none.
        faults: What could not be said in that version's words.
    """

    manifest: dict[str, object] | None
    faults: tuple[Fault, ...] = ()


def write_resource(
    resource: Mapping | GatewayResource, *, namespace: str = "", version: Version = Version.V3ALPHA1
) -> Written:
    """Write a resource as a custom resource.

    Args:
        resource: What was read.
        namespace: Where it belongs; "" leaves that open.
        version: In whose words.

    Example:
        >>> written = write_resource(Mapping(name="my_m", prefix="/m/", service="m", host="a.com"))
        >>> written.manifest["metadata"]["name"], written.manifest["spec"]["hostname"]
        ('my-m-f0df35ac', 'a.com')
    """
    kind = type(resource).__name__
    if isinstance(resource, CircuitBreaker | OutlierDetection):
        message = f"a {kind} is of v0, which had no custom resources; mappings converted with it hold its limits"
        return Written(None, (Fault("no-custom-resource", message, path="kind", severity=Severity.NOTICE),))
    name = make_name(resource.name)
    faults = [] if name == resource.name else [_tell_name(resource.name, name)]
    fields = _list_fields(resource)
    del fields["name"]
    if isinstance(resource, Mapping):
        faults += _SPELLINGS[version](fields)
        faults += [_tell_kept(field, why, version) for field, why in _KEPT_AS_IS.items() if field in fields]
    elif resource.inside:
        ids = {"ambassador_id": fields.pop("ambassador_id")} if "ambassador_id" in fields else {}
        fields = {**ids, resource.inside: fields}
    metadata = {"name": name, **({"namespace": namespace} if namespace else {})}
    manifest: dict[str, object] = {
        "apiVersion": f"{AMBASSADOR_GROUP}/{version}",
        "kind": kind,
        "metadata": metadata,
        "spec": {name: fields[name] for name in sorted(fields, key=_place)},
    }
    return Written(manifest, tuple(faults))


def _list_fields(resource: Mapping | GatewayResource) -> Fields:
    """Give what a resource says as plain values: neither its silences nor what says nothing."""
    return {
        name: _without_nothing(value)
        for name, value in resource.model_dump(mode="json", exclude_unset=True).items()
        if value is not None
    }


def _without_nothing(value: object) -> object:
    if isinstance(value, dict):
        return {name: _without_nothing(each) for name, each in value.items() if each is not None}
    return [_without_nothing(each) for each in value] if isinstance(value, list) else value


def _place(field: str) -> tuple[int, str]:
    """What a reader looks for first, and then by name."""
    return (_FIRST.index(field) if field in _FIRST else len(_FIRST), field)


def make_name(name: str) -> str:
    """Make a name that Kubernetes takes; one that it takes already stays.

    What is changed ends with a hash of the name it was, so that no two names become one.

    Example:
        >>> make_name("model.v1"), make_name("My_Model"), make_name("my-model_")
        ('model.v1', 'my-model-d427b692', 'my-model-0f092826')
    """
    if len(name) <= _LONGEST_NAME and _NAME.fullmatch(name):
        return name
    plain = re.sub(r"[^a-z0-9.]+", "-", name.lower())
    plain = re.sub(r"[-.]*\.[-.]*", ".", plain)[: _LONGEST_NAME - _HASH_DIGITS - 1].strip("-.")
    digits = sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:_HASH_DIGITS]
    return f"{plain or 'x'}-{digits}"


def _tell_name(old: str, new: str) -> Fault:
    message = f"{old!r} is no name for a Kubernetes object; it is written as {new}"
    return Fault("new-name", message, path="name", severity=Severity.NOTICE)


# What no custom resource of Ambassador's own has words for; kfambassador reads it in every version.
_KEPT_AS_IS: Final = {
    "rate_limits": "Ambassador has it in v0 only; labels are its later form",
    "circuit_breaker": "Ambassador has it in v0 only, and a CircuitBreaker is no custom resource; write "
    "circuit_breakers",
    "outlier_detection": "Ambassador ignores it since 0.50",
}


def _tell_kept(field: str, why: str, version: Version) -> Fault:
    message = f"{field} is kept as it is, though {version} has no such attribute: {why}"
    return Fault("kept-as-is", message, path=field, severity=Severity.NOTICE)


def _spell_v2(fields: Fields) -> list[Fault]:
    """Say in the words of v2 what v3alpha1 says otherwise."""
    hostname = fields.pop("hostname", None)
    if hostname is not None:
        # It beats a host beside it, and * is no condition.
        _drop(fields, "host", "host_regex")
        if hostname != "*":
            fields["host"] = hostname
    _ease(fields)
    return _respell_labels(fields, _spell_old_label)


def _spell_v3(fields: Fields) -> list[Fault]:
    """Say in the words of v3alpha1 what earlier versions say otherwise (Ambassador, conversion of v2)."""
    if fields.get("hostname") is not None or not fields.get("host_regex") or fields.get("host") is None:
        # Mappings of v2 without a host belong to every Host, those of v3alpha1 to none.
        fields["hostname"] = fields.get("hostname") or fields.get("host") or "*"
        _drop(fields, "host", "host_regex")
    _ease(fields)
    for name in ("add_request_headers", "add_response_headers"):
        if name in fields:
            fields[name] = {header: _spell_header(value) for header, value in as_object(fields[name]).items()}
    faults = _spell_conditions(fields, "headers", BOOL_HEADERS)
    faults += _spell_conditions(fields, "query_parameters", BOOL_QUERY_PARAMETERS)
    _spell_tls(fields)
    return faults + _respell_labels(fields, _spell_typed_label)


def _drop(fields: Fields, *names: str) -> None:
    for name in names:
        fields.pop(name, None)


def _ease(fields: Fields) -> None:
    """Write one condition of a retry as text and an age as text, as every version has them."""
    for field, name in (("retry_policy", "retry_on"), ("cors", "max_age")):
        inner = fields.get(field)
        if isinstance(inner, dict) and name in inner:
            value = inner[name]
            single = value[0] if isinstance(value, list) and len(value) == 1 else value
            fields[field] = {**inner, name: str(single) if isinstance(single, int) else single}


def _spell_header(value: object) -> object:
    if isinstance(value, dict):
        return value
    return {"value": str(value).lower() if isinstance(value, bool) else value}


def _spell_conditions(fields: Fields, name: str, helper: str) -> list[Fault]:
    """Write ``true`` as an expression, and note that it was ``true``; ``false`` was never a condition."""
    if name not in fields:
        return []
    written = as_object(fields[name])
    expressions = dict(as_object(fields.get(f"regex_{name}")))
    asked = [key for key, value in written.items() if value is True]
    present = [key for key in asked if key not in expressions]
    fields[name] = {key: value for key, value in written.items() if not isinstance(value, bool)}
    if not fields[name]:
        del fields[name]
    if present:
        fields[f"regex_{name}"] = {**expressions, **dict.fromkeys(present, ANY_VALUE)}
        fields[helper] = present
    return [_tell_taken(name, key) for key in asked if key in expressions]


def _tell_taken(name: str, key: str) -> Fault:
    message = f"v3alpha1 has one condition for each name; that {key} is there is left out, and its expression stays"
    return Fault("not-expressed", message, path=f"{name}.{key}", severity=Severity.WARNING)


def _spell_tls(fields: Fields) -> None:
    """Write a boolean by the service's scheme alone; ``false`` asked for nothing.

    Ambassador's webhook also notes how it was written. That note is for converting back and forth, not for people.
    """
    tls, service = fields.get("tls"), as_text(fields["service"])
    if not isinstance(tls, bool):
        return
    del fields["tls"]
    if tls:
        fields["service"] = f"https://{_SCHEME.sub('', service)}"


def _respell_labels(fields: Fields, spell: Callable[[Dict[str, object]], object]) -> list[Fault]:
    """Write every label anew: by domain a list of groups, each a name and its labels."""
    if "labels" in fields:
        fields["labels"] = {
            domain: [
                {name: [spell(label) for label in as_objects(labels)] for name, labels in group.items()}
                for group in as_objects(groups)
            ]
            for domain, groups in as_object(fields["labels"]).items()
        }
    return []


def _spell_typed_label(label: Dict[str, object]) -> object:
    """A label of v3alpha1 always says its key."""
    ((word, value),) = label.items() or (("", None),)
    if word in {"source_cluster", "destination_cluster", "remote_address"}:
        return {word: {"key": as_object(value).get("key") or word}}
    return label


def _spell_old_label(label: Dict[str, object]) -> object:
    """A label of v2 is a word, or an object of its key; one that says more stays as v3alpha1 has it."""
    ((word, value),) = label.items() or (("", None),)
    inner = as_object(value)
    if word in {"source_cluster", "destination_cluster", "remote_address"} and not inner:
        return word
    if word == "generic_key" and inner.keys() == {"value"}:
        return {"generic_key": inner["value"]}
    if word == "request_headers":
        rest = {name: each for name, each in inner.items() if name not in {"key", "header_name"}}
        return {as_text(inner["key"]): {"header": inner["header_name"], **rest}}
    return label


_SPELLINGS: Final[Dict[Version, Callable[[Fields], list[Fault]]]] = {
    Version.V2: _spell_v2,
    Version.V3ALPHA1: _spell_v3,
}
