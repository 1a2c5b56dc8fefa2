"""Where questions arrive: each kind has one function that answers it."""

from collections.abc import Callable
from collections.abc import Mapping as Dict
from typing import TYPE_CHECKING, Final

from pydantic import JsonValue

from kfambassador.errors import ConfigurationError, KfAmbassadorError
from kfambassador.notebook.answering.arguments import (
    DetailsOf,
    Fate,
    Nothing,
    Published,
    Question,
    Sending,
    Splitting,
    Turning,
    read_arguments,
)
from kfambassador.notebook.answering.details import tell_details
from kfambassador.notebook.answering.fates import tell_fate
from kfambassador.notebook.answering.sending import send, write_curl
from kfambassador.notebook.answering.splitting import change_weight, tell_shares, tell_status, turn
from kfambassador.problems import suggest
from kfambassador.routing.describe import Json

if TYPE_CHECKING:
    from kfambassador.sdk.gateway import Gateway

_Answer = Callable[..., dict[str, Json]]

_ANSWERS: Final[Dict[str, tuple[type[Question], _Answer]]] = {
    "hello": (Nothing, lambda _gateway, _question: {}),
    "details": (DetailsOf, tell_details),
    "test": (Sending, send),
    "curl": (Sending, write_curl),
    "explain": (Fate, tell_fate),
    "split": (Splitting, change_weight),
    "turn": (Turning, turn),
    "shares": (Published, tell_shares),
    "status": (Published, tell_status),
}


def answer(gateway: "Gateway", kind: str, arguments: Dict[str, JsonValue]) -> dict[str, Json]:
    """Answer a question of a route browser.

    Args:
        gateway: Of which gateway.
        kind: Which question: ``details``, ``test``, ``curl``, ``explain``, ``split``, ``turn``, ``shares``, ``status``,
            ``hello``.
        arguments: What the question says.

    Raises:
        KfAmbassadorError: There is no answer; the message says why, and what to do.
    """
    if kind not in _ANSWERS:
        raise ConfigurationError(f"{kind!r} is no question of a route browser{suggest(kind, list(_ANSWERS))}")
    takes, act = _ANSWERS[kind]
    return act(gateway, read_arguments(takes, arguments))


def tell_error(error: Exception) -> dict[str, Json]:
    """Say in words why there is no answer; of a fault of our own no more than that it is one.

    Example:
        >>> tell_error(ConfigurationError("the path has no slash"))
        {'title': 'ConfigurationError', 'words': 'the path has no slash'}
    """
    if isinstance(error, KfAmbassadorError):
        return {"title": type(error).__name__, "words": str(error)}
    return {"title": "Something went wrong here", "words": f"{type(error).__name__}: this is a fault of kfambassador"}
