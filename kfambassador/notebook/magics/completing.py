"""What can be written next in a magic's line: options and their values, models, methods and paths."""

import re
import time
from collections.abc import Callable, Iterator, Sequence
from threading import Thread
from typing import TYPE_CHECKING, Final, NamedTuple

from IPython.core.completer import CompletionContext, SimpleCompletion, SimpleMatcherResult, context_matcher

from kfambassador.errors import KfAmbassadorError
from kfambassador.notebook.magics.choosing import Chooser
from kfambassador.notebook.magics.grammar import MAGICS
from kfambassador.notebook.magics.lines import Argument, Magic

if TYPE_CHECKING:
    from kfambassador.sdk.exposure import Exposure
    from kfambassador.sdk.gateway import Gateway

#: What IPython calls our matcher.
MATCHER: Final = "kfambassador.magics"

_LINE: Final = re.compile(r"^\s*(?:[^%#]*=\s*)?(%{1,2})(\w+)\s+(.*)$")
_ALWAYS: Final = {
    "method": ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"),
    "target": ("local", "in-cluster"),
}
#: Seconds somebody who completes waits for a gateway at most, and for which what it said is good enough.
_PATIENCE: Final = 1.0
_FRESH: Final = 5.0
#: So many are offered; nobody reads more.
_MOST: Final = 200


class Typed(NamedTuple):
    """A magic's line up to the cursor.

    Attributes:
        magic: The magic.
        words: The words before the one that is being typed.
        word: The word that is being typed.
    """

    magic: Magic
    words: tuple[str, ...]
    word: str


def read_typed(line: str, *, is_first: bool) -> Typed | None:
    """Read what was typed up to the cursor; None where it is none of our magics' lines.

    Args:
        line: The line up to the cursor.
        is_first: Whether it is the first line of its cell, as that of a cell's magic is.

    Example:
        >>> typed = read_typed("x = %explain GET /mo", is_first=False)
        >>> typed.magic.name, typed.words, typed.word
        ('explain', ('GET',), '/mo')
    """
    found = _LINE.match(line)
    magic = MAGICS.get(found[2]) if found else None
    if found is None or magic is None or magic.is_cell != (found[1] == "%%") or (magic.is_cell and not is_first):
        return None
    *words, word = re.split(r"\s+", found[3])
    return Typed(magic, tuple(words), word)


class Completer:
    """Completes the lines of our magics.

    Args:
        chooser: Which gateway is meant. Completion never connects to one.
    """

    def __init__(self, chooser: Chooser) -> None:
        self._chooser = chooser
        self._known: dict[tuple[str, int], tuple[float, Sequence[str]]] = {}

    @context_matcher(identifier=MATCHER, priority=100)  # type: ignore[untyped-decorator]  # IPython wrote no types here
    def match(self, context: CompletionContext) -> SimpleMatcherResult:
        """Give what can follow, as IPython asks for it."""
        before = context.full_text.split("\n")[: context.cursor_line]
        typed = read_typed(context.text_until_cursor, is_first=not any(map(str.strip, before)))
        if typed is None:
            return SimpleMatcherResult(completions=[])
        # Python's own words are none here.
        found = [SimpleCompletion(text, type="magic") for text in self.complete(typed)]
        return SimpleMatcherResult(completions=found, matched_fragment=typed.word, suppress=bool(found), ordered=True)

    def complete(self, typed: Typed) -> list[str]:
        """List what the word that is being typed can become."""
        return [each for each in dict.fromkeys(self._list(typed)) if each.startswith(typed.word)][:_MOST]

    def _list(self, typed: Typed) -> Iterator[str]:
        magic, words, word = typed
        asked = magic.find(words[-1]) if words else None
        if asked is not None and asked.metavar:
            yield from asked.choices or self._list_values(typed, asked.key)
            return
        name, equals, _ = word.partition("=")
        option = magic.find(name) if equals else None
        if option is not None:
            values = option.choices or self._list_values(typed, option.key)
            yield from (f"{name}={value}" for value in values)
        elif word.startswith("-"):
            again = {name for option in magic.options if option.is_many for name in option.spellings}
            yield from (name for name in magic.spellings if name in again or name not in words)
        else:
            argument = _find_argument(typed)
            yield from self._list_values(typed, argument.key) if argument else ()

    def _list_values(self, typed: Typed, key: str) -> Sequence[str]:
        """List what an argument or option can be, where that is known."""
        match key:
            case "gateway":
                found: Sequence[str] = tuple(self._chooser.list_bound())
            case "target" | "method":
                found = _ALWAYS[key]
            case "url":
                found = self._ask("paths", _list_paths)
            case "name":
                found = self._ask("names", lambda gateway: [each.name for each in gateway.list_exposures()])
            case "variant" if typed.words:
                name = typed.words[0]
                found = self._ask(f"variants of {name}", lambda gateway: _list_variants(gateway.get_exposure(name)))
            case _:
                found = ()
        return found

    def _ask(self, what: str, ask: "Callable[[Gateway], Sequence[str]]") -> Sequence[str]:
        """Ask the gateway that is there; where it takes long, give what it said before and know better next time."""
        try:
            gateway = self._chooser.find()
        except KfAmbassadorError:
            return ()
        if gateway is None:
            return ()
        key = (what, id(gateway))
        at, known = self._known.get(key, (0.0, ()))
        if at and time.monotonic() - at < _FRESH:
            return known

        def learn() -> None:
            try:
                self._known[key] = (time.monotonic(), ask(gateway))
            except KfAmbassadorError:
                self._known[key] = (time.monotonic(), ())

        thread = Thread(target=learn, name="kfa-complete", daemon=True)
        thread.start()
        thread.join(_PATIENCE)
        return self._known.get(key, (0.0, known))[1]


def _find_argument(typed: Typed) -> Argument | None:
    """Which argument is being typed."""
    count = 0
    takes_value = False
    for word in typed.words:
        option = typed.magic.find(word) if word.startswith("-") else None
        if not takes_value and not word.startswith("-"):
            count += 1
        takes_value = not takes_value and option is not None and bool(option.metavar)
    return typed.magic.arguments[count] if count < len(typed.magic.arguments) else None


def _list_paths(gateway: "Gateway") -> list[str]:
    conditions = [route.match.get("prefix") or route.match.get("exact") for route in gateway.routes()]
    return [path for path in conditions if isinstance(path, str)]


def _list_variants(exposure: "Exposure") -> list[str]:
    return [variant.name for variant in exposure.variants]
