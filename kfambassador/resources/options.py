"""Reading what the gateway's owner says for everybody: option by option, so that one slip takes no other with it.

A Module speaks for the whole gateway. Ambassador switches all of it off where one value is wrong; here only that option
is left out, and its author is told which and why.
"""

from collections.abc import Iterator
from dataclasses import replace
from types import UnionType
from typing import Annotated, Union, cast, get_args, get_origin

from pydantic import BaseModel, ValidationError

from kfambassador.problems import Fault, Severity, suggest
from kfambassador.resources.fields import as_object
from kfambassador.resources.gateway import GatewayResource, OptionGroup
from kfambassador.resources.validation import MOST_TOLD, describe_refusals

# What may stand around the objects an option is made of. Not an object of names that its author chose.
_TRANSPARENT = (Union, UnionType, tuple, list)
# Where something stands in what was written.
_Place = tuple[int | str, ...]


def read_options(model: type[GatewayResource], fields: dict[str, object]) -> tuple[GatewayResource | None, list[Fault]]:
    """Read a resource of the gateway's owner.

    Args:
        model: Its kind.
        fields: What was written, in one layout; see :mod:`kfambassador.resources.versions`.

    Returns:
        The resource, None where its name is missing or not even lenience makes one; and what is to be told.
    """
    if not model.inside:
        return _read(model, fields, "", frozenset())
    inside = as_object(fields.get(model.inside))
    outside = {name: value for name, value in fields.items() if name != model.inside}
    reason = model.judge_whole(outside.get("name"), inside)
    if reason:
        return None, [Fault("no-effect", reason, path="name", severity=Severity.WARNING)]
    faults = [*_check_inside(model, fields), *_check_outside(model, outside)]
    common = {name: value for name, value in outside.items() if name in GatewayResource.model_fields}
    options = {name: value for name, value in inside.items() if name not in GatewayResource.model_fields}
    standing_for = model.read_as(common.get("name"))
    resource, more = _read(standing_for, {**options, **common}, f"{model.inside}.", frozenset(common))
    return resource, faults + more


def _check_inside(model: type[GatewayResource], fields: dict[str, object]) -> list[Fault]:
    value = fields.get(model.inside)
    if value is None or isinstance(value, dict):
        return []
    message = f"the options of {model.noun} are an object of names and values; this is none, and nothing in it holds"
    return [Fault("wrong-type", message, path=model.inside)]


def _check_outside(model: type[GatewayResource], outside: dict[str, object]) -> list[Fault]:
    message = f"has no effect here; the options of {model.noun} stand in {model.inside}"
    return [
        Fault("unknown-attribute", f"{name} {message}", path=name, severity=Severity.WARNING)
        for name in outside
        if name not in GatewayResource.model_fields
    ]


def _read(
    model: type[GatewayResource], fields: dict[str, object], where: str, outside: frozenset[str]
) -> tuple[GatewayResource | None, list[Fault]]:
    faults: list[Fault] = []
    given = _drop_ineffective(model, fields, where, faults)
    given = cast("dict[str, object]", _drop_unknown(model, given, where, faults))
    resource, refused = _validate(model, given)
    return resource, faults + [_place(fault, where, outside) for fault in refused]


def _place(fault: Fault, where: str, outside: frozenset[str]) -> Fault:
    first = fault.path.partition(".")[0].partition("[")[0]
    return fault if first in outside or first in {"name", ""} else replace(fault, path=where + fault.path)


def _drop_ineffective(
    model: type[GatewayResource], given: dict[str, object], where: str, faults: list[Fault]
) -> dict[str, object]:
    """Leave out what is known and does nothing here, and say why."""
    kept: dict[str, object] = {}
    for name, value in given.items():
        if name in model.ineffective:
            message = f"{name} has no effect: {model.ineffective[name]}"
            faults.append(Fault("no-effect", message, path=where + name, severity=Severity.NOTICE))
        elif value is not None:
            kept[name] = value
    return kept


def _drop_unknown(model: type[BaseModel], value: object, where: str, faults: list[Fault]) -> object:
    """Leave out what nobody knows, however deep it stands, and name what is nearest."""
    if isinstance(value, (list, tuple)):
        place = where.removesuffix(".")
        return [_drop_unknown(model, each, f"{place}[{index}].", faults) for index, each in enumerate(value)]
    if not isinstance(value, dict):
        return value
    kept: dict[str, object] = {}
    for name, inner in value.items():
        field = model.model_fields.get(name)
        if field is None:
            noun = model.noun if issubclass(model, GatewayResource) else where.removesuffix(".")
            near = suggest(str(name), model.model_fields) if len(faults) < MOST_TOLD else ""
            message = f"{name} is not an option of {noun} and is left out{near}"
            faults.append(Fault("unknown-option", message, path=f"{where}{name}", severity=Severity.WARNING))
            continue
        parts = tuple(_find_parts(field.annotation))
        kept[name] = _drop_unknown(parts[0], inner, f"{where}{name}.", faults) if len(parts) == 1 else inner
    return kept


def _find_parts(annotation: object) -> Iterator[type[BaseModel]]:
    """Find the objects an option is made of; none where it may also hold names of its author's choice."""
    origin = get_origin(annotation)
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    elif origin is Annotated:
        yield from _find_parts(get_args(annotation)[0])
    elif origin in _TRANSPARENT:
        for inner in get_args(annotation):
            yield from _find_parts(inner)


def _validate(model: type[GatewayResource], given: dict[str, object]) -> tuple[GatewayResource | None, list[Fault]]:
    """Leave out each option that is refused, until what is left holds."""
    faults: dict[str, Fault] = {}
    while True:
        try:
            resource = model.model_validate(given)
            return resource.model_copy(update=model.misread) if faults else resource, list(faults.values())
        except ValidationError as error:
            for fault in describe_refusals(error, given):
                faults.setdefault(fault.path, _tell(model, fault))
            places = {_find_droppable(model, detail["loc"]) for detail in error.errors(include_url=False)}
        smaller = given
        # Later entries of a list first, or they would have moved.
        for place in sorted(places, key=_sort_key, reverse=True):
            smaller = _without(smaller, place, model)
        if smaller == given:
            return None, list(faults.values())
        given = smaller


def _sort_key(place: _Place) -> tuple[tuple[str, int], ...]:
    return tuple((step, 0) if isinstance(step, str) else ("", step) for step in place)


def _tell(model: type[GatewayResource], fault: Fault) -> Fault:
    closed = model.closed.get(fault.path.partition("[")[0])
    # What is missing cannot be left out.
    consequence = closed[1] if closed else "" if fault.code == "missing-attribute" else model.consequence
    return replace(fault, message=f"{fault.message}; {consequence}") if consequence else fault


def _find_droppable(model: type[GatewayResource], location: _Place) -> _Place:
    """Say how much is left out: an entry where entries hold by themselves, one option of a group, or else the whole."""
    if not location:
        return ()
    if location[0] in model.entrywise and len(location) > 1:
        return location[:2]
    kept: type[BaseModel] = model
    for depth, step in enumerate(location, start=1):
        field = kept.model_fields.get(str(step))
        groups = [part for part in _find_parts(field.annotation) if issubclass(part, OptionGroup)] if field else []
        if not groups or depth == len(location):
            return location[:depth]
        kept = groups[0]
    return location


def _without(given: dict[str, object], place: _Place, model: type[GatewayResource]) -> dict[str, object]:
    if not place:
        return given
    if place == ("name",) and model.essential:
        return {**given, "name": "unnamed"}
    first, *rest = place
    value = given.get(str(first))
    smaller = dict(given)
    if rest and isinstance(value, dict):
        smaller[str(first)] = _without(value, tuple(rest), model)
    elif rest and isinstance(value, (list, tuple)):
        smaller[str(first)] = [each for index, each in enumerate(value) if index != rest[0]]
    elif first in model.closed and value != model.closed[str(first)][0]:
        smaller[str(first)] = model.closed[str(first)][0]
    else:
        smaller.pop(str(first), None)
    return smaller
