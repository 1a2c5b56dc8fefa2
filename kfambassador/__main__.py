"""The command line: ``python -m kfambassador`` or ``kfambassador``."""

import sys

from kfambassador.names import INTERRUPTED


def main() -> None:
    """Run the command line and end the process."""
    try:
        from kfambassador.cli.app import main as run
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    run()


if __name__ == "__main__":
    main()
