"""A problem in the words that everybody may read who may read the object, its status or its Events. Pure."""

from dataclasses import replace
from typing import Final

from kfambassador.problems import Problem
from kfambassador.resources.secrecy import hide_message

# Told of as a whole, they were written as something else than names with values, and anything may stand there.
_CONDITIONS: Final = frozenset({"headers", "regex_headers", "query_parameters", "regex_query_parameters"})


def word(problem: Problem) -> str:
    """Put a problem into words that tell neither what is in other namespaces nor what may be a secret.

    Example:
        >>> from kfambassador.problems import Origin
        >>> word(Problem("wrong-type", "expected true or false, got 'maybe'", Origin(), path="prefix_regex"))
        "prefix_regex: expected true or false, got 'maybe'"
        >>> word(Problem("wrong-type", "expected text, got ['Bearer x']", Origin(), path="headers.Authorization"))
        'headers.Authorization: wrong type; what it holds is not shown here, because it may be a secret'
    """
    # Who may read an object need not be allowed to see other namespaces.
    problem = withhold(problem.told_to(lambda _namespace: False))
    return f"{problem.path}: {problem.message}" if problem.path else problem.message


def withhold(problem: Problem) -> Problem:
    """Take what may be a secret out of a problem.

    What stands around it may quote it again, in part or spelled in another way; so no other word of it is told either.
    """
    path = problem.path.removeprefix("spec.")
    if path not in _CONDITIONS and hide_message(problem.message, path) == problem.message:
        return problem
    said = problem.code.replace("-", " ")
    return replace(problem, message=f"{said}; what it holds is not shown here, because it may be a secret")


def camel_case(code: str) -> str:
    """Write a problem's code as Kubernetes writes reasons.

    Example:
        >>> camel_case("unknown-attribute")
        'UnknownAttribute'
    """
    return "".join(part.capitalize() for part in code.split("-"))


def cut(text: str, longest: int) -> str:
    """Cut a text that is longer than it may be.

    Example:
        >>> cut("abcdefgh", 6)
        'abc...'
    """
    return text if len(text) <= longest else f"{text[: longest - 3]}..."
