"""Asking first whether any of many regular expressions takes a path.

An expression that stands above other routes is tried by every request that goes to those. Of a few that costs nothing;
many are joined into one question, which costs little more than one of them, and only a path that one of them takes
meets them all.
"""

from bisect import bisect, bisect_left
from collections import Counter
from collections.abc import Sequence
from functools import lru_cache
from typing import Final

from kfambassador.routing.model import PathKind, PathMatch
from kfambassador.routing.regex import check_regex

#: How many expressions may stand above a route before they are asked for first.
EXPRESSIONS_PER_NODE: Final = 16

# Envoy shows the question the path with its query, of any bytes; an expression is asked without.
_QUERY = r"(?:[?#]\C*)?"


def find_question(path: PathMatch) -> str:
    r"""Give an expression that can be joined with others and takes all that this condition takes.

    Returns:
        The expression; "" when the condition is none, or one that might mean something else among others: it quotes
        (``\Q``), which could reach beyond it, or it asks where the text ends, and a query may follow.

    Example:
        >>> find_question(PathMatch(PathKind.REGEX, "^/m/[a-z]+$")), find_question(PathMatch(PathKind.REGEX, "/a$|/b"))
        ('^/m/[a-z]+', '')
    """
    if path.kind is not PathKind.REGEX:
        return ""
    # A whole path is matched, so an end that is asked for at the end says nothing.
    asked = path.text[:-1] if path.text.endswith("$") and not path.text.endswith("\\$") else path.text
    unsure = "$" in asked or "\\z" in asked or "\\Q" in asked or check_regex(asked) or check_regex(join([asked]))
    return "" if unsure else asked


def find_crowd(anchors: Sequence[str], questions: Sequence[str]) -> list[int]:
    """Find the expressions that stand, too many together, above other routes.

    Args:
        anchors: Where each route stands.
        questions: What :func:`find_question` gives for each.

    Example:
        >>> find_crowd(["/"] * 18, ["/.*a"] * 17 + [""]) == list(range(17))
        True
        >>> find_crowd(["/"] * 17, ["/.*a"] * 16 + [""])
        []
    """
    if len(questions) - questions.count("") <= EXPRESSIONS_PER_NODE:
        return []
    standing = Counter(anchor for anchor, question in zip(anchors, questions, strict=True) if question)
    others = sorted({anchor for anchor, question in zip(anchors, questions, strict=True) if not question})
    crowded: set[str] = set()
    for anchor in standing:
        above = [anchor[:end] for end in range(len(anchor) + 1) if anchor[:end] in standing]
        if sum(standing[each] for each in above) > EXPRESSIONS_PER_NODE and _any_begins(others, anchor):
            crowded.update(above)
    return [index for index, question in enumerate(questions) if question and anchors[index] in crowded]


def find_met(anchors: Sequence[str], crowd: Sequence[int]) -> list[int]:
    """Find the routes that could take a path which one of these expressions takes: all that stand above or below one.

    Example:
        >>> find_met(["/", "/a/", "/a/b/", "/c/"], [1])
        [0, 1, 2]
    """
    standing = sorted({anchors[index] for index in crowd})
    tops = [standing[0]]
    tops.extend(anchor for anchor in standing if not anchor.startswith(tops[-1]))
    return [index for index, anchor in enumerate(anchors) if _any_begins(standing, anchor) or _begins(anchor, tops)]


def _begins(text: str, tops: Sequence[str]) -> bool:
    """Tell whether the text begins with one of the sorted prefixes, of which none begins with another."""
    return text.startswith(tops[bisect(tops, text) - 1])


def _any_begins(texts: Sequence[str], prefix: str) -> bool:
    """Tell whether one of the sorted texts begins with the prefix."""
    first = bisect_left(texts, prefix)
    return first < len(texts) and texts[first].startswith(prefix)


def join(questions: Sequence[str]) -> str:
    r"""Join expressions into one that takes what any of them takes, followed by a query or not.

    Example:
        >>> join(["/a", "/b.*"])
        '(?:(?:/a)|(?:/b.*))(?:[?#]\\C*)?'
    """
    return f"(?:{'|'.join(f'(?:{question})' for question in questions)}){_QUERY}"


@lru_cache(maxsize=8)
def join_all(questions: tuple[str, ...]) -> tuple[str, ...]:
    """Join expressions into as few as Envoy allows of their size."""
    joined: list[str] = []
    begin, size = 0, len(questions)
    while begin < len(questions):
        while size > 1 and check_regex(join(questions[begin : begin + size])):
            size -= (size + 3) // 4
        joined.append(join(questions[begin : begin + size]))
        begin += size
        # The next are likely as long; some more may do.
        size += (size + 3) // 4
    return tuple(joined)
