"""Files that a person names on the command line."""

import sys
from collections.abc import Iterable, Iterator
from typing import Annotated

import typer

from kfambassador.routing.model import Compiled
from kfambassador.routing.policy import TenancyPolicy
from kfambassador.sdk.reviewing import compile_texts
from kfambassador.sdk.shell_words import decode, read_file

_STANDARD_INPUT = "-"
_CALLED = "standard input"

Files = Annotated[
    list[str],
    typer.Argument(
        metavar="FILES", help="Kubernetes manifests, or bare annotation text; YAML or JSON. - is standard input."
    ),
]


def read_files(files: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Read each file into its name, as it is told to a person, and its text.

    Raises:
        ConfigurationError: A file cannot be read.
    """
    for file in files:
        if file == _STANDARD_INPUT:
            yield _CALLED, decode(sys.stdin.buffer.read(), _CALLED)
        else:
            yield file, read_file(file)


def compile_files(files: Iterable[str], policy: TenancyPolicy | None = None) -> Compiled:
    """Compile what files hold.

    Args:
        files: Their names.
        policy: Who may do what; None is a laptop's.

    Raises:
        ConfigurationError: A file cannot be read.
    """
    return compile_texts(read_files(files), policy)
