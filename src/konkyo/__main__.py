"""The command line by `python -m konkyo`, which workers are started with."""

from konkyo.cli import app

if __name__ == "__main__":
    app(prog_name="konkyo")
