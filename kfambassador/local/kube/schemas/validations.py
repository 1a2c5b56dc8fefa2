"""Validations: the rules in CEL that schemas may hold (``x-kubernetes-validations``). Pure.

A rule that cannot be evaluated here is told of when its definition is written, and never held against an object.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from kfambassador.local.kube.documents.document import Document, Json, metadata_of
from kfambassador.local.kube.documents.faults import Fault, FieldFault, unsupported
from kfambassador.local.kube.schemas.cel import (
    BadRule,
    FailedRule,
    LongRule,
    UnknownRule,
    compile_rule,
    evaluate,
    uses_old,
)
from kfambassador.local.kube.schemas.keywords import LAWS, Node
from kfambassador.local.kube.schemas.schema import Rule, Schema, read_schema
from kfambassador.local.kube.schemas.structure import identify

_REASONS: Final = {
    "FieldValueInvalid": Fault.INVALID,
    "FieldValueRequired": Fault.REQUIRED,
    "FieldValueForbidden": Fault.FORBIDDEN,
    "FieldValueDuplicate": Fault.DUPLICATE,
}
_RESERVED: Final = frozenset(
    (
        *("true", "false", "null", "in", "as", "break", "const", "continue", "else", "for", "function", "if", "import"),
        *("let", "loop", "package", "namespace", "return", "var", "void", "while"),
    )
)
_ESCAPES: Final = (("__", "__underscores__"), (".", "__dot__"), ("-", "__dash__"), ("/", "__slash__"))
#: Faults with which an object is not even looked at by rules.
_BLOCKING: Final = frozenset({Fault.REQUIRED, Fault.TOO_LONG, Fault.TOO_MANY, Fault.WRONG_TYPE})
#: What becomes of a rule that ended so.
_FATES: Final = {
    "no such overload": "call arguments did not match a supported operator, function or macro signature for rule",
}


def why_unknown(rule: Rule, schema: Schema) -> str:
    """Why a rule of a schema is not evaluated here, "" when it is."""
    if rule.is_old_optional:
        return "optionalOldSelf is not supported"
    # The runtime cannot be given a time as a time.
    spoken = sorted(name for name in schema.times if re.search(rf"\b{re.escape(name)}\b", rule.rule))
    return f"it speaks of times or durations ({', '.join(spoken)})" if spoken else _why_unknown(rule)


@lru_cache(maxsize=10_000)
def _why_unknown(rule: Rule) -> str:
    try:
        compile_rule(rule.rule)
        if rule.message_expression:
            compile_rule(rule.message_expression)
    except UnknownRule as error:
        return str(error).splitlines()[0]
    except BadRule as error:  # it was stored before rules were read
        return str(error).splitlines()[0]
    return ""


@dataclass(frozen=True, slots=True)
class Judged:
    """What came of an object's rules.

    Attributes:
        faults: The rules it breaks.
        untold: What the caller should know of rules that took too many steps to tell.
    """

    faults: tuple[FieldFault, ...] = ()
    untold: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Place:
    path: str
    value: Json
    before: Json  # None where there was none, or where none can be told to be the same


def check_laws(schema: Schema, value: Document, before: Document | None, faults: Sequence[FieldFault]) -> Judged:
    """Find the rules an object breaks, and those that take too long to tell.

    Args:
        schema: The schema of the object.
        value: The object.
        before: The object as it was, None when it is new.
        faults: What is wrong with it by its schema. With some of that, rules are not evaluated.
    """
    if not schema.has_laws:
        return Judged()
    if any(fault.fault in _BLOCKING for fault in faults):
        detail = (
            "some validation rules were not checked because the object was invalid; correct the existing errors to"
            " complete validation"
        )
        return Judged((FieldFault(Fault.INVALID, "<nil>", detail, "null"),))
    found = [*_check(schema, _Place("", _root(value), _root(before) if before else None))]
    broken = tuple(each for each in found if isinstance(each, FieldFault))
    return Judged(broken, tuple(each for each in found if isinstance(each, str)))


def _root(document: Document) -> Document:
    # Of its metadata a rule sees the name only.
    metadata = {name: value for name, value in metadata_of(document).items() if name in {"name", "generateName"}}
    return document | {"metadata": metadata}


def check_law(node: Node) -> Iterator[FieldFault]:
    """Find what is wrong with the rules of one node of a schema."""
    for number, source in enumerate(node.source.get(LAWS) or ()):
        place = f"{node.path}.{LAWS}[{number}]"
        (rule,) = read_schema({LAWS: [source]}).laws if isinstance(source, dict) else (Rule(""),)
        if not rule.rule.strip():
            yield FieldFault(Fault.REQUIRED, f"{place}.rule", "rule is not specified")
            continue
        if "\n" in rule.message:
            yield FieldFault(Fault.INVALID, f"{place}.message", "must not contain line breaks", rule.message)
        elif "\n" in rule.rule.strip() and not rule.message:
            detail = "message must be specified if rule contains line breaks"
            yield FieldFault(Fault.REQUIRED, f"{place}.message", detail)
        if rule.reason and rule.reason not in _REASONS:
            yield unsupported(f"{place}.reason", rule.reason, sorted(_REASONS))
        if node.uncorrelated and uses_old(rule.rule):
            detail = f"oldSelf cannot be used on the uncorrelatable portion of the schema within {node.uncorrelated}"
            yield FieldFault(Fault.INVALID, f"{place}.rule", detail, rule.rule)
        yield from _check_text(rule.rule, f"{place}.rule", source, wanted="bool", what="cel expression")
        if rule.message_expression:
            field = f"{place}.messageExpression"
            yield from _check_text(rule.message_expression, field, source, wanted="string", what="messageExpression")


def _check_text(text: str, field: str, rule: Json, *, wanted: str, what: str) -> Iterator[FieldFault]:
    try:
        found = compile_rule(text).return_type().name().lower()
    except UnknownRule:
        return
    except BadRule as error:
        words = f"{what} compilation failed" if what == "messageExpression" else "compilation failed"
        yield FieldFault(Fault.INVALID, field, f"{words}: {error}", rule)
        return
    if found not in {wanted, "dyn"}:
        yield FieldFault(Fault.INVALID, field, f"{what} must evaluate to a {wanted}", rule)


def _check(schema: Schema, place: _Place) -> Iterator[FieldFault | str]:
    value = place.value
    if value is None or not schema.has_laws:
        return
    if schema.laws:
        yield from _judge_all(schema, place)
    for below, child in _step_down(schema, place):
        yield from _check(below, child)


def _step_down(schema: Schema, place: _Place) -> Iterator[tuple[Schema, _Place]]:
    value, old = place.value, place.before
    if isinstance(value, dict):
        before = old if isinstance(old, dict) and not schema.is_atomic else {}
        for name, child in value.items():
            if known := schema.child(name):
                path = f"{place.path}.{name}" if name in schema.properties else f"{place.path}[{name}]"
                yield known, _Place(path.lstrip("."), child, before.get(name))
    elif isinstance(value, list) and schema.items:
        by_key = _by_key(schema, old)
        for number, item in enumerate(value):
            before_item = by_key.get(str(identify(schema, item))) if by_key else None
            yield schema.items, _Place(f"{place.path}[{number}]", item, before_item)


def _judge_all(schema: Schema, place: _Place) -> Iterator[FieldFault | str]:
    known = {"self": _convert(schema, place.value)}
    if place.before is not None:
        known["oldSelf"] = _convert(schema, place.before)
    for rule in schema.laws:
        if not why_unknown(rule, schema) and ("oldSelf" in known or not uses_old(rule.rule)):
            yield from _judge(rule, place.path, known, _type_of(schema, place.value))


def _by_key(schema: Schema, value: Json) -> Mapping[str, Json]:
    if schema.list_type != "map" or not isinstance(value, list):
        return {}
    return {str(identify(schema, item)): item for item in value}


def _judge(rule: Rule, path: str, known: dict[str, Any], shown: str) -> Iterator[FieldFault | str]:
    text = rule.message or rule.rule.strip()
    try:
        is_kept = evaluate(rule.rule, known)
    except LongRule:
        yield f"{path or '<nil>'}: this rule takes too many steps to be evaluated here: {text}"
        return
    except FailedRule as error:
        detail = (
            f"'{error}': {_FATES[str(error)]}: {text}" if str(error) in _FATES else f"{error} evaluating rule: {text}"
        )
        yield FieldFault(Fault.INVALID, path, detail, shown)
        return
    if is_kept is not True:
        yield FieldFault(
            _REASONS.get(rule.reason, Fault.INVALID), (path + rule.field_path).lstrip("."), _say(rule, known), shown
        )


def _say(rule: Rule, known: dict[str, Json]) -> str:
    if rule.message_expression:
        try:
            said = evaluate(rule.message_expression, known)
        except (FailedRule, LongRule):
            said = ""
        if isinstance(said, str) and said.strip() and "\n" not in said.strip():
            return said.strip()
    return rule.message or f"failed rule: {rule.rule.strip()}"


def _convert(schema: Schema, value: Json) -> Any:  # noqa: ANN401 - what CEL takes
    if isinstance(value, dict):
        if schema.values:
            return {name: _convert(schema.values, child) for name, child in value.items()}
        # What the schema does not declare, a rule cannot see.
        return {
            _escape(name): _convert(known, value[name]) for name, known in schema.properties.items() if name in value
        }
    if isinstance(value, list):
        return [_convert(schema.items, item) for item in value] if schema.items else []
    if schema.type == "number" and isinstance(value, int | float):
        return float(value)
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value


def _escape(name: str) -> str:
    if name in _RESERVED:
        return f"__{name}__"
    for sign, escaped in _ESCAPES:
        name = name.replace(sign, escaped)
    return name


def _type_of(schema: Schema, value: Json) -> str:
    return schema.type or ("integer" if isinstance(value, int) else "string" if isinstance(value, str) else "object")
