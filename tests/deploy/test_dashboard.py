"""Grafana's dashboard asks for figures that there are: those of a real Envoy and of the controller."""

import json
import re
from http.client import HTTPConnection
from itertools import product
from typing import Any

import pytest

from kfambassador.controller.metrics import Metrics, Standing
from tests.deploy.built import DEPLOY
from tests.e2e.envoy_command import serving_envoy

DASHBOARD: dict[str, Any] = json.loads((DEPLOY / "components" / "grafana-dashboard" / "dashboard.json").read_text())
PANELS = [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]
EXPRESSIONS = [target["expr"] for panel in PANELS for target in panel["targets"]]
#: Labels that Prometheus puts on whatever it finds, and those of histograms.
PROMETHEUS_OWN = {"namespace", "pod", "le"}

# Labels begin alike; a figure is always asked for by some of its labels.
_METRIC = re.compile(r"\b\w+(?=\{)")


def read_figures(text: str) -> dict[str, set[str]]:
    """The names of figures in Prometheus' words, with the labels of each."""
    found: dict[str, set[str]] = {}
    for line in text.splitlines():
        if line and not line.startswith("#"):
            name, _, rest = line.partition("{") if "{" in line else (line.split()[0], "", "")
            found.setdefault(name, set()).update(re.findall(r'(\w+)="', rest))
    return found


@pytest.fixture(scope="module")
def figures() -> dict[str, set[str]]:
    """What both containers of a gateway answer to Prometheus, once a request was served."""
    standing = Standing(
        objects={"Service": 1}, lost=frozenset({"Secret"}), restarts={"Service": {"ended": 1}}, refusals={}
    )
    controller = Metrics().write(standing)[0].decode()
    with serving_envoy() as command:
        for place, path in ((command.http, "/m"), (command.ready, "/stats/prometheus")):
            client = HTTPConnection(*place, timeout=10)
            client.request("GET", path)
            response = client.getresponse()
            assert response.status == 200
            envoy = response.read().decode()
            client.close()
    # Families that have no members in an idle controller stand there by their type.
    typed = dict.fromkeys(re.findall(r"^# TYPE (\S+)", controller, re.MULTILINE), "")
    return {name: set() for name in typed} | read_figures(controller) | read_figures(envoy)


@pytest.mark.e2e
@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_every_figure_that_is_asked_for_is_there(expression: str, figures: dict[str, set[str]]) -> None:
    names = _METRIC.findall(expression)
    assert names
    assert [name for name in names if name not in figures] == []


@pytest.mark.e2e
def test_every_label_of_envoys_that_is_asked_for_is_there(figures: dict[str, set[str]]) -> None:
    for expression in EXPRESSIONS:
        for name in _METRIC.findall(expression):
            if name.startswith("envoy_"):
                selected = re.search(rf"{name}(\{{[^}}]*\}})", expression)
                asked = set(re.findall(r"(\w+)(?:=|!=|=~|!~)\"", selected[1] if selected else ""))
                assert asked - PROMETHEUS_OWN <= figures[name], expression


def test_panels_lie_beside_each_other_and_say_what_they_show() -> None:
    cells: dict[tuple[int, int], str] = {}
    for panel in DASHBOARD["panels"]:
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24
        for cell in product(range(place["x"], place["x"] + place["w"]), range(place["y"], place["y"] + place["h"])):
            assert cell not in cells, f"{panel['title']} lies upon {cells[cell]}"
            cells[cell] = panel["title"]
    assert len({panel["id"] for panel in DASHBOARD["panels"]}) == len(DASHBOARD["panels"])
    for panel in PANELS:
        assert panel["description"].endswith(".")
        assert panel["datasource"]["uid"] == "${datasource}"
    assert all("$namespace" in expression for expression in EXPRESSIONS)
