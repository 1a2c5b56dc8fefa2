"""What stands in a cell below ``%%predict``: JSON, or one Python expression."""

import ast
import json
from collections.abc import Mapping as Dict

from kfambassador.errors import ConfigurationError


def read_inputs(cell: str, names: Dict[str, object]) -> object:
    """Read the inputs a cell holds.

    Args:
        cell: JSON, or one Python expression. What is both means the same in either.
        names: What the expression may use; nothing is ever bound there.

    Raises:
        ConfigurationError: It is neither.
        Exception: Whatever the expression raises.

    Example:
        >>> read_inputs("[[1.0, null]]", {}), read_inputs("rows[:1]", {"rows": [3, 4]})
        ([[1.0, None]], [3])
    """
    try:
        return json.loads(cell)
    except ValueError as error:
        no_json = error
    try:
        tree = ast.parse(cell.strip(), "<the cell below %%predict>", mode="eval")
    except SyntaxError as error:
        raise ConfigurationError(
            f"The cell is neither JSON ({no_json}) nor one Python expression ({error.msg}, line {error.lineno}): "
            "write inputs such as [[1.0, 2.0]], or what gives them. Work them out in a cell of their own, and name "
            "the variable here"
        ) from None
    # What := binds stays in the second of the two, which nobody sees.
    return eval(compile(tree, "<the cell below %%predict>", "eval"), {**names}, {})  # noqa: S307 - a person's own cell
