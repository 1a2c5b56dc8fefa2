"""What a person sees: both themes, nothing that a screen reader stumbles over, and the guide's pictures."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]  # it ships no types
from playwright.sync_api import Browser, expect

from tests.browsers import take
from tests.notebook.lab_pages import THEMES, LabPage, Routes, opened_page
from tests.notebook.lab_server import LabServer
from tests.notebook.scene import CONNECT, Scene, repeated

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("jupyterlab-looks")]


@pytest.fixture(scope="module")
def page(chromium: Browser, lab: LabServer, scene: Scene) -> Iterator[LabPage]:
    """A notebook with a route browser that shows everything it can show at once."""
    with opened_page(chromium, lab, width=1200, height=1500) as page:
        routes = page.show_routes("looks")
        routes.root.get_by_role("button", name="How to filter").click()
        routes.root.get_by_role("button", name="What happens to a URL?").click()
        routes.root.get_by_label("URL or path").fill("/models/mnist/")
        routes.root.get_by_role("button", name="Ask").click()
        expect(routes.root.locator(".kfa-fate")).to_contain_text("Envoy agrees")
        yield page


def open_details(page: LabPage, what: str) -> None:
    routes = page.routes()
    routes.filter.fill(what)
    routes.rows.first.click()
    routes.wait_for_details()


@pytest.mark.parametrize("what", ["mapping:default/mnist-verbs -pinned", "is:conflict", "typo"])
@pytest.mark.parametrize("theme", sorted(THEMES))
def test_a_screen_reader_stumbles_over_nothing(page: LabPage, theme: str, what: str) -> None:
    page.set_theme(theme)
    open_details(page, what)
    found = Axe().run(page.page, context=[".kfa-browser"])
    wrong = [(each["id"], each["nodes"][0]["html"][:200]) for each in found.response["violations"]]
    assert wrong == []
    # It has looked at colours, and at our elements.
    assert "color-contrast" in {each["id"] for each in found.response["passes"]}


@pytest.mark.parametrize(("theme", "is_light"), [("light", True), ("dark", False)])
def test_it_wears_the_theme_of_jupyterlab(page: LabPage, theme: str, is_light: bool) -> None:
    page.set_theme(theme)
    colour = page.routes().root.evaluate("(element) => getComputedStyle(element).backgroundColor")
    own = page.page.evaluate(
        """() => {
          const own = document.body.appendChild(document.createElement("div"));
          own.style.background = "var(--jp-layout-color1)";
          const colour = getComputedStyle(own).backgroundColor;
          own.remove();
          return colour;
        }"""
    )
    levels = [int(part) for part in colour.removeprefix("rgb(").removesuffix(")").split(",")]
    assert (sum(levels) > 3 * 128) == is_light
    assert colour == own


@contextmanager
def traffic(scene: Scene) -> Iterator[None]:
    """Somebody uses the models meanwhile."""

    def ask() -> None:
        scene.mnist.predict([1.0])
        scene.gateway.test("GET", "/away/")

    with repeated(ask):
        yield


def test_the_route_browser_has_its_picture(chromium: Browser, lab: LabServer, scene: Scene, pictures: Path) -> None:
    with opened_page(chromium, lab, width=1120, height=1720) as page, traffic(scene):
        routes = page.show_routes("picture")
        page.command("application:toggle-left-area")
        page.set_theme("light")
        routes.filter.fill("-pinned -nasty")
        routes.row("/models/mnist:*").click()
        routes.wait_for_details().get_by_role("button", name="Send", exact=True).click()
        expect(routes.details.locator(".kfa-result strong").first).to_have_text("200 OK")
        expect(routes.row("/models/mnist:*").locator(".kfa-c-p99")).to_contain_text("ms")
        expect(routes.row("/away/*").locator(".kfa-c-errors")).to_have_text("100%")
        page.routes().root.scroll_into_view_if_needed()
        take(routes.root, pictures, "route-browser.png")


def test_the_panel_has_its_picture(chromium: Browser, lab: LabServer, scene: Scene, pictures: Path) -> None:
    with opened_page(chromium, lab, width=1240, height=760) as page:
        cells = (
            CONNECT,
            'mnist = gateway.get_exposure("mnist")\nmnist.predict([1.0, 2.0])',
            "import time\ntime.sleep(600)",
        )
        page.open(*cells, name="a-long-training")
        page.set_theme("dark")
        page.run_all()
        expect(page.cell(1).locator(".jp-OutputArea-output").first).to_be_visible()
        page.page.locator("[data-id='kfambassador-panel']").click()
        panel = Routes(page.page.locator("#kfambassador-panel .kfa-panel-body .kfa-browser"))
        panel.wait_for_rows()
        panel.filter.fill("is:problem")
        panel.count("4 of 28 routes")
        take(page.page.locator("body > .jp-LabShell, #main").first, pictures, "panel.png")
        page.command("kernelmenu:interrupt")


def test_an_error_in_a_cell_has_its_picture(chromium: Browser, lab: LabServer, scene: Scene, pictures: Path) -> None:
    with opened_page(chromium, lab, width=1000, height=700) as page:
        cells = (f'{CONNECT}\nmnist = gateway.get_exposure("mnist")', "mnist.canary(8502, weight=120)")
        page.open(*cells, name="error")
        page.command("application:toggle-left-area")
        page.set_theme("light")
        page.run_all()
        outputs = page.cell(1).locator(".jp-OutputArea").first
        expect(outputs).to_contain_text("weight: expected at most 100, got 120")
        trace = outputs.locator("details")
        expect(trace.locator("pre, td, code").first).to_be_hidden()
        take(page.cell(1), pictures, "error-in-a-cell.png")
        trace.locator("summary").click()
        expect(trace).to_contain_text("in canary")
