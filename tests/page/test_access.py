"""Who is shown the diagnostics page, what is on nobody's, and whose forms are heeded: asked without a browser."""

import base64
import html
import re
from collections.abc import Iterator
from dataclasses import dataclass
from http.client import HTTPConnection
from urllib.parse import quote, urlencode, urlsplit

import pytest

from kfambassador.controller.reviews import ReviewSettings
from kfambassador.local.stack import LocalStack
from tests.e2e.gateway import running_gateway
from tests.e2e.test_read_api_access import Cluster, guarded_gateway, running_cluster
from tests.page.scene import CANARY, Scene

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("diagnostics-page-access")]

TOKEN = "a-token-of-the-gateway"
PAGES = ("/", "/problems", "/envoy", "/ask?path=/", "/routes/0123456789abcdef", "/sources/Service/default/tools")


@dataclass(frozen=True)
class Told:
    """What was answered."""

    status: int
    headers: dict[str, str]
    text: str


def ask(url: str, path: str, *, method: str = "GET", form: dict[str, str] | None = None, **headers: str) -> Told:
    """Ask as a client that decides about each header itself."""
    connection = HTTPConnection(urlsplit(url).netloc, timeout=20)
    body = urlencode(form) if form is not None else None
    said = {name.replace("_", "-"): value for name, value in headers.items()}
    if form is not None:
        said["Content-Type"] = "application/x-www-form-urlencoded"
    try:
        connection.request(method, path, body=body, headers=said)
        answer = connection.getresponse()
        text = answer.read().decode()
        return Told(answer.status, {name.lower(): value for name, value in answer.getheaders()}, text)
    finally:
        connection.close()


def basic(password: str) -> str:
    return f"Basic {base64.b64encode(f'anybody:{password}'.encode()).decode()}"


def read_seal(page: str) -> str:
    found = re.search(r'name="seal" value="([0-9a-f]+)"', page)
    assert found is not None
    return found[1]


@pytest.fixture(scope="module")
def guarded() -> Iterator[str]:
    """The page of a gateway that asks for a token."""
    with running_gateway(token=TOKEN) as gateway:
        yield gateway.controller.diagnostics_url


@pytest.mark.parametrize("path", PAGES)
def test_every_page_asks_for_the_token_as_for_a_password(guarded: str, path: str) -> None:
    for refused in ("", basic("wrong"), "Bearer wrong", "Basic !"):
        told = ask(guarded, path, Authorization=refused)
        assert told.status == 401
        assert told.headers["www-authenticate"].startswith("Basic ")
        assert "table" not in told.text
    for let_in in (basic(TOKEN), f"Bearer {TOKEN}"):
        assert ask(guarded, path, Authorization=let_in).status in {200, 404}


@pytest.mark.parametrize("path", [*PAGES, "/static/page.css", "/static/icon.svg"])
def test_no_page_runs_a_script_or_is_shown_by_another_site(scene: Scene, path: str) -> None:
    told = ask(scene.url, path)
    policy = told.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert "script-src" not in policy
    assert told.headers["x-content-type-options"] == "nosniff"
    assert told.headers["referrer-policy"] == "same-origin"
    assert re.search(r"<script|<[^>]*\s(?:on\w+|style)=", told.text) is None


def crawl(scene: Scene) -> dict[str, str]:
    """Every page that a link leads to, from the routes on."""
    waiting, read = ["/", "/?page=2", "/envoy"], dict[str, str]()
    while waiting:
        path = waiting.pop()
        if path in read:
            continue
        told = ask(scene.url, path)
        assert told.status == 200, path
        read[path] = told.text
        links = map(html.unescape, re.findall(r'href="(/[^"]*)"', told.text))
        waiting += [link.partition("#")[0] for link in links if not link.startswith("/static/")]
    return read


def test_every_link_leads_somewhere_and_no_page_has_a_secret(scene: Scene) -> None:
    read = crawl(scene)
    assert {path.split("/")[1].partition("?")[0] for path in read} == {
        "",
        "routes",
        "sources",
        "problems",
        "envoy",
        "ask",
    }
    assert "/sources/Service/default/keyed" in read
    assert [path for path, text in read.items() if CANARY in text] == []
    keyed = read["/sources/Service/default/keyed"]
    assert keyed.count("•••") > 6
    # The API's own token opens everything else; it is on no page either.
    assert "Bearer " not in "".join(text for path, text in read.items() if path != "/sources/Service/default/keyed")


@pytest.mark.parametrize(
    "path", ["/nothing", "/static/..%2Fserving.py", "/static/base.html", "/sources/Service/default"]
)
def test_what_is_not_there_is_not_there(scene: Scene, path: str) -> None:
    assert ask(scene.url, path).status == 404


@pytest.mark.parametrize("path", ["/sources/Service/default/nobody", "/sources/%3Cb%3E/a/b", "/routes/%3Cb%3E"])
def test_what_is_gone_is_said_so(scene: Scene, path: str) -> None:
    told = ask(scene.url, path)
    assert told.status == 404
    assert "Not here" in told.text
    assert "<b>" not in told.text


def test_people_who_come_to_the_address_of_old_are_led_to_the_page(scene: Scene) -> None:
    of_old = "/ambassador/v0/diag/"
    told = ask(scene.url, of_old, Accept="text/html,application/xhtml+xml")
    assert (told.status, told.headers["location"]) == (302, "/")
    for accept, query in (
        ("application/json", ""),
        ("*/*", ""),
        ("text/html", "?json=true"),
        ("text/html", "?filter=envoys"),
    ):
        assert ask(scene.url, of_old + query, Accept=accept).headers["content-type"].startswith("application/json")


def change(scene: Scene, seal: str, level: str = "error", **headers: str) -> Told:
    return ask(scene.url, "/envoy/log-level", method="POST", form={"seal": seal, "level": level}, **headers)


def test_only_a_form_of_the_page_itself_changes_anything(scene: Scene) -> None:
    own, seal = {"Origin": scene.url}, read_seal(ask(scene.url, "/envoy").text)
    assert change(scene, seal, **own).status == 303
    assert change(scene, seal, "warning", Sec_Fetch_Site="same-origin", **own).status == 303
    for refused in (
        change(scene, seal),
        change(scene, seal, Origin="http://evil.example"),
        change(scene, seal, Origin="null"),
        change(scene, seal, Sec_Fetch_Site="cross-site", **own),
        change(scene, seal, Sec_Fetch_Site="same-site", **own),
        change(scene, "", **own),
        change(scene, "0" * 32, **own),
        change(scene, "é", **own),
    ):
        assert refused.status == 403
    assert change(scene, seal, "loud", **own).status == 400
    assert ask(scene.url, "/envoy/log-level").status == 405
    assert ask(scene.url, "/ambassador/v0/diag/?filter=loginfo").text == '{"loginfo": {"all": "warning"}}'


def test_a_form_of_somebody_elses_page_is_not_heeded(guarded: str) -> None:
    seal = read_seal(ask(guarded, "/envoy", Authorization=basic(TOKEN)).text)
    with running_gateway(token=TOKEN) as other:
        url = other.controller.diagnostics_url
        told = ask(
            url,
            "/envoy/log-level",
            method="POST",
            form={"seal": seal, "level": "error"},
            Authorization=basic(TOKEN),
            Origin=url,
        )
        assert told.status == 403


@pytest.mark.parametrize(
    "path", ["/", "/ambassador/v0/routes", "/ambassador/v0/diag/?loglevel=trace", "/static/page.css"]
)
def test_where_everybody_is_let_in_another_name_for_this_machine_is_not(scene: Scene, path: str) -> None:
    port = urlsplit(scene.url).port
    for name in (f"localhost:{port}", f"127.0.0.1:{port}", f"[::1]:{port}", "localhost"):
        assert ask(scene.url, "/", Host=name).status == 200
    for name in (f"evil.example:{port}", "evil.example", "", f"localhost.evil.example:{port}"):
        assert ask(scene.url, path, Host=name).status in {400, 421}


def test_another_site_does_not_change_the_log_level_by_a_picture(scene: Scene) -> None:
    told = ask(scene.url, "/ambassador/v0/diag/?loglevel=trace", Sec_Fetch_Site="cross-site")
    assert told.status == 403


def test_a_form_that_is_too_large_is_not_read(scene: Scene) -> None:
    assert ask(scene.url, "/ask", method="POST", form={"path": "/", "headers": "x" * 100_000}).status == 413


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    with running_cluster() as cluster:
        yield cluster


def test_in_a_cluster_everybody_sees_what_is_theirs(cluster: Cluster) -> None:
    team, owner = cluster.tenant("ana", "team"), cluster.account("olga", "ambassador")
    cluster.bind("olga", "ambassador")
    with guarded_gateway(cluster, cluster.gateway_account("gateway"), ReviewSettings()) as gateway:
        url = gateway.controller.diagnostics_url
        mapping = "{{apiVersion: ambassador/v1, kind: Mapping, name: {name}, prefix: /{name}/, service: s}}"
        for namespace, name in (("team", "mine"), ("rivals", CANARY)):
            version = gateway.apply_service(name.lower(), mapping.format(name=name), namespace=namespace)
            query = urlencode({"resource_version": version, "wait": 10})
            served = f"/ambassador/v0/sources/Service/{namespace}/{name.lower()}?{query}"
            assert ask(url, served, Authorization=f"Bearer {owner}").status == 200
        everything = "".join(
            ask(url, path, Authorization=basic(team)).text
            for path in ("/", "/problems", "/?ns=rivals", f"/ask?path=/{quote(CANARY)}/x", "/sources/Service/team/mine")
        )
        assert "/mine/*" in everything
        # The path they asked about is their own word; nothing else says it.
        assert "a route of another namespace" in everything.lower()
        assert f"rivals/{CANARY}" not in everything
        assert f"/{CANARY}/*" not in everything
        for path in ("/envoy", f"/sources/Service/rivals/{CANARY.lower()}"):
            assert ask(url, path, Authorization=basic(team)).status == 403
            assert ask(url, path, Authorization=basic(owner)).status == 200
        assert f"/{CANARY}/*" in ask(url, "/", Authorization=basic(owner)).text
        assert ask(url, "/").status == 401


def test_a_laptops_gateway_shows_its_page_to_who_has_its_token() -> None:
    with LocalStack() as stack:
        url, token = stack.endpoint.diagnostics_url, stack.endpoint.diagnostics_token
        assert ask(url, "/").status == 401
        told = ask(url, "/", Authorization=basic(token))
        assert told.status == 200
        assert "There are no routes yet" in told.text
        assert token not in told.text
