"""Somebody who follows a page in one Python session: runs a block after the other, and tells what each printed.

Run as a program. Each line of standard input is a block as JSON, each line of standard output what it printed. As in a
notebook the value of a last expression is shown; of an error its name and its words.
"""

import ast
import io
import json
import sys
from contextlib import redirect_stdout


def run(code: str, names: dict[str, object]) -> None:
    tree = ast.parse(code)
    last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
    exec(compile(tree, "<page>", "exec"), names)
    if isinstance(last, ast.Expr):
        value = eval(compile(ast.Expression(last.value), "<page>", "eval"), names)
        if value is not None:
            sys.stdout.write(f"{value!r}\n")


def main() -> None:
    names: dict[str, object] = {"__name__": "__main__"}
    for line in sys.stdin:
        printed = io.StringIO()
        with redirect_stdout(printed):
            try:
                run(json.loads(line), names)
            except Exception as error:  # noqa: BLE001 - whatever it is, the page shows it
                sys.stdout.write(f"{type(error).__name__}: {error}\n")
        sys.stdout.write(json.dumps(printed.getvalue()) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
