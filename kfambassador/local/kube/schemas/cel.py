"""CEL: expressions over ``self`` and ``oldSelf``, compiled and evaluated. The one door to CEL's runtime.

It is the runtime of CEL's own authors, where that is installed. Each evaluation has a budget of steps, so that no
expression stops the server.
"""

import re
from functools import lru_cache
from typing import Any, Final, TypeAlias

from kfambassador.local.kube.schemas.cel_library import FUNCTIONS

try:
    from cel_expr_python import cel
    from cel_expr_python.ext import ext_optional, ext_strings
except ImportError:  # an extra: without it, whoever writes a rule is told that it is not evaluated
    cel = None

#: The comprehensions over two variables, which Kubernetes has since 1.32.
_CONFIGURATION: Final = "extensions:\n- name: two-var-comprehensions\n"
#: What newer clusters have and this runtime has not: a rule that speaks of it may be right.
_ELSEWHERE: Final = frozenset({"format", "image", "isImage", "isSemver", "semver"})
_UNDECLARED: Final = re.compile(r"undeclared reference to '(\w+)'")
_QUOTED: Final = re.compile(r"'(\\.|[^'\\])*'|\"(\\.|[^\"\\])*\"")
_EXHAUSTED: Final = "Iteration budget exceeded"
# The runtime's words for what went wrong, in those of the one that Kubernetes uses.
_WORDS: Final = (
    (re.compile(r'NOT_FOUND: Key not found in map : "?([^"]*)"?'), r"no such key: \1"),
    (re.compile(r"UNKNOWN: Index error: index=(-?\d+) size=\d+"), r"index out of bounds: \1"),
    (re.compile(r"INVALID_ARGUMENT: divide by zero"), "division by zero"),
    (
        re.compile(r"(?:UNKNOWN|INVALID_ARGUMENT): (?:No matching overloads found|Applying SELECT).*"),
        "no such overload",
    ),
    (re.compile(r"[A-Z_]+: (.*?)(?: \[[A-Z_]+\])?"), r"\1"),
)

Program: TypeAlias = Any  # the runtime says nothing of its types that is read here


class BadRule(ValueError):
    """A text is no expression of CEL; the message says why."""


class UnknownRule(ValueError):
    """An expression may be right and cannot be evaluated here; the message says why."""


class LongRule(ValueError):
    """An expression takes more steps than this runtime takes; a cluster takes many more."""


class FailedRule(ValueError):
    """An expression had no outcome; the message says why."""


@lru_cache(maxsize=10_000)
def compile_rule(text: str) -> Program:
    """Compile an expression over ``self`` and ``oldSelf``.

    Raises:
        BadRule: When it is none.
        UnknownRule: When it uses what is not known here.
    """
    if cel is None:
        raise UnknownRule('the package cel-expr-python is not installed (pip install "kfambassador[cel]")')
    if "ndexOf(" in text:
        raise UnknownRule("the runtime has indexOf and lastIndexOf for texts only, not for lists")
    environment = _environment()
    try:
        return environment.compile(text)
    except RuntimeError as error:
        said = str(error).removeprefix("INVALID_ARGUMENT: ").removesuffix(" [INVALID_ARGUMENT]")
        raise (BadRule if _ELSEWHERE.isdisjoint(_UNDECLARED.findall(said)) else UnknownRule)(said) from error


@lru_cache(maxsize=1)
def _environment() -> Program:
    types = {"MAP": cel.Type.Map(cel.Type.STRING, cel.Type.DYN)}
    overloads: dict[str, list[Any]] = {}
    for name, is_method, takes, gives, does in FUNCTIONS:
        parameters = [types.get(each) or getattr(cel.Type, each) for each in takes]
        result = types.get(gives) or getattr(cel.Type, gives)
        overload = cel.Overload(
            id="_".join((name, *takes)), return_type=result, parameters=parameters, is_member=is_method, impl=does
        )
        overloads.setdefault(name, []).append(overload)
    return cel.NewEnv(
        config=cel.NewEnvConfigFromYaml(_CONFIGURATION),
        variables={"self": cel.Type.DYN, "oldSelf": cel.Type.DYN},
        extensions=[ext_strings.ExtStrings(), ext_optional.ExtOptional()],
        functions=[cel.FunctionDecl(name, found) for name, found in overloads.items()],
    )


def uses_old(rule: str) -> bool:
    """Whether a rule speaks of the value before a change.

    Example:
        >>> uses_old("self == oldSelf"), uses_old("self != 'oldSelf'")
        (True, False)
    """
    return re.search(r"\boldSelf\b", _QUOTED.sub("", rule)) is not None


def evaluate(text: str, known: dict[str, Any]) -> object:
    """Evaluate an expression.

    Args:
        text: The expression.
        known: The values of ``self`` and, where there is one, ``oldSelf``.

    Raises:
        FailedRule: When it has no outcome: something is missing or of the wrong type.
        LongRule: When it takes too many steps.
    """
    try:
        found = compile_rule(text).eval(data=known)
        if found.type() != cel.Type.ERROR:
            return found.plain_value()
        said = str(found.plain_value())
    except (RuntimeError, TypeError, BadRule) as error:
        said = str(error)
    if _EXHAUSTED in said:
        raise LongRule(said)
    for pattern, words in _WORDS:
        if match := pattern.fullmatch(said):
            said = match.expand(words)
            break
    raise FailedRule(said)
