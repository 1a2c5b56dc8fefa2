"""What a gateway listens to that follows only what has certain labels."""

from kfambassador.controller.selecting import Selection
from kfambassador.kube.kinds import ENDPOINT_SLICE, GATEWAY_KINDS, INGRESS, MAPPING, SECRET, SERVICE
from kfambassador.kube.objects import Event, EventType, Manifest
from kfambassador.kube.reflector import Changed, Listed, Lost
from kfambassador.kube.selectors import Selector
from kfambassador.names import ALLOWED_NAMESPACES_ANNOTATION, CONFIG_ANNOTATION
from kfambassador.routing.policy import TenancyPolicy

POLICY = TenancyPolicy(gateway_namespace="gateway")
SELECTION = Selection(Selector.read("team=vision"), POLICY)
OTHERS = {ALLOWED_NAMESPACES_ANNOTATION: "*"}


def service(namespace: str = "default", **labels: str) -> Manifest:
    annotations = {CONFIG_ANNOTATION: "kind: Mapping", **OTHERS}
    return {"metadata": {"name": "s", "namespace": namespace, "labels": labels, "annotations": annotations}}


def test_what_a_service_without_the_labels_says_is_not_heard_and_all_else_of_it_stays() -> None:
    manifest = service(team="speech")
    heard = SELECTION.hear(Changed(SERVICE, Event(EventType.MODIFIED, manifest)))
    assert isinstance(heard, Changed)
    assert heard.event.manifest["metadata"] == manifest["metadata"] | {"annotations": OTHERS}
    assert CONFIG_ANNOTATION in manifest["metadata"]["annotations"]


def test_what_has_the_labels_or_is_the_gateways_own_is_heard() -> None:
    items = (service(team="vision"), service("gateway"))
    for kind in (SERVICE, INGRESS):
        heard = SELECTION.hear(Listed(kind, items, "1"))
        assert isinstance(heard, Listed)
        assert [item is before for item, before in zip(heard.items, items, strict=True)] == [True, True]


def test_without_a_selector_everything_is_the_very_same() -> None:
    news = Listed(SERVICE, (service(),), "1")
    assert Selection(Selector(), POLICY).hear(news) is news
    assert Selection(Selector(), POLICY).query(MAPPING) is None


def test_other_kinds_and_losses_are_passed_on() -> None:
    for news in (Listed(ENDPOINT_SLICE, (service(),), "1"), Lost(SERVICE, "away")):
        assert SELECTION.hear(news) is news


def test_only_mappings_are_left_out_by_the_cluster_itself() -> None:
    kinds = (SERVICE, INGRESS, ENDPOINT_SLICE, SECRET, *GATEWAY_KINDS)
    assert [kind for kind in kinds if SELECTION.query(kind) is not None] == []
    assert SELECTION.query(MAPPING) == "team=vision"
