"""The route browser's modules and styles, served from the package: the very files that the widget is made of.

Their address holds a hash of all of them. Whatever changes, by an upgrade or by an editor, is at another address, so a
browser may keep what it has for ever and never mixes old modules with new ones.
"""

import hashlib
from pathlib import Path
from typing import Final

#: Where they are.
DIRECTORY: Final = Path(__file__).parents[1] / "front_end"
#: What a page may ask for, and as what it is told.
_TYPES: Final = {".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8"}


class FrontEnd:
    """The modules, read anew when they have changed.

    Args:
        directory: Where they are.

    Example:
        >>> front_end = FrontEnd()
        >>> front_end.read(front_end.version, "panel.js")[1]
        'text/javascript; charset=utf-8'
    """

    def __init__(self, directory: Path = DIRECTORY) -> None:
        self._directory = directory
        self._seen: object = None
        self._version = ""
        self._files: dict[str, bytes] = {}

    @property
    def version(self) -> str:
        """What is another as soon as any of them is."""
        self._refresh()
        return self._version

    @property
    def styles(self) -> list[str]:
        """The names of the style sheets, in the order in which they are to be taken."""
        self._refresh()
        # The browser's own comes first: the others refine it.
        return sorted(
            (name for name in self._files if name.endswith(".css")), key=lambda name: (name != "style.css", name)
        )

    def read(self, version: str, name: str) -> tuple[bytes, str] | None:
        """Read a file and tell its media type; None where that version has none of that name (any more)."""
        self._refresh()
        if version != self._version or name not in self._files:
            return None
        return self._files[name], _TYPES[Path(name).suffix]

    def _refresh(self) -> None:
        paths = sorted(path for path in self._directory.iterdir() if path.suffix in _TYPES)
        seen = [(path.name, (found := path.stat()).st_mtime_ns, found.st_size) for path in paths]
        if seen == self._seen:
            return
        self._files = {path.name: path.read_bytes() for path in paths}
        self._seen = seen
        digest = hashlib.sha256()
        for name, content in self._files.items():
            digest.update(f"{name} {len(content)} ".encode() + content)
        self._version = digest.hexdigest()[:20]
