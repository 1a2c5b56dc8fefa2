"""What the store makes of news."""

from kfambassador.kube.kinds import ENDPOINT_SLICE, SERVICE
from kfambassador.kube.objects import Event, EventType, Manifest
from kfambassador.kube.reflector import Changed, Listed, Lost
from kfambassador.kube.store import Store
from kfambassador.names import CONFIG_ANNOTATION

MAPPING = "{apiVersion: ambassador/v0, kind: Mapping, name: m, prefix: /m/, service: m}"


def service(name: str, *, version: str = "1", annotation: str | None = None, port: int = 80) -> Manifest:
    annotations = {} if annotation is None else {CONFIG_ANNOTATION: annotation}
    metadata = {"name": name, "namespace": "test", "resourceVersion": version, "annotations": annotations}
    return {"metadata": metadata, "spec": {"ports": [{"port": port}]}}


def listed(*services: Manifest) -> Store:
    store = Store([SERVICE])
    store.apply(Listed(SERVICE, services, "1"))
    return store


def changed(manifest: Manifest, kind: EventType = EventType.MODIFIED) -> Changed:
    return Changed(SERVICE, Event(kind, manifest))


def test_nothing_is_complete_before_every_kind_was_listed() -> None:
    store = Store([SERVICE, ENDPOINT_SLICE])
    store.apply(Listed(SERVICE, (), "1"))
    assert not store.is_complete
    assert store.unlisted == (ENDPOINT_SLICE,)
    store.apply(Listed(ENDPOINT_SLICE, (), "1"))
    assert store.is_complete


def test_losing_the_api_forgets_nothing() -> None:
    store = listed(service("a", annotation=MAPPING))
    assert not store.apply(Lost(SERVICE, "connection refused"))
    assert store.lost == {SERVICE: "connection refused"}
    assert len(store.resources(generation=1).mappings) == 1
    store.apply(Listed(SERVICE, (), "2"))
    assert store.lost == {}
    assert store.resources(generation=2).mappings == ()


def test_a_service_that_did_not_change_for_routing_is_no_news() -> None:
    store = listed(service("a"))
    assert not store.apply(changed(service("a", version="2")))
    assert store.apply(changed(service("a", version="3", port=81)))


def test_a_new_version_of_a_configured_object_is_news_and_keeps_the_very_same_mappings() -> None:
    store = listed(service("a", annotation=MAPPING))
    [before] = store.resources(generation=1).mappings
    assert store.apply(changed(service("a", version="2", annotation=MAPPING)))
    resources = store.resources(generation=2)
    assert resources.mappings[0] is before
    assert list(resources.sources.values()) == ["2"]


def test_an_object_that_goes_takes_its_mappings_along() -> None:
    store = listed(service("a", annotation=MAPPING), service("b"))
    assert store.apply(changed(service("a"), EventType.DELETED))
    assert not store.apply(changed(service("a"), EventType.DELETED))
    resources = store.resources(generation=1)
    assert resources.mappings == ()
    assert [key.name for key in resources.services] == ["b"]


def test_a_new_listing_replaces_everything() -> None:
    store = listed(service("a", annotation=MAPPING))
    assert not store.apply(Listed(SERVICE, (service("a", annotation=MAPPING),), "5"))
    assert store.apply(Listed(SERVICE, (service("b"),), "6"))
    assert [key.name for key in store.resources(generation=1).services] == ["b"]


def test_a_bookmark_is_no_news() -> None:
    assert not listed().apply(changed({"metadata": {"resourceVersion": "9"}}, EventType.BOOKMARK))
