"""Schemas: what a kind's documents look like, and how their lists and maps merge.

A schema is written as OpenAPI v3, the language of CustomResourceDefinitions, and read once into :class:`Schema`. The
functions below write schemas in few words.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final, TypeAlias

from kfambassador.local.kube.documents.document import Document, Json

_RULES: Final[tuple[str, ...]] = (
    *("minimum", "maximum", "multipleOf", "minLength", "maxLength", "pattern"),
    *("minItems", "maxItems", "minProperties", "maxProperties"),
)
_TIMES: Final = frozenset({"date", "date-time", "datetime", "duration"})
#: A type of scalars.
PythonType: TypeAlias = type[str] | type[int] | type[bool]
_PYTHON_TYPES: Final[dict[str, PythonType]] = {"string": str, "integer": int, "boolean": bool}
_EXCLUDING: Final[dict[str, str]] = {"minimum": "exclusiveMinimum", "maximum": "exclusiveMaximum"}


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule in CEL, the language of ``x-kubernetes-validations``.

    Attributes:
        rule: What must be true of ``self``, and of ``oldSelf`` where it speaks of a change.
        message: What is said when it is not, "" for the rule itself.
        message_expression: An expression that words it instead, "" for none.
        reason: The reason that a Status gives.
        field_path: The field it blames, from the value the rule is about.
        is_old_optional: Whether ``oldSelf`` may be missing.
    """

    rule: str
    message: str = ""
    message_expression: str = ""
    reason: str = ""
    field_path: str = ""
    is_old_optional: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Schema:
    """One node of a schema.

    Attributes:
        type: The JSON type, "" for any.
        properties: The declared fields of an object.
        values: The schema of the undeclared fields, None when there may be none.
        items: The schema of a list's items.
        required: The fields an object must have.
        enum: The values allowed, empty for all.
        default: The value taken where there is none, None for no default.
        nullable: Whether null may stand here.
        is_open: Whether unknown fields are kept as they are.
        is_int_or_string: Whether both a number and a text may stand here.
        list_type: How a list merges: ``atomic``, ``set`` or ``map``.
        keys: The fields that tell the items of a ``map`` list apart.
        is_atomic: Whether an object merges as a whole.
        merge_key: The field by which a strategic merge patch finds an item, "" when it replaces the list.
        rules: The limits on the value, by OpenAPI's names; a bound that is excluded has its limit under the name that
            excludes it, as ``exclusiveMinimum``.
        format: What a text or number stands for, "" for nothing special.
        every: Schemas that must all hold as well (``allOf``).
        some: Schemas of which one or more must hold (``anyOf``).
        one: Schemas of which just one must hold (``oneOf``).
        never: A schema that must not hold (``not``).
        is_embedded: Whether it is a Kubernetes object of its own.
        laws: The rules in CEL.
        is_native: Whether it is a part of a built-in kind: what must be there may not be empty either.
        allows_twins: Whether two items may have the same keys, although the list merges by them.
        has_defaults: Whether there is a default anywhere below.
        has_laws: Whether there is a rule in CEL here or anywhere below.
        times: The names under which a rule here finds times and durations, as ``self`` where it is one itself.
        is_plain: Whether nothing but its type and its fields or items is said of it.
        is_quantity: Whether it is an amount, as ``500m``: only built-in kinds have such fields.
        fitting: The Python type all values of which fit, None where it takes a closer look.
        defaults: The fields of an object that have a default.
        has_formats: Whether there is a format here or anywhere below.
    """

    type: str = ""
    properties: "Mapping[str, Schema]" = field(default_factory=lambda: MappingProxyType({}))
    values: "Schema | None" = None
    items: "Schema | None" = None
    required: tuple[str, ...] = ()
    enum: tuple[Json, ...] = ()
    default: Json = None
    nullable: bool = False
    is_open: bool = False
    is_int_or_string: bool = False
    list_type: str = "atomic"
    keys: tuple[str, ...] = ()
    is_atomic: bool = False
    merge_key: str = ""
    rules: Mapping[str, Json] = field(default_factory=lambda: MappingProxyType({}))
    format: str = ""
    every: "tuple[Schema, ...]" = ()
    some: "tuple[Schema, ...]" = ()
    one: "tuple[Schema, ...]" = ()
    never: "Schema | None" = None
    is_embedded: bool = False
    laws: tuple[Rule, ...] = ()
    is_native: bool = False
    allows_twins: bool = False
    has_defaults: bool = False
    has_laws: bool = False
    times: frozenset[str] = frozenset()
    is_plain: bool = field(init=False, default=False)
    is_quantity: bool = field(init=False, default=False)
    fitting: PythonType | None = field(init=False, default=None)
    defaults: "tuple[tuple[str, Schema], ...]" = field(init=False, default=())
    has_formats: bool = field(init=False, default=False)

    def __post_init__(self) -> None:
        more = (self.enum, self.rules, self.format, self.every, self.some, self.one, self.never, self.is_embedded)
        below = [*self.properties.values(), *filter(None, (self.values, self.items))]
        derived = {
            "is_plain": not any(more),
            "is_quantity": self.format == "quantity" and not self.type,
            "fitting": None if any(more) or self.is_int_or_string else _PYTHON_TYPES.get(self.type),
            "defaults": tuple((name, child) for name, child in self.properties.items() if child.default is not None),
            "has_formats": bool(self.format) or any(child.has_formats for child in below),
        }
        for name, value in derived.items():
            object.__setattr__(self, name, value)

    def child(self, name: str) -> "Schema | None":
        """The schema of an object's field, None when the field is unknown."""
        return self.properties.get(name) or self.values


#: The schema of a field nobody described: anything goes, maps merge, lists are replaced.
ANYTHING: Final = Schema(is_open=True)


def read_schema(source: Document) -> Schema:
    """Read one node of an OpenAPI v3 schema and all below it."""
    properties = {name: read_schema(child) for name, child in source.get("properties", {}).items()}
    values = _read_values(source.get("additionalProperties"))
    items = read_schema(source["items"]) if isinstance(source.get("items"), dict) else None
    below = [*properties.values(), *filter(None, (values, items))]
    return Schema(
        type=source.get("type", ""),
        properties=properties,
        values=values,
        items=items,
        required=tuple(source.get("required", ())),
        enum=tuple(source.get("enum", ())),
        default=source.get("default"),
        nullable=source.get("nullable", False),
        is_open=source.get("x-kubernetes-preserve-unknown-fields", False),
        is_int_or_string=source.get("x-kubernetes-int-or-string", False),
        list_type=source.get("x-kubernetes-list-type", "atomic"),
        keys=tuple(source.get("x-kubernetes-list-map-keys", ())),
        is_atomic=source.get("x-kubernetes-map-type") == "atomic",
        merge_key=source.get("x-kubernetes-patch-merge-key", ""),
        rules=_read_rules(source),
        format=source.get("format", ""),
        every=_read_all(source, "allOf"),
        some=_read_all(source, "anyOf"),
        one=_read_all(source, "oneOf"),
        never=read_schema(source["not"]) if "not" in source else None,
        is_embedded=source.get("x-kubernetes-embedded-resource", False),
        laws=_read_laws(source),
        has_laws=bool(source.get("x-kubernetes-validations")) or any(child.has_laws for child in below),
        times=_list_times(source, properties, [*filter(None, (values, items))]),
        has_defaults=any(child.default is not None or child.has_defaults for child in below),
    )


def _read_rules(source: Document) -> dict[str, Json]:
    rules: dict[str, Json] = {rule: source[rule] for rule in _RULES if rule in source}
    for bound, excluding in _EXCLUDING.items():
        if source.get(excluding) and bound in rules:
            rules[excluding] = rules.pop(bound)
    return rules


def _list_times(source: Document, properties: Mapping[str, Schema], unnamed: list[Schema]) -> frozenset[str]:
    found = {"self"} if source.get("format") in _TIMES else set()
    for name, child in properties.items():
        found |= {name if each == "self" else each for each in child.times}
    return frozenset(found.union(*(child.times for child in unnamed)))


def _read_laws(source: Document) -> tuple[Rule, ...]:
    return tuple(
        Rule(
            str(law.get("rule") or ""),
            str(law.get("message") or "").strip(),
            str(law.get("messageExpression") or "").strip(),
            str(law.get("reason") or ""),
            str(law.get("fieldPath") or "").strip(),
            bool(law.get("optionalOldSelf")),
        )
        for law in source.get("x-kubernetes-validations") or ()
    )


def _read_all(source: Document, keyword: str) -> tuple[Schema, ...]:
    return tuple(read_schema(child) for child in source.get(keyword) or ())


def _read_values(source: Json) -> Schema | None:
    if isinstance(source, dict):
        return read_schema(source)
    return ANYTHING if source is True else None


STRING: Final[Document] = {"type": "string"}
INTEGER: Final[Document] = {"type": "integer"}
BOOLEAN: Final[Document] = {"type": "boolean"}


def record(fields: Document | None = None, /, *, required: tuple[str, ...] = (), **more: Document) -> Document:
    """The schema of an object with declared fields."""
    schema: Document = {"type": "object", "properties": (fields or {}) | more}
    return schema | {"required": list(required)} if required else schema


def open_record(**fields: Document) -> Document:
    """The schema of an object of which only some fields are described."""
    return record(fields) | {"x-kubernetes-preserve-unknown-fields": True}


def array(items: Document) -> Document:
    """The schema of a list that is replaced as a whole."""
    return {"type": "array", "items": items, "x-kubernetes-list-type": "atomic"}
