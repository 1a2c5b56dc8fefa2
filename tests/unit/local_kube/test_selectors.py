"""Label and field selectors as Kubernetes reads them."""

import pytest

from kfambassador.local.kube.documents import Document
from kfambassador.local.kube.selectors import BadSelector, read_selector

WEB: Document = {
    "metadata": {"name": "web", "namespace": "default", "labels": {"app": "web", "tier": "front", "empty": ""}},
    "spec": {"type": "ClusterIP"},
}


@pytest.mark.parametrize(
    ("labels", "matches"),
    [
        ("", True),
        ("app=web", True),
        ("app==web", True),
        (" app = web , tier != back ", True),
        ("app!=web", False),
        ("missing!=web", True),
        ("app in (web,api)", True),
        ("app in (api)", False),
        ("app notin (api, web)", False),
        ("missing notin (api)", True),
        ("app", True),
        ("!app", False),
        ("!missing", True),
        ("empty=", True),
        ("empty in (,x)", True),
        ("app=web,tier=back", False),
        ("app in (web),tier,!missing", True),
    ],
)
def test_labels(labels: str, matches: bool) -> None:
    assert read_selector(labels, "").matches(WEB) is matches


@pytest.mark.parametrize(
    ("fields", "matches"),
    [
        ("metadata.name=web", True),
        ("metadata.name==web,metadata.namespace=default", True),
        ("metadata.name!=web", False),
        ("spec.type=NodePort", False),
        ("spec.missing=", True),
    ],
)
def test_fields(fields: str, matches: bool) -> None:
    assert read_selector("", fields).matches(WEB) is matches


@pytest.mark.parametrize(
    ("labels", "fields"),
    [
        ("a b", ""),
        (",", ""),
        ("a in b", ""),
        ("a=b=c", ""),
        ("(a)", ""),
        ("", "metadata.name"),
        ("", "=x"),
        ("", "a=b=c"),
    ],
)
def test_what_cannot_be_read_is_told(labels: str, fields: str) -> None:
    with pytest.raises(BadSelector, match=r"unable to parse|invalid selector"):
        read_selector(labels, fields)


def test_an_object_without_labels_has_none() -> None:
    assert not read_selector("app", "").matches({"metadata": {"name": "web"}})
    assert read_selector("!app", "").matches({})
