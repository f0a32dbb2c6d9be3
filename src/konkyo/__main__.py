"""The command `konkyo`, also as `python -m konkyo`, as a search starts its workers."""

from konkyo.errors import DependencyError, require_extra


def main() -> None:
    """Run the command line.

    Raises
    ------
    SystemExit
        The exit code; the packages of konkyo[pipeline] are not installed.
    """
    try:
        require_extra("pipeline")
    except DependencyError as error:
        raise SystemExit(f"konkyo: {error}") from None
    from konkyo.cli import app

    app(prog_name="konkyo")


if __name__ == "__main__":
    main()
