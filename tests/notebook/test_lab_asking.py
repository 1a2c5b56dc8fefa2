"""Asking from the route browser: requests that are sent, splits that are moved, and what becomes of a URL."""

import subprocess
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Locator, expect

from kfambassador.local.models import ModelServer
from tests.notebook.lab_pages import LabPage, Routes, opened_page
from tests.notebook.lab_server import LabServer
from tests.notebook.scene import CONNECT, MARKUP, Scene
from tests.ports import free_port

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("jupyterlab-asking")]

PREDICT = "/models/mnist:*"


@pytest.fixture(scope="module")
def page(chromium: Browser, lab: LabServer, scene: Scene) -> Iterator[LabPage]:
    """A notebook with a route browser."""
    with opened_page(chromium, lab) as page:
        page.show_routes("asking")
        yield page


@pytest.fixture
def routes(page: LabPage) -> Routes:
    return page.routes()


def send(details: Locator) -> Locator:
    """Send what is in the form; what became of it."""
    details.get_by_role("button", name="Send", exact=True).click()
    result = details.locator(".kfa-result")
    expect(result.locator("strong").first).to_be_visible()
    return result


def open_predict(routes: Routes) -> Locator:
    """Open the route that a model's predictions take."""
    routes.filter.fill("mapping:default/mnist-verbs -pinned")
    routes.row(PREDICT).click()
    return routes.wait_for_details()


def test_a_models_request_is_filled_in_and_answered(routes: Routes) -> None:
    details = open_predict(routes)
    expect(details.get_by_label("Method")).to_have_value("POST")
    expect(details.get_by_label("Path")).to_have_value("/models/mnist:predict")
    expect(details.get_by_label("Body")).to_have_value('{"instances": [1.0]}')
    result = send(details)
    expect(result).to_contain_text("200 OK in")
    expect(result.locator(".kfa-answer")).to_contain_text('"predictions": [')
    expect(result).to_contain_text("default/mnist-verbs")
    result.get_by_text("Headers of the answer").click()
    expect(result).to_contain_text("content-type: application/json")


def test_a_request_is_copied_as_a_command_that_runs(routes: Routes) -> None:
    details = open_predict(routes)
    details.get_by_label("Body").fill('{"instances": [3.0]}')
    details.locator(".kfa-form").get_by_role("button", name="Copy as curl").click()
    expect(details.get_by_role("button", name="Copied")).to_be_visible()
    command = routes.root.page.evaluate("navigator.clipboard.readText()")
    done = subprocess.run(["bash", "-c", f"{command} --silent"], capture_output=True, text=True, check=True)
    assert '"predictions": [3.5]' in done.stdout


def test_headers_and_bodies_arrive_as_they_were_typed(routes: Routes, scene: Scene) -> None:
    details = routes.open("/echo/*")
    details.get_by_label("Method").select_option("PUT")
    details.get_by_label("Path").fill("/echo/a?b=%20c")
    details.get_by_role("button", name="Add a header").click()
    details.get_by_label("Header's name").fill("X-Team")
    details.get_by_label("Header's value").fill("a b")
    details.get_by_label("Body").fill("no JSON\nat all")
    expect(send(details).locator("strong").first).to_have_text("200 OK")
    echo = scene.echo.script.seen[-1]
    assert (echo.method, echo.path, echo.header("x-team"), echo.body) == ("PUT", "/a?b=%20c", "a b", "no JSON\nat all")


def test_a_body_that_is_not_quite_json_is_told_before_it_is_sent(routes: Routes) -> None:
    details = routes.open("/echo/*")
    details.get_by_label("Body").fill('{"a": 1,\n "b" 2}')
    expect(details.get_by_role("alert")).to_contain_text("Not quite JSON: line 2")


@pytest.mark.parametrize(
    ("path", "status", "words"),
    [
        ("/answers/302/*", "302", "redirects are not followed"),
        ("/answers/401/*", "401", "an AuthService of the gateway may have done so"),
        ("/answers/403/*", "403", "an AuthService of the gateway may have done so"),
        ("/away/*", "503", "Envoy cannot reach the service; does it run, and is the port right?"),
    ],
)
def test_an_answer_that_is_no_success_is_explained(routes: Routes, path: str, status: str, words: str) -> None:
    result = send(routes.open(path))
    expect(result.locator("strong").first).to_contain_text(status)
    expect(result.locator(".kfa-meaning")).to_contain_text(words)


def test_a_path_that_nobody_serves_is_explained(routes: Routes) -> None:
    details = routes.open("/echo/*")
    details.get_by_label("Path").fill("/nobody/")
    result = send(details)
    expect(result.locator("strong").first).to_contain_text("404")
    expect(result.locator(".kfa-meaning")).to_have_text("no route takes this request")


def test_what_was_sent_before_is_a_click_away(routes: Routes) -> None:
    details = routes.open("/echo/*")
    details.get_by_label("Path").fill("/echo/first")
    send(details)
    details.get_by_label("Path").fill("/echo/second")
    details.get_by_role("button", name="GET /echo/first → 200").click()
    expect(details.get_by_label("Path")).to_have_value("/echo/first")


def test_markup_stays_text_wherever_it_comes_from(page: LabPage, routes: Routes) -> None:
    routes.filter.fill("nasty")
    expect(routes.rows.first).to_contain_text(MARKUP)
    routes.rows.first.click()
    details = routes.wait_for_details()
    expect(details.locator("h3")).to_contain_text(f"/nasty/{MARKUP}/*")
    expect(details.locator(".kfa-source").first).to_contain_text(MARKUP)
    expect(details.locator(".kfa-problem").first).to_contain_text("never matches")
    details = routes.open("/echo/*")
    details.get_by_label("Body").fill(MARKUP)
    expect(send(details).locator(".kfa-answer")).to_contain_text(MARKUP)
    assert page.page.evaluate("window.hacked ?? null") is None
    assert routes.root.locator("img").count() == 0


def test_the_slider_moves_requests_and_undo_moves_them_back(routes: Routes, scene: Scene) -> None:
    details = open_predict(routes)
    slider = details.get_by_role("slider", name="Share of canary")
    expect(slider).to_have_value("20")
    # By keys: each counts once it is let go.
    slider.focus()
    for _ in range(3):
        slider.press("PageUp")
    expect(details.locator(".kfa-said-of")).to_have_text("canary has 50% now.")
    assert 0.3 < scene.share_of_canary() < 0.7
    # By the mouse, to the right end.
    box = slider.bounding_box()
    assert box is not None
    slider.click(position={"x": box["width"] - 1, "y": box["height"] / 2})
    expect(details.locator(".kfa-said-of")).to_have_text("canary has 100% now.")
    assert scene.share_of_canary(of=20) == 1.0
    undo = details.get_by_role("button", name="Undo")
    while undo.is_enabled():
        undo.click()
        expect(details.locator(".kfa-said-of")).to_contain_text("% now.")
    expect(slider).to_have_value("20")
    assert 0.05 < scene.share_of_canary() < 0.4
    expect(details.locator(".kfa-shares")).to_contain_text("canary 20%")


def test_a_split_that_is_changed_elsewhere_is_followed(routes: Routes, scene: Scene) -> None:
    details = open_predict(routes)
    slider = details.get_by_role("slider", name="Share of canary")
    expect(slider).to_have_value("20")
    for weight in (60, 20):
        scene.mnist.canary(weight=weight)
        expect(slider).to_have_value(str(weight))
        expect(details.locator(".kfa-shares")).to_contain_text(f"canary {weight}%")


def test_what_happens_to_a_url_is_told_by_the_table_and_by_envoy(routes: Routes, scene: Scene) -> None:
    before = scene.echo.seen
    routes.root.get_by_role("button", name="What happens to a URL?").click()
    box = routes.root.locator(".kfa-explain")
    box.get_by_label("URL or path").fill("/echo/some/where")
    box.get_by_label("URL or path").press("Enter")
    fate = box.locator(".kfa-fate")
    expect(fate).to_contain_text("is routed")
    expect(fate).to_contain_text("default/echo")
    expect(fate).to_contain_text("Envoy agrees")
    box.get_by_label("URL or path").fill("/nobody/")
    box.get_by_role("button", name="Ask").click()
    expect(fate).to_contain_text("is taken by no route: 404")
    # Nothing was sent.
    assert scene.echo.seen == before
    routes.root.get_by_role("button", name="What happens to a URL?").click()
    expect(box).to_be_hidden()


def test_publishing_shows_how_far_it_has_come(chromium: Browser, lab: LabServer, scene: Scene) -> None:
    port = free_port()
    with opened_page(chromium, lab) as page:
        page.open(f"{CONNECT}\ngateway", f'slow = gateway.expose("slow", service={port}, timeout=60)', name="progress")
        page.run_all()
        progress = page.routes().root.locator(".kfa-progress")
        expect(progress).to_contain_text("✓ programmed into Envoy")
        expect(progress).to_contain_text("… answering")
        expect(progress).to_contain_text(f"nothing listens on port {port} of this machine")
        with ModelServer("slow", port=port):
            expect(progress).to_contain_text("✓ answering")
            expect(page.cell(1).locator(".jp-InputPrompt")).to_have_text("[2]:")
    scene.gateway.delete_exposure("slow")
