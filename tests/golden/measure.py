"""Numbers of three runs, and their comparison with the golden ones in golden.json.

A number's key is a path: `small/metrics/network/spread/sharpe_ratio` is a figure of a JSON file,
`small/attributions/MKT/std` a moment of a table's column, `small/backtest/quantiles/ridge/months/2`
the third row of a short table. `small` runs the stages on the records of small.py, `simulated` on a
simulated market of 60 stocks, `main` are the committed results. Files of data/ are walked rather
than named, so that a renamed file, column, metric or method needs a line in names.csv and no change
here. Digests would tell that a file changed, but not whether a number did.
"""

import contextlib
import csv
import json
import math
import re
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

import chain
from konkyo import config as params
from small import SIMULATED, small_params

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
GOLDEN = HERE / "golden.json"
NAMES = HERE / "names.csv"

COMMITTED = ("metrics.json", "verify.json", "intervention/metrics.json")
SMALL = ("prepare", "train", "attribute", "verify", "backtest", "report", "monitor")
MARKET = ("ingest", "prepare", "train", "attribute", "verify", "backtest")
MONTH = re.compile(r"/?\d{4}-\d{2}(?=/|$)")
GROUPS = ("model", "method", "measure")
"""Columns whose values name what a row is about: they become part of the key."""

SHORT = 6
"""A table of at most so many rows is kept row by row."""

Numbers = dict[str, float | None]


def small_run() -> Numbers:
    """Run the stages on the small records."""
    return run("small", small_params(), SMALL)


def simulated_run() -> Numbers:
    """Run the stages on 60 simulated stocks, with two networks a month.

    The relevances of its 126 inputs are left out: verify.json compares them with the true ones.
    """
    small = small_params()
    example = params.load(ROOT / "data/examples/simulated-tse/params.yaml")
    config = replace(
        small,
        ingest=replace(example.ingest, last_month="2004-12", simulated=SIMULATED),
        prepare=replace(example.prepare, first_month="2004-01"),
        train=replace(small.train, ensemble=2),
    )
    numbers = run("simulated", config, MARKET)
    large = re.compile("simulated/(attributions|verify/months)/")
    return {key: value for key, value in numbers.items() if not large.match(key)}


def main_run() -> Numbers:
    """Return the numbers of the committed results."""
    numbers: Numbers = {}
    for name in COMMITTED:
        path = ROOT / "data" / name
        content = json.loads(path.read_text(encoding="utf-8"))
        numbers |= flat(f"main/{name.removesuffix('.json')}", content)
    return numbers


def run(name: str, config: params.Params, stages: tuple[str, ...]) -> Numbers:
    """Run stages in a temporary folder and return the numbers of all files that they write."""
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        chain.lay(Path(), config)
        # `monitor`, the last stage, exits at a breached limit; after others keys would be missing.
        with contextlib.suppress(SystemExit):
            chain.run(stages)
        contents = read(Path("data"))
        return {k: v for key, part in contents for k, v in flat(f"{name}/{key}", part).items()}


def read(data: Path) -> Iterator[tuple[str, Any]]:
    """Yield path and content of every file; the files of many months are one table."""
    tables: dict[str, list[pd.DataFrame]] = {}
    originals = [path for room in ("backtest", "verify") for path in (data / room).glob("*.*")]
    stems = {path.stem for path in originals}
    for path in sorted(data.rglob("*")):
        if path.stem in stems and path not in originals:
            # Report, plots and months of verify repeat these tables.
            continue
        name = MONTH.sub("", path.relative_to(data).with_suffix("").as_posix())
        if path.suffix == ".json":
            yield name, json.loads(path.read_text(encoding="utf-8"))
        elif path.suffix in (".csv", ".parquet"):
            table = pd.read_csv(path) if path.suffix == ".csv" else pd.read_parquet(path)
            tables.setdefault(name, []).append(table)
        elif path.suffix == ".npy":
            columns = pd.read_csv(path.with_name("catalogue.csv"))["name"]
            tables[name] = [pd.DataFrame(np.load(path), columns=columns)]
    for name, parts in tables.items():
        yield name, summary(pd.concat(parts, ignore_index=True))


def summary(table: pd.DataFrame) -> dict[str, Any]:
    """Return rows or statistics of a table's columns of numbers, by model or method."""
    group = next((column for column in GROUPS if column in table), None)
    if group is not None:
        parts = table.groupby(group, sort=False)
        return {str(key): summary(part.drop(columns=group)) for key, part in parts}
    columns = table.select_dtypes(["number", "bool"]).astype(float)
    if len(columns) <= SHORT:
        return {name: dict(enumerate(column)) for name, column in columns.items()}
    return {str(name): statistics(column.to_numpy()) for name, column in columns.items()}


def statistics(values: np.ndarray) -> dict[str, float]:
    """Return moments, two literal values, and the trend, which sees a change of order."""
    finite = np.isfinite(values)
    if not finite.any():
        return {"count": 0}
    values = np.where(finite, values, 0.0)
    mean = values[finite].mean()
    return {
        "count": int(finite.sum()),
        "mean": mean,
        "std": values[finite].std(),
        "trend": (np.linspace(-1, 1, len(values)) * (values - mean * finite)).mean(),
        "first": values[finite][0],
        "last": values[finite][-1],
    }


def flat(key: str, content: Any) -> Numbers:
    """Return the numbers of nested dictionaries and lists by their paths; texts are left out."""
    if isinstance(content, dict | list):
        items = content.items() if isinstance(content, dict) else enumerate(content)
        return {k: v for name, part in items for k, v in flat(f"{key}/{name}", part).items()}
    if content is None or (isinstance(content, float) and math.isnan(content)):
        return {key: None}
    return {key: float(content)} if isinstance(content, int | float) else {}


TOLERANCES = {
    # Read from a file, not computed.
    # The order of the operations of a Sharpe ratio or a t-statistic moves its last digits.
    "main/": (1e-12, 0.0),
    # Sums and ranks of the records, in double precision.
    "(small|simulated)/(records|panel)/": (1e-6, 1e-9),
    # Ranks of relevances that are equal but for the last digits change places: 4e-4 at most without
    # AVX, with another MKL and another OpenBLAS (README: metrics within 8e-4).
    "simulated/verify/.*shapley_sampling/": (0.0, 2e-3),
    # Ridge with 126 inputs on 350 rows is badly conditioned: 3e-5 with these.
    "simulated/": (1e-4, 1e-4),
    # Everything else of a network or of ridge: 9e-7 with these, 0 on the same machine.
    "small/": (1e-5, 3e-6),
}
"""Relative and absolute tolerance by the beginning of the golden key; the first that fits."""


def equal(key: str, number: float | None, golden: float | None) -> bool:
    """Return whether a number is the golden one of this key within tolerance, or both are None."""
    if number is None or golden is None:
        return number is golden
    relative, absolute = next(t for start, t in TOLERANCES.items() if re.match(start, key))
    return math.isclose(number, golden, rel_tol=relative, abs_tol=absolute)


def read_names() -> list[tuple[str, str]]:
    """Return old and new names, in the order of the renaming commits."""
    with NAMES.open(encoding="utf-8", newline="") as file:
        return [(row["old"], row["new"]) for row in csv.DictReader(file)]


def rename(key: str, names: list[tuple[str, str]]) -> str:
    """Return a golden key in today's names.

    An old name is a whole component of the path (`sharpe_ratio`), or several where one alone means
    more than one thing (`verify/*/truth`; `*` is any one component, and the same one in the new
    name). Lines apply one after the other. The first component, the run, has no other name.
    """
    run, _, rest = key.partition("/")
    for old, new in names:
        pattern = re.escape(old).replace(r"\*", "([^/]+)")
        rest = re.sub(rf"(?<![^/]){pattern}(?![^/])", new.replace("*", r"\1"), rest)
    return f"{run}/{rest}"


def differences(golden: Numbers, numbers: Numbers, names: list[tuple[str, str]]) -> list[str]:
    """Return a line for every number that moved, is missing or is new."""
    today = {rename(key, names): key for key in golden}
    lines = [
        f"moved: {key}: {numbers[key]!r}, golden {golden[old]!r}"
        for key, old in today.items()
        if key in numbers and not equal(old, numbers[key], golden[old])
    ]
    lines += [f"missing: {key}" for key in today if key not in numbers]
    lines += [f"new: {key}" for key in numbers if key not in today]
    if len(today) < len(golden):
        lines.append("names.csv gives two golden numbers the same key")
    return lines


def read_golden() -> Numbers:
    """Return the golden numbers by their keys, in the names of when they were first written."""
    parts = json.loads(GOLDEN.read_text(encoding="utf-8"))
    return {f"{part}/{name}": v for part, values in parts.items() for name, v in values.items()}


RUNS: dict[str, Callable[[], Numbers]] = {
    "main": main_run,
    "small": small_run,
    "simulated": simulated_run,
}
