"""Keywords that a function takes by ``Unpack``, spelled out for those who look while it runs: notebooks, help()."""

import inspect
from collections.abc import Callable
from typing import TypeVar, get_args

_Function = TypeVar("_Function", bound=Callable[..., object])


def spell_out(function: _Function) -> _Function:
    """Give a function a signature in which each keyword of its ``**name: Unpack[TypedDict]`` has its own name.

    Type checkers read the annotation; a notebook's completion and ``help()`` read the signature. Nothing else of the
    function changes: what it is called with is checked where it always was.

    Example:
        >>> from typing import TypedDict, Unpack
        >>> class Wishes(TypedDict, total=False):
        ...     sugar: int
        >>> @spell_out
        ... def brew(tea: str, **wishes: Unpack[Wishes]) -> None: ...
        >>> print(inspect.signature(brew))
        (tea: str, *, sugar: int = Ellipsis) -> None
    """
    signature = inspect.signature(function)
    parameters: list[inspect.Parameter] = []
    for parameter in signature.parameters.values():
        if parameter.kind is parameter.VAR_KEYWORD:
            (keywords,) = get_args(parameter.annotation)
            parameters += [
                inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=..., annotation=annotation)
                for name, annotation in keywords.__annotations__.items()
            ]
        else:
            parameters.append(parameter)
    function.__signature__ = signature.replace(parameters=parameters)  # type: ignore[attr-defined]  # inspect reads it
    return function
