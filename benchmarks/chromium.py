"""A real Chromium without a window, as slow as it is wanted."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

#: What to do where there is none.
MISSING = (
    "Not measured: there is no Chromium here. Install the one of the system, on Debian and Ubuntu with: "
    "apt-get install chromium. What drives it comes with: make setup."
)

_NAMES = ("chromium", "chromium-browser", "google-chrome")
_FLAGS = ("--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-sync")


class NoChromium(Exception):
    """There is no Chromium, or nothing to drive it."""


@contextmanager
def running_chromium() -> "Iterator[Browser]":
    """Run the machine's Chromium.

    Raises:
        NoChromium: There is none.
    """
    found = next(filter(None, map(shutil.which, _NAMES)), None)
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        found = None
    if found is None:
        raise NoChromium(MISSING)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=list(_FLAGS))
        yield browser
        browser.close()


@contextmanager
def opened_page(browser: "Browser", *, style: str, script: str, slower: int = 1) -> "Iterator[Page]":
    """A page with a style sheet and a script, and an element ``#root``; what goes wrong in it is raised at the end.

    Args:
        browser: The browser.
        style: The style sheet.
        script: It runs once the page is there.
        slower: How many times slower the page's processor is than the machine's.
    """
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    try:
        page.set_content("<!doctype html><html lang='en'><body><div id='root'></div></body></html>")
        page.add_style_tag(content=style)
        page.add_script_tag(content=script)
        if slower > 1:
            page.context.new_cdp_session(page).send("Emulation.setCPUThrottlingRate", {"rate": slower})
        yield page
    finally:
        page.close()
    if errors:
        raise RuntimeError("\n".join(errors))


def read_metrics(page: "Page") -> dict[str, float]:
    """What the browser counts of a page after it has collected what nobody holds: ``Nodes``, ``JSHeapUsedSize`` ..."""
    session = page.context.new_cdp_session(page)
    session.send("HeapProfiler.collectGarbage")
    session.send("Performance.enable")
    told = session.send("Performance.getMetrics")
    return {each["name"]: each["value"] for each in told["metrics"]}
