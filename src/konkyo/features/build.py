"""Build the panel from the records: universe, characteristics, dummies, market series, label."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from konkyo import dates
from konkyo.config import Prepare
from konkyo.errors import ParamsError, RecordsError
from konkyo.features import available, characteristics, market
from konkyo.features.grid import Grid
from konkyo.features.standardise import standardise as within_month
from konkyo.features.store import Panel
from konkyo.windows import returns_ahead

OF_UNIVERSE = ("month", "stock", "spell", "eligible", "size", "close", "return")
"""Columns of the records by which the universe is chosen."""
_RESERVED = {"month", "stock", "sector", "score", "absorbed", "ret", "label", "quantile"}


def build(
    stocks: pd.DataFrame, market_table: pd.DataFrame, params: Prepare
) -> tuple[Panel, pd.DataFrame]:
    """Return the panel of all decision months and its counts of missing values.

    Parameters
    ----------
    stocks : pandas.DataFrame
        month, stock, sector, return (fraction, earned in the month), size (at its end) and further
        numeric columns, all point in time at the end of the month. Columns `eligible` and `spell`
        are no characteristics: a stock whose `eligible` is 0 at t is not in the universe of t, and
        the values of `spell` are the firms that have had a code. Without a column `size` the
        universe is every eligible stock with a price (or a return) at t.
    market_table : pandas.DataFrame
        month and one column a market series, point in time as well.
    params : Prepare
        The prepare section of params.yaml.

    Returns
    -------
    panel : Panel
        Rows of month t are point in time at the end of t, except `ret` and `label`, which are of
        month t + 1 + params.skip_months.
    missing : pandas.DataFrame
        month, feature, missing, stocks: number of missing values in the universe, by month and
        characteristic, and of stocks without a sector dummy as the feature "sector" where the
        panel has any. They are set to the baseline 0 (`missing: centre`), or their rows are no rows
        of the panel (`drop`).

    Raises
    ------
    ParamsError
        A characteristic, a series or the first month is not in the records.
    RecordsError
        A month has no stock with a size, or a market series has a gap.
    """
    index, raw, series, missing = raw_rows(stocks, market_table, params)
    panel = assemble(
        index,
        raw,
        series,
        catalogue_of(params, stocks),
        standardise=params.standardise,
        clip=params.clip,
        label=params.label,
        label_neutral=params.label_neutral,
    )
    if len(panel.columns("sector")):
        no_dummy = pd.DataFrame({"sector": panel.features[:, panel.columns("sector")].sum(1) == 0})
        missing = pd.concat([missing, _count_missing(no_dummy, index["month"])])
    return panel, missing.sort_values(["month", "feature"], ignore_index=True)


def raw_rows(
    stocks: pd.DataFrame, market_table: pd.DataFrame, params: Prepare
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Return the rows of the panel with their values before standardisation.

    Parameters and errors are those of `build`.

    Returns
    -------
    index : pandas.DataFrame
        month, stock, sector, size, ret of each row, sorted by month and stock.
    raw : pandas.DataFrame
        [rows, characteristics], NaN where missing.
    series : pandas.DataFrame
        [rows, market features].
    missing : pandas.DataFrame
        month, feature, missing, stocks: counts of missing characteristics.
    """
    available.require(params, stocks, market_table)
    grid = Grid.of(stocks)
    start = int(np.searchsorted(grid.month, dates.parse(params.first_month)))
    grids = grid.numbers(stocks)
    chosen = available.resolve(params, stocks)
    row, column, raw, missing = rows_of(grid, grids, params, chosen)
    empty = np.setdiff1d(np.arange(start, len(grid.month)), row)
    if len(empty):
        measure = "size" if "size" in grids else "price or return"
        who = "stock that is eligible" if "eligible" in grids else "stock"
        if params.missing == "drop":
            measure += " and every characteristic (prepare.missing: drop)"
        raise RecordsError(
            f"stocks: no {who} has a {measure} in {dates.label(grid.month[empty[0]])}, so that the "
            "universe is empty: add the values for that month, or begin later (prepare.first_month)"
        )
    index = pd.DataFrame({"month": grid.month[row], "stock": grid.stock[column]})
    index["stock"] = index["stock"].astype("string")
    index["sector"] = _sector_of(stocks, grid, row, column)
    index["size"] = grids["size"][row, column] if "size" in grids else np.nan
    index["ret"] = returns_ahead(grids["return"], params.skip_months)[row, column]
    series = market.features(market_table, params.market, grid.month[start:])
    return index, raw, series.iloc[row - start].reset_index(drop=True), missing


def assemble(
    index: pd.DataFrame,
    raw: pd.DataFrame,
    series: pd.DataFrame,
    catalogue: pd.DataFrame,
    *,
    standardise: str,
    clip: float,
    label: str,
    label_neutral: str,
) -> Panel:
    """Return the panel of rows, standardised within each month.

    Parameters
    ----------
    index : pandas.DataFrame
        month, stock, sector, size, ret of each row, sorted by month and stock.
    raw : pandas.DataFrame
        [rows, characteristics]; missing values become 0, the month's centre.
    series : pandas.DataFrame
        [rows, market features], left as they are.
    catalogue : pandas.DataFrame
        As of `Panel`: characteristics, sectors, calendar, market, in this order.
    standardise : str
        rank, zscore (clipped at `clip`) or none, of the characteristics.
    label, label_neutral : str
        As in the prepare section of params.yaml.
    """
    month = pd.factorize(index["month"])[0]
    target = index[["ret"]]
    if label_neutral == "sector":
        # Stocks without a sector are compared with one another.
        sectors = [index["month"], index["sector"].fillna("")]
        target = target - target.groupby(sectors).transform("mean")
    labels = within_month(target, month, label, None)["ret"].astype(np.float32)
    names = catalogue.loc[catalogue["group"] == "sector", "name"].str.removeprefix("sector_")
    calendar = (catalogue["group"] == "calendar").any()
    features = np.hstack(
        [
            within_month(raw, month, standardise, clip).fillna(0.0),
            _indicators(index["sector"], names.tolist()),
            _indicators(index["month"].dt.month, list(range(1, 13)) if calendar else []),
            series.to_numpy(np.float64),
        ],
        dtype=np.float32,
        casting="same_kind",
    )
    return Panel(np.ascontiguousarray(features), index.assign(label=labels), catalogue)


def rows_of(
    grid: Grid, grids: Mapping[str, np.ndarray], params: Prepare, names: Sequence[str]
) -> tuple[np.ndarray, np.ndarray, pd.DataFrame, pd.DataFrame]:
    """Return the rows of the panel: the universe, without what `params.missing` drops.

    Parameters
    ----------
    grid : Grid
        Of the records.
    grids : mapping of str to numpy.ndarray
        The records' number columns as grids.
    params : Prepare
        The prepare section of params.yaml.
    names : sequence of str
        The characteristics.

    Returns
    -------
    row, column : numpy.ndarray
        Positions in the grid, sorted by month and stock.
    raw : pandas.DataFrame
        [rows, names], the characteristics before standardisation.
    missing : pandas.DataFrame
        month, feature, missing, stocks: counts of missing values in the universe.
    """
    size = grids.get("size")
    # Without a size none of the stocks goes before another.
    row, column = universe(
        characteristics.has_price(grids) if size is None else size,
        grid,
        start=int(np.searchsorted(grid.month, dates.parse(params.first_month))),
        count=params.universe_size if size is not None else len(grid.stock),
        eligible=grids.get("eligible"),
    )
    raw = characteristics.table(names, grids, row, column)
    missing = _count_missing(raw.isna(), pd.Series(grid.month[row]))
    if params.missing == "drop":
        keep = raw.notna().all(axis=1).to_numpy()
        row, column, raw = row[keep], column[keep], raw[keep].reset_index(drop=True)
    return row, column, raw, missing


def universe(
    size: np.ndarray,
    grid: Grid,
    *,
    start: int,
    count: int,
    eligible: np.ndarray | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Return each month's largest stocks by size at its end; none of a month without any.

    Parameters
    ----------
    size : numpy.ndarray
        [months, stocks]; a stock without a size is left out, one without a later return is not:
        that would be a survivorship bias.
    grid : Grid
        Of `size`.
    start : int
        Position of the first month of the universe.
    count : int
        Stocks a month, fewer where there are fewer; of equal sizes the lower code goes first.
    eligible : numpy.ndarray, optional
        [months, stocks]; a stock is left out where it is 0, point in time at the month's end.

    Returns
    -------
    row, column : numpy.ndarray
        Positions of the stock-months in the grid, sorted by month and stock.
    """
    rows, columns = [], []
    for row in range(start, len(size)):
        candidate = np.isfinite(size[row])
        if eligible is not None:
            candidate &= eligible[row] != 0
        candidates = np.flatnonzero(candidate)
        # Stable, so that equal sizes keep the order of their codes.
        largest = candidates[np.argsort(-size[row, candidates], kind="stable")[:count]]
        columns.append(np.sort(largest))
        rows.append(np.full(len(largest), row))
    return np.concatenate(rows), np.concatenate(columns)


def _sector_of(stocks: pd.DataFrame, grid: Grid, row: np.ndarray, column: np.ndarray) -> pd.Series:
    codes, names = pd.factorize(stocks["sector"])
    code_grid = np.full((len(grid.month), len(grid.stock)), -1, dtype=np.int32)
    code_grid[grid.row, grid.column] = codes
    # Code -1, a missing sector, is the last of the names.
    return pd.Series(pd.array([*names, None], dtype="string")[code_grid[row, column]])


def _indicators(values: pd.Series, names: list) -> np.ndarray:
    """Return [rows, names] float32, 1 where the value is the name; a row of zeros for others."""
    position = pd.Index(names).get_indexer(pd.Index(values))
    result = np.zeros((len(values), len(names)), dtype=np.float32)
    named = position >= 0
    result[np.flatnonzero(named), position[named]] = 1
    return result


def catalogue_of(params: Prepare, stocks: pd.DataFrame) -> pd.DataFrame:
    """Return name, group, transform and source of each feature of these records, in column order.

    A sector that appears after `first_month` gets no column: an empty column would be look-ahead,
    since it says that the sector is to come.

    Raises
    ------
    ParamsError
        Two features would have one name, or one that of a column of the results.
    """
    sectors = list(params.sectors)
    if params.sectors == "known":
        early = stocks["month"] <= dates.parse(params.first_month)
        sectors = sorted(stocks.loc[early, "sector"].dropna().unique().tolist())
    return catalogue_table(
        available.resolve(params, stocks),
        sectors,
        [
            (market.column_name(source, transform), transform, source)
            for source, transforms in params.market.items()
            for transform in transforms
        ],
        standardise=params.standardise,
    )


def catalogue_table(
    names: Sequence[str],
    sectors: Sequence[str],
    series: Sequence[tuple[str, str, str]],
    *,
    standardise: str,
    calendar: bool = True,
) -> pd.DataFrame:
    """Return the catalogue of characteristics, sectors, calendar dummies and market features.

    Parameters
    ----------
    names, sectors : sequence of str
        The characteristics and the sectors with a dummy.
    series : sequence of tuple of str
        Of each market feature its name, its transform and its series.
    standardise : str
        Of the characteristics.
    calendar : bool
        Whether there are the twelve dummies of the decision month.

    Raises
    ------
    ParamsError
        Two features would have one name, or one that of a column of the results.
    """
    lines: list[tuple[str, str, str, str]] = [
        (name, "characteristic", standardise, characteristics.describe(name)) for name in names
    ]
    lines += [(f"sector_{name}", "sector", "dummy", f"records: sector {name}") for name in sectors]
    months = range(1, 13) if calendar else ()
    lines += [(f"month_{m:02d}", "calendar", "dummy", "decision month") for m in months]
    lines += [
        (name, "market", transform, f"records: market {source}")
        for name, transform, source in series
    ]
    catalogue = pd.DataFrame(lines, columns=["name", "group", "transform", "source"])
    name = catalogue["name"]
    taken = name[name.duplicated() | name.isin(_RESERVED)]
    if len(taken):
        raise ParamsError(
            f"the feature name {taken.iloc[0]!r} is used twice or is a column of the results: "
            "rename the column in the records (ingest.tables.columns) or list it once"
        )
    return catalogue


def _count_missing(is_missing: pd.DataFrame, month: pd.Series) -> pd.DataFrame:
    groups = is_missing.groupby(month.to_numpy())
    counts = groups.sum().rename_axis("month").reset_index()
    tidy = counts.melt("month", var_name="feature", value_name="missing")
    return tidy.assign(stocks=tidy["month"].map(groups.size()))
