"""Prices, membership and sectors from J-Quants' rows; prices are adjusted forwards for splits.

The vendor adjusts backwards: each split rescales all earlier prices, so that files of several runs
would not fit together. Here a price is in units of the share of the first day: the close divided by
the cumulative product of adjustment factors up to the day. Returns are the same, the past never
changes, and close x shares is the market value of the day.
"""

from collections.abc import Iterable

import numpy as np
import pandas as pd

COMMON = ("0101", "0102", "0104", "0106", "0107", "0111", "0112", "0113")
"""The market segments of ordinary shares: no funds, trusts or shares for professionals."""


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
