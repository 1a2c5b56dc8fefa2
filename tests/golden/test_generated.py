"""What is made from the models is what they say now; ``make golden`` makes it anew."""

from pathlib import Path

import pytest

from tests.golden.generated import ROOT, generate

GENERATED = generate()


@pytest.mark.parametrize("path", GENERATED, ids=lambda path: str(path.relative_to(ROOT)))
def test_it_is_fresh(path: Path, request: pytest.FixtureRequest) -> None:
    if request.config.getoption("rewrite_golden", default=False):
        path.write_text(GENERATED[path])
    assert path.exists()
    assert path.read_text() == GENERATED[path], "make golden makes it anew"
