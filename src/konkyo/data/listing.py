"""A code's life: long absences, months in which the market was shut, prices that came to 0."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from konkyo.config import Reports
from konkyo.data import fundamentals, fundamentals_read
from konkyo.data.monthly_prices import ABSENCE
from konkyo.data.violations import SHOWN, Violation, count_of, first_few
from konkyo.dates import label, month_end, ordinal, parse
from konkyo.errors import RecordsError

_FLOWS = ("volume", "dollar_volume", "days", "share_turnover")


def spells(frame: pd.DataFrame) -> np.ndarray:
    """Return which of its code's firms a row is about, int64, shape [rows]: 0, 1, ...

    A code without a price, return or size for `ABSENCE` months or more is taken for another firm's
    afterwards; it is decided by rows up to the row's own month.

    Parameters
    ----------
    frame : DataFrame
        month, stock and any of close, return and size, each pair once.
    """
    there = frame[[n for n in ("close", "return", "size") if n in frame]].notna().any(axis=1)
    keys = pd.DataFrame(
        {"stock": pd.factorize(frame["stock"])[0], "month": ordinal(frame["month"])}, frame.index
    )
    rows = keys[there.to_numpy()].sort_values(["stock", "month"])
    again = rows.groupby("stock")["month"].diff() > ABSENCE
    first = rows[again]
    number = np.zeros(len(frame), dtype="int64")
    for stock in first["stock"].unique():
        starts = first.loc[first["stock"] == stock, "month"].to_numpy()
        own = np.flatnonzero((keys["stock"] == stock).to_numpy())
        number[own] = np.searchsorted(starts, keys["month"].to_numpy()[own], side="right")
    return number


def join_reports(
    frame: pd.DataFrame,
    spell: np.ndarray,
    reports: Sequence[pd.DataFrame],
    specs: Sequence[Reports],
    *,
    valued: bool,
) -> pd.DataFrame:
    """Return the rows with what is known of reports of their own firms, not of a code's others.

    Parameters
    ----------
    frame, reports, specs, valued
        As of `konkyo.data.fundamentals.join`.
    spell : ndarray of int64, shape [rows]
        As `spells` returns it: a firm's reports are those published from the month of its first
        row on, until another firm has the code.
    """
    if not spell.any():
        return fundamentals.join(frame, reports, specs, valued)
    first = frame.assign(spell=spell)[spell > 0].groupby(["stock", "spell"])["month"].min()
    codes = pd.Index(frame["stock"].unique())
    by_firm = []
    for table, spec in zip(reports, specs, strict=True):
        own = pd.Index(table["stock"].unique())
        place = fundamentals_read.match(codes, own)[0]
        missing = pd.Series(pd.NaT, index=table.index, dtype="datetime64[s]")
        day = table.get("period_end", missing) + pd.Timedelta(days=spec.lag)
        day = table.get("published", missing).fillna(day)
        written = table["stock"].astype("str")
        stock = written
        # By number, so that the last firm that began before the report has it.
        for (code, number), month in first.items():
            of_code = written.isin(own[place == codes.get_loc(code)])
            stock = stock.mask(of_code & (day >= month.replace(day=1)), f"{code}\0{number}")
        by_firm.append(table.assign(stock=stock))
    own_code = frame["stock"].astype("str")
    firm = own_code.where(spell == 0, own_code + "\0" + spell.astype("str"))
    joined = fundamentals.join(frame.assign(stock=firm), by_firm, specs, valued)
    return joined.assign(stock=frame["stock"])


def note_of_firms(frame: pd.DataFrame, spell: np.ndarray) -> list[str]:
    """Return the note on codes that are taken for several firms'."""
    again = frame[spell > 0].groupby("stock", sort=True)["month"].min()
    if again.empty:
        return []
    shown = [f"{stock} from {label(month)}" for stock, month in again.head(SHOWN).items()]
    return [
        f"assumed: {count_of(len(again), 'code')} without a price for {ABSENCE} months or more "
        f"passed to another firm ({first_few(shown, len(again))}): no window of months and no "
        "report reaches back; a column `spell` of 0 says that it is the same firm"
    ]


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


def revived(frame: pd.DataFrame, price: str) -> pd.DataFrame:
    """Return the rows of monthly prices of 0 that a price above 0 follows within a quarter."""
    rows = frame.loc[frame[price].notna(), ["month", "stock", price]].sort_values(
        ["stock", "month"], kind="stable"
    )
    after = rows.groupby("stock")[price].shift(-1) > 0
    months = pd.Series(ordinal(rows["month"]), rows.index)
    near = months.groupby(rows["stock"]).shift(-1) - months <= 3
    return rows[(rows[price] == 0) & after & near].rename(columns={"month": "date"})


def violation_of_revived(file: str, column: str, rows: pd.DataFrame) -> list[Violation]:
    """Return the violation of prices of 0 that are no loss of all; none where there is no such."""
    if rows.empty:
        return []
    shown = [f"{row.stock} {row.date:%Y-%m-%d}" for row in rows.head(SHOWN).itertuples()]
    return [
        Violation(
            file=file,
            column=column,
            rule="price after 0",
            found=f"0 and above 0 again within a quarter in {count_of(len(rows), 'row')} "
            f"({first_few(shown, len(rows))})",
            rows=(),
            count=0,
            remedy="a price of 0 is a loss of all: where it says that there was no price, leave it "
            "empty, or add 0 to `missing_values`",
        )
    ]
