"""The machine's Chromium, for tests that look at a page as a person does."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect, sync_playwright

#: Milliseconds until what a person waits for is there, on a machine that does much else besides.
PATIENCE = 30_000

#: The guide's pictures.
PICTURES = Path(__file__).parents[1] / "docs" / "images"
#: Bytes of a picture that is small enough for a page of the guide.
MOST_BYTES = 200_000

_BROWSERS = ("chromium", "chromium-browser", "google-chrome")
_FLAGS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
)


def find_chromium() -> str:
    """The machine's Chromium; a developer who has none may go without these tests, continuous integration may not."""
    found = next(filter(None, map(shutil.which, _BROWSERS)), None)
    if found is None:
        how = "no Chromium is installed; on Debian or Ubuntu: apt-get install chromium"
        assert not os.environ.get("CI"), how
        pytest.skip(how)
    return found


@contextmanager
def running_chromium() -> Iterator[Browser]:
    """Run the machine's Chromium without a window."""
    executable = find_chromium()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=list(_FLAGS))
        expect.set_options(timeout=PATIENCE)
        yield browser
        browser.close()


def take(target: Locator | Page, pictures: Path, name: str) -> None:
    """Take a picture that is small enough for a page of the guide."""
    target.screenshot(path=pictures / name)
    assert (pictures / name).stat().st_size < MOST_BYTES
