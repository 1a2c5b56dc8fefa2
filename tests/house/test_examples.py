"""Every public name has an example that a test runs: in its docstring, or on a page of the guide."""

import inspect
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import kfambassador
from tests.docs.pages import find_blocks

GUIDE = Path(__file__).parents[2] / "docs" / "guide"
BLOCKS = [block for path in GUIDE.glob("*.md") for block in find_blocks(path.read_text())]
RUN = "\n".join(block.code for block in BLOCKS if block.kind == "python")
SHOWN = "\n".join(block.shown for block in BLOCKS)

#: What people hold in their hands, and so is shown verb by verb.
HANDLES = ("Gateway", "Exposure")


def has_doctest(thing: object) -> bool:
    """Whether it, or a method of its own, has an example in its docstring. One that is inherited is the parent's."""
    own = vars(thing).values() if inspect.isclass(thing) else ()
    return any(">>> " in (getattr(each, "__doc__", None) or "") for each in (thing, *own))


def find_verbs() -> Iterator[tuple[str, str]]:
    for handle in HANDLES:
        thing = getattr(kfambassador, handle)
        for name, _ in inspect.getmembers(thing, lambda each: inspect.isfunction(each) or inspect.ismethod(each)):
            if not name.startswith("_"):
                yield handle, name


@pytest.mark.parametrize("name", [name for name in kfambassador.__all__ if not name.startswith("_")])
def test_a_public_name_has_an_example_that_is_run(name: str) -> None:
    in_guide = re.search(rf"\bkfa\.{name}\b", RUN) or re.search(rf"(?:^|<){name}\b[: ]", SHOWN, re.MULTILINE)
    assert in_guide or has_doctest(getattr(kfambassador, name)), "write a doctest, or show it in docs/guide"


@pytest.mark.parametrize(("handle", "verb"), sorted(find_verbs()))
def test_a_verb_is_shown_in_the_guide(handle: str, verb: str) -> None:
    assert re.search(rf"\.{verb}\(", RUN), f"show {handle}.{verb} in docs/guide"
