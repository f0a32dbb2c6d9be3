"""audit: search the user's own records and pipeline for look-ahead."""

import shutil
import sys
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pandas as pd

from konkyo import config
from konkyo.artifacts import HERE
from konkyo.io import write_csv, write_json
from konkyo.leakage import compare, perturb, record_sources, run
from konkyo.pipeline import locking, stage

_N_SHOWN = 20
"""Columns that are printed; the table has all of them."""


@stage
@locking.reading
def main(months: int = 3, seed: int = 1, epochs: int = 1) -> None:
    """Perturb the records after some decision months and compare all results up to them.

    Writes data/audit.csv and data/audit.json, and nothing else.

    Parameters
    ----------
    months : int
        Decision months, spread over all of them, the newest included.
    seed : int
        Seed of the perturbations.
    epochs : int
        Epochs of each training; 0: train.epochs.

    Raises
    ------
    SystemExit
        With code 1 if a value up to a decision month moved.
    """
    params = config.load()
    report = partial(print, flush=True)
    with TemporaryDirectory(prefix="konkyo-audit-") as folder:
        scratch = Path(folder)
        raw = scratch / "raw-records"
        if params.ingest.source == "us-equities" and HERE.raw.is_dir():
            # Not downloaded again.
            shutil.copytree(HERE.raw, raw)
        source = record_sources.record_source(params.ingest, raw, params.backtest.n_quantiles)
        report(f"records: {len(source.records[0]):,} rows")
        findings = list(
            run.audit(
                source,
                params,
                count=months,
                seed=seed,
                epochs=epochs,
                scratch=scratch,
                report=report,
            )
        )
    table = compare.table(findings)
    result = summary(findings, table, seed)
    write_csv(table, HERE.audit_table)
    write_json(result, HERE.audit_result)
    moved = table[table["moved"] > 0]
    if len(moved):
        print(f"audit: {result['moved']:,} values moved, by stage:", file=sys.stderr)
        for line in lines(moved):
            print(f"audit: {line}", file=sys.stderr)
        raise SystemExit(1)
    print(
        f"no look-ahead: {result['compared']:,} values of {len(table)} columns up to "
        f"{', '.join(result['decision_months'])} are equal to the bit under "
        f"{result['n_perturbed']} perturbations of the later records, see {HERE.audit_table}"
    )


def lines(moved: pd.DataFrame) -> list[str]:
    """Return a line for each column that moved, in the order of the stages."""
    texts = [
        f"{row.stage}: {row.feature} moved in {row.moved:,} values, first in {row.first_month} "
        f"({row.example or 'no example'}; after {row.decision_month}: {row.perturbation})"
        for row in moved.head(_N_SHOWN).itertuples()
    ]
    if len(moved) > _N_SHOWN:
        texts.append(f"and {len(moved) - _N_SHOWN} further columns, see {HERE.audit_table}")
    return texts


def summary(findings: list[compare.Finding], table: pd.DataFrame, seed: int) -> dict[str, Any]:
    """Return the contents of data/audit.json."""
    by_stage = table.groupby("stage", sort=False)[["compared", "moved"]].sum()
    pairs = {(finding.decision_month, finding.perturbation) for finding in findings}
    return {
        "seed": seed,
        "decision_months": sorted({month for month, _ in pairs}),
        "perturbations": [perturbation.name for perturbation in perturb.PERTURBATIONS],
        "n_perturbed": len(pairs),
        "compared": int(table["compared"].sum()),
        "moved": int(table["moved"].sum()),
        "stages": {
            str(stage): {"compared": int(row["compared"]), "moved": int(row["moved"])}
            for stage, row in by_stage.iterrows()
        },
    }


if __name__ == "__main__":
    main()
