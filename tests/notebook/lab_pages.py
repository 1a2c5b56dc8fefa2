"""JupyterLab in a real browser: notebooks that are opened, run and looked at as a person does it."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import nbformat
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect

from tests.browsers import PATIENCE
from tests.notebook.lab_server import TOKEN, LabServer
from tests.notebook.scene import CONNECT

THEMES = {"light": "JupyterLab Light", "dark": "JupyterLab Dark"}

#: Every cell stays in the page, and nothing pops up or is fetched from elsewhere.
_SETTINGS: dict[str, dict[str, object]] = {
    "notebook-extension/tracker": {"windowingMode": "none"},
    "apputils-extension/notification": {"fetchNews": "false", "checkForUpdates": False},
}
#: What a browser says of a page that is no fault of ours.
_NOT_OURS = ("favicon", "ERR_ABORTED", "api/contents", "listings", "translations")


def write_settings(home: Path) -> dict[str, str]:
    """Settings for JupyterLab as a test needs it; the variables that name them."""
    for name, settings in _SETTINGS.items():
        path = home / "settings" / "@jupyterlab" / f"{name}.jupyterlab-settings"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(settings), encoding="utf-8")
    return {"JUPYTERLAB_SETTINGS_DIR": str(home / "settings"), "JUPYTERLAB_WORKSPACES_DIR": str(home / "workspaces")}


@dataclass
class LabPage:
    """A page of JupyterLab.

    Attributes:
        page: The page.
        server: Its Jupyter server.
        errors: What went wrong in the page, as it says itself.
    """

    page: Page
    server: LabServer
    errors: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.set_default_timeout(PATIENCE)
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("console", lambda said: self._hear(said.type, said.text))

    def open(self, *cells: str, name: str = "notebook") -> None:
        """Open a notebook with these cells; its kernel is ready when this returns."""
        notebook = nbformat.v4.new_notebook(  # type: ignore[no-untyped-call]  # it ships no types
            cells=[nbformat.v4.new_code_cell(cell) for cell in cells],  # type: ignore[no-untyped-call]
            metadata={"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}},
        )
        nbformat.write(notebook, self.server.home / "work" / f"{name}.ipynb")  # type: ignore[no-untyped-call]
        self.visit(f"lab/tree/{name}.ipynb")
        self.page.wait_for_selector(".jp-Notebook")
        self.page.wait_for_function(
            "window.jupyterapp?.shell.currentWidget?.sessionContext?.session?.kernel?.status === 'idle'"
        )

    def visit(self, path: str) -> None:
        """Go to a page of the server; JupyterLab is there when this returns."""
        self.page.goto(f"{self.server.url}{path}?token={TOKEN}&reset")
        self.page.wait_for_function("window.jupyterapp?.commands.hasCommand('notebook:run-all-cells')")

    def command(self, name: str, **arguments: object) -> None:
        """Run a command of JupyterLab, without waiting for its end."""
        self.page.evaluate("([name, args]) => void window.jupyterapp.commands.execute(name, args)", [name, arguments])

    def run_all(self) -> None:
        """Run all cells, as the menu does."""
        self.command("notebook:run-all-cells")

    def set_theme(self, theme: str) -> None:
        """Choose the light or the dark theme."""
        self.command("apputils:change-theme", theme=THEMES[theme])
        self.page.wait_for_selector(f"body[data-jp-theme-light='{str(theme == 'light').lower()}']", state="attached")

    def cell(self, number: int) -> Locator:
        """A cell, counted from 0."""
        return self.page.locator(".jp-Notebook .jp-Cell").nth(number)

    def wait_for_run(self, number: int) -> None:
        """Wait until a cell has run to its end."""
        expect(self.cell(number).locator(".jp-InputPrompt")).to_have_text("[*]:", timeout=PATIENCE)

    def show_routes(self, name: str) -> "Routes":
        """Open a notebook that shows the routes, and run it; they are there when this returns."""
        self.open(f"{CONNECT}\ngateway", name=name)
        self.run_all()
        routes = self.routes()
        routes.wait_for_rows()
        return routes

    def routes(self) -> "Routes":
        """The first route browser of the page, once it shows routes."""
        return Routes(self.page.locator(".kfa-browser:has(.kfa-table)").first)

    def _hear(self, kind: str, text: str) -> None:
        if kind == "error" and not any(word in text for word in _NOT_OURS):
            self.errors.append(text)


@dataclass(frozen=True)
class Routes:
    """A route browser in a page.

    Attributes:
        root: Its element.
    """

    root: Locator

    @property
    def filter(self) -> Locator:
        """Where the filter is typed."""
        return self.root.get_by_role("searchbox", name="Filter routes")

    @property
    def rows(self) -> Locator:
        """The rows that are drawn."""
        return self.root.locator(".kfa-rows .kfa-row:visible")

    @property
    def details(self) -> Locator:
        """The details of the route that was opened."""
        return self.root.locator(".kfa-details")

    def row(self, path: str) -> Locator:
        """The first row of a path; one that is in sight."""
        return self.rows.filter(has=self.root.page.locator(f".kfa-c-path > span:first-child:text-is('{path}')")).first

    def wait_for_rows(self) -> None:
        """Wait until there are any."""
        expect(self.rows.first).to_be_visible()

    def count(self, words: str) -> None:
        """Wait until it says that so many routes are shown."""
        expect(self.root.locator(".kfa-found")).to_have_text(words)

    def open(self, path: str) -> Locator:
        """Look for a route and open it; its details have been read when this returns."""
        self.filter.fill(path.rstrip("*"))
        self.row(path).click()
        return self.wait_for_details()

    def wait_for_details(self) -> Locator:
        """Wait until the details have been read."""
        expect(self.details).to_be_visible()
        expect(self.details.get_by_text("Reading what was written")).to_have_count(0)
        return self.details

    def column(self, name: str) -> list[str]:
        """What a column shows, from top to bottom."""
        return self.rows.locator(f".kfa-c-{name}").all_inner_texts()


@contextmanager
def opened_page(browser: Browser, server: LabServer, *, width: int = 1280, height: int = 1000) -> Iterator[LabPage]:
    """A new page, with nothing remembered; what went wrong in it fails whoever looks at it."""
    context: BrowserContext = browser.new_context(
        viewport={"width": width, "height": height}, permissions=["clipboard-read", "clipboard-write"]
    )
    try:
        opened = LabPage(context.new_page(), server)
        yield opened
        assert opened.errors == []
    finally:
        context.close()
