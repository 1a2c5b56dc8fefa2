"""Colours mean the same on the page and in a notebook."""

import re
from pathlib import Path

import pytest

import kfambassador

ROOT = Path(kfambassador.__file__).parent
PAGE = (ROOT / "controller" / "page" / "static" / "page.css").read_text()
NOTEBOOK = (ROOT / "notebook" / "front_end" / "style.css").read_text()


def read(sheet: str, name: str) -> str:
    """The pair of colours, light and dark, that goes by a name."""
    found = re.search(rf"--{name}:.*?light-dark\((#\w+, #\w+)\)", sheet)
    assert found is not None, name
    return found[1]


@pytest.mark.parametrize("name", ["good", "bad", "warn", "brand", "soft", "ink", "edge", "tint"])
def test_a_colour_is_the_same_in_both(name: str) -> None:
    assert read(PAGE, name) == read(NOTEBOOK, f"kfa-{name}")


@pytest.mark.parametrize("part", range(4))
def test_the_parts_of_a_split_have_the_same_colours(part: int) -> None:
    colours = [re.search(rf"part-{part} {{ \w+: (#\w+)", sheet) for sheet in (PAGE, NOTEBOOK)]
    assert all(colours)
    assert len({found[1] for found in colours if found}) == 1
