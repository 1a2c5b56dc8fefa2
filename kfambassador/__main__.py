"""The command line: ``python -m kfambassador`` or ``kfambassador``."""


def main() -> None:
    """Run the command line and end the process."""
    from kfambassador.cli.app import main as run

    run()


if __name__ == "__main__":
    main()
