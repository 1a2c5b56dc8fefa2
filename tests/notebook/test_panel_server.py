"""What the Jupyter server answers to JupyterLab's panel: a real server behind a proxy path, a real Envoy."""

import asyncio
import http.cookiejar
import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.parse import quote
from urllib.request import HTTPCookieProcessor, OpenerDirector, Request, build_opener

import pytest
from nbclient import NotebookClient
from nbformat.v4 import new_code_cell, new_notebook

from kfambassador.local.daemon import shared_role
from kfambassador.local.leases import count_leases
from kfambassador.local.models import ModelServer
from kfambassador.local.runtime_directory import open_runtime_directory
from kfambassador.local.stack import LocalStack
from kfambassador.notebook.feed import feed_of
from kfambassador.notebook.server import watching
from kfambassador.notebook.server.finding import find_gateways
from kfambassador.notebook.server.front_end import DIRECTORY
from tests.e2e.gateway import until
from tests.e2e.publishing import publish_mappings
from tests.notebook.lab_server import TOKEN, LabServer, make_environment, run_lab_server

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("panel-server")]

API = "kfambassador/api"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("lab")


@pytest.fixture(scope="module")
def stack(home: Path) -> Iterator[LocalStack]:
    """A gateway that is this user's shared one, as far as the server can see."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("KFAMBASSADOR_RUNTIME_DIR", str(home / "gateway"))
        with shared_role() as tell, LocalStack() as stack, ModelServer() as model:
            assert tell is not None
            tell(stack.endpoint)
            target = f"127.0.0.1:{model.port}"
            publish_mappings(
                stack,
                {"name": "half", "prefix": "/half/", "rewrite": "/v1/models/half_plus_two", "service": target},
                {"name": "odd", "prefix": "/odd/", "service": target, "nonsense": True},
            )
            yield stack


@pytest.fixture(scope="module")
def server(home: Path, stack: LocalStack) -> Iterator[LabServer]:
    with run_lab_server(home, base="/user/someone/") as server:
        yield server


@pytest.fixture(scope="module")
def gateway(server: LabServer) -> str:
    """Where the one gateway is asked."""
    [found] = server.ask(f"{API}/gateways").json()["gateways"]
    return f"{API}/gateways/{found['id']}"


def ask(server: LabServer, gateway: str, kind: str, **arguments: object) -> Any:
    answer = server.ask(f"{gateway}/ask", method="POST", body={"kind": kind, "args": arguments})
    assert answer.status == 200, answer.body
    return answer.json()


def follow(server: LabServer, gateway: str, *kinds: str, after: str = "") -> tuple[str, dict[str, Any]]:
    """Ask for news until there has been some of each kind; give the place to go on from, and the newest of each."""
    newest: dict[str, Any] = {}
    while not newest.keys() >= {*kinds}:
        news = server.ask(f"{gateway}/events?after={quote(after)}").json()
        after = news["after"]
        newest |= {event["kind"]: event for event in news["events"]}
    return after, newest


def sign_in(server: LabServer) -> tuple[OpenerDirector, str]:
    """Sign in as a browser does; give what holds its cookies, and what proves that a page of the server asks."""
    jar = http.cookiejar.CookieJar()
    opener = build_opener(HTTPCookieProcessor(jar))
    with opener.open(f"{server.url}lab?token={TOKEN}") as page:
        page.read()
    return opener, next(str(cookie.value) for cookie in jar if cookie.name == "_xsrf")


def send(opener: OpenerDirector, url: str, *, method: str = "GET", headers: dict[str, str] | None = None) -> int:
    request = Request(url, data=b'{"kind":"hello"}' if method == "POST" else None, headers=headers or {}, method=method)
    try:
        with opener.open(request) as answer:
            return int(answer.status)
    except HTTPError as error:
        with error:
            return error.code


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "front-end"),
        ("GET", "gateways"),
        ("POST", "gateways"),
        ("GET", "gateways/local-0/events"),
        ("POST", "gateways/local-0/ask"),
    ],
)
@pytest.mark.parametrize("token", [None, "another"])
def test_nobody_is_answered_whom_the_server_does_not_know(
    server: LabServer, method: str, path: str, token: str | None
) -> None:
    answer = server.ask(f"{API}/{path}", method=method, body={} if method == "POST" else None, token=token)
    assert answer.status == 403
    assert set(answer.json()) == {"title", "words"}


def test_another_sites_page_cannot_ask_with_the_users_cookies(server: LabServer, gateway: str) -> None:
    opener, proof = sign_in(server)
    url = f"{server.url}{gateway}/ask"
    assert send(opener, f"{server.url}{API}/gateways", headers={"Referer": server.url}) == 200
    assert send(opener, url, method="POST") == 403
    assert send(opener, url, method="POST", headers={"X-XSRFToken": proof}) == 200
    assert send(opener, url, method="POST", headers={"X-XSRFToken": proof, "Origin": "http://evil.example"}) in {
        403,
        404,
    }
    assert send(opener, f"{server.url}{API}/gateways", headers={"Origin": "http://evil.example"}) in {403, 404}


def test_the_modules_are_the_packages_own_and_their_address_changes_with_them(server: LabServer) -> None:
    told = server.ask(f"{API}/front-end").json()
    assert told["styles"][0] == "style.css"
    for file in [*DIRECTORY.glob("*.js"), *DIRECTORY.glob("*.css")]:
        # Pages that JupyterLab is embedded in have no cookie for scripts; they are no secret.
        answer = server.ask(told["path"] + file.name, token=None)
        assert answer.status == 200
        assert answer.body == file.read_bytes()
        assert answer.headers["Content-Type"].startswith("text/javascript" if file.suffix == ".js" else "text/css")
        assert "immutable" in answer.headers["Cache-Control"]
    assert server.ask("kfambassador/static/0123456789/panel.js").status == 404
    for path in ("missing.js", "..%2F__init__.py", "%2e%2e/__init__.py"):
        assert server.ask(told["path"] + path).status == 404


def test_the_gateway_of_this_machine_is_found(server: LabServer, stack: LocalStack) -> None:
    found = server.ask(f"{API}/gateways").json()
    [gateway] = found["gateways"]
    assert gateway["label"] == "This machine"
    assert gateway["url"] == stack.endpoint.url
    assert gateway["state"] == "running"
    assert found["can_start"] is False


def test_the_newest_of_everything_comes_first_and_then_only_what_changes(
    server: LabServer, gateway: str, stack: LocalStack
) -> None:
    after, newest = follow(server, gateway, "table", "connection")
    assert newest["connection"]["state"] == "live"
    assert {row["path"] for row in newest["table"]["routes"]} >= {"/half/*", "/odd/*"}
    assert "nonsense" in {problem["path"] for problem in newest["table"]["problems"]}
    with ThreadPoolExecutor() as pool:
        waiting = pool.submit(follow, server, gateway, "table", after=after)
        publish_mappings(stack, {"name": "new", "prefix": "/new/", "service": "127.0.0.1:1"}, carrier="newcomers")
        _, newest = waiting.result()
    assert "/new/*" in {row["path"] for row in newest["table"]["routes"]}
    # What has not changed is not told again.
    assert "connection" not in newest


def test_a_place_of_another_run_begins_at_the_beginning(server: LabServer, gateway: str) -> None:
    follow(server, gateway, "table", "connection")
    for place in ("0badcafe.99", "nonsense", "99", "²"):
        news = server.ask(f"{gateway}/events?after={quote(place)}").json()
        assert {"table", "connection"} <= {event["kind"] for event in news["events"]}


def test_questions_are_answered_through_envoy(server: LabServer, gateway: str) -> None:
    tested = ask(server, gateway, "test", method="GET", path="/half/")
    assert tested["status"] == 200
    assert tested["mapping"] == "default/half"
    told = ask(server, gateway, "explain", method="GET", url="/half/x")
    assert told["outcome"] == "routed"
    assert told["envoy"]["agrees"] is True


@pytest.mark.parametrize(
    ("body", "status", "words"),
    [
        ({"kind": "details?", "args": {}}, 400, "is no question of a route browser"),
        ({"kind": "test", "args": {"method": "GET", "path": "http://elsewhere/"}}, 400, "a path begins with a slash"),
        ({"kind": "status", "args": {"namespace": "default", "name": "nobody"}}, 502, "nobody"),
        (b"[]", 400, "a question is a JSON object"),
        (b"\xff{", 400, "a question is a JSON object"),
        (b"[" * 200_000, 400, "a question is a JSON object"),
    ],
)
def test_what_cannot_be_answered_is_told_in_words(
    server: LabServer, gateway: str, body: object, status: int, words: str
) -> None:
    answer = server.ask(f"{gateway}/ask", method="POST", body=body)
    assert answer.status == status
    assert answer.json()["title"]
    assert words in answer.json()["words"]


@pytest.mark.parametrize("what", ["events", "ask"])
def test_a_gateway_that_is_not_there(server: LabServer, what: str) -> None:
    body = {"kind": "hello"} if what == "ask" else None
    answer = server.ask(f"{API}/gateways/local-0/{what}", method="POST" if body else "GET", body=body)
    assert answer.status == 404
    assert answer.json()["title"] == "NoGateway"
    assert "kfambassador.connect()" in answer.json()["words"]


class Holding(BaseHTTPRequestHandler):
    """A model that does not answer before it is told to."""

    arrived = threading.Event()
    released = threading.Event()

    def do_GET(self) -> None:
        self.arrived.set()
        self.released.wait(60)
        self.send_response(204)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        """Say nothing."""


def test_the_server_answers_others_while_a_model_thinks(server: LabServer, gateway: str, stack: LocalStack) -> None:
    with ThreadingHTTPServer(("127.0.0.1", 0), Holding) as model, ThreadPoolExecutor() as pool:
        pool.submit(model.serve_forever)
        service = f"127.0.0.1:{model.server_port}"
        publish_mappings(stack, {"name": "slow", "prefix": "/slow/", "service": service}, carrier="slow")
        thinking = pool.submit(ask, server, gateway, "test", method="GET", path="/slow/")
        try:
            assert Holding.arrived.wait(60)
            assert server.ask("api/status").status == 200
            assert ask(server, gateway, "hello") == {}
            follow(server, gateway, "table")
            assert not thinking.done()
        finally:
            Holding.released.set()
            model.shutdown()
        assert thinking.result()["status"] == 204


def test_panels_share_what_is_followed_and_it_ends_when_nobody_asks(
    home: Path, stack: LocalStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watching, "REST", 0.0)
    monkeypatch.setenv("KFAMBASSADOR_RUNTIME_DIR", str(home / "gateway"))
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", str(home / "nothing"))

    async def use() -> None:
        watches = watching.Watches()
        [found] = find_gateways()
        async with watches.use(found.id) as one:
            first, other = await asyncio.gather(one.list_news(""), one.list_news(""))
            assert json.loads(first) == json.loads(other)
            async with watches.use(found.id) as another:
                assert another is one
            assert feed_of(one.gateway).is_running
        await asyncio.to_thread(until, lambda: not watches.following and not feed_of(one.gateway).is_running)

    asyncio.run(use())


def test_so_many_gateways_are_followed_and_no_more(
    home: Path, stack: LocalStack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watching, "MOST", 1)
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", str(home / "nothing"))

    async def use() -> None:
        watches = watching.Watches()
        monkeypatch.setenv("KFAMBASSADOR_RUNTIME_DIR", str(home / "gateway"))
        async with watches.use(find_gateways()[0].id) as first:
            pass
        monkeypatch.setenv("KFAMBASSADOR_RUNTIME_DIR", str(tmp_path / "own"))
        with shared_role() as tell:
            assert tell is not None
            tell(stack.endpoint)
            async with watches.use(find_gateways()[0].id) as second:
                assert watches.following == 1
                await asyncio.to_thread(until, lambda: not feed_of(first.gateway).is_running)
                assert feed_of(second.gateway).is_running
            second.close()

    asyncio.run(use())


def test_looking_uses_neither_the_gateway_nor_the_server(
    server: LabServer, gateway: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KFAMBASSADOR_RUNTIME_DIR", server.environment["KFAMBASSADOR_RUNTIME_DIR"])
    before = server.ask("api/status").json()["last_activity"]
    follow(server, gateway, "table")
    server.ask(f"{API}/gateways")
    # A gateway, and a server of a JupyterHub, end when nobody uses them, whatever stands open in a sidebar.
    assert server.ask("api/status").json()["last_activity"] == before
    assert count_leases(open_runtime_directory().leases) == 0


def test_no_secret_leaves_in_answers_or_in_the_log(server: LabServer, gateway: str, stack: LocalStack) -> None:
    said = [server.ask(f"{API}/gateways").body, json.dumps(follow(server, gateway, "table")).encode()]
    hidden = "Bearer of-a-secret"
    body = {"kind": "test", "args": {"method": "GET", "path": "/half/", "headers": {"Authorization": hidden}, "x": 1}}
    said += [server.ask(f"{gateway}/ask", method="POST", body=body).body, server.log.read_bytes()]
    for secret in (stack.endpoint.api_token, stack.endpoint.diagnostics_token, TOKEN, "of-a-secret"):
        assert [text for text in said if secret.encode() in text] == []


#: A kernel that uses a gateway, until it is told to end.
KERNEL = """
import sys
from types import SimpleNamespace
from kfambassador.notebook.announcing import announce
from kfambassador.sdk.targets import Kubeconfig, Local
announce(SimpleNamespace(place=Local()))
announce(SimpleNamespace(place=Kubeconfig("no-such-context")))
print("announced", flush=True)
sys.stdin.readline()
"""


def test_what_kernels_use_is_found_wherever_it_is(
    server: LabServer, gateway: str, stack: LocalStack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KFAMBASSADOR_RUNTIME_DIR", str(tmp_path / "own"))
    environment = {**server.environment, "KFAMBASSADOR_RUNTIME_DIR": str(tmp_path / "own")}
    with shared_role() as tell:
        assert tell is not None
        tell(stack.endpoint)
        with subprocess.Popen(
            [sys.executable, "-c", KERNEL], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment
        ) as kernel:
            assert kernel.stdout is not None
            kernel.stdout.readline()
            found = server.ask(f"{API}/gateways").json()["gateways"]
            labels = {each["label"]: each for each in found}
            other = labels[f"This machine, in {tmp_path / 'own'}"]
            cluster = labels["The cluster of context 'no-such-context'"]
            assert len(found) == 3
            assert other["url"] == stack.endpoint.url
            assert ask(server, f"{API}/gateways/{other['id']}", "curl", method="GET", path="/half/")["curl"]
            # A cluster is asked for when it is chosen, and why it cannot be is told.
            refused = server.ask(f"{API}/gateways/{cluster['id']}/events")
            assert refused.status == 400
            assert "kubeconfig" in refused.json()["words"]
            kernel.communicate(b"\n")
    assert [each["label"] for each in server.ask(f"{API}/gateways").json()["gateways"]] == ["This machine"]


@pytest.mark.filterwarnings("ignore::RuntimeWarning:zmq")  # of the loopback socket of every kernel
def test_a_notebook_that_connects_is_known_and_other_programs_are_not(
    home: Path, stack: LocalStack, tmp_path: Path
) -> None:
    environment = make_environment(tmp_path, KFAMBASSADOR_RUNTIME_DIR=str(home / "gateway"))
    program = """
import kfambassador
gateway = kfambassador.connect(quiet=True)
from kfambassador.notebook.announcing import find_announcements
print(*(announced.runtime for announced in find_announcements()))
"""
    alone = subprocess.run([sys.executable, "-c", program], env=environment, check=True, capture_output=True, text=True)
    assert alone.stdout.strip() == ""
    notebook = new_notebook(cells=[new_code_cell(program)])  # type: ignore[no-untyped-call]  # it ships no types
    client = NotebookClient(notebook, timeout=120, kernel_name="python3")
    # A kernel that is not given the time to end is killed, and leaves what it announced.
    client.create_kernel_manager().shutdown_wait_time = 60.0
    client.execute(env=environment)
    assert notebook.cells[0].outputs[0].text.strip() == str(home / "gateway")
    assert list((tmp_path / "runtime").glob("kfambassador-*")) == []


REFUSING = """
from jupyter_server.auth.authorizer import Authorizer

class OnlyLooking(Authorizer):
    def is_authorized(self, handler, user, action, resource):
        return resource != "kfambassador" or action == "read"

c.ServerApp.authorizer_class = OnlyLooking
"""


def test_an_authorizer_decides_who_may_what(tmp_path: Path) -> None:
    config = tmp_path / "config"
    config.mkdir()
    (config / "jupyter_server_config.py").write_text(REFUSING)
    with run_lab_server(tmp_path) as server:
        assert server.ask(f"{API}/gateways").status == 200
        assert server.ask(f"{API}/gateways", method="POST", body={}).status == 403
        assert server.ask(f"{API}/gateways/local-0/ask", method="POST", body={"kind": "hello"}).status == 403


def test_a_gateway_is_started_when_asked_for_and_followed_through_its_runs(tmp_path: Path) -> None:
    with run_lab_server(tmp_path) as server:
        local = [sys.executable, "-m", "kfambassador", "local"]
        try:
            assert server.ask(f"{API}/gateways").json() == {"gateways": [], "can_start": True}
            started = server.ask(f"{API}/gateways", method="POST", body={})
            assert started.status == 201
            gateway = f"{API}/gateways/{started.json()['id']}"
            after, _ = follow(server, gateway, "table", "connection")

            subprocess.run([*local, "stop"], env=server.environment, check=True, capture_output=True)
            until(lambda: server.ask(f"{gateway}/events?after={quote(after)}").status == 404)
            assert server.ask(f"{API}/gateways").json()["gateways"] == []

            again = server.ask(f"{API}/gateways", method="POST", body={}).json()
            assert again["id"] == started.json()["id"]
            news = server.ask(f"{gateway}/events?after={quote(after)}").json()
            assert news["events"][0]["kind"] in {"table", "connection"}
            assert ask(server, gateway, "curl", method="GET", path="/")["curl"]
        finally:
            subprocess.run([*local, "stop"], env=server.environment, check=False, capture_output=True)
    assert "Traceback" not in server.log.read_text()
