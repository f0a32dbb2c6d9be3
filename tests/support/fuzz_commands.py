"""What may be typed after `konkyo`, and in which folders: every command ends with a known code."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from unittest.mock import patch

import typer
from hypothesis import strategies as st
from typer.testing import CliRunner

from konkyo import cli
from small import PARAMS

COMMANDS = typer.main.get_command(cli.app).commands
CODES = {0, 1, 2}
BEYOND = {"serve", "ui", "fetch", "tune"}
"""What starts servers or processes, or asks vendors, where it is typed rightly: not called here."""
FOLDERS = ("empty", "params", "broken params", "broken data")
_MADE = (
    "records/stocks.parquet",
    "records/market.parquet",
    "records/source.json",
    "records/truth.parquet",
    "panel/index.parquet",
    "panel/features.npy",
    "panel/catalogue.csv",
    "panel/missing.csv",
    "models/index.parquet",
    "attributions/2020-01.parquet",
    "backtest/portfolios.parquet",
    "backtest/monthly.parquet",
    "metrics.json",
    "verify.json",
    "own/stocks.parquet",
    "own/market.parquet",
    "own/intervention.csv",
    "own/labels.csv",
)
_options = sorted(
    {o for c in COMMANDS.values() for p in c.params for o in (*p.opts, *p.secondary_opts)}
)
_words = st.one_of(
    st.sampled_from(_options),
    st.sampled_from(
        (
            "--help",
            "-h",
            "--",
            "-",
            "",
            "newest",
            "2020-01",
            "2020-13",
            "9999-12",
            "-1",
            "0",
            "99999999999999999999",
            "1.5",
            "nan",
            "en",
            "ja",
            "xx",
            "fred",
            "mof",
            "jquants",
            "champion",
            "../..",
            "/dev/null",
            "é",
            "日本",
            "--install-completion=x",
            "a b",
            "\n",
            "'; drop",
            "--month=",
            "--month=2020-01",
            "--port=70000",
        )
    ),
    st.text(st.characters(exclude_categories=("Cs",)), max_size=6),
)


@st.composite
def typed(draw: st.DrawFn) -> tuple[str, list[str]]:
    """Return a kind of folder, and what is typed in it."""
    words = draw(st.lists(_words, max_size=4))
    if draw(st.integers(0, 9)):
        words.insert(0, draw(st.sampled_from(sorted(COMMANDS))))
    # Shells' own files are no business of a test.
    words = [w for w in words if "completion" not in w]
    return draw(st.sampled_from(FOLDERS)), words


def ends_with_a_code(example: tuple[str, list[str]]) -> str:
    """Run a command in this process, and see its exit code and that no traceback is shown."""
    kind, words = example
    with TemporaryDirectory() as name, _inside(Path(name), kind), patch.object(cli, "call", _call):
        result = CliRunner().invoke(cli.app, words, prog_name="konkyo")
    error = result.exception
    if error is not None and not isinstance(error, SystemExit):
        raise error
    assert result.exit_code in CODES, result.exit_code
    assert "Traceback" not in result.output
    if result.exit_code:
        assert result.output.strip()
    return f"exit code {result.exit_code}"


_REAL = cli.call


def _call(stage: str, **named: object) -> None:
    if stage in BEYOND:
        return
    _REAL(stage, **named)


@contextmanager
def _inside(folder: Path, kind: str) -> Iterator[None]:
    if kind != "empty":
        text = PARAMS.read_text(encoding="utf-8").replace("source: us-equities", "source: tables")
        (folder / "params.yaml").write_text(
            text[: len(text) // 2] if kind == "broken params" else text
        )
    if kind == "broken data":
        for name in _MADE:
            path = folder / "data" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(b"PAR1 not what it should be")
    before = Path.cwd()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)
