"""Label selectors, read and tried as Kubernetes does."""

import pytest

from kfambassador.kube.selectors import Selector

LABELS = {"team": "vision", "app.kubernetes.io/part-of": "models", "empty": ""}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "  ",
        "team",
        "!stage",
        "team=vision",
        "team==vision",
        "team = vision",
        "stage!=test",
        "team!=speech",
        "empty=",
        "team in (vision)",
        "team in (speech, vision)",
        "stage notin (test,)",
        "app.kubernetes.io/part-of=models",
        "team in (vision,speech),stage!=test,!legacy",
    ],
)
def test_a_selector_admits(text: str) -> None:
    assert Selector.read(text).admits(LABELS)


@pytest.mark.parametrize(
    "text",
    [
        "stage",
        "!team",
        "team=speech",
        "team!=vision",
        "team in (speech)",
        "team notin (vision,x)",
        "team,stage",
        "team=",
    ],
)
def test_a_selector_does_not_admit(text: str) -> None:
    assert not Selector.read(text).admits(LABELS)


@pytest.mark.parametrize(
    "text",
    [
        "=vision",
        "team=a b",
        "team;stage",
        "team in vision",
        "team in (a b)",
        "team,,stage",
        "team>1",
        "-team",
        "in (a)",
    ],
)
def test_what_is_no_selector_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is no label selector; write it as in team=vision"):
        Selector.read(text)
