"""Label and field selectors as Kubernetes reads them."""

import pytest

from kfambassador.local.kube.documents.document import Document
from kfambassador.local.kube.documents.selectors import BadSelector, read_selector
from kfambassador.local.kube.kinds.field_labels import find_fields
from kfambassador.local.kube.kinds.kind import Kind

WEB: Document = {
    "metadata": {
        "name": "web",
        "namespace": "default",
        "labels": {"app": "web", "tier": "front", "empty": "", "size": "3"},
    },
    "spec": {"type": "ClusterIP", "isSet": True},
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
        ("size>2", True),
        ("size > 3", False),
        ("size<4", True),
        ("missing<4", False),
        ("app>1", False),
        ("in,notin in (x)", False),
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
        (r"metadata.name=a\,b", False),
        ("metadata.name=web,", True),
        ("spec.isSet=true", True),
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
        ("a,", ""),
        ("a in ()", ""),
        ("a=b%%", ""),
        ("a>b", ""),
        ("a>1.5", ""),
        ("a in (b c)", ""),
        ("!", ""),
        ("-a", ""),
    ],
)
def test_what_cannot_be_read_is_told(labels: str, fields: str) -> None:
    with pytest.raises(BadSelector, match=r"unable to parse|invalid (field )?selector"):
        read_selector(labels, fields)


def test_an_object_without_labels_has_none() -> None:
    assert not read_selector("app", "").matches({"metadata": {"name": "web"}})
    assert read_selector("!app", "").matches({})


def test_a_definition_names_more_fields_to_select_by() -> None:
    kind = Kind("a.b", "v1", "Widget", "widgets", {}, is_custom=True, selectable_fields=("spec.color",))
    red: Document = {"metadata": {"name": "a"}, "spec": {"color": "red"}}
    assert find_fields(kind, read_selector("", "spec.color=red,metadata.name=a")).matches(red)
    assert not find_fields(kind, read_selector("", "spec.color!=red")).matches(red)
    with pytest.raises(BadSelector, match=r"field label not supported: spec\.size"):
        find_fields(kind, read_selector("", "spec.size=1"))
