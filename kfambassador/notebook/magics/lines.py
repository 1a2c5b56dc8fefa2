"""The line after a magic: what may stand in it, reading it, and its help. Pure."""

import re
import shlex
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from textwrap import wrap
from typing import Final

from kfambassador.errors import ConfigurationError
from kfambassador.problems import suggest

#: Columns of a help text.
_WIDTH: Final = 100
_INDENT: Final = 26
_HELP: Final = "--help"
_QUALIFIED: Final = re.compile(r"(-?(?:\w+(?::|>=?|<=?))?)(.*)", re.DOTALL)

#: What the words of a line say, by the names of arguments and options.
Said = dict[str, object]


@dataclass(frozen=True, slots=True)
class Option:
    """An option.

    Attributes:
        names: How it is written; the first is the long one.
        meaning: What it does, in a sentence.
        metavar: What its value is called; "" where it takes none.
        read: Makes the value of its word, and raises ConfigurationError where the word is none.
        choices: All that its value can be; none where that is open.
        is_many: Whether it can stand several times; its value is a list then.
        no: How the opposite is written; "" where there is none.
    """

    names: tuple[str, ...]
    meaning: str
    metavar: str = ""
    read: Callable[[str], object] = str
    choices: tuple[str, ...] = ()
    is_many: bool = False
    no: str = ""

    @property
    def key(self) -> str:
        """By which its value is found."""
        return self.names[0].removeprefix("--").replace("-", "_")

    @property
    def spellings(self) -> tuple[str, ...]:
        """Every word that stands for it."""
        return (*self.names, self.no) if self.no else self.names

    def take(self, word: str, said: Said) -> None:
        """Take its value.

        Raises:
            ConfigurationError: The word is none.
        """
        if self.choices and word not in self.choices:
            known = ", ".join(self.choices)
            raise ConfigurationError(f"{self.names[0]} is one of {known}, not {word!r}{suggest(word, self.choices)}")
        value = self.read(word)
        before = said.get(self.key)
        said[self.key] = [*(before if isinstance(before, list) else []), value] if self.is_many else value


@dataclass(frozen=True, slots=True)
class Argument:
    """A word without an option's name.

    Attributes:
        name: What it is called, in capitals.
        meaning: What it is, in a sentence.
        is_rest: Whether it stands for all words that are left, also none, and also such as begin with a dash.
    """

    name: str
    meaning: str
    is_rest: bool = False

    @property
    def key(self) -> str:
        """By which its value is found."""
        return self.name.lower()


@dataclass(frozen=True, slots=True)
class Magic:
    """What one magic takes.

    Attributes:
        name: Its name, without percent signs.
        summary: What it does, and what it gives back.
        arguments: Its words, in their order.
        options: Its options.
        examples: Lines, and cells, as they can be typed.
        is_cell: Whether it stands above a cell.
        elsewhere: Options of a terminal's command of that name that it has not, each with what to do instead.
    """

    name: str
    summary: str
    arguments: tuple[Argument, ...]
    options: tuple[Option, ...]
    examples: tuple[str, ...]
    is_cell: bool = False
    elsewhere: tuple[tuple[str, str], ...] = ()

    @property
    def sign(self) -> str:
        """Its name with percent signs."""
        return f"%%{self.name}" if self.is_cell else f"%{self.name}"

    @property
    def usage(self) -> str:
        """Its line in one line."""
        words = (f"[{each.name}]" if each.is_rest else each.name for each in self.arguments)
        return " ".join([self.sign, *words, "[OPTIONS]"])

    @property
    def spellings(self) -> tuple[str, ...]:
        """Every word that is an option."""
        return (*(name for option in self.options for name in option.spellings), _HELP)

    def find(self, word: str) -> Option | None:
        """The option that a word stands for."""
        return next((option for option in self.options if word in option.spellings), None)

    def read(self, line: str) -> Said | None:
        """Read a line; None where help is asked for.

        Raises:
            ConfigurationError: Something is not understood; the message says what, and what is meant probably.
        """
        words = self._split(line)
        if _HELP in words:
            return None
        said: Said = {}
        plain: list[str] = []
        left = iter(words)
        for word in left:
            if word == "--":
                plain += left
            elif not self._take_option(word, left, said):
                plain.append(word)
        self._place(plain, said)
        return said

    def write_help(self) -> str:
        """Write what it is, for a person."""
        lines = [self.usage, "", *wrap(self.summary, _WIDTH)]
        rows = [(each.name, each.meaning) for each in self.arguments]
        lines += ["", *_write_rows(rows)] if rows else []
        lines += ["", "Options:", *_write_rows([(_spell(each), _explain(each)) for each in self.options])]
        lines += _write_rows([(_HELP, "Show this.")])
        lines += ["", "Examples:", *(f"  {line}".rstrip() for each in self.examples for line in each.split("\n"))]
        return "\n".join(lines)

    def _split(self, line: str) -> list[str]:
        try:
            return shlex.split(line)
        except ValueError:
            raise ConfigurationError(
                f"{self.sign}: a quotation mark or a backslash in {line.strip()!r} has no end: close it, or quote it"
            ) from None

    def _take_option(self, word: str, left: Iterator[str], said: Said) -> bool:
        """Take an option, and its value; tell whether the word is one.

        Raises:
            ConfigurationError: It is one that is not known, or its value is wrong.
        """
        if not word.startswith("-") or word == "-":
            return False
        is_long = word.startswith("--")
        name, equals, value = word.partition("=") if is_long else (word[:2], word[2:], word[2:])
        option = self.find(name)
        if option is None or (not is_long and equals and not option.metavar):
            if not is_long and any(each.is_rest for each in self.arguments):
                return False
            raise self._refuse(name if is_long else word)
        if not option.metavar:
            if equals:
                raise ConfigurationError(f"{self.sign}: {name} takes no value, and got {value!r}")
            said[option.key] = name != option.no
            return True
        taken = value if equals else next(left, None)
        if taken is None:
            raise ConfigurationError(f"{self.sign}: after {name} comes {option.metavar}: {option.meaning}")
        option.take(taken, said)
        return True

    def _refuse(self, name: str) -> ConfigurationError:
        instead = dict(self.elsewhere).get(name)
        if instead is not None:
            return ConfigurationError(f"{self.sign} has no option {name}: {instead}")
        near = suggest(name, self.spellings) or f"; {self.sign} {_HELP} lists them"
        return ConfigurationError(f"{self.sign} has no option {name}{near}")

    def _place(self, plain: Sequence[str], said: Said) -> None:
        for number, argument in enumerate(self.arguments):
            if argument.is_rest:
                said[argument.key] = " ".join(map(_quote, plain[number:]))
                return
            if number >= len(plain):
                raise ConfigurationError(f"{argument.name} is missing: write {self.usage}. {argument.meaning}")
            said[argument.key] = plain[number]
        if len(plain) > len(self.arguments):
            raise ConfigurationError(
                f"{plain[len(self.arguments)]!r} is one word too many: write {self.usage}, and quote what has spaces"
            )


def _quote(word: str) -> str:
    """Quote anew what was quoted as one word, as filters have it: ``path:"/a b"``."""
    qualifier, value = _QUALIFIED.fullmatch(word).groups()  # type: ignore[union-attr]  # everything matches
    return f'{qualifier}"{value}"' if any(map(str.isspace, value)) else word


def _spell(option: Option) -> str:
    *short, long = reversed(option.names)
    names = ", ".join([*short, f"{long} / {option.no}" if option.no else long])
    return f"{names} {option.metavar}".rstrip()


def _explain(option: Option) -> str:
    more = f" One of {', '.join(option.choices)}." if option.choices else ""
    return f"{option.meaning}{more}{' Can be given several times.' if option.is_many else ''}"


def _write_rows(rows: Sequence[tuple[str, str]]) -> list[str]:
    lines = []
    for name, meaning in rows:
        first, *more = wrap(meaning, _WIDTH - _INDENT) or [""]
        lines.append(f"  {name}".ljust(_INDENT - 1) + f" {first}")
        lines += [" " * _INDENT + each for each in more]
    return lines
