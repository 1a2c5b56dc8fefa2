"""What a change comes to, in the words of those who publish models, and line by line for those who review it. Pure."""

from collections.abc import Iterator, Sequence
from collections.abc import Mapping as Dict
from dataclasses import dataclass
from difflib import unified_diff
from typing import Final, Self

from kfambassador.names import (
    CONFIG_ANNOTATION,
    EXPIRES_ANNOTATION,
    EXPOSURE_ANNOTATION,
    FIELD_MANAGER,
    OWNER_ANNOTATION,
)
from kfambassador.resources.documents import Document, Value, read_documents, write_documents
from kfambassador.resources.fields import as_object, as_objects, as_text
from kfambassador.resources.objects import object_key
from kfambassador.resources.validation import show
from kfambassador.sdk.faces.figures import show_difference

# What the API server writes by itself.
_SERVERS_METADATA: Final = frozenset(
    {"managedFields", "resourceVersion", "uid", "creationTimestamp", "generation", "selfLink"}
)
_APPLIED_BY_KUBECTL: Final = "kubectl.kubernetes.io/last-applied-configuration"
# What tells the items of a list apart, likeliest first; of ports their number, since a name may be missing.
_ITEM_KEYS: Final = ("port", "containerPort", "name")
#: Annotations of ours, by what they are called in words; the note says nothing that the mappings do not.
_NOTES: Final = {OWNER_ANNOTATION: "owner", EXPIRES_ANNOTATION: "expires at"}
_IDENTITY: Final = frozenset({"apiVersion", "kind", "name", "namespace"})
_NOTHING: Final = "nothing changes"

Fields = dict[str, object]


@dataclass(frozen=True, slots=True, repr=False)
class Difference:
    """What changes; false when nothing does.

    Attributes:
        changes: Each change in words.
        yaml: All of it as a unified diff; what an annotation holds stands apart, as the documents it is.
    """

    changes: tuple[str, ...] = ()
    yaml: str = ""

    @classmethod
    def between(cls, before: Dict[str, object] | None, after: Dict[str, object] | None) -> Self:
        """Compare an object as it is stored with what is wanted of it.

        What the API server adds and what others own is left out, so both an object as it is applied and one as it would
        be stored (a dry run) may be compared with what is there.

        Args:
            before: The stored object; None when there is none.
            after: The wanted one; None when it is to go.

        Example:
            >>> service = {"kind": "Service", "metadata": {"name": "mnist", "namespace": "team"}}
            >>> Difference.between(None, service)
            Service team/mnist: new
            >>> bool(Difference.between(service, service))
            False
        """
        old = _clean(before, beside=after)
        new = _clean(after, beside=None)
        if old == new:
            return cls()
        return cls((*_describe_objects(old, new),), "".join(_write_diff(old, new)))

    def __add__(self, other: "Difference") -> "Difference":
        """Tell of two objects together."""
        return Difference((*self.changes, *other.changes), self.yaml + other.yaml)

    def __bool__(self) -> bool:
        return bool(self.changes or self.yaml)

    def __repr__(self) -> str:
        return "\n".join(self.changes) or _NOTHING

    def _repr_html_(self) -> str:
        return show_difference(repr(self), yaml=self.yaml)


def _clean(manifest: Dict[str, object] | None, *, beside: Dict[str, object] | None) -> Fields | None:
    """Leave out what is nobody's wish.

    Args:
        manifest: The object.
        beside: What is wanted of it. Fields that it does not name and that are not ours are others' to keep.
    """
    if manifest is None:
        return None
    metadata = as_object(manifest.get("metadata"))
    annotations = {
        name: value for name, value in as_object(metadata.get("annotations")).items() if name != _APPLIED_BY_KUBECTL
    }
    kept = {name: value for name, value in metadata.items() if name not in {*_SERVERS_METADATA, "annotations"}}
    said = {**kept, **({"annotations": annotations} if annotations else {})}
    fields = {name: value for name, value in manifest.items() if name not in {"status", "metadata"}}
    clean: Fields = {**fields, "metadata": said}
    if beside is None or not metadata.get("managedFields"):
        return clean
    narrowed = _narrow(clean, beside, _find_owned(metadata))
    return narrowed if isinstance(narrowed, dict) else clean


def _find_owned(metadata: Dict[str, object]) -> Dict[str, object]:
    """The fields we applied (Kubernetes, "Server-Side Apply": a tree of ``f:`` names)."""
    entries = as_objects(metadata.get("managedFields"))
    ours = (entry for entry in entries if entry.get("manager") == FIELD_MANAGER and not entry.get("subresource"))
    return as_object(next(ours, {}).get("fieldsV1"))


def _narrow(value: object, wanted: object, owned: Dict[str, object]) -> object:
    """Keep of a value what is wanted or ours."""
    if isinstance(value, dict) and isinstance(wanted, Dict):
        return {
            name: _narrow(each, wanted[name], as_object(owned.get(f"f:{name}"))) if name in wanted else each
            for name, each in value.items()
            if name in wanted or f"f:{name}" in owned
        }
    if isinstance(value, list) and isinstance(wanted, list):
        pairs = _pair_items(value, wanted)
        return [each if other is None else _narrow(each, other, {}) for each, other in pairs]
    return value


def _pair_items(items: Sequence[object], wanted: Sequence[object]) -> list[tuple[object, object]]:
    """Put beside each item the one that is wanted in its place, None where there is none."""
    by_key = {_item_key(each, place): each for place, each in enumerate(wanted)}
    return [(each, by_key.get(_item_key(each, place))) for place, each in enumerate(items)]


def _item_key(item: object, place: int) -> str:
    known = [key for key in _ITEM_KEYS if key in item] if isinstance(item, dict) else []
    return repr(item[known[0]]) if isinstance(item, dict) and known else f"number {place}"


def _describe_objects(before: Fields | None, after: Fields | None) -> Iterator[str]:
    key = object_key(after or before or {})
    if before is None or after is None:
        yield f"{key}: {'new' if before is None else 'deleted'}"
    yield from _describe_documents(_read_config(before), _read_config(after))
    if before is None or after is None:
        return
    told = [*_describe_metadata(before, after), *_describe_fields(before, after)]
    yield from (f"{key}: {words}" for words in told)
    if not told and _read_config(before) == _read_config(after):
        # Comments, spaces and the note change nothing that is served.
        yield f"{key}: what is written there is spelled anew, and says the same"


def _annotations(manifest: Fields | None) -> Dict[str, object]:
    return as_object(as_object((manifest or {}).get("metadata")).get("annotations"))


def _read_config(manifest: Fields | None) -> dict[tuple[str, str], Value]:
    """The documents of an annotation by kind and name; what cannot be read, by its place."""
    text = as_text(_annotations(manifest).get(CONFIG_ANNOTATION))
    return {_document_key(document): document.value for document in read_documents(text)}


def _document_key(document: Document) -> tuple[str, str]:
    value = as_object(document.value)
    kind, name = as_text(value.get("kind")), as_text(value.get("name"))
    return (kind.lower(), name) if kind and name else ("document", str(document.number))


def _describe_documents(before: Dict[tuple[str, str], Value], after: Dict[tuple[str, str], Value]) -> Iterator[str]:
    for key, value in after.items():
        fields = as_object(value)
        said = "new" if key not in before else "; ".join(_describe_change(as_object(before[key]), fields))
        more = _tell_share(fields) if key not in before else ""
        if said:
            yield f"{' '.join(key)}: {said}{more}"
    yield from (f"{' '.join(key)}: removed" for key in before if key not in after)


def _tell_share(fields: Dict[str, object]) -> str:
    """Say what share a new mapping gets, and where it leads."""
    service, weight = as_text(fields.get("service")), fields.get("weight")
    if not service:
        return ""
    if fields.get("shadow") is True:
        share = "all" if weight is None else f"{weight}%"
        return f", copies of {share} to {service}"
    return f", to {service}" if weight is None else f", {weight}% to {service}"


def _describe_change(before: Dict[str, object], after: Dict[str, object]) -> Iterator[str]:
    for name in dict.fromkeys((*before, *after)):
        if before.get(name) != after.get(name) or (name in before) != (name in after):
            yield f"{name} {_tell(before, name)} -> {_tell(after, name)}"


def _tell(fields: Dict[str, object], name: str) -> str:
    if name not in fields:
        return "unsaid"
    value = fields[name]
    return value if isinstance(value, str) and value.isprintable() and value else show(value)


def _describe_metadata(before: Fields, after: Fields) -> Iterator[str]:
    old, new = as_object(before.get("metadata")), as_object(after.get("metadata"))
    changes = _describe_change(as_object(old.get("labels")), as_object(new.get("labels")))
    yield from (f"label {words}" for words in changes)
    said, meant = _annotations(before), _annotations(after)
    for annotation, word in _NOTES.items():
        renamed = [{word: each[annotation]} if annotation in each else {} for each in (said, meant)]
        yield from _describe_change(*renamed)
    own = {*_NOTES, CONFIG_ANNOTATION, EXPOSURE_ANNOTATION}
    others = [{name: value for name, value in each.items() if name not in own} for each in (said, meant)]
    yield from (f"annotation {words}" for words in _describe_change(*others))
    rest = [
        {name: each[name] for name in each if name not in {"labels", "annotations", *_IDENTITY}} for each in (old, new)
    ]
    yield from _describe_change(*rest)


def _describe_fields(before: Fields, after: Fields) -> Iterator[str]:
    left_out = {"metadata", "spec", *_IDENTITY}
    for old, new in ((before, after), (as_object(before.get("spec")), as_object(after.get("spec")))):
        parts = [{name: value for name, value in each.items() if name not in left_out} for each in (old, new)]
        yield from _describe_change(*parts)


def _write_diff(before: Fields | None, after: Fields | None) -> Iterator[str]:
    title = str(object_key(after or before or {}))
    yield from _compare(_write_plain(before), _write_plain(after), title)
    texts = [as_text(_annotations(each).get(CONFIG_ANNOTATION)) for each in (before, after)]
    yield from _compare(texts[0], texts[1], f"{title} {CONFIG_ANNOTATION}")


def _write_plain(manifest: Fields | None) -> str:
    """Write an object without the annotation that is compared by itself."""
    if manifest is None:
        return ""
    metadata = as_object(manifest.get("metadata"))
    annotations = {name: value for name, value in _annotations(manifest).items() if name != CONFIG_ANNOTATION}
    plain = {name: value for name, value in metadata.items() if name != "annotations"}
    return write_documents(
        _sorted({**manifest, "metadata": {**plain, **({"annotations": annotations} if annotations else {})}})
    )


def _sorted(value: object) -> object:
    """Put keys in order: the stored object has its own."""
    if isinstance(value, dict):
        return {name: _sorted(value[name]) for name in sorted(value)}
    return [_sorted(each) for each in value] if isinstance(value, list) else value


def _compare(before: str, after: str, title: str) -> Iterator[str]:
    lines = unified_diff(
        before.splitlines(keepends=True), after.splitlines(keepends=True), f"{title} (stored)", f"{title} (wanted)"
    )
    yield from (line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines)
