"""JupyterLab's panel in a real browser: the same table, without code, and whatever kernels do."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from tests.notebook.lab_pages import LabPage, Routes, opened_page
from tests.notebook.lab_server import LabServer
from tests.notebook.scene import CONNECT, Scene

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("jupyterlab-looks")]


@pytest.fixture(scope="module")
def page(chromium: Browser, lab: LabServer, scene: Scene) -> Iterator[LabPage]:
    """JupyterLab with a notebook whose only cell runs until it is interrupted, and the panel beside it."""
    with opened_page(chromium, lab) as page:
        page.open(f"{CONNECT}\nimport time\ntime.sleep(600)", name="busy")
        page.run_all()
        page.page.wait_for_function(
            "window.jupyterapp.shell.currentWidget.sessionContext.session.kernel.status === 'busy'"
        )
        page.page.locator("[data-id='kfambassador-panel']").click()
        yield page
        page.command("kernelmenu:interrupt")


@pytest.fixture
def panel(page: LabPage) -> Routes:
    panel = Routes(page.page.locator("#kfambassador-panel .kfa-panel-body .kfa-browser"))
    panel.filter.fill("")
    panel.wait_for_rows()
    return panel


def test_it_finds_the_gateway_of_this_machine(page: LabPage, panel: Routes, scene: Scene) -> None:
    chosen = page.page.locator(".kfa-panel-gateway option:checked")
    expect(chosen).to_contain_text(scene.gateway.url)
    panel.count("28 routes")


def test_it_filters_sorts_and_opens_while_the_kernel_is_busy(panel: Routes) -> None:
    panel.filter.fill("is:conflict")
    panel.count("1 of 28 routes")
    panel.rows.first.click()
    expect(panel.wait_for_details().locator(".kfa-problem")).to_contain_text("Service others/taker")


def test_it_sends_a_request_while_the_kernel_is_busy(panel: Routes, scene: Scene) -> None:
    details = panel.open("/echo/*")
    details.get_by_label("Path").fill("/echo/from-the-panel")
    details.get_by_role("button", name="Send", exact=True).click()
    expect(details.locator(".kfa-result strong").first).to_have_text("200 OK")
    assert scene.echo.script.seen[-1].path == "/from-the-panel"


def test_it_moves_a_split_while_the_kernel_is_busy(panel: Routes, scene: Scene) -> None:
    panel.filter.fill("mapping:default/mnist-verbs -pinned")
    panel.row("/models/mnist:*").click()
    details = panel.wait_for_details()
    share = details.get_by_role("spinbutton", name="canary in percent")
    share.fill("100")
    share.press("Enter")
    expect(details.locator(".kfa-said-of")).to_have_text("canary has 100% now.")
    assert scene.share_of_canary(of=20) == 1.0
    details.get_by_role("button", name="Undo").click()
    expect(details.locator(".kfa-said-of")).to_have_text("canary has 20% now.")
    assert scene.share_of_canary() < 0.5


def test_a_change_is_seen_without_a_word(panel: Routes, scene: Scene) -> None:
    panel.filter.fill("brought-late")
    panel.count("0 of 28 routes")
    scene.annotate("late", {"name": "brought-late", "prefix": "/late/", "service": "127.0.0.1:9"})
    panel.count("1 of 29 routes")
    scene.remove("late")
    panel.count("0 of 28 routes")


def test_it_opens_as_a_tab(page: LabPage, panel: Routes) -> None:
    page.page.locator("#kfambassador-panel .kfa-panel-wide").click()
    wide = Routes(page.page.locator("#jp-main-dock-panel .kfa-panel-body .kfa-browser"))
    wide.wait_for_rows()
    expect(wide.root.get_by_role("button", name="Mapping")).to_be_visible()
