"""The command line: ``python -m kfambassador`` or ``kfambassador``."""

import sys
from typing import Final

#: What shells say of a program that Ctrl-C ended.
INTERRUPTED: Final = 130


def main() -> None:
    """Run the command line and end the process."""
    words = sys.argv[1:]
    try:
        from kfambassador.cli.app import build_app, run

        app = build_app(words)
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    run(app, words)


if __name__ == "__main__":
    main()
