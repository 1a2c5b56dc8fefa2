"""What the store makes of news."""

from datetime import UTC, datetime

import pytest

from kfambassador.kube import store as store_module
from kfambassador.kube.kinds import ENDPOINT_SLICE, SECRET, SERVICE
from kfambassador.kube.kinds import MAPPING as KIND
from kfambassador.kube.objects import Event, EventType, Manifest
from kfambassador.kube.reflector import Changed, Listed, Lost
from kfambassador.kube.store import Renewal, Store
from kfambassador.names import CONFIG_ANNOTATION, EXPIRES_ANNOTATION
from kfambassador.problems import ObjectKey
from kfambassador.resources.objects import Contribution, read_contribution

MAPPING = "{apiVersion: ambassador/v0, kind: Mapping, name: m, prefix: /m/, service: m}"
KEY = ObjectKey("Service", "test", "a")


def service(
    name: str, *, version: str = "1", annotation: str | None = None, port: int = 80, created: str = ""
) -> Manifest:
    annotations = {} if annotation is None else {CONFIG_ANNOTATION: annotation}
    metadata = {"name": name, "namespace": "test", "resourceVersion": version, "annotations": annotations}
    metadata |= {"creationTimestamp": created} if created else {}
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


def test_a_new_version_that_says_the_same_is_no_news_and_is_known_by_its_newest_version() -> None:
    store = listed(service("a", annotation=MAPPING))
    before = store.resources(generation=1)
    assert not store.apply(changed(service("a", version="2", annotation=MAPPING)))
    assert not store.apply(changed(service("a", version="3", annotation=MAPPING)))
    after = store.resources(generation=1)
    assert after == before
    assert after.mappings[0] is before.mappings[0]
    assert store.renewed == {KEY: Renewal(read="1", newest="3")}
    assert store.apply(changed(service("a", version="4", annotation=f"{MAPPING} ")))
    assert store.renewed == {}
    assert not store.apply(changed(service("a", version="5", annotation=f"{MAPPING} ")))
    assert store.renewed == {KEY: Renewal(read="4", newest="5")}


def test_a_listing_that_says_the_same_renews_too() -> None:
    store = listed(service("a", annotation=MAPPING), service("b", annotation=MAPPING))
    assert store.apply(Listed(SERVICE, (service("a", version="7", annotation=MAPPING), service("b")), "7"))
    assert store.renewed == {KEY: Renewal(read="1", newest="7")}
    assert store.apply(Listed(SERVICE, (), "8"))
    assert store.renewed == {}


def test_an_object_made_anew_between_two_listings_is_as_young_as_it_is() -> None:
    store = listed(service("a", annotation=MAPPING, created="2026-01-01T00:00:00Z"))
    assert store.apply(Listed(SERVICE, (service("a", annotation=MAPPING, created="2026-02-01T00:00:00Z"),), "9"))
    [mapping] = store.resources(generation=1).mappings
    assert mapping.created == "2026-02-01T00:00:00Z"


def custom(*, version: str = "1", status: str = "", prefix: str = "/m/") -> Manifest:
    metadata = {"name": "a", "namespace": "test", "resourceVersion": version}
    return {"metadata": metadata, "spec": {"prefix": prefix, "service": "m"}, "status": {"state": status}}


def test_a_status_of_a_mapping_is_no_news() -> None:
    store = Store([KIND])
    store.apply(Listed(KIND, (custom(),), "1"))
    [before] = store.resources(generation=1).mappings
    assert not store.apply(Changed(KIND, Event(EventType.MODIFIED, custom(version="2", status="Running"))))
    assert store.resources(generation=1).mappings[0] is before
    assert store.apply(Changed(KIND, Event(EventType.MODIFIED, custom(version="3", prefix="/n/"))))
    assert store.resources(generation=2).sources == {ObjectKey("Mapping", "test", "a"): "3"}


def test_a_kind_that_is_forbidden_is_waited_for_unless_it_is_optional() -> None:
    store = Store([SERVICE, SECRET], optional=[SECRET])
    assert not store.apply(Lost(SERVICE, "no", is_forbidden=True))
    assert store.apply(Listed(SERVICE, (), "1"))
    assert not store.apply(Lost(SECRET, "overloaded"))
    assert store.unlisted == (SECRET,)
    # What completes the lists is news, or nothing would ever be compiled.
    assert store.apply(Lost(SECRET, "you may not", is_forbidden=True))
    assert store.is_complete
    assert store.lost == {SECRET: "you may not"}
    assert store.apply(Listed(SECRET, (), "1"))
    assert store.lost == {}


def test_no_repr_shows_what_a_secret_holds() -> None:
    manifest = {
        "metadata": {"name": "s", "namespace": "test", "resourceVersion": "1"},
        "stringData": {"tls.key": "PRIVATE"},
    }
    store = Store([SECRET])
    listing = Listed(SECRET, (manifest,), "1")
    event = Changed(SECRET, Event(EventType.MODIFIED, manifest))
    assert store.apply(listing)
    assert not store.apply(event)
    resources = store.resources(generation=1)
    assert [secret.private_key for secret in resources.secrets.values()] == ["PRIVATE"]
    assert "PRIVATE" not in f"{listing!r} {event!r} {resources!r}"


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


def test_an_object_that_breaks_our_reading_costs_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    read = read_contribution

    def stumble(manifest: Manifest, *, before: Contribution | None) -> Contribution:
        if manifest["metadata"]["name"] == "odd":
            raise ZeroDivisionError
        return read(manifest, before=before)

    monkeypatch.setattr(store_module, "read_contribution", stumble)
    known = listed(service("odd", annotation=MAPPING), service("good", annotation=MAPPING)).resources(generation=1)
    assert [str(each.origin.object) for each in known.mappings] == ["Service test/good"]
    assert [(each.code, str(each.origin.object)) for each in known.problems] == [("unreadable", "Service test/odd")]


def test_what_was_read_of_it_before_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    store = listed(service("a", annotation=MAPPING))

    def stumble(_manifest: Manifest, *, before: Contribution | None) -> Contribution:
        raise ZeroDivisionError

    monkeypatch.setattr(store_module, "read_contribution", stumble)
    store.apply(changed(service("a", version="2", annotation="{}")))
    known = store.resources(generation=2)
    assert [each.mapping.name for each in known.mappings] == ["m"]
    assert known.sources == {KEY: "2"}


def test_only_the_moment_changed_and_the_mapping_is_the_very_same() -> None:
    def expiring(day: int, version: str) -> Manifest:
        manifest = service("a", version=version, annotation=MAPPING)
        manifest["metadata"]["annotations"][EXPIRES_ANNOTATION] = f"2026-11-{day}T12:00:00Z"
        return manifest

    store = listed(expiring(26, "1"))
    now = datetime(2026, 11, 27, tzinfo=UTC)
    [before] = store.resources(generation=1).mappings
    assert store.resources(generation=2, now=now).mappings == ()
    assert not store.apply(changed(expiring(26, "2")))
    assert store.apply(changed(expiring(28, "3")))
    [renewed] = store.resources(generation=3, now=now).mappings
    assert renewed is before
    assert store.apply(changed(service("a", version="4", annotation=MAPPING)))
    assert store.resources(generation=4, now=now).expiries == {}


def test_what_is_known_is_counted_and_found() -> None:
    store = listed(service("a", annotation=MAPPING), service("b"))
    assert store.counts == {SERVICE: 2}
    found = store.find(KEY)
    assert found is not None
    assert found.text == MAPPING
    assert store.find(ObjectKey("Service", "test", "c")) is None
    assert Store([SERVICE, SECRET]).counts == {SERVICE: 0, SECRET: 0}
