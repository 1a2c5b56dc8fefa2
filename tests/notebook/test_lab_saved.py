"""What is left when a page, a kernel or JupyterLab is gone; thousands of routes; and no secret in what is saved."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from kfambassador.local.daemon import find_gateway
from kfambassador.local.runtime_directory import RuntimeDirectory
from tests.notebook.lab_pages import LabPage, opened_page
from tests.notebook.lab_server import LabServer
from tests.notebook.scene import CONNECT, Scene

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("jupyterlab-looks")]

#: A secret that somebody's calls need, and that nothing that is saved may hold.
CANARY = "canary-5f0c1d-of-a-secret"

TEAMS, MODELS = 10, 500


@pytest.fixture
def page(chromium: Browser, lab: LabServer, scene: Scene) -> Iterator[LabPage]:
    with opened_page(chromium, lab) as page:
        yield page


def save(page: LabPage, name: str) -> Path:
    """Save the notebook; where it is."""
    page.page.evaluate("window.jupyterapp.commands.execute('docmanager:save')")
    return page.server.home / "work" / f"{name}.ipynb"


def test_a_page_that_is_loaded_again_shows_the_routes_once_the_cell_has_run(page: LabPage) -> None:
    page.show_routes("again")
    save(page, "again")
    page.visit("lab/tree/again.ipynb")
    # The kernel is the same, and knows its widgets.
    page.routes().wait_for_rows()
    page.routes().count("28 routes")
    page.routes().filter.fill("echo")
    page.routes().row("/echo/*").click()
    page.routes().wait_for_details()


def test_two_views_show_the_same(page: LabPage, scene: Scene) -> None:
    page.open(f"{CONNECT}\ngateway", "gateway", name="twice")
    page.run_all()
    views = page.page.locator(".kfa-browser:has(.kfa-table)")
    expect(views).to_have_count(2)
    scene.annotate("both", {"name": "both", "prefix": "/both/", "service": "127.0.0.1:9"})
    try:
        for number in range(2):
            expect(views.nth(number).locator(".kfa-found")).to_have_text("29 routes")
    finally:
        scene.remove("both")


def test_a_saved_notebook_shows_the_table_and_no_secret(page: LabPage, scene: Scene) -> None:
    connect = f'import kfambassador as kfa\ngateway = kfa.connect(credentials=kfa.BearerToken("{CANARY}"), quiet=True)'
    # Written where the cell's source does not show it.
    page.open("import os", connect.replace(f'"{CANARY}"', "os.environ['OWN_CANARY']") + "\ngateway", name="saved")
    page.page.evaluate(
        """(canary) => window.jupyterapp.shell.currentWidget.sessionContext.session.kernel
           .requestExecute({code: `import os; os.environ["OWN_CANARY"] = "${canary}"`}).done.then(() => null)""",
        CANARY,
    )
    page.run_all()
    routes = page.routes()
    routes.wait_for_rows()
    routes.open("/echo/*").get_by_role("button", name="Send", exact=True).click()
    expect(routes.details.locator(".kfa-result .kfa-answer")).to_contain_text(CANARY)
    text = save(page, "saved").read_text(encoding="utf-8")
    assert CANARY not in text
    [shown] = [
        output for output in json.loads(text)["cells"][1]["outputs"] if output["output_type"] == "execute_result"
    ]
    html = "".join(shown["data"]["text/html"])
    assert "/echo/" in html
    assert "<script" not in html
    # Nor what lets one in at the gateway's own doors.
    endpoint = find_gateway(RuntimeDirectory(page.server.home / "gateway"))
    assert endpoint is not None
    assert [token for token in (endpoint.api_token, endpoint.diagnostics_token) if token in text] == []


def test_thousands_of_routes_are_as_handy_as_a_few(page: LabPage, scene: Scene) -> None:
    page.open(f"{CONNECT}\ngateway", name="many")
    for team in range(TEAMS):
        mappings: Iterator[dict[str, object]] = (
            {"name": f"t{team}-m{number}", "prefix": f"/t{team}/m{number}/", "service": "127.0.0.1:9"}
            for number in range(MODELS)
        )
        scene.annotate(f"team-{team}", *mappings)
    try:
        page.run_all()
        routes = page.routes()
        routes.wait_for_rows()
        routes.count("5,028 routes")
        # No more of them are in the page than a person sees, and a few.
        assert routes.root.locator(".kfa-rows .kfa-row").count() < 60
        routes.root.get_by_role("button", name="Path", exact=True).click()
        table = routes.root.locator(".kfa-table")
        table.press("End")
        expect(routes.row("/typo/*")).to_be_visible()
        routes.filter.press_sequentially("t7/m499")
        routes.count("1 of 5,028 routes")
        routes.rows.first.click()
        expect(routes.wait_for_details()).to_contain_text("Service default/team-7, document 500")
    finally:
        for team in range(TEAMS):
            scene.remove(f"team-{team}")
    routes.filter.fill("")
    routes.count("28 routes")
