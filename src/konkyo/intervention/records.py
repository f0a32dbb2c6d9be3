"""The raw monthly series of the second study and the rules that they keep."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from konkyo import months
from konkyo.sources import rules
from konkyo.sources.convert import Converted, to_months, to_numbers
from konkyo.sources.faults import Fault, raise_for, rows_of
from konkyo.sources.reading import Found

POSITIVE = ("rate", "price_home", "price_abroad", "gdp", "reserves")
SERIES = (
    "rate", "price_home", "price_abroad", "trade_balance", "gdp", "intervention", "reserves"
)  # fmt: skip
"""rate: home currency for one unit abroad (yen per dollar), the month's mean. price_home and
price_abroad: indices. trade_balance: the month's, in the currency and unit of gdp. gdp: nominal,
the quarter's total, in the row of the quarter's last month (the others empty) or in every row.
intervention: positive where home currency was sold, in the unit of reserves (million dollars).
reserves: at the end of the month."""
GAPPY = ("gdp", "intervention")
"""May be empty: gdp between quarters, intervention where no record exists (none at all is 0)."""


@dataclass(frozen=True, eq=False)
class Records:
    """The records of one source.

    Attributes
    ----------
    frame : pandas.DataFrame
        month (period ends, one after another) and `SERIES`, float64.
    facts : dict
        source, licence, files (name: sha256), rows, first_month, last_month.
    """

    frame: pd.DataFrame
    facts: dict[str, Any]


def check(found: Found, without: tuple[str, ...] = ()) -> pd.DataFrame:
    """Check a table of raw series against every rule and normalise it.

    Parameters
    ----------
    found : Found
        The table under this project's column names; further columns are passed over.
    without : tuple of str
        Series that come from elsewhere.

    Returns
    -------
    pandas.DataFrame
        month and the series, sorted.

    Raises
    ------
    RecordsError
        Every fault at once: column, rows and remedy.
    """
    wanted = [name for name in SERIES if name not in without]
    absent = [name for name in ("month", *wanted) if name not in found.frame]
    if absent:
        there = [found.names.get(name, name) for name in found.frame.columns]
        fault = Fault(
            "columns",
            f"{', '.join(map(repr, absent))} missing; the file has {there}",
            "add them, or map your own names to these in intervention.tables.columns",
        )
        raise_for({found.file: [fault]})
    month = to_months(found.frame["month"])
    table = pd.DataFrame({"month": month.column})
    faults = [
        *rules.unreadable(found, "month", month, "a month", "write YYYY-MM"),
        *rules.absent(found, "month", month.missing),
        *rules.duplicates(found, table, ["month"]),
        *rules.gaps(found, table["month"].dropna()),
    ]
    for name in wanted:
        values = to_numbers(found.frame[name])
        table[name] = values.column
        faults += _faults_of(found, name, values, table["month"])
    raise_for({found.file: faults})
    return table.sort_values("month", ignore_index=True)


def _faults_of(found: Found, name: str, values: Converted, month: pd.Series) -> list[Fault]:
    numbers = values.column.to_numpy()
    faults = [
        *rules.unreadable(found, name, values, "a number", "write numbers with a decimal point"),
        *rules.infinite(found, name, values.column),
    ]
    if name not in GAPPY:
        faults += rules.absent(found, name, values.missing, month)
    if name in POSITIVE:
        wrong = np.isfinite(numbers) & (numbers <= 0)
        if wrong.any():
            shown = rows_of(wrong, found.frame[name])
            faults.append(Fault(found.name(name), f"not above 0 in {shown}", "correct these rows"))
    if name == "gdp" and not faults:
        faults += _quarters(found, numbers, month)
    return faults


def _quarters(found: Found, numbers: np.ndarray, month: pd.Series) -> list[Fault]:
    """Every quarter that ends within the records has a value of gdp."""
    ends = (months.ordinal(month) % 3 == 2) & ~np.isfinite(numbers)
    if ends.any():
        shown = rows_of(ends, month.dt.strftime("%Y-%m"))
        return [
            Fault(
                found.name("gdp"),
                f"missing in the last month of a quarter in {shown}",
                "write each quarter's total in the row of its last month (March, June, ...)",
            )
        ]
    return []


def facts_of(frame: pd.DataFrame, source: str, licence: str, files: dict[str, str]) -> dict:
    """Return what every later stage and run carries about the records."""
    return {
        "source": source,
        "licence": licence,
        "files": files,
        "rows": len(frame),
        "first_month": months.label(frame["month"].min()),
        "last_month": months.label(frame["month"].max()),
        "point_in_time": False,
        "survivorship_free": True,
    }
