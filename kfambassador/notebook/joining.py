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
_DECLARED: Final = re.compile(r"^(?:export )?(?:async )?(?:function|const|let|class) (\w+)", re.MULTILINE)
_COMMENTS: Final = re.compile(r"^\s*(?://.*|/\*\*(?:.|\n)*?\*/)\n", re.MULTILINE)
_LEFT: Final = re.compile(r"^(?:import\b|export (?!default )).*$", re.MULTILINE)


def join_modules(entry: str) -> str:
    """Join a module with all it imports, each once and after what it needs; only its own default export stays.

    Args:
        entry: The module's file name.

    Raises:
        ConfigurationError: A module uses more of the language's modules than can be joined, or two give one name.

    Example:
        >>> "import" in join_modules("virtual.js"), "function findWindow(" in join_modules("virtual.js")
        (False, True)
    """
    joined: dict[str, str] = {}
    owners: dict[str, str] = {}
    _add(entry, joined, owners)
    return "\n".join(joined.values())


def join_styles() -> str:
    """The style sheet."""
    return read_file(_STYLE)


def read_file(name: str) -> str:
    """Read a file of the front end."""
    return files(_PLACE).joinpath(_FOLDER, name).read_text(encoding="utf-8")


def _add(name: str, joined: dict[str, str], owners: dict[str, str]) -> None:
    if name in joined:
        return
    text = read_file(name)
    for needed in _IMPORT.finditer(text):
        _add(needed[2], joined, owners)
    for declared in _DECLARED.findall(text):
        if declared in owners:
            raise ConfigurationError(
                f"{name} and {owners[declared]} both declare {declared}: joined, they are one scope."
            )
        owners[declared] = name
    joined[name] = _strip(name, text)


def _strip(name: str, text: str) -> str:
    """Take away what only single modules need, and what only their readers do."""
    stripped = _COMMENTS.sub("", _EXPORT.sub("", _IMPORT.sub("", text))).strip() + "\n"
    left = _LEFT.search(stripped)
    if left is not None:
        raise ConfigurationError(
            f"{name}: {left[0]!r} cannot be joined; write imports as: import {{ a }} from './b.js';"
        )
    return stripped
