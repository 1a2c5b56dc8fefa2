"""A gateway to look at, for all tests of the diagnostics page."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.page.scene import Scene


@pytest.fixture(scope="module")
def scene() -> "Iterator[Scene]":
    """A gateway with all that there is to see."""
    from tests.page.scene import played

    with played() as scene:
        yield scene
