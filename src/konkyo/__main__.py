"""`python -m konkyo`: the command line, as a search starts its workers."""

from konkyo.cli import app

if __name__ == "__main__":
    app(prog_name="konkyo")
