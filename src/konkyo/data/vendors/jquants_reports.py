"""Reports from J-Quants' documents, as they were published: rows of `ingest.tables.reports`.

Quarterly statements in Japan are cumulative from the start of the fiscal year; the source `tables`
makes twelve months of them (`konkyo.data.point_in_time`), in the vintage of each month. A revised
forecast is a row of its own.
"""

import numpy as np
import pandas as pd

FIGURES = {
    "sales": "Sales", "operating_profit": "OP", "ordinary_profit": "OdP", "net_profit": "NP",
    "operating_cash_flow": "CFO", "assets": "TA", "equity": "Eq", "cash": "CashEq",
}  # fmt: skip
"""This project's name and the vendor's. There is no ordinary profit under IFRS."""

FORECASTS = {
    "sales_forecast": ("FSales", "NxFSales"),
    "operating_profit_forecast": ("FOP", "NxFOP"),
    "ordinary_profit_forecast": ("FOdP", "NxFOdP"),
    "net_profit_forecast": ("FNP", "NxFNp"),
}
"""Forecasts of a fiscal year: published during it, and at the end of the year before."""

_MONTHS = {"1Q": 3, "2Q": 6, "3Q": 9, "FY": 12}


def in_order(raw: pd.DataFrame) -> pd.DataFrame:
    """Return the documents in the order of their publication."""
    rows = raw.sort_values(["DiscDate", "DiscTime", "DiscNo", "Code"], kind="stable")
    return rows[rows["DiscDate"].notna()].reset_index(drop=True)


def is_statement(rows: pd.DataFrame) -> pd.Series:
    """Return which documents are statements of a completed quarter or year, bool."""
    kind = rows["DocType"].astype("string").str.contains("FinancialStatements", na=False)
    ended = rows["CurPerEn"].notna() & (rows["CurPerEn"] <= rows["DiscDate"])
    complete = rows["CurPerType"].isin(list(_MONTHS)) & rows["CurFYEn"].notna()
    return (kind & ended & complete).astype(bool)


def outstanding(raw: pd.DataFrame) -> pd.DataFrame:
    """Return stock, published, shares: outstanding less treasury shares, of each statement.

    A statement applies a split that took effect before its publication to the whole period, so
    that shares are in the units of the day of publication.
    """
    rows = in_order(raw)
    rows = rows[is_statement(rows) & rows["ShOutFY"].notna()]
    table = pd.DataFrame(
        {"stock": rows["Code"], "published": rows["DiscDate"], "shares": _shares(rows)}
    )
    table = table[table["shares"] > 0]
    return table.drop_duplicates(["stock", "published"], keep="last").reset_index(drop=True)


def reports(raw: pd.DataFrame) -> pd.DataFrame:
    """Return the reports as a table of `ingest.tables.reports`.

    Parameters
    ----------
    raw : DataFrame
        The vendor's columns of `/fins/summary`, amounts in yen, dividends a share in yen.

    Returns
    -------
    DataFrame
        stock, published, period_end, months, figures as stated (in yen), dividends of full years,
        forecast_end and forecasts of that fiscal year: the one that is under way after the period.
        A revision of forecasts has no period.
    """
    rows = in_order(raw)
    statement = is_statement(rows)
    revised = rows["DocType"].astype("string").str.contains("ForecastRevision", na=False)
    rows = rows[statement | (revised & rows["CurFYEn"].notna())].reset_index(drop=True)
    statement = is_statement(rows)
    full = statement & (rows["CurPerType"] == "FY")
    # Of a revision the shares are those of the statement before it.
    shares = _shares(rows).where(statement).groupby(rows["Code"]).ffill()
    table = pd.DataFrame({"stock": rows["Code"], "published": rows["DiscDate"]})
    table["period_end"] = rows["CurPerEn"].where(statement)
    table["months"] = rows["CurPerType"].map(_MONTHS).where(statement).astype("float64")
    for name, column in FIGURES.items():
        table[name] = rows[column].where(statement)
    table["dividends"] = rows["DivTotalAnn"].fillna(rows["DivAnn"] * shares).where(full)
    table["forecast_end"] = rows["CurFYEn"].where(~full, rows["CurFYEn"] + pd.offsets.MonthEnd(12))
    for name, (this, following) in FORECASTS.items():
        table[name] = np.where(full, rows[following], rows[this])
    this_year = rows["FDivTotalAnn"].fillna(rows["FDivAnn"] * shares)
    table["dividends_forecast"] = this_year.where(~full, rows["NxFDivAnn"] * shares)
    keys = ["stock", "published", "period_end", "forecast_end"]
    return table.drop_duplicates(keys, keep="last", ignore_index=True)


def _shares(rows: pd.DataFrame) -> pd.Series:
    return rows["ShOutFY"] - rows["TrShFY"].fillna(0.0)
