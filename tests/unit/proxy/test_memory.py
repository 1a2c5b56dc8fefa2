"""How much memory a container may take."""

from pathlib import Path

import pytest

from kfambassador.proxy.launching import choose_max_heap
from kfambassador.proxy.memory import read_memory_limit


@pytest.mark.parametrize(
    ("file", "text", "limit"),
    [
        ("memory.max", "536870912\n", 2**29),
        ("memory.max", "max\n", None),
        ("memory/memory.limit_in_bytes", "536870912\n", 2**29),
        # What the first version of control groups says of none: the largest number of whole pages.
        ("memory/memory.limit_in_bytes", "9223372036854771712\n", None),
    ],
)
def test_the_kernel_says_it_in_two_ways(tmp_path: Path, file: str, text: str, limit: int | None) -> None:
    place = tmp_path / file
    place.parent.mkdir(exist_ok=True)
    place.write_text(text)
    assert read_memory_limit(tmp_path) == limit


def test_without_control_groups_there_is_no_limit(tmp_path: Path) -> None:
    assert read_memory_limit(tmp_path) is None


def test_envoy_may_have_four_fifths_of_it(tmp_path: Path) -> None:
    (tmp_path / "memory.max").write_text("1000000000\n")
    assert choose_max_heap(tmp_path) == 800_000_000
    assert choose_max_heap(tmp_path / "none") is None
