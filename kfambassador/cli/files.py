"""Files that a person names on the command line."""

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated

import typer

_STANDARD_INPUT = "-"

Files = Annotated[
    list[str],
    typer.Argument(
        metavar="FILES", help="Kubernetes manifests, or bare annotation text; YAML or JSON. - is standard input."
    ),
]


def read_files(files: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Read each file into its name, as it is told to a person, and its text.

    Raises:
        typer.BadParameter: A file cannot be read.
    """
    for file in files:
        yield ("standard input" if file == _STANDARD_INPUT else file), _read(file)


def _read(file: str) -> str:
    try:
        data = sys.stdin.buffer.read() if file == _STANDARD_INPUT else Path(file).read_bytes()
        return data.decode("utf-8-sig")
    except OSError as error:
        raise typer.BadParameter(f"cannot read {file}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise typer.BadParameter(f"cannot read {file}: byte {error.start} is not UTF-8 text") from error
