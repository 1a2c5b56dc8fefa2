"""The text that every path of a condition begins with."""

import re

from kfambassador.routing.model import PathKind, PathMatch

# A character that stands for itself: plain, or ASCII punctuation behind a backslash.
_LITERAL = re.compile(r"[^\\^$.|?*+()\[\]{}]|\\[!-/:-@\[-^`{-~]")
_ESCAPED = re.compile(r"\\.", re.DOTALL)
# What stands for nothing: flags, and the marks of a quotation. RE2 takes a star behind it for one of what is before it.
_NOTHING = re.compile(r"[+?]*(?:\(\?[A-Za-z-]+\)|\\[QE])")
_CLASS = re.compile(r"\[\^?\]?[^\]]*\]")


def find_beginning(path: PathMatch) -> str:
    """Give the longest text that every path this condition takes begins with, as far as can be told for sure.

    Where the condition does not tell upper from lower case, neither does its beginning.

    Example:
        >>> find_beginning(PathMatch(PathKind.PREFIX, "/models/")), find_beginning(PathMatch(PathKind.REGEX, "/a|/b"))
        ('/models/', '')
        >>> find_beginning(PathMatch(PathKind.REGEX, r"^/v1/[a-z]+"))
        '/v1/'
    """
    return path.text if path.kind is not PathKind.REGEX else _find_literal(path.text)


def _find_literal(expression: str) -> str:
    """Read an expression's literal characters up to the first that may be absent or stand for others."""
    if _may_alternate(expression):
        return ""
    expression = expression.removeprefix("^")  # the whole path must match anyway
    literal: list[str] = []
    position = 0
    while (found := _LITERAL.match(expression, position)) is not None:
        position = found.end()
        if expression[position : position + 1] in {"?", "*", "{"}:
            break
        literal.append(found[0][-1])
    if _NOTHING.match(expression, position):
        del literal[-1:]
    return "".join(literal)


def _may_alternate(expression: str) -> bool:
    """Tell whether the whole expression might be one of several alternatives; when in doubt, yes."""
    if "|" not in expression:
        return False
    if "\\Q" in expression or "[:" in expression:
        return True
    depth = 0
    # An escaped character still fills its place: without it the bracket behind would be taken for the class's first.
    for char in _CLASS.sub("", _ESCAPED.sub("_", expression)):
        depth += (char == "(") - (char == ")")
        if char == "|" and depth == 0:
            return True
    return False
