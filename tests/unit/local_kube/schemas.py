"""Schemas of tests, in few words."""

from kfambassador.local.kube.documents.document import Document, Json


def table(values: Document) -> Document:
    """The schema of an object with fields of any name and one type of value."""
    return {"type": "object", "additionalProperties": values}


def unique(items: Document) -> Document:
    """The schema of a list that merges as a set."""
    merge = {"x-kubernetes-list-type": "set", "x-kubernetes-patch-strategy": "merge"}
    return {"type": "array", "items": items} | merge


def keyed(items: Document, *keys: str) -> Document:
    """The schema of a list that merges by the keys of its items; strategic merge patches know the first key only."""
    merge = {"x-kubernetes-list-map-keys": list(keys), "x-kubernetes-patch-merge-key": keys[0]}
    strategy = {"x-kubernetes-list-type": "map", "x-kubernetes-patch-strategy": "merge"}
    return {"type": "array", "items": items} | strategy | merge


def atomic(schema: Document) -> Document:
    """The same object schema, merging as a whole."""
    return schema | {"x-kubernetes-map-type": "atomic"}


def default(schema: Document, value: Json) -> Document:
    """The same schema with a default."""
    return schema | {"default": value}
