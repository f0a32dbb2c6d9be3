"""Reports from J-Quants' statements: trailing twelve months' flows in the vintage of publication.

Quarterly statements in Japan are cumulative from the start of the fiscal year. Trailing flows are
therefore: last full year + this year to date - the same months of last year, each in the newest
version when the statement was published. A revised forecast becomes a new version of the report
before it: the same period and figures, other forecasts.
"""

import numpy as np
import pandas as pd

from konkyo.dates import ordinal

FLOWS = {
    "sales": "Sales",
    "operating_profit": "OP",
    "ordinary_profit": "OdP",
    "net_profit": "NP",
    "operating_cash_flow": "CFO",
}
"""Flows: this project's name and the vendor's. There is no ordinary profit under IFRS."""

STOCKS_AT_END = {"assets": "TA", "equity": "Eq", "cash": "CashEq"}
"""Figures at the end of the period."""

FORECASTS = {
    "sales_forecast": ("FSales", "NxFSales"),
    "operating_profit_forecast": ("FOP", "NxFOP"),
    "ordinary_profit_forecast": ("FOdP", "NxFOdP"),
    "net_profit_forecast": ("FNP", "NxFNp"),
}
"""Forecasts of a fiscal year: published during it, and at the end of the year before."""

_PERIODS = ("1Q", "2Q", "3Q", "FY")
_NAMES = [
    *FLOWS,
    *STOCKS_AT_END,
    "dividends",
    *FORECASTS,
    "dividends_forecast",
]


def in_order(raw: pd.DataFrame) -> pd.DataFrame:
    """Return the documents in the order of their publication, numbered in the column `order`."""
    rows = raw.sort_values(["DiscDate", "DiscTime", "DiscNo", "Code"], kind="stable")
    rows = rows[rows["DiscDate"].notna()].reset_index(drop=True)
    return rows.assign(order=np.arange(len(rows)))


def is_statement(rows: pd.DataFrame) -> pd.Series:
    """Return which documents are statements of a completed quarter or year, bool."""
    kind = rows["DocType"].astype("string").str.contains("FinancialStatements", na=False)
    ended = rows["CurPerEn"].notna() & (rows["CurPerEn"] <= rows["DiscDate"])
    complete = rows["CurPerType"].isin(_PERIODS) & rows["CurFYEn"].notna()
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
        stock, published, period_end, then flows of twelve months and figures at the end of the
        period, dividends of the last full year, and forecasts of the fiscal year that is under
        way after the period (all in yen). Rows are vintages: of those of one period, the newest
        published up to a day was known on it.
    """
    rows = in_order(raw)
    statement = is_statement(rows)
    revision = (
        rows["DocType"].astype("string").str.contains("ForecastRevision", na=False) & ~statement
    )
    rows = rows[statement | revision].reset_index(drop=True)
    statement = is_statement(rows)
    rows["fiscal"] = _ordinal(rows["CurFYEn"])
    newest = rows["CurPerEn"].where(statement).groupby(rows["Code"]).cummax()
    # A late correction of an older period is no ground for what is published afterwards.
    leading = statement & (rows["CurPerEn"] == newest)
    base = rows["order"].where(leading).groupby(rows["Code"]).ffill()
    base = base.where(~statement, rows["order"])
    rows, base = rows[base.notna()].reset_index(drop=True), base.dropna().reset_index(drop=True)
    statement = is_statement(rows)

    figures = _figures(rows[statement].reset_index(drop=True)).set_index("order")
    at_publication = figures.loc[base.astype("int64")].reset_index(drop=True)
    forecasts = _forecasts(rows, statement, at_publication["target"], at_publication["outstanding"])
    forecasts = forecasts.groupby(base).ffill()
    table = pd.concat(
        [
            pd.DataFrame({"stock": rows["Code"], "published": rows["DiscDate"]}),
            at_publication[["period_end", *FLOWS, *STOCKS_AT_END, "dividends"]],
            forecasts,
        ],
        axis=1,
    )
    table = table.drop_duplicates(["stock", "published", "period_end"], keep="last")
    return table[["stock", "published", "period_end", *_NAMES]].reset_index(drop=True)


def _figures(rows: pd.DataFrame) -> pd.DataFrame:
    """Return each statement's trailing flows and balances, and the fiscal year of its forecasts."""
    full = rows["CurPerType"] == "FY"
    last_year = _last_year_as_of(rows, "FY")
    same_months = _last_year_as_of(rows, None)
    table = pd.DataFrame({"order": rows["order"], "period_end": rows["CurPerEn"]})
    for name, column in FLOWS.items():
        trailing = last_year[column] + rows[column] - same_months[column]
        table[name] = rows[column].where(full, trailing)
    for name, column in STOCKS_AT_END.items():
        table[name] = rows[column]
    shares = _shares(rows)
    paid = rows["DivTotalAnn"].fillna(rows["DivAnn"] * shares)
    paid_before = last_year["DivTotalAnn"].fillna(last_year["DivAnn"] * _shares(last_year))
    table["dividends"] = paid.where(full, paid_before)
    table["outstanding"] = shares
    table["target"] = rows["fiscal"] + np.where(full, 12, 0)
    return table


def _last_year_as_of(rows: pd.DataFrame, period: str | None) -> pd.DataFrame:
    """Return last fiscal year's statement in its newest version as of each row.

    Parameters
    ----------
    rows : DataFrame
        Statements in order.
    period : str or None
        Which of that year's; None: the one that corresponds to the row's own period.
    """
    wanted = pd.DataFrame(
        {
            "order": rows["order"],
            "Code": rows["Code"],
            "CurPerType": rows["CurPerType"] if period is None else period,
            "fiscal": rows["fiscal"] - 12,
        }
    )
    columns = [*FLOWS.values(), "DivTotalAnn", "DivAnn", "ShOutFY", "TrShFY"]
    versions = rows[["order", "Code", "CurPerType", "fiscal", *columns]]
    return pd.merge_asof(wanted, versions, on="order", by=["Code", "CurPerType", "fiscal"])


def _forecasts(
    rows: pd.DataFrame, statement: pd.Series, target: pd.Series, shares: pd.Series
) -> pd.DataFrame:
    """Return each document's own forecasts of its report's target year."""
    of_year = (rows["fiscal"] == target) & ~(statement & (rows["CurPerType"] == "FY"))
    of_next = rows["fiscal"] + 12 == target
    table = pd.DataFrame(index=rows.index)
    for name, (this, following) in FORECASTS.items():
        table[name] = rows[this].where(of_year, rows[following].where(of_next))
    this_year = rows["FDivTotalAnn"].fillna(rows["FDivAnn"] * shares)
    next_year = rows["NxFDivAnn"] * shares
    table["dividends_forecast"] = this_year.where(of_year, next_year.where(of_next))
    return table


def _shares(rows: pd.DataFrame) -> pd.Series:
    return rows["ShOutFY"] - rows["TrShFY"].fillna(0.0)


def _ordinal(dates: pd.Series) -> np.ndarray:
    """Return months from 1970-01; a missing date becomes a month that never occurs."""
    filled = dates.fillna(pd.Timestamp("1900-01-01"))
    return ordinal(filled)
