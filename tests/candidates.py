"""Candidates in one line, for tests of who owns what."""

from dataclasses import fields
from typing import Any

from kfambassador.resources.meta import SourcedMapping
from kfambassador.routing.groups import Candidate
from kfambassador.routing.matches import build_match
from kfambassador.routing.order import build_order_key


def candidate(written: SourcedMapping) -> Candidate:
    """A candidate of which only what claims look at is filled in."""
    mapping = written.mapping
    match = build_match(mapping)
    known: dict[str, Any] = {
        "sourced": written,
        "mapping": mapping,
        "match": match,
        "order": build_order_key(match, mapping.precedence),
        "identity": f"{written.namespace}/{mapping.name}",
        "is_sound": True,
    }
    filled: dict[str, Any] = {field.name: known.get(field.name) for field in fields(Candidate)}
    return Candidate(**filled)
