"""J-Quants' raw files as tables of `ingest.tables`, and the params that name them."""

import json
from collections.abc import Callable
from pathlib import Path

import pandas as pd

from konkyo.data.vendors.jquants import missing_days
from konkyo.data.vendors.jquants_prices import factors_at, members, prices, sectors_at
from konkyo.data.vendors.jquants_reports import outstanding, reports
from konkyo.errors import SourceError
from konkyo.io import atomic_write, write_parquet

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
            say(f"prices: {path.stem} left out, without {_days_of(path.stem, missing)}")
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


def _days_of(month: str, days: list[str]) -> str:
    """Return a month's days as text."""
    return ", ".join(day for day in days if day.startswith(month))


def _shares_in_first_units(statements: pd.DataFrame, months: list[Path]) -> pd.DataFrame:
    """Return the outstanding shares in units of the shares that were there on the first day."""
    if statements.empty:
        empty = {"stock": "str", "published": "datetime64[ns]", "shares": "float64"}
        return pd.DataFrame({name: pd.Series(dtype=kind) for name, kind in empty.items()})
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
