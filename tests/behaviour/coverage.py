"""What the cases cover: how many requests, and which attributes and options."""

from collections import Counter
from collections.abc import Iterable

from kfambassador.resources.mapping import Mapping
from kfambassador.resources.module import Module
from tests.behaviour.casefile import Case


def count_requests(cases: Iterable[Case]) -> int:
    """How many requests are written down; one that is sent many times counts once."""
    return sum(len(case.requests) for case in cases)


def count_features(cases: Iterable[Case]) -> Counter[str]:
    """Each feature, and how many requests stand in cases that name it."""
    return Counter(feature for case in cases for feature in case.features for _ in case.requests)


def attributes() -> tuple[str, ...]:
    """Every attribute of a Mapping."""
    return tuple(Mapping.model_fields)


def options() -> tuple[str, ...]:
    """Every option of the Module, as cases name it: ``module.resolver``."""
    return tuple(f"module.{name}" for name in Module.model_fields if name not in {"name", "ambassador_id"})
