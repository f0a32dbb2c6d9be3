"""check: validate the records and all params, report every violation, end in one summary.

The stage ingest does the same, and writes the records.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import pandas as pd

from konkyo import config, data, dates
from konkyo.artifacts import HERE
from konkyo.config import Params
from konkyo.data import plausibility, schema
from konkyo.data.records import SECTIONS, Records
from konkyo.data.violations import Violation, count_of, few, raise_if_any, table, violations_of
from konkyo.errors import KonkyoError, ParamsError, RecordsError, SourceError
from konkyo.features import available
from konkyo.features.build import catalogue_of
from konkyo.intervention import load as study
from konkyo.intervention.records import Records as StudyRecords
from konkyo.io import write_csv
from konkyo.pipeline import preflight, stage
from konkyo.resilience import temporary_folder


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
    if records is not None:
        print(summary(params, records, violations))
    if params.intervention.source != "simulated":
        try:
            print(study_summary(study.load(params.intervention)))
        except (RecordsError, SourceError, ParamsError) as error:
            violations += violations_of(error)
    write_csv(table(violations), HERE.check)
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
    lines: dict[str, list[str]] = {name: list(records.lines(name)) for name in SECTIONS}
    lines["read"] += [
        f"{facts['rows']:,} rows of {count_of(facts['stocks'], 'stock')}, "
        f"{facts['first_month']} to {facts['last_month']}",
        f"{len(market):,} months of market series: "
        f"{few(market.columns.drop('month')) if len(market.columns) > 1 else 'none'}",
    ]
    lines["assumed"] += _assumptions(records)
    if params.prepare.characteristics == "available":
        names = available.resolve(params.prepare, records.stocks)
        lines["assumed"].append(f"prepare.characteristics, as available: {', '.join(names)}")
    shares = records.stocks.isna().mean()
    lines["set missing"] += [
        f"{name}: {max(share, 0.001):.1%} missing" for name, share in shares.items() if share
    ]
    lines["matched"] += _labels(params, records)
    lines["left out"] += _left_out(params, records.stocks)
    lines["look at"] = [*records.lines(), *preflight.remarks(params, records)]
    state = count_of(len(violations), "violation") if violations else "no violation"
    return _sections(f"{facts['source']}: {state}", lines)


def study_summary(records: StudyRecords) -> str:
    """Return what was read of the second study's series, and numbers that show a mistake."""
    facts, frame = records.facts, records.frame
    amount = frame["intervention"]
    share = (amount.abs() / frame["reserves"]).max()
    sold, bought = int((amount > 0).sum()), int((amount < 0).sum())
    lines = {
        "read": [
            f"{facts['rows']:,} months of the second study, {facts['first_month']} to "
            f"{facts['last_month']}"
        ],
        "assumed": [
            f"rate is the home currency for one unit abroad: its median is "
            f"{frame['rate'].median():,.4g}",
            f"intervention is above 0 where home currency was sold ({sold} months; bought in "
            f"{bought}), in the unit of reserves: at most {share:.1%} of them in a month",
            f"gdp has a median of {(frame['gdp'] / frame['reserves']).median():.1f} times the "
            "reserves a quarter",
        ],
        "set missing": [
            f"{name}: {part:.1%} missing" for name, part in frame.isna().mean().items() if part
        ],
    }
    return _sections(f"intervention, {facts['source']}: no violation", lines)


def _sections(title: str, lines: Mapping[str, Sequence[str]]) -> str:
    text = [title]
    for name, some in lines.items():
        for line in some:
            text.append(f"  {name:<13}{line}")
            name = ""
    return "\n".join(text)


def _assumptions(records: Records) -> Iterator[str]:
    """Yield units and meanings that nothing can prove, with numbers that show a mistake."""
    stocks, facts = records.stocks, records.facts
    newest = stocks[stocks["month"] == stocks["month"].max()]
    middle = schema.median_size(stocks["return"])
    yield f"return is a fraction earned in the month: its median size is {middle:.2%}"
    if "size" in newest:
        yield (
            f"size has a median of {newest['size'].median():,.0f} in {facts['last_month']}, at "
            f"most {newest['size'].max():,.0f} (a market value is in thousands)"
        )
    for name in plausibility.USUAL:
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
    from konkyo.report.tables.labels import read_labels

    try:
        own = read_labels(HERE.labels)["name"]
        features = catalogue_of(params.prepare, records.stocks)["name"]
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
    if "size" in stocks and not stocks["size"].notna().all():
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
