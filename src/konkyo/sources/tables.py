"""Source `tables`: the user's own two files, one of stocks by month, one of market series."""

import shutil
from pathlib import Path

from konkyo.errors import RecordsError, SourceError
from konkyo.files import replacing, sha256_of
from konkyo.params import Tables
from konkyo.sources import schema
from konkyo.sources.reading import read, rename
from konkyo.sources.records import Records, facts_of


def bring(tables: Tables, raw: Path, portfolios: int) -> Records:
    """Read and check the user's two files, then keep a copy of each.

    Parameters
    ----------
    tables : Tables
        Where the files are, how their columns are called, the unit of `return`, and the user's
        statements about them. Every further column of the stocks must hold numbers that were
        known at the end of the month.
    raw : Path
        Folder for the copies, so that the version of the data holds what was used.
    portfolios : int
        The fewest stocks that a month must have.

    Raises
    ------
    SourceError
        A file is missing, of another kind, or lies in `raw`.
    RecordsError
        The files break rules, or no file has a column that the mapping names.
    """
    stock_rows, market_rows = tables.stocks, tables.market[0]
    paths = {"stocks": Path(stock_rows.files[0]), "market": Path(market_rows.files[0])}
    for path in paths.values():
        if path.resolve().is_relative_to(raw.resolve()):
            raise SourceError(
                f"{path} lies in {raw}, which this stage empties and writes: keep it in data/own"
            )
    found = {name: read(path) for name, path in paths.items()}
    there = {name: list(table.frame.columns) for name, table in found.items()}
    columns = {"stocks": stock_rows.columns, "market": market_rows.columns}
    for name, path in paths.items():
        unknown = [column for column in columns[name] if column not in there[name]]
        if unknown:
            raise RecordsError(
                f"the mapping of columns of {path} names {', '.join(map(repr, unknown))}, which "
                f"it has not: it has {there[name]}"
            )
    stocks, market = schema.check(
        rename(found["stocks"], columns["stocks"]),
        rename(found["market"], columns["market"]),
        stock_rows.return_unit,
        portfolios,
    )
    files = {name + path.suffix.lower(): path for name, path in paths.items()}
    for name, path in files.items():
        with replacing(raw / name) as scratch:
            shutil.copyfile(path, scratch)
    facts = facts_of(
        stocks,
        {name: sha256_of(raw / name) for name in files},
        source="tables",
        licence="the user's own records, on terms known to the user",
        point_in_time=tables.point_in_time,
        survivorship_free=tables.survivorship_free,
    )
    return Records(stocks, market, facts)
