"""Options: what a request may ask for beside the object itself, and what is refused."""

import pytest

from tests.cluster.raw_api import APPLY_PATCH, MERGE_PATCH, Answer, Object, RawApi, config_map


def refused(answer: Answer, sort: str) -> str:
    """What an answer says that refuses options."""
    assert (answer.code, answer.reason) == (422, "Invalid")
    head = f'{sort}.meta.k8s.io "" is invalid: '
    assert answer.message.startswith(head)
    assert answer.object["details"]["kind"] == sort
    return answer.message.removeprefix(head)


WRONG = [
    ({"dryRun": "yes"}, 'supported values: "All"'),
    ({"fieldValidation": "strict"}, 'fieldValidation: Unsupported value: "strict": supported values: '),
    ({"fieldManager": "x" * 129}, "fieldManager: Too long: "),
    ({"fieldManager": "a\nb"}, "fieldManager: Invalid value: "),
]


@pytest.mark.parametrize(("query", "message"), WRONG)
def test_a_create_names_what_is_wrong_in_its_options(
    api: RawApi, config_maps: str, query: dict[str, str], message: str
) -> None:
    assert message in refused(api.create(config_maps, config_map("a"), **query), "CreateOptions")
    assert api.get(f"{config_maps}/a").code == 404


@pytest.mark.parametrize(("query", "message"), WRONG)
def test_a_replace_names_what_is_wrong_in_its_options(
    api: RawApi, config_maps: str, query: dict[str, str], message: str
) -> None:
    api.create(config_maps, config_map("a"))
    assert message in refused(api.replace(f"{config_maps}/a", config_map("a"), **query), "UpdateOptions")


@pytest.mark.parametrize(
    ("query", "message"), [*WRONG, ({"force": "true"}, "force: Forbidden: may not be specified for non-apply patch")]
)
def test_a_patch_names_what_is_wrong_in_its_options(
    api: RawApi, config_maps: str, query: dict[str, str], message: str
) -> None:
    before = api.create(config_maps, config_map("a"))
    patch = {"data": {"key": "other"}}
    assert message in refused(api.patch(f"{config_maps}/a", patch, MERGE_PATCH, **query), "PatchOptions")
    assert api.get(f"{config_maps}/a").version == before.version


def test_an_apply_needs_to_say_who_applies(api: RawApi, config_maps: str) -> None:
    answer = api.patch(f"{config_maps}/a", config_map("a"), APPLY_PATCH, force="true")
    assert refused(answer, "PatchOptions") == "fieldManager: Required value: is required for apply patch"


JSON_TWINS = b'{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a"},"data":{"x":"1","x":"2"}}'
YAML_TWINS = b"apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\ndata:\n  x: '1'\n  x: '2'\n"


@pytest.mark.parametrize(
    ("body", "media", "complaint"),
    [
        (JSON_TWINS, "application/json", 'duplicate field "data.x"'),
        (YAML_TWINS, "application/yaml", 'line 7: key "x" already set in map'),
    ],
    ids=["json", "yaml"],
)
def test_a_field_that_stands_twice_is_refused_told_or_let_pass(
    api: RawApi, config_maps: str, body: bytes, media: str, complaint: str
) -> None:
    strict = api.ask("POST", config_maps, body, media=media, fieldValidation="Strict")
    assert (strict.code, strict.reason) == (400, "BadRequest")
    assert "strict decoding error: " in strict.message
    assert complaint in strict.message
    warned = api.ask("POST", config_maps, body, media=media, dryRun="All")
    assert warned.code == 201
    assert complaint in warned.headers["Warning"].replace('\\"', '"')
    silent = api.ask("POST", config_maps, body, media=media, fieldValidation="Ignore")
    assert (silent.code, silent.object["data"]) == (201, {"x": "2"})
    assert "Warning" not in silent.headers


@pytest.mark.parametrize("media", [MERGE_PATCH, "application/strategic-merge-patch+json"])
def test_a_field_that_stands_twice_in_a_patch_is_told(api: RawApi, config_maps: str, media: str) -> None:
    api.create(config_maps, config_map("a"))
    patch = b'{"data":{"x":"1","x":"2"}}'
    strict = api.patch(f"{config_maps}/a", patch, media, fieldValidation="Strict")
    assert strict.code == 400
    assert 'duplicate field "data.x"' in strict.message
    warned = api.patch(f"{config_maps}/a", patch, media)
    assert warned.object["data"]["x"] == "2"
    assert "duplicate field" in warned.headers["Warning"]


def test_what_is_the_same_in_two_objects_is_no_twin(api: RawApi, services: str) -> None:
    ports = [{"name": name, "port": port} for name, port in (("a", 1), ("b", 2))]
    body: Object = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "a"}, "spec": {"ports": ports}}
    assert api.create(services, body, fieldValidation="Strict").code == 201
    text = b"apiVersion: v1\nkind: Service\nmetadata: {name: b}\nspec:\n  ports:\n  - {name: a, port: 1}\n"
    text += b"  - name: b\n    port: 2\n"
    assert api.ask("POST", services, text, media="application/yaml", fieldValidation="Strict").code == 201
