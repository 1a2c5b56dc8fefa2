"""A browser that looks at the diagnostics page, without scripts unless one is asked for."""

from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page

from tests.browsers import PATIENCE
from tests.page.scene import Scene


@contextmanager
def opened(
    browser: Browser,
    scene: Scene,
    *,
    theme: str = "light",
    scripts: bool = False,
    width: int = 1280,
    token: str | None = None,
) -> Iterator[Page]:
    """A new page at the routes; what its browser complained of fails whoever looks at it."""
    context: BrowserContext = browser.new_context(
        base_url=scene.url,
        viewport={"width": width, "height": 900},
        java_script_enabled=scripts,
        color_scheme="dark" if theme == "dark" else "light",
        http_credentials={"username": "me", "password": token} if token is not None else None,
    )
    try:
        page = context.new_page()
        page.set_default_timeout(PATIENCE)
        errors: list[str] = []
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("console", lambda said: errors.append(said.text) if _is_complaint(said) else None)
        page.goto("/")
        yield page
        assert errors == []
    finally:
        context.close()


def _is_complaint(said: ConsoleMessage) -> bool:
    # That a form was answered with 400 is no fault of the page.
    return said.type in {"error", "warning"} and "status of 400" not in said.text
