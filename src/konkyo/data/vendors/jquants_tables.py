"""J-Quants' raw files as tables of `ingest.tables`, and the params that name them.

The vendor adjusts backwards: each split rescales all earlier prices, so that files of several runs
would not fit together. Here a price is in units of the share of the first day: the close divided by
the cumulative product of adjustment factors up to the day. Returns are the same, the past never
changes, and close x shares is the market value of the day.
"""

import json
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
import pandas as pd

from konkyo.data.vendors.jquants import missing_days
from konkyo.data.vendors.jquants_reports import outstanding, reports
from konkyo.errors import SourceError
from konkyo.io import atomic_write, write_parquet

COMMON = ("0101", "0102", "0104", "0106", "0107", "0111", "0112", "0113")
"""The market segments of ordinary shares: no funds, trusts or shares for professionals."""

_HEAD = """\
# The records of J-Quants, for params.yaml.
ingest:
  source: tables
  tables:
    stocks:                    # days become months; adjusted forwards for splits, no dividends
      files: [{prices}]
      columns: {{}}
      layout: long
      rows: dated
      return_unit: fraction
      largest_return: 10.0
      eligible: ""
    point_in_time: true        # sectors, members and statements as they were known
    survivorship_free: true    # stocks that are gone are in the days on which they were listed
"""
_TABLES = {
    "market": ("topix", "{file}, columns: {{}}"),
    "reports": ("reports", "{file}, columns: {{}}, lag: 90, carry: 12, unit: 1"),
    "members": ("members", "{file}, columns: {{}}"),
}


def yaml_text(path: Path) -> str:
    """Return a path as YAML writes a text, whatever characters are in it."""
    return json.dumps(path.as_posix(), ensure_ascii=False)


def params_for(folder: Path) -> str:
    """Return the params for the tables that are in a folder, as YAML text.

    Without the index the market series have to come from elsewhere, and `market` is left out.
    """
    text = _HEAD.format(prices=yaml_text(folder / "prices"))
    for key, (name, entry) in _TABLES.items():
        file = folder / f"{name}.parquet"
        if file.is_file():
            filled = entry.format(file=f"files: [{yaml_text(file)}]")
            text += f"    {key}:\n      - {{{filled}}}\n"
    if (folder / "topix.parquet").is_file():
        text += "prepare:\n  market:\n    topix: [change]\n"
    return text


def build(folder: Path, names: pd.DataFrame, say: Callable[[str], None] = print) -> Path:
    """Write prices with sectors, reports, members and the index from all of `raw`.

    A month with a trading day whose prices are missing is left out until they are fetched.

    Parameters
    ----------
    folder : Path
        The connector's folder; a file whose content is unchanged is not written again.
    names : DataFrame
        S33, S33NmEn: the vendor's sectors.
    say : callable
        Receives one line a table.

    Returns
    -------
    Path
        The params for these tables, `params.yaml` of the folder.

    Raises
    ------
    SourceError
        No price has been fetched yet.
    """
    raw = folder / "raw"
    months = sorted((raw / "prices").glob("*.parquet"))
    if not months:
        raise SourceError(
            f"{raw / 'prices'} holds no prices: fetch them first, in months of your plan"
        )
    statements = _read_all(raw / "statements")
    shares = _shares_in_first_units(statements, months)
    missing = missing_days(raw)
    listings = sorted((raw / "listed").glob("*.parquet"))
    later = listings.copy()
    before, sectors = pd.Series(dtype="float64"), pd.Series(dtype="str")
    count = 0
    for path in months:
        table, before = prices(pd.read_parquet(path), shares, before)
        while later and later[0].stem <= path.stem:
            sectors = sectors_at(pd.read_parquet(later.pop(0)), names, sectors)
        if listings:
            table["sector"] = table["stock"].map(sectors).astype("str")
        if path.stem in {day[:7] for day in missing}:
            # A split on a missing day would be a false return. Without its month no return spans
            # that day, and a factor that is wrong from then on cancels out of all later ones.
            (folder / "prices" / path.name).unlink(missing_ok=True)
            days = ", ".join(day for day in missing if day.startswith(path.stem))
            say(f"prices: {path.stem} left out, without {days}")
            continue
        _write_if_changed(table, folder / "prices" / path.name)
        count += len(table)
    say(f"prices: {count:,} rows, {months[0].stem} to {months[-1].stem}")
    if len(statements):
        table = reports(statements)
        _write_if_changed(table, folder / "reports.parquet")
        say(f"reports: {len(table):,} versions of {table['stock'].nunique():,} stocks")
    if listings:
        spells = members(pd.read_parquet(path) for path in listings)
        _write_if_changed(spells, folder / "members.parquet")
        say(f"members and sectors: {len(listings)} months' listings")
    if (raw / "topix.parquet").is_file():
        index = pd.read_parquet(raw / "topix.parquet")
        _write_if_changed(
            pd.DataFrame({"date": index["Date"], "topix": index["C"]}), folder / "topix.parquet"
        )
        say(f"topix: {len(index):,} days")
    with atomic_write(folder / "params.yaml") as scratch:
        scratch.write_text(params_for(folder), encoding="utf-8")
    return folder / "params.yaml"


def _shares_in_first_units(statements: pd.DataFrame, months: list[Path]) -> pd.DataFrame:
    """Return the outstanding shares in units of the shares that were there on the first day."""
    if statements.empty:
        return pd.DataFrame({"stock": [], "published": [], "shares": []}).astype(
            {"stock": "str", "published": "datetime64[ns]", "shares": "float64"}
        )
    shares = outstanding(statements)
    columns = ["Date", "Code", "AdjFactor"]
    tables = [pd.read_parquet(path, columns=columns) for path in months]
    splits = pd.concat([rows[rows["AdjFactor"] != 1] for rows in tables])
    return shares.assign(shares=shares["shares"] * factors_at(splits, shares))


def _read_all(folder: Path) -> pd.DataFrame:
    paths = sorted(folder.glob("*.parquet"))
    return pd.concat([pd.read_parquet(path) for path in paths]) if paths else pd.DataFrame()


def _write_if_changed(table: pd.DataFrame, path: Path) -> None:
    """Write a table unless the file is equal, so that DVC and make see only changes."""
    if path.is_file() and pd.read_parquet(path).equals(table):
        return
    write_parquet(table, path)


def prices(
    raw: pd.DataFrame, shares: pd.DataFrame, before: pd.Series
) -> tuple[pd.DataFrame, pd.Series]:
    """Return a month's price rows and the stocks' cumulative factors at its end.

    Parameters
    ----------
    raw : DataFrame
        Date, Code, C (yen), Vo (shares), Va (yen), AdjFactor: 0.5 on the first day of a split of
        one share into two, else 1.
    shares : DataFrame
        stock, published, shares (outstanding, as reported on that day).
    before : Series
        By stock: the product of the factors of all earlier days; 1 for a stock that is not in it.

    Returns
    -------
    DataFrame
        date, stock, close, volume, dollar_volume (thousand yen), shares: rows of days with a
        trade. `shares` are the newest ones published up to that day, in the first day's units.
    Series
        As `before`, at the end of the month.
    """
    rows = raw.sort_values(["Code", "Date"], kind="stable").reset_index(drop=True)
    step = rows["AdjFactor"].where(rows["AdjFactor"] > 0, 1.0)
    start = rows["Code"].map(before).fillna(1.0).astype("float64")
    factor = start * step.groupby(rows["Code"]).cumprod()
    after = factor.groupby(rows["Code"]).last()
    table = pd.DataFrame(
        {
            "date": rows["Date"],
            "stock": rows["Code"],
            "close": rows["C"] / factor,
            "volume": rows["Vo"] * factor,
            "dollar_volume": rows["Va"] / 1000.0,
        }
    )
    table = table[rows["C"].notna()].sort_values(["date", "stock"])
    shares_by_row = pd.merge_asof(
        table[["date", "stock"]],
        shares.sort_values("published"),
        left_on="date",
        right_on="published",
        by="stock",
    )
    table = table.reset_index(drop=True).assign(shares=shares_by_row["shares"])
    return table, after.combine_first(before)


def factors_at(raw: pd.DataFrame, asked: pd.DataFrame) -> np.ndarray:
    """Return the product of a stock's factors up to a day.

    Parameters
    ----------
    raw : DataFrame
        Date, Code, AdjFactor: at least the rows whose factor is not 1.
    asked : DataFrame
        stock, published.

    Returns
    -------
    array, shape [asked rows]
        1 before a stock's first factor.
    """
    splits = raw[(raw["AdjFactor"] > 0) & (raw["AdjFactor"] != 1)].sort_values(["Code", "Date"])
    splits = splits.assign(factor=splits.groupby("Code")["AdjFactor"].cumprod())
    order = asked.reset_index(drop=True).reset_index(names="row").sort_values("published")
    newest = pd.merge_asof(
        order,
        splits[["Date", "Code", "factor"]].sort_values("Date"),
        left_on="published",
        right_on="Date",
        left_by="stock",
        right_by="Code",
    )
    return newest.sort_values("row")["factor"].fillna(1.0).to_numpy(dtype="float64")


def members(listings: Iterable[pd.DataFrame]) -> pd.DataFrame:
    """Return the listing spells of ordinary shares.

    Parameters
    ----------
    listings : iterable of DataFrame
        Code, Mkt and asked, the listing's day: one a month, its last trading day.

    Returns
    -------
    DataFrame
        stock, start, end: from the first listing with the stock to the first one without it;
        `end` is missing where the last listing has it. A relisted stock has two rows.
    """
    present: dict[str, pd.Timestamp] = {}
    spells: list[tuple[str, pd.Timestamp, pd.Timestamp]] = []
    for listing in sorted(listings, key=lambda rows: rows["asked"].max()):
        day = listing["asked"].max()
        listed = set(listing.loc[listing["Mkt"].isin(COMMON), "Code"])
        for stock in sorted(set(present) - listed):
            spells.append((stock, present.pop(stock), day))
        for stock in listed - set(present):
            present[stock] = day
    spells += [(stock, start, pd.NaT) for stock, start in present.items()]
    table = pd.DataFrame(spells, columns=["stock", "start", "end"])
    return table.astype({"start": "datetime64[ns]", "end": "datetime64[ns]"}).sort_values(
        ["stock", "start"], ignore_index=True
    )


def sectors_at(listing: pd.DataFrame, names: pd.DataFrame, before: pd.Series) -> pd.Series:
    """Return each stock's sector of the exchange's 33 (English) as known at a listing.

    A firm that moves to another sector keeps its old one in all earlier months.

    Parameters
    ----------
    listing : DataFrame
        Code and S33 of a month's last trading day.
    names : DataFrame
        S33, S33NmEn; a sector without a name goes by its code.
    before : Series
        By stock: the sectors as known before, which stay for stocks that the listing lacks.
    """
    english = listing["S33"].map(names.set_index("S33")["S33NmEn"]).fillna(listing["S33"])
    return pd.Series(english.to_numpy(), listing["Code"], dtype="str").combine_first(before)
