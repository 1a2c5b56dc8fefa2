"""Who draws things in notebooks is looked up by name, and nothing of it is loaded before."""

import json
import os
import subprocess
import sys
import tomllib
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from kfambassador.displays import find_display
from kfambassador.notebook.showing import show_gateway

PROJECT = tomllib.loads((Path(__file__).parents[3] / "pyproject.toml").read_text())["project"]
OFFERED: dict[str, str] = PROJECT["entry-points"]["kfambassador.displays"]

#: Makes a gateway whose read API nobody answers at.
GATEWAY = """
import json, sys
from kfambassador.local.endpoint import GatewayEndpoint
from kfambassador.sdk.gateway import Gateway

nowhere = "http://127.0.0.1:9"
endpoint = GatewayEndpoint(
    url=nowhere,
    api_url=nowhere,
    api_token="t",
    api_authority="",
    diagnostics_url=nowhere,
    diagnostics_token="t",
    pid=1,
    started=0.0,
)
gateway = Gateway.at(endpoint, quiet=True)
"""


def tell(program: str) -> dict[str, object]:
    """What a program prints last, as JSON."""
    command = [sys.executable, "-c", GATEWAY + program]
    with TemporaryDirectory() as home:
        # IPython keeps a history.
        environ = {**os.environ, "IPYTHONDIR": home}
        answer = subprocess.run(command, capture_output=True, text=True, check=True, env=environ)
    told: dict[str, object] = json.loads(answer.stdout.splitlines()[-1])
    return told


def test_a_display_is_found_by_its_name() -> None:
    assert find_display("gateway") is show_gateway


def test_nobody_draws_what_nobody_offers() -> None:
    assert find_display("nothing of ours") is None


@pytest.mark.parametrize("place", OFFERED.values(), ids=OFFERED)
def test_all_that_is_offered_is_there(place: str) -> None:
    module, _, name = place.partition(":")
    assert callable(getattr(import_module(module), name))


def test_without_its_packages_a_display_is_none_and_the_words_stay() -> None:
    told = tell("""
sys.modules["IPython"] = None
print(json.dumps({"bundle": gateway._repr_mimebundle_(), "repr": repr(gateway), "html": gateway._repr_html_()}))
""")
    assert told["bundle"] is None
    assert told["repr"] == "<Gateway http://127.0.0.1:9 of this machine>"
    assert "http://127.0.0.1:9" in str(told["html"])


def test_in_plain_python_nothing_that_draws_is_loaded() -> None:
    told = tell("""
str(gateway), repr(gateway)
print(json.dumps({"loaded": sorted(sys.modules)}))
""")
    loaded = told["loaded"]
    assert isinstance(loaded, list)
    heavy = {"IPython", "anywidget", "ipywidgets", "traitlets", "kfambassador.notebook", "jupyter_server", "tornado"}
    assert heavy & set(loaded) == set()


def test_in_a_terminal_of_ipython_it_is_the_words_and_no_widget_is_loaded() -> None:
    told = tell("""
from IPython.core.interactiveshell import InteractiveShell
data, metadata = InteractiveShell.instance().display_formatter.format(gateway)
print(json.dumps({"data": data, "loaded": sorted(sys.modules)}))
""")
    data, loaded = told["data"], told["loaded"]
    assert isinstance(data, dict)
    assert isinstance(loaded, list)
    assert sorted(data) == ["text/html", "text/plain"]
    assert data["text/plain"] == "<Gateway http://127.0.0.1:9 of this machine>"
    assert {"anywidget", "ipywidgets"} & set(loaded) == set()
