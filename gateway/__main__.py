"""`dripwatch`, or `python -m gateway`."""

from gateway.field.cli import cli


def main() -> None:
    """Run the command line; ends the process with its exit code."""
    cli()


if __name__ == "__main__":
    main()
