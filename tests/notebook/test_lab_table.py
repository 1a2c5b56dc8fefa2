"""The route browser in a notebook of a real JupyterLab: found, sorted and opened, with a mouse or with keys alone."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Browser, expect

from tests.notebook.lab_pages import LabPage, Routes, opened_page
from tests.notebook.lab_server import LabServer
from tests.notebook.scene import Scene, repeated

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("jupyterlab-asking")]


@pytest.fixture(scope="module")
def page(chromium: Browser, lab: LabServer, scene: Scene) -> Iterator[LabPage]:
    """A notebook with a route browser."""
    with opened_page(chromium, lab) as page:
        page.show_routes("table")
        yield page


@pytest.fixture
def routes(page: LabPage) -> Routes:
    """The route browser, as it is at first."""
    routes = page.routes()
    if routes.details.is_visible():
        routes.details.get_by_role("button", name="Close the details").click()
    reset = routes.root.get_by_role("button", name="Evaluation order")
    if reset.is_visible():
        reset.click()
    routes.filter.fill("")
    return routes


def test_what_is_typed_leaves_the_rows_that_have_it(routes: Routes) -> None:
    routes.count("28 routes")
    routes.filter.fill("answers")
    routes.count("3 of 28 routes")
    assert set(routes.column("path")) == {"/answers/302/*", "/answers/401/*", "/answers/403/*"}
    routes.filter.fill("answers -path:403")
    routes.count("2 of 28 routes")
    routes.filter.fill("nobody has this")
    expect(routes.root.get_by_text("No route matches the filter.")).to_be_visible()
    routes.root.get_by_role("button", name="Clear the filter").click()
    routes.count("28 routes")
    expect(routes.filter).to_be_focused()


def test_what_is_not_understood_is_told(routes: Routes) -> None:
    routes.filter.fill("staet:conflict")
    expect(routes.root.get_by_text("staet: is unknown")).to_be_visible()


def test_help_is_a_key_away(routes: Routes) -> None:
    routes.root.get_by_role("button", name="How to filter").click()
    expect(routes.root.get_by_text("exactly so")).to_be_visible()
    routes.root.page.keyboard.press("Escape")
    expect(routes.root.get_by_text("exactly so")).to_be_hidden()


def test_a_heading_sorts_and_sorts_back(routes: Routes) -> None:
    routes.filter.fill("answers")
    before = routes.column("path")
    heading = routes.root.get_by_role("button", name="Path", exact=True)
    heading.click()
    assert routes.column("path") == sorted(before)
    heading.click()
    assert routes.column("path") == sorted(before, reverse=True)
    assert routes.root.get_by_role("columnheader", name="Path").get_attribute("aria-sort") == "descending"
    heading.click()
    assert routes.column("path") == before


def test_a_conflict_leads_to_the_service_and_its_field(routes: Routes) -> None:
    routes.root.get_by_role("button", name="1 conflict").click()
    routes.count("1 of 28 routes")
    expect(routes.filter).to_have_value("is:conflict")
    [state] = routes.column("state")
    assert "left out" in state
    routes.rows.first.click()
    details = routes.wait_for_details()
    expect(details.locator(".kfa-problem")).to_contain_text("belong to mapping old of Service default/legacy")
    expect(details.locator(".kfa-problem")).to_contain_text("Service others/taker, annotation document 1")
    # The text as it was written, and what is wrong beside the line it is in.
    lines = details.locator(".kfa-source .kfa-line").all_inner_texts()
    [place] = [number for number, line in enumerate(lines) if "prefix: /old/" in line]
    assert "requests for /old/ on any host belong to" in lines[place + 1]
    details.get_by_role("button", name="Copy the command to edit it").click()
    copied = routes.root.page.evaluate("navigator.clipboard.readText()")
    assert copied == "kubectl -n others edit service taker"


def test_a_typo_is_shown_at_its_line(routes: Routes) -> None:
    details = routes.open("/typo/*")
    lines = details.locator(".kfa-source .kfa-line").all_inner_texts()
    [place] = [number for number, line in enumerate(lines) if "timeout: 500" in line]
    assert "did you mean timeout_ms?" in lines[place + 1]
    assert "kfa-soft" not in (details.locator(".kfa-source .kfa-line").nth(place).get_attribute("class") or "")


def test_figures_are_live(routes: Routes, scene: Scene) -> None:
    routes.filter.fill("mapping:default/echo")
    rate = routes.rows.first.locator(".kfa-c-rate")
    expect(rate).to_have_text("")
    with repeated(lambda: scene.gateway.test("GET", "/echo/")):
        expect(rate).to_have_text(re.compile(r"\d"))
        expect(routes.rows.first.locator(".kfa-c-errors")).to_have_text("0%")
        expect(routes.rows.first.locator(".kfa-c-p99")).to_contain_text("ms")
        routes.open("/echo/*")
        expect(routes.details.get_by_text("requests a second")).to_be_visible()


def test_a_change_is_seen_without_a_word(routes: Routes, scene: Scene) -> None:
    routes.filter.fill("fresh")
    routes.count("0 of 28 routes")
    scene.annotate("fresh", {"name": "fresh", "prefix": "/fresh/", "service": "127.0.0.1:9"})
    routes.count("1 of 29 routes")
    routes.open("/fresh/*")
    scene.remove("fresh")
    expect(routes.details.get_by_text("This route is no longer served.")).to_be_visible()
    routes.count("0 of 28 routes")


@contextmanager
def long_cell(page: LabPage) -> Iterator[None]:
    """A cell runs, until this ends."""
    page.page.evaluate(
        """() => window.jupyterapp.shell.currentWidget.sessionContext.session.kernel
           .requestExecute({code: "import time; time.sleep(600)"}) && null"""
    )
    try:
        page.page.wait_for_function(
            "window.jupyterapp.shell.currentWidget.sessionContext.session.kernel.status === 'busy'"
        )
        yield
    finally:
        page.command("kernelmenu:interrupt")


def set_subshells(page: LabPage, mode: str) -> None:
    """Choose whether widgets are answered beside a cell, as JupyterLab's settings of kernels do."""
    page.page.evaluate(
        "(mode) => { window.jupyterapp.shell.currentWidget.sessionContext.session.kernel.commsOverSubshells = mode }",
        mode,
    )


def test_it_goes_on_while_a_cell_runs(page: LabPage, routes: Routes, scene: Scene) -> None:
    with long_cell(page):
        routes.filter.fill("busy")
        routes.count("0 of 28 routes")
        # What is new arrives, and can be filtered, sorted and opened.
        scene.annotate("while-busy", {"name": "while-busy", "prefix": "/busy/", "service": "127.0.0.1:9"})
        try:
            routes.count("1 of 29 routes")
            routes.filter.fill("")
            routes.root.get_by_role("button", name="Path", exact=True).click()
            assert routes.column("path")[0] == "/answers/302/*"
            routes.open("/busy/*")
            expect(routes.root.locator(".kfa-connection")).to_have_text("")
        finally:
            scene.remove("while-busy")
        routes.count("0 of 28 routes")


def test_without_subshells_what_only_the_kernel_can_answer_waits_and_says_so(page: LabPage, routes: Routes) -> None:
    set_subshells(page, "disabled")
    try:
        with long_cell(page):
            routes.filter.fill("/echo")
            routes.row("/echo/*").click()
            expect(routes.root.locator(".kfa-connection")).to_contain_text("The kernel is busy with a cell")
        routes.wait_for_details()
        expect(routes.root.locator(".kfa-connection")).to_have_text("")
    finally:
        set_subshells(page, "perCommTarget")


def test_keys_alone_lead_everywhere(page: LabPage, routes: Routes) -> None:
    keyboard = page.page.keyboard
    routes.root.locator(".kfa-table").focus()
    keyboard.press("/")
    expect(routes.filter).to_be_focused()
    keyboard.type("typo")
    routes.count("1 of 28 routes")
    # On to the table, with nothing between that a key cannot leave.
    for _ in range(12):
        if page.page.evaluate("document.activeElement.getAttribute('role')") == "grid":
            break
        keyboard.press("Tab")
    keyboard.press("ArrowDown")
    keyboard.press("Enter")
    details = routes.wait_for_details()
    expect(details.locator("h3")).to_be_focused()
    for _ in range(20):
        if page.page.evaluate("document.activeElement.textContent") == "Send":
            break
        keyboard.press("Tab")
    keyboard.press("Enter")
    expect(details.locator(".kfa-result strong").first).to_have_text("200 OK")
    keyboard.press("Escape")
    expect(details).to_be_hidden()
    assert page.page.evaluate("document.activeElement.getAttribute('role')") == "grid"


def test_keys_that_are_typed_here_are_not_jupyterlabs(page: LabPage, routes: Routes) -> None:
    cells = page.page.locator(".jp-Notebook .jp-Cell")
    before = cells.count()
    routes.filter.press_sequentially("bad")
    expect(routes.filter).to_have_value("bad")
    routes.filter.fill("")
    routes.root.locator(".kfa-table").press("d")
    routes.root.locator(".kfa-table").press("d")
    assert cells.count() == before


def test_a_heading_is_reached_and_sorts_by_keys(page: LabPage, routes: Routes) -> None:
    routes.filter.fill("answers")
    keyboard = page.page.keyboard
    routes.root.locator(".kfa-table").focus()
    keyboard.press("ArrowUp")
    keyboard.press("ArrowRight")
    keyboard.press("ArrowRight")
    keyboard.press("Enter")
    expect(routes.root.get_by_role("columnheader", name="Path")).to_have_attribute("aria-sort", "ascending")
    keyboard.press("ArrowDown")
    assert page.page.evaluate("document.activeElement.getAttribute('role')") == "grid"
