"""The whole table in Envoy's words."""

from kfambassador.envoy.listeners import ListenerSettings
from kfambassador.envoy.snapshot import Snapshot, TypeUrl, content_version
from kfambassador.envoy.translate import Translator, translate
from kfambassador.resources.meta import SourcedMapping
from kfambassador.routing.compile import compile_routes
from kfambassador.routing.policy import TenancyPolicy
from tests.builders import Manifest, document, resource_set, service, slice_, sourced


def snapshot(*items: Manifest | SourcedMapping, generation: int = 0) -> Snapshot:
    return translate(
        compile_routes(resource_set(*items, generation=generation), TenancyPolicy.laptop()).table, ListenerSettings()
    )


def versions(of: Snapshot) -> dict[TypeUrl, dict[str, str]]:
    return {
        type_url: {name: resource.version for name, resource in of.of_type(type_url).items()} for type_url in TypeUrl
    }


SERVICE = service("m", "team", document("m"))


def test_every_type_is_there() -> None:
    whole = snapshot(SERVICE, slice_("m", "team", "10.0.0.1"), sourced("x", service="x.org"), generation=3)
    assert {type_url: len(names) for type_url, names in versions(whole).items()} == {
        TypeUrl.LISTENER: 1,
        TypeUrl.ROUTE_CONFIGURATION: 1,
        TypeUrl.CLUSTER: 2,
        TypeUrl.ENDPOINTS: 1,
    }
    assert whole.generation == 3


def test_a_version_is_the_contents() -> None:
    for resources in snapshot(SERVICE).resources.values():
        for resource in resources.values():
            assert resource.version == content_version(resource.body)


def test_the_same_state_gives_the_same_bytes() -> None:
    assert snapshot(SERVICE, sourced("x")) == snapshot(sourced("x"), SERVICE)


def test_a_mapping_never_touches_the_listener() -> None:
    assert versions(snapshot())[TypeUrl.LISTENER] == versions(snapshot(SERVICE))[TypeUrl.LISTENER]


def test_an_edit_changes_the_routes_only() -> None:
    before, after = versions(snapshot(SERVICE)), versions(snapshot(service("m", "team", document("m", timeout_ms=1))))
    changed = {type_url for type_url in TypeUrl if before[type_url] != after[type_url]}
    assert changed == {TypeUrl.ROUTE_CONFIGURATION}


def test_a_pod_changes_the_endpoints_only() -> None:
    before, after = versions(snapshot(SERVICE)), versions(snapshot(SERVICE, slice_("m", "team", "10.0.0.1")))
    changed = {type_url for type_url in TypeUrl if before[type_url] != after[type_url]}
    assert changed == {TypeUrl.ENDPOINTS}


def test_a_modules_word_about_connections_changes_the_listener_only() -> None:
    before, after = versions(snapshot(SERVICE)), versions(snapshot(SERVICE, module(server_name="x")))
    assert {type_url for type_url in TypeUrl if before[type_url] != after[type_url]} == {TypeUrl.LISTENER}


def test_the_way_headers_are_written_is_the_listeners_and_every_clusters() -> None:
    before, after = versions(snapshot(SERVICE)), versions(snapshot(SERVICE, module(proper_case=True)))
    assert {each for each in TypeUrl if before[each] != after[each]} == {TypeUrl.LISTENER, TypeUrl.CLUSTER}


def test_the_listener_is_built_once_for_a_module() -> None:
    translator = Translator(ListenerSettings())
    policy = TenancyPolicy.laptop()
    resources = resource_set(SERVICE, module(server_name="x"))
    first, second = (translator.translate(compile_routes(resources, policy).table) for _ in range(2))
    assert first.resources[TypeUrl.LISTENER]["http"] is second.resources[TypeUrl.LISTENER]["http"]
    again = translator.translate(compile_routes(resource_set(SERVICE), policy).table)
    assert again.resources[TypeUrl.LISTENER] == snapshot(SERVICE).resources[TypeUrl.LISTENER]


def module(**config: object) -> Manifest:
    return service("modules", "team", {"apiVersion": "ambassador/v1", "kind": "Module", "name": "ambassador",
                                       "config": config})  # fmt: skip
