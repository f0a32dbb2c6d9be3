"""What is made of the stocks' monthly rows: returns, price errors, sectors, the firms of a code."""

import re
from collections.abc import Sequence

import numpy as np
import pandas as pd

from konkyo.config import StockRows
from konkyo.data.columns import table_of
from konkyo.data.monthly_prices import ABSENCE
from konkyo.data.parsing import ParsedTable
from konkyo.data.rules import broken
from konkyo.data.violations import (
    Named,
    Note,
    Violation,
    assumed,
    count_of,
    few,
    raise_if_any,
    violation,
)
from konkyo.dates import label, month_end, ordinal, parse
from konkyo.errors import RecordsError

_TRADED = (
    "volume", "turnover", "traded", "trading", "amount", "liquidity", "売買", "出来高", "取引",
    "約定", "成交", "交易", "거래",
)  # fmt: skip
_TRADED_WORDS = {"vol", "adv", "va", "vo", "amt", "tv", "value_traded"}
"""Parts and whole words of names that vendors give to what was traded."""

_FLOWS = ("volume", "dollar_volume", "days", "share_turnover")


def returns_of(frame: pd.DataFrame, close: np.ndarray) -> np.ndarray:
    """Return simple returns, close(t) / close(t-1) - 1, of consecutive months.

    Parameters
    ----------
    frame : DataFrame
        month and stock, in any order, each pair once.
    close : ndarray, shape [rows]
        The month's last price, adjusted where there is such; 0 where the firm is bankrupt.

    Returns
    -------
    ndarray, shape [rows]
        Fractions earned during the row's month, known at its end; NaN where the stock has no close
        in the month before.
    """
    stock = pd.factorize(frame["stock"])[0]
    month = np.where(frame["month"].notna(), ordinal(frame["month"]), -(10**6))
    order = np.lexsort((month, stock))
    follows = (np.diff(stock[order]) == 0) & (np.diff(month[order]) == 1)
    sorted_close = close[order]
    returns = np.full(len(frame), np.nan)
    with np.errstate(divide="ignore", invalid="ignore"):
        change = np.where(sorted_close[:-1] > 0, sorted_close[1:] / sorted_close[:-1] - 1, np.nan)
    returns[order[1:]] = np.where(follows, change, np.nan)
    return returns


def price_errors(
    frame: pd.DataFrame,
    returns: np.ndarray,
    *,
    smallest: float,
    largest: float,
    from_closes: bool,
) -> np.ndarray:
    """Return which returns are errors of the prices, bool, shape [rows].

    Parameters
    ----------
    frame : DataFrame
        month and stock.
    returns : ndarray, shape [rows]
        Fractions earned during the row's month.
    smallest, largest : float
        A return below `smallest` or above `largest` is a price error; a loss of all, what a
        bankrupt stock earns, never is.
    from_closes : bool
        The returns are computed from closes: that of the month after an error starts from the same
        price and is an error too, whatever it is, which is decided before it is earned.
    """
    with np.errstate(invalid="ignore"):
        bad = (returns > largest) | ((returns < smallest) & (returns != -1))
        bad &= np.isfinite(returns)
    if from_closes and bad.any():
        stock = pd.factorize(frame["stock"])[0]
        keys = pd.MultiIndex.from_arrays([stock, ordinal(frame["month"])])
        after = pd.MultiIndex.from_arrays([stock[bad], ordinal(frame["month"])[bad] + 1])
        bad |= keys.isin(after) & np.isfinite(returns)
    return bad


def sectors_of(frame: pd.DataFrame, sectors: Sequence[pd.DataFrame]) -> pd.Series:
    """Return each row's own sector, else that of its stock in the first table that has one.

    Parameters
    ----------
    frame : DataFrame
        month (period end), stock, and sector where the rows have one.
    sectors : sequence of DataFrame
        stock, start (day) and sector: the sector of t is the one that began last up to the end of
        t, so that a reclassification changes no earlier month.
    """
    sectors_by_row = (
        frame["sector"] if "sector" in frame else pd.Series(None, frame.index, dtype="str")
    )
    for table in sectors:
        rows = frame[["month", "stock"]].astype({"month": "datetime64[s]"}).reset_index(drop=True)
        spells = table.dropna().astype({"start": "datetime64[s]"}).sort_values("start")
        order = rows.sort_values("month", kind="stable")
        at = pd.merge_asof(order, spells, left_on="month", right_on="start", by="stock")
        sector = pd.Series(at["sector"].to_numpy(), order.index).sort_index().set_axis(frame.index)
        sectors_by_row = sectors_by_row.astype("str").where(sectors_by_row.notna(), sector)
    return sectors_by_row.astype("str")


def rank_autocorrelation(stocks: pd.DataFrame) -> float | None:
    """Return how far the cross-section of returns repeats that of the month before.

    Parameters
    ----------
    stocks : DataFrame
        month, stock, return of the records, in any order.

    Returns
    -------
    float or None
        Spearman's correlation over the stocks with a return in both months, mean over the months
        with at least three such stocks whose returns differ; None where there is no such month.
        Returns of month-end prices have some hundredths, those of monthly averages 0.2 to 0.3.
    """
    months = ordinal(stocks["month"])
    now = pd.DataFrame({"month": months, "stock": stocks["stock"], "now": stocks["return"]})
    before = now.assign(month=months + 1).rename(columns={"now": "before"})
    pairs = now.merge(before, on=["month", "stock"]).dropna()
    groups = pairs.groupby("month")
    ranks = groups[["now", "before"]].rank()[groups["now"].transform("size") >= 3]
    months = pairs["month"].loc[ranks.index]
    varies = ranks.groupby(months).transform("std").gt(0).all(axis=1)
    mean = ranks["now"][varies].groupby(months[varies]).corr(ranks["before"]).mean()
    return None if np.isnan(mean) else float(mean)


def spells(frame: pd.DataFrame) -> np.ndarray:
    """Return which of its code's firms a row is about, int64, shape [rows]: 0, 1, ...

    A code without a price, return or size for `ABSENCE` months or more is taken for another firm's
    afterwards; it is decided by rows up to the row's own month.

    Parameters
    ----------
    frame : DataFrame
        month, stock and any of close, return and size, each pair once.
    """
    priced = frame[[n for n in ("close", "return", "size") if n in frame]].notna().any(axis=1)
    keys = pd.DataFrame(
        {"stock": pd.factorize(frame["stock"])[0], "month": ordinal(frame["month"])}
    )
    keys = keys.assign(priced=priced.to_numpy()).sort_values(["stock", "month"])
    stock = keys["stock"]
    newest = keys["month"].where(keys["priced"]).groupby(stock).ffill()
    again = keys["priced"] & (keys["month"] - newest.groupby(stock).shift() > ABSENCE)
    return again.astype("int64").groupby(stock).cumsum().sort_index().to_numpy()


def note_of_firms(frame: pd.DataFrame, spell: np.ndarray) -> tuple[Note, ...]:
    """Return the note on codes that are taken for several firms'."""
    again = frame[spell > 0].groupby("stock", sort=True)["month"].min()
    if again.empty:
        return ()
    text = (
        f"{count_of(len(again), 'code')} without a price for {ABSENCE} months or more may have "
        f"passed to another firm ({few(f'{s} from {label(month)}' for s, month in again.items())}):"
        " no window of months and no report reaches back; a column `spell` of 0 says that it is "
        "the same firm"
    )
    return (assumed(text),)


def carry_closed(frame: pd.DataFrame, months: Sequence[str]) -> pd.DataFrame:
    """Return the rows with those of the month before in each month in which the market was shut.

    Nothing is traded or earned then.

    Raises
    ------
    RecordsError
        A stock has a row in such a month.
    """
    for name in sorted(months):
        month = parse(name)
        if (frame["month"] == month).any():
            raise RecordsError(
                f"ingest.tables.stocks.closed_months has {name}, in which stocks have rows: remove "
                "the rows, or the month from the list"
            )
        before = frame[frame["month"] == month_end(ordinal(pd.DatetimeIndex([month])) - 1)[0]]
        nothing = {column: 0.0 for column in ("return", *_FLOWS) if column in frame}
        if (frame["month"] > month).any():
            frame = pd.concat([frame, before.assign(month=month, **nothing)], ignore_index=True)
    return frame


def violations_of_revived(table: ParsedTable, price: str) -> list[Violation]:
    """Return the violation of monthly prices of 0 that one above 0 follows within a quarter."""
    rows = table.frame.loc[table.frame[price].notna(), ["month", "stock", price]]
    rows = rows.sort_values(["stock", "month"], kind="stable")
    later = rows.assign(at=ordinal(rows["month"])).groupby("stock").shift(-1)
    near = later["at"] - ordinal(rows["month"]) <= 3
    zeros = rows[(rows[price] == 0) & (later[price] > 0) & near]
    return violation_of_revived(table, price, zeros.rename(columns={"month": "date"}))


def violation_of_revived(table: Named, column: str, rows: pd.DataFrame) -> list[Violation]:
    """Return the violation of prices of 0 that are no loss of all; none where there is no such."""
    if rows.empty:
        return []
    shown = few(f"{row.stock} {row.date:%Y-%m-%d}" for row in rows.itertuples())
    found = f"0 and above 0 again within a quarter in {count_of(len(rows), 'row')} ({shown})"
    remedy = (
        "a price of 0 is a loss of all: where it says that there was no price, leave it empty, or "
        "add 0 to `missing_values`"
    )
    return [violation(table, [column], "price after 0", found, remedy)]


def is_size_proxy(table: ParsedTable) -> bool:
    """Return whether `size` is traded value or volume that stands in for the market value."""
    name = table.names.get("size", "size").lower()
    words = re.split(r"[\W_]+", name)
    return any(part in name for part in _TRADED) or not _TRADED_WORDS.isdisjoint(words)


def traded(table: ParsedTable) -> ParsedTable:
    """Return rows whose size is missing where it is traded value and nothing was traded."""
    if "size" not in table.frame or not is_size_proxy(table):
        return table
    size = table.frame["size"]
    frame = table.frame.assign(size=size.mask(size == 0))
    return table.with_frame(frame)


def is_keyed(frame: pd.DataFrame) -> bool:
    """Return whether month and stock are there in every row and no two rows have the same."""
    keys = ["month", "stock"]
    return (
        set(keys) <= set(frame)
        and bool(frame[keys].notna().all(axis=None))
        and not frame.duplicated(keys).any()
    )


def cut(table: ParsedTable, month: pd.Timestamp, *, later: bool) -> ParsedTable:
    """Return the rows without those later, or earlier, than a month.

    All of them are looked at before, since violations number the file's rows.
    """
    if "month" not in table.frame:
        return table
    months = table.frame["month"]
    outside = (months > month if later else months < month).to_numpy()
    if not outside.any():
        return table
    violated = broken(table_of("stocks"), table)
    # Columns that are not there may still be made; the others are looked for again.
    raise_if_any([one for one in violated if one.rule != "columns"])
    return table.with_frame(table.frame[~outside].reset_index(drop=True))


def filled(table: ParsedTable, spec: StockRows, has_reports: object) -> ParsedTable:
    """Return rows that break rules with columns that would have been made of them.

    That they are absent would be no fault of the file's.
    """
    columns = set(table.frame)
    placeholders = {}
    if "return" not in columns and columns & {"close", "close_adjusted"}:
        placeholders["return"] = 1.0
    sized = spec.size != "none"
    if sized and "size" not in columns and ({"close", "shares"} <= columns or has_reports):
        placeholders["size"] = 1.0
    return table.with_frame(table.frame.assign(**placeholders))
