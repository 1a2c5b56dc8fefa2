"""The front end as one module and one style sheet, for a widget: a widget brings its page's script as one text.

JupyterLab's panel loads the same files as they are. What they may use is little on purpose (named imports from their
neighbours, exports before a declaration), so that joining them needs no tool and no build. Pure but for reading them.
"""

import re
from importlib.resources import files
from typing import Final

from kfambassador.errors import ConfigurationError

_PLACE: Final = "kfambassador.notebook"
_FOLDER: Final = "front_end"
_STYLE: Final = "style.css"

_IMPORT: Final = re.compile(r'^import \{ ([\w, ]+) \} from "\./(\w+\.js)";$', re.MULTILINE)
_EXPORT: Final = re.compile(r"^export (?=(?:async )?(?:function|const|let|class)\b)", re.MULTILINE)
_DECLARED: Final = re.compile(r"^(export )?(?:async )?(?:function|const|let|class) (\w+|[\[{].*?[\]}])", re.MULTILINE)
_COMMENTS: Final = re.compile(r"^\s*(?://.*|/\*\*(?:.|\n)*?\*/)\n", re.MULTILINE)
_SPACE: Final = re.compile(r"\n\s+")
_DEFAULT: Final = re.compile(r"^export default\b.*$", re.MULTILINE)
_LEFT: Final = re.compile(r"^(?:import\b|export (?!default )).*$|\bimport[(.].*$", re.MULTILINE)


def join_modules(entry: str) -> str:
    """Join a module with all it imports, each once and after what it needs; only its own default export stays.

    Args:
        entry: The module's file name.

    Raises:
        ConfigurationError: There is no such module, or one of them uses more of the language's modules than can be
            joined: other imports or exports, a name its neighbour does not export, a name that two of them declare,
            or modules that need each other.

    Example:
        >>> "import" in join_modules("virtual.js"), "function findWindow(" in join_modules("virtual.js")
        (False, True)
    """
    joiner = _Joiner()
    joiner.add(entry, ())
    return "".join(joiner.joined.values())


def join_styles() -> str:
    """The style sheet."""
    return read_file(_STYLE)


def read_file(name: str) -> str:
    """Read a file of the front end.

    Raises:
        ConfigurationError: There is none of this name.
    """
    try:
        return files(_PLACE).joinpath(_FOLDER, name).read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise ConfigurationError(f"There is no {name} among the front end's files.") from error


class _Joiner:
    """Modules in the order in which each comes after what it needs, and who declares and exports which name."""

    def __init__(self) -> None:
        self.joined: dict[str, str] = {}
        self._owners: dict[str, str] = {}
        self._exports: dict[str, set[str]] = {}

    def add(self, name: str, needed_by: tuple[str, ...]) -> None:
        """Add a module and what it needs."""
        if name in needed_by:
            raise ConfigurationError(f"{' needs '.join((*needed_by, name))}: modules that need each other cannot join.")
        if name in self.joined:
            return
        text = read_file(name)
        for needed in _IMPORT.finditer(text):
            self.add(needed[2], (*needed_by, name))
            for wanted in needed[1].split(", "):
                if wanted not in self._exports[needed[2]]:
                    raise ConfigurationError(f"{name} imports {wanted!r}, which {needed[2]} does not export.")
        self._declare(name, text)
        self.joined[name] = _strip(name, text, is_entry=not needed_by)

    def _declare(self, name: str, text: str) -> None:
        self._exports[name] = set()
        for export, declared in _DECLARED.findall(text):
            for each in re.findall(r"\w+", declared):
                if each in self._owners:
                    raise ConfigurationError(
                        f"{name} and {self._owners[each]} both declare {each}: joined, they are one scope."
                    )
                self._owners[each] = name
                if export:
                    self._exports[name].add(each)


def _strip(name: str, text: str, *, is_entry: bool) -> str:
    """Take away what only single modules need, and what only their readers do."""
    stripped = _COMMENTS.sub("", _EXPORT.sub("", _IMPORT.sub("", text))).strip() + "\n"
    left = _LEFT.search(stripped) or (None if is_entry else _DEFAULT.search(stripped))
    if left is not None:
        raise ConfigurationError(
            f'{name}: {left[0]!r} cannot be joined; write imports as: import {{ a }} from "./b.js";'
            " and export by name, the first module alone by default."
        )
    if any(line.count("`") % 2 for line in stripped.splitlines()):
        raise ConfigurationError(f"{name}: a text in backquotes is on several lines, where its indentation would go.")
    return _SPACE.sub("\n", stripped)
