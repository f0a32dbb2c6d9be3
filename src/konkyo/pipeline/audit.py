"""Prove that nothing looks ahead: change all that comes after some months, and compare."""

import shutil
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pandas as pd

from konkyo import config
from konkyo.artifacts import HERE
from konkyo.io import write_csv, write_json
from konkyo.leakage import compare, perturb, record_sources, run
from konkyo.pipeline import locking, stage

SHOWN = 20
"""Lines of what moved; the table has them all."""


@stage
@locking.reading
def main(months: int = 3, seed: int = 1, epochs: int = 1) -> None:
    """Write data/audit.csv and data/audit.json; nothing else of data/ is touched.

    Parameters
    ----------
    months : int
        Decision months, spread over all there are, the newest among them.
    seed : int
        Of what is changed after them.
    epochs : int
        Of each training; 0 for as many as train.epochs.

    Raises
    ------
    SystemExit
        With code 1, where a value of a decision month or before it moved.
    """
    chosen = config.load()
    with TemporaryDirectory(prefix="konkyo-audit-") as folder:
        scratch = Path(folder)
        raw = scratch / "as-it-is"
        if chosen.ingest.source == "us-equities" and HERE.raw.is_dir():
            # What was brought once need not be brought again.
            shutil.copytree(HERE.raw, raw)
        origin = record_sources.record_source(chosen.ingest, raw, chosen.backtest.n_quantiles)
        _say(f"records: {len(origin.records[0]):,} rows")
        found = list(run.audit(origin, chosen, months, seed, epochs, scratch, _say))
    table = compare.table(found)
    result = summary(found, table, seed)
    write_csv(table, HERE.audit_table)
    write_json(result, HERE.audit_result)
    moved = table[table["moved"] > 0]
    if len(moved):
        print(f"audit: {result['moved']:,} values moved, first of all stages:", file=sys.stderr)
        for line in lines(moved):
            print(f"audit: {line}", file=sys.stderr)
        raise SystemExit(1)
    print(
        f"nothing looks ahead: {result['compared']:,} values of {len(table)} columns up to "
        f"{', '.join(result['decision_months'])} are the same bits in {result['worlds_tried']} "
        f"worlds that differ after these months, see {HERE.audit_table}"
    )


def lines(moved: pd.DataFrame) -> list[str]:
    """Return a line for each column that moved, in the order of the stages."""
    made = [
        f"{row.stage}: {row.feature} moved in {row.moved:,} values, first in {row.first_month} "
        f"({row.example or 'no example'}; after {row.decision_month}: {row.world})"
        for row in moved.head(SHOWN).itertuples()
    ]
    if len(moved) > SHOWN:
        made.append(f"and {len(moved) - SHOWN} further columns, see {HERE.audit_table}")
    return made


def summary(found: list[compare.Finding], table: pd.DataFrame, seed: int) -> dict[str, Any]:
    """Return what a program reads of the audit."""
    by_stage = table.groupby("stage", sort=False)[["compared", "moved"]].sum()
    return {
        "seed": seed,
        "decision_months": sorted({one.decision_month for one in found}),
        "worlds": [world.name for world in perturb.WORLDS],
        "worlds_tried": len({(one.decision_month, one.world) for one in found}),
        "compared": int(table["compared"].sum()),
        "moved": int(table["moved"].sum()),
        "stages": {
            str(stage): {"compared": int(row["compared"]), "moved": int(row["moved"])}
            for stage, row in by_stage.iterrows()
        },
    }


def _say(line: str) -> None:
    print(line, flush=True)


if __name__ == "__main__":
    main()
