"""The errors a caller can meet, named for what the caller can do about them.

::

    KfAmbassadorError
    ├── ConfigurationError        something on this machine must be mended first
    │   ├── MissingExtra          an optional package is not installed; the message is the pip command
    │   ├── NoGateway             no gateway answers where one was expected
    │   ├── PortInUse             another process holds the port
    │   └── StateInUse            another gateway holds the state directory
    ├── MappingRejected           what was written is at fault; lists its problems
    ├── NotServed                 the route did not become ready in time; says which step is missing
    ├── RouteFailed               the route answered, and not with success
    ├── RolledBack                a rollout's guard was not satisfied; all requests go to the stable server again
    └── ApiError                  the Kubernetes API refused
        ├── BadRequest            400, 422
        ├── Unauthorized          401
        ├── Forbidden             403
        ├── NotFound              404
        ├── Conflict              409
        ├── Gone                  410: the resource version is too old to watch from
        └── Unavailable           429, 5xx, or no answer at all; worth another try

A fault in somebody's stored configuration is never raised: it is a :class:`kfambassador.problems.Problem`.
"""

from collections.abc import Sequence
from traceback import format_exception
from typing import TYPE_CHECKING, ClassVar, NamedTuple

from kfambassador.displays import find_display

if TYPE_CHECKING:
    from kfambassador.problems import Problem
    from kfambassador.sdk.traffic.rollout import Rollout


class KfAmbassadorError(Exception):
    """Any error of ours; catch this to catch them all.

    Example:
        >>> try:
        ...     raise RouteFailed("POST /models/m/ answered 503", status=503)
        ... except KfAmbassadorError as error:
        ...     print(error)
        POST /models/m/ answered 503
    """

    def _render_traceback_(self) -> list[str]:
        """The lines that IPython shows of it: words, where there is somebody to draw them."""
        draw = find_display("error")
        return draw(self) if draw else "".join(format_exception(self)).splitlines()


class ConfigurationError(KfAmbassadorError):
    """Something on this machine must be mended before the call can work.

    Example:
        >>> isinstance(NoGateway("it does not run"), ConfigurationError)
        True
    """


class MissingExtra(ConfigurationError):
    """An optional part is not installed.

    Args:
        extra: The name of the extra, as in ``kfambassador[extra]``.
        needed_for: What the caller wanted, in words that end the sentence "is needed to ...".

    Example:
        >>> print(MissingExtra("local", needed_for="run a gateway on this machine"))
        The extra 'local' is needed to run a gateway on this machine. Install it: pip install 'kfambassador[local]'
    """

    def __init__(self, extra: str, *, needed_for: str) -> None:
        self.extra = extra
        super().__init__(
            f"The extra '{extra}' is needed to {needed_for}. Install it: pip install 'kfambassador[{extra}]'"
        )


class NoGateway(ConfigurationError):
    """No gateway answers where one was expected.

    Example:
        >>> raise NoGateway("This gateway does not run. Start it first, with its start().")
        Traceback (most recent call last):
        ...
        kfambassador.errors.NoGateway: This gateway does not run. Start it first, with its start().
    """


class PortInUse(ConfigurationError):
    """Another process holds the port."""


class StateInUse(ConfigurationError):
    """Another gateway holds the state directory."""


class MappingRejected(KfAmbassadorError):
    """What was written is at fault.

    Attributes:
        problems: Each fault with its place, in the order they were found. In words, what several documents of one
            object have in common is told once.
    """

    def __init__(self, message: str, problems: "Sequence[Problem]" = ()) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join([message, *(f"  {line}" for line in _tell_once(self.problems))]))


def _tell_once(problems: "Sequence[Problem]") -> list[str]:
    alike: dict[Problem, list[int]] = {}
    for problem in problems:
        documents = alike.setdefault(problem.of_object(), [])
        documents += [problem.origin.document] if problem.origin.document is not None else []
    return [problem.tell(*sorted(set(documents))) for problem, documents in alike.items()]


class NotServed(KfAmbassadorError):
    """The route did not become ready in time.

    Attributes:
        stage: The step that is missing: ``accepted``, ``programmed`` or ``answering``.
    """

    def __init__(self, message: str, *, stage: str) -> None:
        self.stage = stage
        super().__init__(message)


class RouteFailed(KfAmbassadorError):
    """The route answered, and not with success.

    Attributes:
        status: The HTTP status, or None when there was no answer.
    """

    def __init__(self, message: str, *, status: int | None) -> None:
        self.status = status
        super().__init__(message)


class RolledBack(KfAmbassadorError):
    """A canary did not do well, and gets no requests any more.

    Attributes:
        history: What happened at each step.
    """

    def __init__(self, message: str, *, history: "Rollout") -> None:
        self.history = history
        super().__init__(message)


class Cause(NamedTuple):
    """One thing that the Kubernetes API objects to in an object (Kubernetes, "StatusCause").

    Attributes:
        field: Where it is: ``.spec.replicas``; "" where no field is meant.
        reason: Kubernetes' own word for it (``FieldManagerConflict``, ``FieldValueInvalid``, ...).
        message: Its words.
    """

    field: str
    reason: str
    message: str


class ApiError(KfAmbassadorError):
    """The Kubernetes API refused, or did not answer.

    Attributes:
        status: The HTTP status, or None when there was no answer.
        reason: Kubernetes' own word for it (``NotFound``, ``AlreadyExists``, ...), "" when unknown.
        retry_after: Seconds the server asked to wait, or None.
        causes: What it is about in the object, where the server says so.
    """

    statuses: ClassVar[tuple[int, ...]] = ()

    def __init__(
        self,
        message: str,
        *,
        status: int | None = None,
        reason: str = "",
        retry_after: float | None = None,
        causes: "tuple[Cause, ...]" = (),
    ) -> None:
        self.status = status
        self.reason = reason
        self.retry_after = retry_after
        self.causes = causes
        super().__init__(message)

    @classmethod
    def of(
        cls,
        message: str,
        *,
        status: int | None,
        reason: str = "",
        retry_after: float | None = None,
        causes: "tuple[Cause, ...]" = (),
    ) -> "ApiError":
        r"""Make the class of error that stands for an HTTP status.

        Example:
            >>> type(ApiError.of("services 'x' not found", status=404)).__name__
            'NotFound'
        """
        kind = next((kind for kind in cls.__subclasses__() if status in kind.statuses), None)
        if kind is None:
            unavailable = status is None or status >= 500  # noqa: PLR2004 - the HTTP class of server errors
            kind = Unavailable if unavailable else ApiError
        return kind(message, status=status, reason=reason, retry_after=retry_after, causes=causes)


class BadRequest(ApiError):
    """The object or the request is invalid (400, 422)."""

    statuses = (400, 422)


class Unauthorized(ApiError):
    """The server does not know who asks (401)."""

    statuses = (401,)


class Forbidden(ApiError):
    """The caller may not do this (403); the message names the permission, and the role that has it.

    Example:
        >>> ApiError.of("services is forbidden", status=403, reason="Forbidden")
        Forbidden('services is forbidden')
    """

    statuses = (403,)


class NotFound(ApiError):
    """There is no such object or kind (404)."""

    statuses = (404,)


class Conflict(ApiError):
    """Somebody else owns or changed the object (409).

    Example:
        >>> ApiError.of("the object has been modified", status=409).status
        409
    """

    statuses = (409,)


class Gone(ApiError):
    """The resource version is too old to continue from (410)."""

    statuses = (410,)


class Unavailable(ApiError):
    """The server is overloaded, failing or away (429, 5xx, no answer); worth another try."""

    statuses = (429,)
