"""The route browser in a real kernel: what it shows, what travels while cells run, and what is kept with a notebook."""

import base64
import json
import re
import zlib
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from nbclient import NotebookClient
from nbformat.v4 import new_code_cell, new_notebook

import kfambassador as kfa
from kfambassador.local.models import ModelServer
from kfambassador.local.stack import LocalStack
from kfambassador.notebook.browser import RouteBrowser
from tests.e2e.gateway import until
from tests.e2e.publishing import publish_mappings
from tests.notebook.kernels import Kernel, running_kernel, shared_stack
from tests.notebook.lab_server import make_environment

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.xdist_group("notebook-kernel-side"),
    # The kernel's messages travel over a loopback socket, which ipykernel remarks on at every start.
    pytest.mark.filterwarnings("ignore::RuntimeWarning:zmq"),
]

WIDGET = "application/vnd.jupyter.widget-view+json"
STATE = "application/vnd.jupyter.widget-state+json"
CONNECT = "import kfambassador as kfa; gateway = kfa.connect('local', quiet=True)"
THREADS = "import threading; print(sum(thread.name == 'kfa-feed' for thread in threading.enumerate()))"
CANARY = "a-canary-that-sings"


@pytest.fixture(scope="module")
def stack(home: Path, model: ModelServer) -> Iterator[LocalStack]:
    """A gateway that is this user's shared one, as far as kernels can see."""
    with shared_stack(home) as stack:
        publish(stack, model, "half", add_request_headers={"x-secret": CANARY})
        yield stack


def publish(stack: LocalStack, model: ModelServer, name: str, **attributes: object) -> None:
    half = {"rewrite": "/v1/models/half_plus_two/", "service": f"127.0.0.1:{model.port}"}
    publish_mappings(stack, {"name": name, "prefix": f"/{name}/", **half, **attributes}, carrier=name)


@pytest.fixture
def kernel(home: Path, stack: LocalStack) -> Iterator[Kernel]:
    with running_kernel(home) as kernel:
        kernel.run(CONNECT)
        yield kernel


def show(kernel: Kernel) -> tuple[dict[str, Any], str]:
    """Show the gateway at the end of a cell; give what is shown, and the widget's number."""
    [shown] = kernel.run("gateway")
    return shown["data"], shown["data"][WIDGET]["model_id"]


def unpack(packed: bytes) -> Any:
    return json.loads(zlib.decompress(packed))


def table_with(path: str, widget: str) -> Any:
    """Says whether a message brings a table that has a path."""

    def holds(said: dict[str, Any]) -> bool:
        if said["msg_type"] != "comm_msg" or said["content"]["comm_id"] != widget:
            return False
        paths = said["content"]["data"].get("buffer_paths")
        return paths == [["table"]] and path in {row["path"] for row in unpack(said["buffers"][0])["routes"]}

    return holds


def test_a_gateway_at_the_end_of_a_cell_is_a_browser_and_html_and_words(kernel: Kernel) -> None:
    data, widget = show(kernel)
    assert sorted(data) == [WIDGET, "text/html", "text/plain"]
    assert data["text/plain"].startswith("<Gateway http://127.0.0.1:")
    assert "/half/*" in data["text/html"]
    assert "1 route, in the order they are evaluated" in data["text/html"]
    assert "<script" not in data["text/html"]
    assert CANARY not in data["text/html"]
    opened = kernel.wait_for(lambda said: said["msg_type"] == "comm_open" and said["content"]["comm_id"] == widget)
    state = opened["content"]["data"]["state"]
    assert "export default" in state["_esm"]
    assert ".kfa-" in state["_css"]
    assert show(kernel)[1] == widget, "shown again it is the same browser, with one more view"


def test_what_changes_arrives_while_a_cell_runs(
    kernel: Kernel, stack: LocalStack, model: ModelServer, tmp_path: Path
) -> None:
    _, widget = show(kernel)
    end = tmp_path / "end"
    busy = kernel.begin(
        f"import time\nfrom pathlib import Path\nwhile not Path({str(end)!r}).exists(): time.sleep(0.05)"
    )
    publish(stack, model, "meanwhile")
    kernel.wait_for(table_with("/meanwhile/*", widget))
    with kfa.Gateway.at(stack.endpoint, quiet=True) as gateway:
        until(lambda: gateway.test("GET", "/half/metadata").status == 200)
        after = len(kernel.heard)
        for _ in range(20):
            gateway.test("GET", "/half/metadata")
    kernel.wait_for(lambda said: "default/half" in json.dumps(said["content"].get("data")), after=after)
    # A question waits until the cell ends.
    kernel.send(widget, {"type": "ask", "id": "7", "kind": "explain", "args": {"method": "GET", "url": "/half/a"}})
    end.touch()
    kernel.finish(busy)
    assert kernel.custom(widget, type="answer", id="7")["answer"]["outcome"] == "routed"


def test_questions_are_answered_and_faults_told_in_words(kernel: Kernel) -> None:
    _, widget = show(kernel)
    kernel.send(widget, {"type": "ask", "id": "a", "kind": "test", "args": {"method": "GET", "path": "half"}})
    error = kernel.custom(widget, type="answer", id="a")["error"]
    assert error == {
        "title": "ConfigurationError",
        "words": "path: a path begins with a slash, and this is 'half'",
    }
    nonsenses: list[dict[str, Any]] = [{"kind": None}, {"args": "many"}, {"kind": "hello", "args": [1]}]
    for number, nonsense in enumerate(nonsenses):
        kernel.send(widget, {"type": "ask", "id": number, **nonsense})
        assert kernel.custom(widget, type="answer", id=number)
    kernel.send(widget, {"type": "nonsense"})
    kernel.send(widget, {"type": "ask", "id": "b", "kind": "hello", "args": {}})
    assert kernel.custom(widget, type="answer", id="b")["answer"] == {}


def test_questions_are_answered_when_the_subshell_of_earlier_ones_is_gone(kernel: Kernel) -> None:
    _, widget = show(kernel)
    subshell = kernel.open_subshell()
    kernel.send(widget, {"type": "ask", "id": "before", "kind": "hello", "args": {}}, subshell=subshell)
    kernel.custom(widget, type="answer", id="before")
    # As JupyterLab does when the page that began it is loaded again.
    kernel.close_subshell(subshell)
    kernel.send(widget, {"type": "ask", "id": "after", "kind": "hello", "args": {}})
    assert kernel.custom(widget, type="answer", id="after")["answer"] == {}


def test_publishing_is_told_while_the_cell_that_publishes_runs(kernel: Kernel, model: ModelServer) -> None:
    _, widget = show(kernel)
    after = len(kernel.heard)
    kernel.run(f"mnist = gateway.expose('mnist', service={model.port}, server=kfa.TFServing(model='half_plus_two'))")
    assert kernel.event(widget, "progress", after=after)["exposures"][0]["name"] == "mnist"
    assert kernel.event(widget, "progress", after=after, exposures=[])
    kernel.run("mnist.delete()")


def test_nobody_is_followed_when_the_last_view_has_gone(kernel: Kernel) -> None:
    _, widget = show(kernel)
    assert kernel.tell(THREADS) == "1"
    kernel.send(widget, {"type": "gone"})
    # Another window would say now that it still shows it.
    kernel.custom(widget, type="anyone")
    until(lambda: kernel.tell(THREADS) == "0")
    after = len(kernel.heard)
    kernel.send(widget, {"type": "shown"})
    kernel.event(widget, "connection", after=after, state="live")
    assert kernel.tell(THREADS) == "1"
    # Once more: everything is told again, and still by one thread.
    after = len(kernel.heard)
    kernel.send(widget, {"type": "shown"})
    kernel.event(widget, "connection", after=after, state="live")
    assert kernel.tell(THREADS) == "1"


def test_a_closed_browser_or_gateway_leaves_no_thread(kernel: Kernel) -> None:
    kernel.run("from kfambassador.notebook.browser import RouteBrowser, browser_of")
    _, first = show(kernel)
    kernel.run("browser_of(gateway).close()")
    until(lambda: kernel.tell(THREADS) == "0")
    _, second = show(kernel)
    assert second != first, "what was closed is not shown again"
    kernel.run("gateway.close()")
    assert "connect() again" in kernel.event(second, "connection", state="lost")["words"]
    until(lambda: kernel.tell(THREADS) == "0")


def test_where_there_are_no_widgets_a_filter_says_that_it_does_not_work(kernel: Kernel) -> None:
    made = "from kfambassador.notebook.browser import RouteBrowser"
    [shown] = kernel.run(f"{made}\nRouteBrowser(gateway, filter='<b>')")
    html = shown["data"]["text/html"]
    assert "the filter '<b>' works where there are widgets" in unescape(html)
    assert "<b>" not in html


def test_without_widgets_it_is_html_that_says_what_to_install(kernel: Kernel) -> None:
    kernel.run("import sys; sys.modules['anywidget'] = None")
    [shown] = kernel.run("gateway")
    assert sorted(shown["data"]) == ["text/html", "text/plain"]
    assert "/half/*" in shown["data"]["text/html"]
    assert "pip install &#x27;kfambassador[notebook]&#x27;" in shown["data"]["text/html"]
    assert kernel.tell(THREADS) == "0"


def test_a_gateway_that_does_not_answer_shows_its_words(home: Path, kernel: Kernel) -> None:
    kernel.run(
        "from kfambassador.local.endpoint import GatewayEndpoint\n"
        "nowhere = 'http://127.0.0.1:9'\n"
        "gateway = kfa.Gateway.at(GatewayEndpoint(url=nowhere, api_url=nowhere, api_token='t', api_authority='',"
        " diagnostics_url=nowhere, diagnostics_token='t', pid=1, started=0.0), quiet=True)"
    )
    data, widget = show(kernel)
    assert "read API does not answer" in data["text/html"]
    assert "read API does not answer" in kernel.event(widget, "connection", state="lost")["words"]
    # The panel follows what is announced; nobody may be told of what this test made up.
    assert "127.0.0.1:9" not in "".join(file.read_text() for file in (home / "runtime").glob("kfambassador-*"))


def test_a_saved_notebook_has_the_table_and_no_secret(home: Path, stack: LocalStack) -> None:
    cells = [CONNECT.replace("quiet=True", f"quiet=True, credentials=kfa.BearerToken({CANARY!r}[:])"), "gateway"]
    notebook = new_notebook(cells=[new_code_cell(cell) for cell in cells])  # type: ignore[no-untyped-call]  # no types
    client = NotebookClient(notebook, timeout=120, kernel_name="python3", store_widget_state=True)
    client.execute(env=make_environment(home))
    states = notebook.metadata.widgets[STATE]["state"]
    [state] = [each for each in states.values() if each["model_name"] == "AnyModel"]
    [packed] = state["buffers"]
    assert packed["path"] == ["table"]
    assert "/half/*" in {row["path"] for row in unpack(base64.b64decode(packed["data"]))["routes"]}
    notebook.cells[0].source = ""  # a person wrote the canary there
    saved = json.dumps(notebook)
    for secret in (CANARY, stack.endpoint.api_token, stack.endpoint.diagnostics_token):
        assert secret not in saved
        assert secret not in json.dumps(unpack(base64.b64decode(packed["data"])))


def test_neither_state_nor_messages_hold_a_secret(stack: LocalStack) -> None:
    sent: list[Any] = []
    with kfa.Gateway.at(stack.endpoint, credentials=kfa.BearerToken(CANARY), quiet=True) as gateway:
        browser = RouteBrowser(gateway, filter="half", height=200)
        browser.send = lambda content, buffers=None: sent.append(content)
        shown = browser._repr_mimebundle_()
        until(lambda: any(message["event"]["kind"] == "figures" for message in sent))
        browser._receive(browser, {"type": "ask", "id": 1, "kind": "curl", "args": {"method": "GET", "path": "/"}}, [])
        state = browser.get_state()
        browser.close()
        assert not browser.feed.is_running
    assert state["options"] == {"filter": "half", "height": 200}
    everything = json.dumps([sent, shown, repr(browser), repr(gateway), state, unpack(state["table"])], default=str)
    for secret in (CANARY, stack.endpoint.api_token, stack.endpoint.diagnostics_token):
        assert secret not in everything
    assert re.search(r'"kind": "figures"', everything)
