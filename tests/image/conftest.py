"""The image, made once for all tests and kept until what it is made of changes."""

from collections.abc import Iterator

import pytest

from tests.image.building import Image, build_image
from tests.image.containers import Containers, can_seal, containers


@pytest.fixture(scope="session")
def image() -> Image:
    return build_image()


@pytest.fixture(
    params=[
        pytest.param(False, id="as a user who may write nowhere"),
        pytest.param(
            True,
            id="on a read-only file system",
            marks=pytest.mark.skipif(not can_seal(), reason="this user may not mount anything"),
        ),
    ],
    scope="module",
)
def container(request: pytest.FixtureRequest, image: Image) -> Iterator[Containers]:
    with containers(image, sealed=request.param) as found:
        yield found
