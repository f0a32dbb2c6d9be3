"""check: validate the records and all params, report every violation, end in one summary.

The stage ingest does the same, and writes the records.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd

from konkyo import config, data, dates
from konkyo.artifacts import HERE
from konkyo.config import Params
from konkyo.data.notes import few
from konkyo.data.records import SECTIONS, Records
from konkyo.data.violations import Violation, count_of, raise_if_any, table, violations_of
from konkyo.errors import KonkyoError, ParamsError, RecordsError, SourceError
from konkyo.io import write_csv
from konkyo.pipeline import preflight, stage
from konkyo.resilience import temporary_folder

RATIOS = ("earnings_yield", "book_to_price", "sales_yield", "dividend_yield")
"""Ratios to the market value, whose median shows amounts of another unit."""


@stage
def main() -> None:
    """Write data/check.csv, one row a violation, and nothing else; print the summary.

    Raises
    ------
    RecordsError
        The records or the params violate rules, or cannot be read; the report is written before.
    """
    params = config.load()
    # Downloads go to a temporary folder: data/raw belongs to the stage ingest.
    with temporary_folder() as raw:
        records, violations = examine(params, raw)
    violations += study_violations(params)
    write_csv(table(violations), HERE.check)
    if records is not None:
        print(summary(params, records, violations))
    raise_if_any(violations)


def examine(params: Params, raw: Path) -> tuple[Records | None, list[Violation]]:
    """Load the records, and hold all params against them.

    Parameters
    ----------
    params : Params
        All sections of params.yaml.
    raw : Path
        Folder for the raw files as they came.

    Returns
    -------
    records : Records or None
        None where they violate rules or cannot be read.
    violations : list of Violation
        Of the records and of params.yaml, all at once.
    """
    try:
        records = data.load(params.ingest, raw, params.backtest.n_quantiles)
    except (RecordsError, SourceError, ParamsError) as error:
        return None, [*violations_of(error), *preflight.without_records(params)]
    return records, preflight.of_records(params, records)


def study_violations(params: Params) -> list[Violation]:
    """Return the violations of the second study's tables; none where it simulates them."""
    if params.intervention.source == "simulated":
        return []
    from konkyo.intervention.load import load

    try:
        load(params.intervention)
    except (RecordsError, SourceError, ParamsError) as error:
        return violations_of(error)
    return []


def summary(params: Params, records: Records, violations: list[Violation]) -> str:
    """Return what was read, matched, assumed, set missing and left out, and what to look at.

    Parameters
    ----------
    params : Params
        All sections of params.yaml.
    records : Records
        Checked and normalised.
    violations : list of Violation
        Of params.yaml with these records.
    """
    facts, market = records.facts, records.market
    lines: dict[str, list[str]] = {name: list(records.summary.get(name, ())) for name in SECTIONS}
    lines["read"] += [
        f"{facts['rows']:,} rows of {count_of(facts['stocks'], 'stock')}, "
        f"{facts['first_month']} to {facts['last_month']}",
        f"{len(market):,} months of market series: {few(market.columns.drop('month'))}",
    ]
    lines["assumed"] += _assumptions(records)
    shares = records.stocks.isna().mean()
    lines["set missing"] += [
        f"{name}: {share:.1%} missing" for name, share in shares.items() if share
    ]
    lines["matched"] += _labels(params, records)
    lines["left out"] += _left_out(params, records.stocks)
    lines["look at"] = [*records.notes, *preflight.remarks(params, records)]
    state = count_of(len(violations), "violation") if violations else "no violation"
    text = [f"{facts['source']}: {state}"]
    for name, some in lines.items():
        for line in some:
            text.append(f"  {name:<13}{line}")
            name = ""
    return "\n".join(text)


def _assumptions(records: Records) -> Iterator[str]:
    """Yield units and meanings that nothing can prove, with numbers that show a mistake."""
    stocks, facts = records.stocks, records.facts
    newest = stocks[stocks["month"] == stocks["month"].max()]
    sizes = np.abs(stocks["return"])
    yield f"return is a fraction earned in the month: its median size is {sizes.median():.2%}"
    yield (
        f"size is the market value at the month's end in thousands: its median is "
        f"{newest['size'].median():,.4g} in {facts['last_month']}, its largest "
        f"{newest['size'].max():,.4g}"
    )
    for name in RATIOS:
        if name in newest and newest[name].notna().any():
            yield f"{name} has a median of {newest[name].median():.1%} in {facts['last_month']}"
    for key, words in (
        ("point_in_time", "no value was restated after its month"),
        ("survivorship_free", "stocks that are gone are in the records"),
    ):
        yield f"{words}: {'yes' if facts[key] else 'no'} ({key})"


def _labels(params: Params, records: Records) -> Iterator[str]:
    """Yield how many of the user's names are of features."""
    if not HERE.labels.exists():
        return
    # Tables of the report take a second to import.
    from konkyo.pipeline.report_inputs import OTHERS
    from konkyo.report.tables import read_labels

    try:
        own = read_labels(HERE.labels)["name"]
        features = preflight.catalogue(params.prepare, records)["name"]
    except KonkyoError:
        # A violation says why.
        return
    other = own[~own.isin([*features, *params.prepare.market, *OTHERS])]
    line = f"{HERE.labels}: {len(own) - len(other)} of {count_of(len(own), 'name')} are features"
    yield line + (f"; no feature: {few(other)}" if len(other) else "")


def _left_out(params: Params, stocks: pd.DataFrame) -> Iterator[str]:
    """Yield rows that are not eligible, and sectors without a dummy."""
    first = dates.parse(params.prepare.first_month)
    if "eligible" in stocks:
        out = int((stocks["eligible"] == 0).sum())
        if out:
            yield f"{out:,} of {len(stocks):,} rows are not eligible for the universe"
    if not stocks["size"].notna().all():
        yield f"{count_of(int(stocks['size'].isna().sum()), 'row')} without a size"
    later = stocks[(stocks["month"] >= first) & stocks["sector"].notna()]
    if params.prepare.sectors == "known":
        dummies = set(stocks.loc[stocks["month"] <= first, "sector"].dropna())
        remedy = "list all sectors in prepare.sectors, or begin later (prepare.first_month)"
    else:
        dummies = set(params.prepare.sectors)
        remedy = "add it to prepare.sectors"
    for name, rows in later[~later["sector"].isin(dummies)].groupby("sector"):
        begins = rows["month"].min()
        those = rows.loc[rows["month"] == rows["month"].max(), "stock"]
        everyone = int((stocks["month"] == rows["month"].max()).sum())
        yield (
            f"sector {name!r} has no dummy: {len(those):,} of {count_of(everyone, 'stock')} from "
            f"{dates.label(begins)} on ({few(those)}); {remedy}"
        )
