"""The definitions keep the rules a real API server has for them (Kubernetes, "structural schema")."""

from collections.abc import Iterator

import pytest

from kfambassador.resources.crd import (
    CUSTOM_KINDS,
    INERT_KINDS,
    SERVED_VERSIONS,
    build_definitions,
    describe_spec,
    write_definitions,
)
from kfambassador.resources.documents import FILE_LIMITS, read_documents
from kfambassador.resources.mapping import Mapping
from kfambassador.resources.module import Module

DEFINITIONS = {each["spec"]["names"]["kind"]: each for each in build_definitions()}  # type: ignore[index]
# The largest annotation kubectl apply may write, which holds the whole object.
LARGEST = 256 * 1024

KNOWN = {
    "type", "description", "enum", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "minLength",
    "maxLength", "pattern", "minItems", "maxItems", "properties", "required", "items", "additionalProperties", "format",
    "x-kubernetes-preserve-unknown-fields", "x-kubernetes-list-type", "x-kubernetes-list-map-keys",
}  # fmt: skip
TYPES = {"object", "array", "string", "integer", "number", "boolean"}


def walk(schema: object, path: str = "") -> Iterator[tuple[str, dict[str, object]]]:
    """Every node of a schema, and where it is."""
    assert isinstance(schema, dict), path
    yield path, schema
    properties = schema.get("properties", {})
    assert isinstance(properties, dict)
    for name, child in properties.items():
        yield from walk(child, f"{path}.{name}")
    for word in ("items", "additionalProperties"):
        if word in schema:
            yield from walk(schema[word], f"{path}[{word}]")


def schemas() -> Iterator[tuple[str, object]]:
    for kind, definition in DEFINITIONS.items():
        for version in definition["spec"]["versions"]:  # type: ignore[index]
            yield f"{kind} {version['name']}", version["schema"]["openAPIV3Schema"]


@pytest.mark.parametrize(("name", "schema"), list(schemas()), ids=lambda each: each if isinstance(each, str) else "")
def test_the_schema_is_structural(name: str, schema: object) -> None:
    for path, node in walk(schema):
        assert set(node) <= KNOWN, path
        is_open = node.get("x-kubernetes-preserve-unknown-fields") is True
        assert node.get("type") in TYPES or ("type" not in node and is_open), path
        assert not ("properties" in node and "additionalProperties" in node), path
        assert ("items" in node) == (node.get("type") == "array"), path
        required, properties = node.get("required", []), node.get("properties", {})
        assert isinstance(required, list)
        assert isinstance(properties, dict)
        assert set(required) <= set(properties), path
        assert isinstance(node.get("exclusiveMinimum", False), bool), path


@pytest.mark.parametrize("kind", [*CUSTOM_KINDS, *INERT_KINDS])
def test_a_definition_has_one_storage_version_and_fits_an_annotation(kind: str) -> None:
    spec = DEFINITIONS[kind]["spec"]
    assert isinstance(spec, dict)
    assert [version["name"] for version in spec["versions"]] == list(SERVED_VERSIONS)
    assert [version["name"] for version in spec["versions"] if version["storage"]] == ["v3alpha1"]
    assert spec["conversion"] == {"strategy": "None"}
    assert DEFINITIONS[kind]["metadata"] == {"name": f"{spec['names']['plural']}.getambassador.io"}
    assert len(str(DEFINITIONS[kind])) < LARGEST


def test_every_attribute_is_described_and_typed_as_it_is_read() -> None:
    properties = describe_spec(Mapping)["properties"]
    assert isinstance(properties, dict)
    assert properties.keys() == Mapping.model_fields.keys() - {"name"}
    assert [name for name, node in properties.items() if not node.get("description")] == []
    assert properties["weight"] | {"description": ""} == {
        "type": "integer", "minimum": 0, "maximum": 100, "description": "",
    }  # fmt: skip
    assert properties["redirect_response_code"]["enum"] == [301, 302, 303, 307, 308]
    # What has more than one spelling is the reader's to judge.
    for name in ("tls", "ambassador_id", "allow_upgrade"):
        assert "type" not in properties[name]
    assert properties["headers"]["additionalProperties"] == {"x-kubernetes-preserve-unknown-fields": True}


def test_what_nobody_knows_is_kept_to_be_told() -> None:
    spec = describe_spec(Mapping)
    assert spec["x-kubernetes-preserve-unknown-fields"] is True
    assert spec["required"] == ["prefix", "service"]
    cors = spec["properties"]["cors"]  # type: ignore[index]
    assert cors["x-kubernetes-preserve-unknown-fields"] is True


def test_what_emissary_defines_and_nobody_here_looks_at_is_kept_and_warned_of() -> None:
    assert DEFINITIONS.keys() == CUSTOM_KINDS.keys() | set(INERT_KINDS)
    for kind in INERT_KINDS:
        for version in DEFINITIONS[kind]["spec"]["versions"]:  # type: ignore[index]
            said = version["deprecationWarning"]
            assert version["deprecated"] is True
            assert kind in said
            assert len(said.encode()) <= 256  # all that a real API server takes
            schema = version["schema"]["openAPIV3Schema"]
            assert said in schema["description"]
            assert schema["properties"]["spec"]["x-kubernetes-preserve-unknown-fields"] is True
            assert "properties" not in schema["properties"]["spec"]
    for kind in CUSTOM_KINDS:
        assert all("deprecated" not in each for each in DEFINITIONS[kind]["spec"]["versions"])  # type: ignore[index]


def test_the_options_of_a_module_are_inside_its_config() -> None:
    properties = describe_spec(Module)["properties"]
    assert isinstance(properties, dict)
    assert properties.keys() == {"ambassador_id", "config"}
    assert properties["config"]["properties"].keys() == Module.model_fields.keys() - {"name", "ambassador_id"}


def test_the_manifest_is_what_was_built() -> None:
    documents = read_documents(write_definitions(), FILE_LIMITS)
    assert [document.fault for document in documents] == [None] * len(DEFINITIONS)
    assert [document.value for document in documents] == list(build_definitions())
