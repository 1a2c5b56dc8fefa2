"""How much memory a container may take, as the kernel says it."""

from pathlib import Path
from typing import Final

#: Where control groups are seen from inside a container.
CONTROL_GROUPS: Final = Path("/sys/fs/cgroup")

#: Limits from here on are none: the first version of control groups writes the largest number of pages.
_NO_LIMIT: Final = 2**60


def read_memory_limit(groups: Path = CONTROL_GROUPS) -> int | None:
    """Read the limit of the container this runs in.

    Args:
        groups: Where control groups are.

    Returns:
        Bytes; None where there is no limit, or no container.

    Example:
        >>> read_memory_limit(Path("/nowhere")) is None
        True
    """
    # The second version of control groups, and the first.
    for file in (groups / "memory.max", groups / "memory" / "memory.limit_in_bytes"):
        try:
            text = file.read_text().strip()
        except OSError:
            continue
        limit = int(text) if text.isdecimal() else _NO_LIMIT
        return limit if limit < _NO_LIMIT else None
    return None
