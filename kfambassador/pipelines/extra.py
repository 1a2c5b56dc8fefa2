"""What is said where kfp is not installed."""

from collections.abc import Iterator
from contextlib import contextmanager

from kfambassador.errors import MissingExtra


@contextmanager
def needing_kfp() -> Iterator[None]:
    """Import kfp within this.

    Raises:
        MissingExtra: The extra ``pipelines`` is not installed.

    Example:
        >>> with needing_kfp():
        ...     raise ModuleNotFoundError("No module named 'kfp'", name="kfp")
        Traceback (most recent call last):
        ...
        kfambassador.errors.MissingExtra: The extra 'pipelines' is needed to build pipelines with kfambassador's steps. Install it: pip install 'kfambassador[pipelines]'
    """  # noqa: E501 - the sentence is one line
    try:
        yield
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] != "kfp":
            raise
        raise MissingExtra("pipelines", needed_for="build pipelines with kfambassador's steps") from error
