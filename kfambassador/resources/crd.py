"""CustomResourceDefinitions, made from the models: how a cluster is told of the kinds that are read here.

One schema serves every version, because the readers take every version's spelling of an attribute; so the API server
has nothing to convert and no webhook is needed. Where a value may be written in more than one way (a boolean or text,
text or a list) the schema leaves the judgement to the reader, since a structural schema has no unions.

Unknown attributes are kept, not pruned: a pruned one is gone without a word for every client but kubectl, and a kept
one is told in the status with the nearest name.

Kinds that Ambassador defines and this gateway does not act on are defined too, or ``kubectl apply`` of a file that
holds one would end as a failure. Whoever writes or reads such an object is warned that it has no effect.
"""

from collections.abc import Mapping as Dict
from copy import deepcopy
from inspect import getdoc
from typing import Final

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from kfambassador.attributes.base import as_list, split_commas
from kfambassador.names import AMBASSADOR_GROUP
from kfambassador.resources.documents import write_documents
from kfambassador.resources.fields import as_object, as_objects, as_text
from kfambassador.resources.gateway import GatewayResource
from kfambassador.resources.kinds import OTHER_KINDS, READ_KINDS
from kfambassador.resources.legacy import CircuitBreaker, OutlierDetection
from kfambassador.resources.mapping import Mapping

#: The versions a cluster serves; all look the same.
SERVED_VERSIONS: Final = ("v1", "v2", "v3alpha1")

#: The version objects are stored and followed in.
STORED_VERSION: Final = "v3alpha1"

#: The kinds that are custom resources. CircuitBreaker and OutlierDetection were of v0, which had annotations only.
CUSTOM_KINDS: Final[Dict[str, type[Mapping] | type[GatewayResource]]] = {
    name: model for name, model in READ_KINDS.items() if model not in {CircuitBreaker, OutlierDetection}
}

#: The kinds that are defined so that their objects are taken, and that nobody here looks at: those of Emissary's own
#: definitions that are not read.
INERT_KINDS: Final = (*OTHER_KINDS, "DevPortal")

#: The category of ``kubectl get ambassador-crds``.
CATEGORY: Final = "ambassador-crds"

_HEADING: Final = """\
# Ambassador's kinds as kfambassador reads them. Made from its models (make golden); not to be edited.
# One schema for every version, so nothing is converted and no webhook is needed.
"""

Schema = dict[str, object]

_ANYTHING: Final[Schema] = {"x-kubernetes-preserve-unknown-fields": True}
# What a structural schema may say of a value, besides what is handled one by one below.
_KEPT = ("type", "enum", "minimum", "maximum", "minLength", "maxLength", "minItems", "maxItems")


def build_definitions() -> tuple[dict[str, object], ...]:
    """Build the definition of each kind.

    Example:
        >>> [each["spec"]["names"]["plural"] for each in build_definitions()][:2]
        ['authservices', 'consulresolvers']
    """
    return tuple(
        _define(kind, _versions_of(CUSTOM_KINDS[kind]), CATEGORY)
        if kind in CUSTOM_KINDS
        else _define(kind, _inert_versions(kind))
        for kind in sorted([*CUSTOM_KINDS, *INERT_KINDS])
    )


def write_definitions() -> str:
    """Write the definitions as a manifest for ``kubectl apply``."""
    return _HEADING + write_documents(*build_definitions())


def _define(kind: str, versions: list[dict[str, object]], *categories: str) -> dict[str, object]:
    names: dict[str, object] = {
        "kind": kind,
        "listKind": f"{kind}List",
        "plural": f"{kind.lower()}s",
        "singular": kind.lower(),
    }
    if categories:
        names["categories"] = [*categories]
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{names['plural']}.{AMBASSADOR_GROUP}"},
        "spec": {
            "group": AMBASSADOR_GROUP,
            "names": names,
            "scope": "Namespaced",
            "conversion": {"strategy": "None"},
            "versions": versions,
        },
    }


def _versions_of(model: type[BaseModel]) -> list[dict[str, object]]:
    spec = describe_spec(model)
    # Each version a copy of its own, or YAML would be written with references.
    return [_define_version(model, version, deepcopy(spec)) for version in SERVED_VERSIONS]


def _define_version(model: type[BaseModel], version: str, spec: Schema) -> dict[str, object]:
    words, properties = _first_words(model), {"spec": spec}
    if not issubclass(model, Mapping):
        return _serve(version) | _describe_object(words, properties)
    properties["status"] = _describe_status()
    return _serve(version, *_mapping_columns(version), has_status=True) | _describe_object(words, properties)


def _inert_versions(kind: str) -> list[dict[str, object]]:
    """The versions of a kind nobody looks at; what is in its objects is kept as it is.

    Kubernetes warns of nothing but a deprecated version in words of the definition's own, so each is called one.
    """
    said = f"kfambassador does not act on a {kind}: the object is kept, and has no effect"
    spec: Schema = {"type": "object", "description": "Kept as it is, and not looked at.", **_ANYTHING}
    properties = {"spec": spec, "status": {"type": "object", "description": "Written by nobody here.", **_ANYTHING}}
    return [
        _serve(version, has_status=True)
        | {"deprecated": True, "deprecationWarning": said}
        | _describe_object(f"{said}.", deepcopy(properties))
        for version in SERVED_VERSIONS
    ]


def _serve(version: str, *columns: dict[str, str], has_status: bool = False) -> dict[str, object]:
    """What a version is called and shows; a status is written apart from the rest, and an applied file's not taken."""
    served: dict[str, object] = {"name": version, "served": True, "storage": version == STORED_VERSION}
    if has_status:
        served["subresources"] = {"status": {}}
    age = {"name": "Age", "type": "date", "jsonPath": ".metadata.creationTimestamp"}
    return served | {"additionalPrinterColumns": [*columns, age]}


def _describe_object(description: str, properties: Dict[str, Schema]) -> dict[str, object]:
    """The schema of a version: what all objects have, and what this kind's have besides."""
    shared: dict[str, Schema] = {
        "apiVersion": {"type": "string", "description": "The group and version of this object's form."},
        "kind": {"type": "string", "description": "The kind of this object."},
        "metadata": {"type": "object"},
    }
    schema = {"type": "object", "description": description, "properties": {**shared, **properties}}
    return {"schema": {"openAPIV3Schema": schema}}


def _mapping_columns(version: str) -> list[dict[str, str]]:
    """The columns that Ambassador shows."""
    host = ".spec.hostname" if version == STORED_VERSION else ".spec.host"
    paths = {
        "Source Host": host,
        "Source Prefix": ".spec.prefix",
        "Dest Service": ".spec.service",
        "State": ".status.state",
        "Reason": ".status.reason",
    }
    return [{"name": name, "type": "string", "jsonPath": path} for name, path in paths.items()]


def _describe_status() -> Schema:
    condition: Schema = {
        "type": "object",
        "required": ["type", "status", "lastTransitionTime", "reason", "message"],
        "properties": {
            "type": {"type": "string", "description": "Ready is whether every Envoy serves it."},
            "status": {"type": "string", "enum": ["True", "False", "Unknown"]},
            "reason": {"type": "string", "description": "One word for programs."},
            "message": {"type": "string", "description": "The same for a person."},
            "observedGeneration": {"type": "integer", "format": "int64", "description": "Which spec was judged."},
            "lastTransitionTime": {"type": "string", "format": "date-time", "description": "When status changed last."},
        },
    }
    return {
        "type": "object",
        "description": "What became of it. Written by the gateway.",
        "properties": {
            "state": {"type": "string", "enum": ["", "Inactive", "Running"], "description": "Whether it is served."},
            "reason": {"type": "string", "description": "What is wrong with it, in words."},
            "conditions": {
                "type": "array",
                "items": condition,
                "x-kubernetes-list-type": "map",
                "x-kubernetes-list-map-keys": ["type"],
            },
        },
        **_ANYTHING,
    }


def describe_fields(model: type[BaseModel]) -> Dict[str, object]:
    """Describe what may be written in a model's fields, as a JSON schema with unions."""
    source = _Generator().generate(model.__pydantic_core_schema__)
    ids = source["properties"].get("ambassador_id")
    if ids is not None:
        # The reader takes one id for a list of it.
        ids["anyOf"] = [{"type": "string"}, {"type": ids.pop("type"), "items": ids.pop("items")}]
    return source


def describe_spec(model: type[BaseModel]) -> Schema:
    """Describe the spec of a model's objects as a structural schema."""
    inside = model.inside if issubclass(model, GatewayResource) else ""
    source = describe_fields(model)
    fields = _translate(source, as_object(source.get("$defs")))
    properties = dict(as_object(fields.get("properties")))
    # The name is in the metadata, and the ids stand beside what is inside.
    properties.pop("name", None)
    ids = properties.pop("ambassador_id")
    required = [name for name in _texts(fields.get("required")) if name != "name"]
    spec: Schema = {"type": "object", "properties": dict(sorted(properties.items())), **_ANYTHING}
    spec |= {"required": required} if required else {}
    if inside:
        spec = {"type": "object", "properties": {inside: spec}, **_ANYTHING}
    properties = {"ambassador_id": ids, **as_object(spec["properties"])}
    return {**spec, "description": _first_words(model), "properties": properties}


def _first_words(model: type[BaseModel]) -> str:
    """The first paragraph of what a model says of itself, without marks for other readers."""
    paragraph = (getdoc(model) or "").split("\n\n")[0]
    return " ".join(paragraph.replace("``", "").split())


class _Generator(GenerateJsonSchema):
    """Says of values that validators rewrite what may be written, not only what is made of it."""

    def __init__(self) -> None:
        super().__init__(by_alias=True)

    def function_before_schema(self, schema: core_schema.BeforeValidatorFunctionSchema) -> JsonSchemaValue:
        made = self.generate_inner(schema["schema"])
        function = schema["function"]["function"]
        if function is as_list:
            return {"anyOf": [made, made.get("items", {})]}
        if function is split_commas:
            return {"anyOf": [made, {"type": "string"}]}
        return {}

    def function_wrap_schema(self, schema: core_schema.WrapValidatorFunctionSchema) -> JsonSchemaValue:  # noqa: ARG002
        return {}

    def function_plain_schema(self, schema: core_schema.PlainValidatorFunctionSchema) -> JsonSchemaValue:  # noqa: ARG002
        return {}


def _translate(source: Dict[str, object], definitions: Dict[str, object]) -> Schema:
    """Translate a JSON schema into a structural one: no references, no unions, nothing closed."""
    reference = as_text(source.get("$ref"))
    if reference:
        source = {**as_object(definitions[reference.rpartition("/")[2]]), **source}
    choices = [each for each in as_objects(source.get("anyOf")) if each.get("type") != "null"]
    if len(choices) == 1:
        return {**_translate(choices[0], definitions), **_describe(source)}
    if choices or ("type" not in source and "enum" not in source and "const" not in source):
        return {**_ANYTHING, **_describe(source)}
    schema: Schema = {key: source[key] for key in _KEPT if key in source}
    if "const" in source:
        schema["enum"] = [source["const"]]
    if "type" not in schema:
        schema |= _ANYTHING
    schema |= _describe(source) | _translate_bounds(source) | _translate_inner(source, definitions)
    return schema


def _describe(source: Dict[str, object]) -> Schema:
    return {"description": source["description"]} if "description" in source else {}


def _translate_bounds(source: Dict[str, object]) -> Schema:
    """Translate what OpenAPI 3.0 says in other words than JSON Schema."""
    bounds: Schema = {}
    for name, bound, step in (("exclusiveMinimum", "minimum", 1), ("exclusiveMaximum", "maximum", -1)):
        limit = source.get(name)
        if isinstance(limit, int) and source.get("type") == "integer":
            bounds[bound] = limit + step
        elif limit is not None:
            bounds |= {bound: limit, name: True}
    if "pattern" in source:
        # The end of the text is $ to everybody; \z is not known everywhere.
        bounds["pattern"] = as_text(source["pattern"]).replace(r"\z", "$")
    return bounds


def _translate_inner(source: Dict[str, object], definitions: Dict[str, object]) -> Schema:
    if source.get("type") == "array":
        items = source.get("items")
        return {"items": _translate(items, definitions) if isinstance(items, dict) else {**_ANYTHING}}
    if source.get("type") != "object":
        return {}
    properties = as_object(source.get("properties"))
    if properties:
        translated = {name: _translate(as_object(each), definitions) for name, each in sorted(properties.items())}
        required = _texts(source.get("required"))
        return {"properties": translated, **_ANYTHING, **({"required": required} if required else {})}
    values = source.get("additionalProperties")
    return {"additionalProperties": _translate(values, definitions)} if isinstance(values, dict) else {**_ANYTHING}


def _texts(value: object) -> list[str]:
    return [each for each in value if isinstance(each, str)] if isinstance(value, list) else []
