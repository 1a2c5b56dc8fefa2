"""Options that several commands have, so that they are spelled and explained alike."""

from typing import Annotated

import typer

from kfambassador.cli.output import Format
from kfambassador.sdk.shell_words import MEANINGS, ServerKind

To = Annotated[str | None, typer.Option("--target", help=MEANINGS["target"], metavar="X")]
For = Annotated[Format, typer.Option("--format", help="For whom to write the result.")]
Namespace = Annotated[str | None, typer.Option("--namespace", "-n", help=MEANINGS["namespace"])]
Name = Annotated[str, typer.Argument(metavar="NAME", help=MEANINGS["name"])]
NewName = Annotated[str, typer.Argument(metavar="NAME", help=MEANINGS["new_name"])]
Service = Annotated[str, typer.Argument(metavar="SERVICE", help=MEANINGS["service"])]
Model = Annotated[str | None, typer.Option(help=MEANINGS["model"])]
Server = Annotated[ServerKind | None, typer.Option(help=MEANINGS["server"])]
Settings = Annotated[list[str] | None, typer.Option("--set", "-s", help=MEANINGS["set"], metavar="X=Y")]
Headers = Annotated[list[str] | None, typer.Option("--header", "-H", help=MEANINGS["header"], metavar="K:V")]
