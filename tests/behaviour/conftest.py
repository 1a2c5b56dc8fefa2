"""The one world of the suite."""

from collections.abc import Iterator

import pytest

from tests.behaviour.world import World, world


@pytest.fixture(scope="session")
def behaviour_world() -> Iterator[World]:
    """One Envoy and every backend, for all cases."""
    with world() as started:
        yield started
