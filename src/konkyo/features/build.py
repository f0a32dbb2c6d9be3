"""Build the panel from the records: universe, characteristics, dummies, market series, label."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from konkyo import dates
from konkyo.config import Prepare
from konkyo.errors import ParamsError, RecordsError
from konkyo.features import available, characteristics, market
from konkyo.features.grid import Grid
from konkyo.features.standardise import standardise
from konkyo.features.store import Panel
from konkyo.windows import returns_ahead

_KEYS = ("month", "stock", "sector")
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
        month, feature, missing, stocks: number of values set to the baseline 0, by month and
        characteristic, and of stocks without a sector dummy as the feature "sector" where the
        panel has any.

    Raises
    ------
    ParamsError
        A characteristic, a series or the first month is not in the records.
    RecordsError
        A month has no stock with a size, or a market series has a gap.
    """
    available.require(params, stocks, market_table)
    chosen = available.resolve(params, stocks)
    grid = Grid.of(stocks)
    first = dates.parse(params.first_month)
    start = int(np.searchsorted(grid.month, first))
    numbers = [c for c in stocks.columns if c not in _KEYS]
    grids = {name: grid.to_grid(stocks[name]) for name in numbers}
    grids.pop("spell", None)
    size = grids.get("size")
    # Without a size none of the stocks goes before another.
    row, column = universe(
        characteristics.has_price(grids) if size is None else size,
        grid,
        start=start,
        count=params.universe_size if size is not None else len(grid.stock),
        eligible=grids.get("eligible"),
        measure="price or return" if size is None else "size",
    )

    index = pd.DataFrame({"month": grid.month[row], "stock": grid.stock[column]})
    index["stock"] = index["stock"].astype("string")
    index["sector"] = _sector_of(stocks, grid, row, column)
    index["size"] = np.nan if size is None else size[row, column]
    index["ret"] = returns_ahead(grids["return"], params.skip_months)[row, column]
    target = index[["ret"]]
    if params.label_neutral == "sector":
        # Stocks without a sector are compared with one another.
        sectors = [index["month"], index["sector"].fillna("")]
        target = target - target.groupby(sectors).transform("mean")
    index["label"] = standardise(target, row, params.label, None)["ret"].astype(np.float32)

    raw = characteristics.table(chosen, grids, row, column)
    scaled = standardise(raw, row, params.standardise, params.clip).fillna(0.0)
    names = sector_names(stocks, first) if params.sectors == "known" else list(params.sectors)
    dummies = _indicators(index["sector"], names)
    calendar = _indicators(index["month"].dt.month, list(range(1, 13)))
    series = market.features(market_table, params.market, grid.month[start:])

    features = np.hstack(
        [scaled, dummies, calendar, series.to_numpy(np.float64)[row - start]], dtype=np.float32,
        casting="same_kind",
    )  # fmt: skip
    catalogue = catalogue_of(params, chosen, sectors=names, series=list(series.columns))
    is_missing = raw.isna().assign(sector=dummies.sum(1) == 0) if names else raw.isna()
    missing = _count_missing(is_missing, index["month"])
    return Panel(np.ascontiguousarray(features), index, catalogue), missing


def universe(
    size: np.ndarray,
    grid: Grid,
    *,
    start: int,
    count: int,
    eligible: np.ndarray | None = None,
    measure: str = "size",
) -> tuple[np.ndarray, np.ndarray]:
    """Return each month's largest stocks by size at its end.

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
    measure : str
        What `size` is, in words.

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
        if len(candidates) == 0:
            who = "no stock" if eligible is None else "no stock that is eligible"
            raise RecordsError(
                f"stocks: {who} has a {measure} in {dates.label(grid.month[row])}, so that the "
                f"universe is empty: add {measure}s for that month, or begin later "
                "(prepare.first_month)"
            )
        # Stable, so that equal sizes keep the order of their codes.
        largest = candidates[np.argsort(-size[row, candidates], kind="stable")[:count]]
        columns.append(np.sort(largest))
        rows.append(np.full(len(largest), row))
    return np.concatenate(rows), np.concatenate(columns)


def sector_names(stocks: pd.DataFrame, until: pd.Timestamp) -> list[str]:
    """Return the sectors in the records up to a month, sorted.

    A sector that appears later gets no column: an empty column would be look-ahead, since it says
    that the sector is to come.
    """
    sectors = stocks.loc[stocks["month"] <= until, "sector"].dropna()
    return sorted(sectors.unique().tolist())


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


def catalogue_of(
    params: Prepare, names: Sequence[str], *, sectors: list[str], series: list[str]
) -> pd.DataFrame:
    """Return name, group, transform and source of each feature, in column order.

    Raises
    ------
    ParamsError
        Two features would have one name, or one that of a column of the results.
    """
    lines: list[tuple[str, str, str, str]] = [
        (name, "characteristic", params.standardise, characteristics.describe(name))
        for name in names
    ]
    lines += [(f"sector_{name}", "sector", "dummy", f"records: sector {name}") for name in sectors]
    lines += [(f"month_{m:02d}", "calendar", "dummy", "decision month") for m in range(1, 13)]
    transforms = [(s, t) for s, ts in params.market.items() for t in ts]
    lines += [
        (name, "market", transform, f"records: market {source}")
        for name, (source, transform) in zip(series, transforms, strict=True)
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
    tidy["stocks"] = tidy["month"].map(groups.size())
    return tidy.sort_values(["month", "feature"], ignore_index=True)
