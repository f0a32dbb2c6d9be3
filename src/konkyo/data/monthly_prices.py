"""Dated rows of stocks (days or weeks) to months, by DuckDB, so that memory stays bounded.

What a row of month t holds is made from rows dated in t and before, alone. Sums are taken of whole
numbers (fixed point), which add up the same in any order: neither the number of threads nor rows
that come later change a bit of an earlier month.

| column | made from | unit |
|---|---|---|
| `close`, `close_adjusted`, `shares`, `size`, any further | the last value known in the month | as in the rows |
| `return` | the row returns, compounded, where the rows bring `return`; else the last prices of two consecutive months | fraction |
| `volume` | sum | shares |
| `dollar_volume` | sum of the rows' own, else of `close` x `volume` | thousands of the currency |
| `share_turnover` | `volume` / `shares` | a month |
| `days` | number of rows | |
| `daily_volatility` | sample deviation of the row returns | fraction a row |
| `maximum_daily_return` | the largest row return | fraction |
| `illiquidity` | mean of the size of the row return over the row's traded value (Amihud) | 1 / million of the currency |
| `beta_daily` | slope of the row returns on the equally weighted mean of all stocks on the day, the last 12 months; none of before an absence of `ABSENCE` months | |

Returns are those of `close_adjusted`, where the rows have it, else those of `close`.
"""  # noqa: E501

from collections.abc import Sequence

import duckdb
import pandas as pd

from konkyo.config.tables import BarDate
from konkyo.data.market_series import first_day_of, note_on_first_days
from konkyo.data.parsing import quoted
from konkyo.data.reader import to_frame
from konkyo.data.scan import Scan
from konkyo.data.violations import Note
from konkyo.dates import label, month_end, ordinal

SPAN = 31
"""Days that a row's return may reach back: beyond them it is missing, not a day's return."""

IS_STALE = "price of weeks ago"
"""Column of `to_months`, called as no column of a user's is."""

BETA_MONTHS, BETA_ENOUGH = 12, 8
"""Months of rows behind a beta, and how many of them must have row returns."""

COMPLETE = 6
"""Days before a month's end from which on its newest row makes it complete: so far a Friday is."""

ABSENCE = 6
"""Months without a price after which a code is taken for another firm's."""

STALE = 10
"""Days before the month's last row of any stock from which on a price is too old to buy at."""

_EXACT = 10**9
"""Fixed point of row returns: a billionth."""

DERIVED = (
    "dollar_volume", "illiquidity", "share_turnover", "days", "maximum_daily_return",
    "daily_volatility", "beta_daily",
)  # fmt: skip
"""What months have that rows need not bring; where rows bring one, it is the month's last value,
but for `dollar_volume`."""

_SUMS = ("n", "s", "t", "st", "tt")
"""Of a month: the row returns' number and sum; the days' means' sum, products and squares."""

_SUMMED = ("volume", "dollar_volume")
_KEYS = ("date", "stock", "sector", "return")
_KNOWN = (*_KEYS, "close", "close_adjusted", "volume", "shares", "size", *DERIVED)


def load(
    connection: duckdb.DuckDBPyConnection,
    scan: Scan,
    last: pd.Timestamp | None,
    bar_date: BarDate = "last_day",
    *,
    percent: bool = False,
) -> tuple[Note, ...]:
    """Read the rows up to the end of a month into the table `prices`; stocks become numbers.

    Parameters
    ----------
    connection : DuckDBPyConnection
        From `konkyo.data.engine.engine`.
    scan : Scan
        The rows.
    last : Timestamp or None
        The end of the last month that is used; None for all.
    bar_date : {'', 'first_day', 'last_day'}, optional
        Which day of its week or month the date of a row is; in `prices` it is the last.
    percent : bool, optional
        The rows' `return` is in per cent; in `prices` it is a fraction.

    Returns
    -------
    tuple of Note
        The note on dates that were taken for first days.
    """
    # Text is parsed once; Parquet is read again by each query, for the columns that it needs.
    kind = "TABLE" if scan.is_text else "TEMP VIEW"
    values = {name: scan.value_of(name) for name in scan.columns}
    if percent and "return" in values:
        values["return"] += " / 100"
    columns = ", ".join(f"{value} AS {quoted(inside(name))}" for name, value in values.items())
    connection.execute(f"CREATE {kind} dated AS SELECT {columns} FROM ({scan.typed()})")  # nosec B608 # quoted
    days = to_frame(connection, "SELECT DISTINCT CAST(date AS TIMESTAMP) AS date FROM dated")[
        "date"
    ]
    period = first_day_of(days, bar_date)
    day = {"": "date", "week": "date + 6", "month": "last_day(date)"}[period]
    upto = "" if last is None else f" WHERE {day} <= DATE '{last:%Y-%m-%d}' OR date IS NULL"
    connection.execute(
        f"CREATE TEMP VIEW prices AS SELECT * REPLACE (CAST({day} AS DATE) AS date) "  # nosec B608 # two words
        f"FROM dated{upto}"
    )
    connection.execute(
        "CREATE TABLE codes AS SELECT stock, CAST(row_number() OVER (ORDER BY stock) AS INTEGER) "
        "AS id FROM (SELECT DISTINCT stock FROM prices WHERE stock IS NOT NULL)"
    )
    return note_on_first_days(scan.file, days, period)


def to_months(
    connection: duckdb.DuckDBPyConnection,
    columns: Sequence[str],
    largest: float,
) -> pd.DataFrame:
    """Return one row a month and stock from the rows that `load` read.

    Parameters
    ----------
    connection : DuckDBPyConnection
        After `load`.
    columns : sequence of str
        The rows' columns: date, stock, close or return, and others.
    largest : float
        Row returns above it (a fraction) are faults of the prices and count as missing.

    Returns
    -------
    DataFrame
        month (its end), stock and the columns of this module's table whose ingredients are there,
        sorted by month and stock; `return` only where the rows bring it (a fraction; else it is
        made from prices, as for monthly rows); `IS_STALE` (bool) where the last price is more than
        `STALE` days older than the month's newest. A row at t holds what was known at the end of t.
    """
    outside = {inside(name): name for name in columns}
    columns = list(outside)
    has = set(columns)
    traded = "dollar_volume" in has or {"close", "volume"} <= has
    _make_rows(connection, columns, largest)
    further = [name for name in columns if name not in (*_KEYS, *_SUMMED)]
    picks = {name: f"arg_max({quoted(name)}, day)" for name in further}
    if "sector" in has:
        picks["sector"] = "arg_max(sector, day)"
    if "volume" in has:
        picks["volume"] = "sum(CAST(volume * 1e3 AS HUGEINT)) / 1e3"
    if "return" in has:
        # The sum of logarithms in fixed point; a loss of all has none.
        picks["return"] = (
            "CASE WHEN min(r) <= -1 THEN -1.0 ELSE exp(sum(CAST(CASE WHEN r > -1 THEN ln(1 + r) END"
            " * 1e15 AS HUGEINT)) / 1e15) - 1 END"
        )
    if traded:
        picks["dollar_volume"] = "sum(CAST(traded * 1e6 AS HUGEINT)) / 1e6"
        # A row return over the traded value in millions; 1e15 keeps ten digits of the smallest.
        price = "CASE WHEN traded > 0 THEN TRY_CAST(abs(r) / (traded / 1e3) * 1e15 AS HUGEINT) END"
        picks.setdefault(
            "illiquidity",
            f"sum({price}) / 1e15 / nullif(count({price}), 0)",
        )
    selected = [f"{pick} AS {quoted(name)}" for name, pick in picks.items()]
    connection.execute(
        "CREATE TABLE months AS SELECT "  # nosec B608 # names quoted
        f"id, month AS at_month, {', '.join([*selected, ''])}"
        "count(*) AS at_days, max(day) FILTER (price IS NOT NULL) AS at_last, "
        "count(q) AS at_n, sum(q) AS at_s, max(r) AS at_maximum, "
        "sum(CAST(q AS HUGEINT) * q) AS at_ss, sum(CASE WHEN q IS NOT NULL THEN m END) AS at_t, "
        "sum(CAST(q AS HUGEINT) * m) AS at_st, "
        "sum(CASE WHEN q IS NOT NULL THEN CAST(m AS HUGEINT) * m END) AS at_tt "
        "FROM rows LEFT JOIN means USING (day) GROUP BY id, month"
    )
    outputs = {name: quoted(name) for name in picks}
    if {"volume", "shares"} <= has:
        outputs.setdefault("share_turnover", "volume / nullif(shares, 0)")
    outputs.setdefault("days", "CAST(at_days AS DOUBLE)")
    outputs.setdefault("maximum_daily_return", "at_maximum")
    outputs.setdefault(
        "daily_volatility",
        "CASE WHEN at_n > 1 THEN sqrt((at_n * at_ss - CAST(at_s AS HUGEINT) * at_s) / "
        f"(at_n * (at_n - 1.0))) / {_EXACT} END",
    )
    outputs.setdefault(
        "beta_daily",
        f"CASE WHEN filled >= {BETA_ENOUGH} AND yn * ytt > yt * yt "
        "THEN (yn * yst - ys * yt) / CAST(yn * ytt - yt * yt AS DOUBLE) END",
    )
    totals = ", ".join(f"sum(at_{sum_}) OVER year AS y{sum_}" for sum_ in _SUMS)
    frame = to_frame(
        connection,
        # The months of a stock before and after a long absence are two firms' (`ABSENCE`).
        "WITH ages AS (SELECT *, max(at_last) OVER (PARTITION BY at_month) AS at_end, "  # nosec B608 # names quoted
        "max(at_month) FILTER (at_last IS NOT NULL) OVER (PARTITION BY id ORDER BY at_month ROWS "
        "BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS at_before FROM months), "
        "spells AS (SELECT *, count(CASE WHEN at_last IS NOT NULL AND at_month - at_before > "
        f"{ABSENCE} THEN 1 END) OVER (PARTITION BY id ORDER BY at_month) AS spell FROM ages) "
        "SELECT at_month AS month, stock, "
        f"{', '.join(f'{value} AS {quoted(name)}' for name, value in outputs.items())}, "
        f"coalesce(at_end - at_last > {STALE}, true) AS {quoted(IS_STALE)} "
        f"FROM (SELECT *, {totals}, count(CASE WHEN at_n > 0 THEN 1 END) OVER year AS filled "
        "FROM spells WINDOW year AS (PARTITION BY id, spell ORDER BY at_month "
        f"RANGE BETWEEN {BETA_MONTHS - 1} PRECEDING AND CURRENT ROW)) "
        "JOIN codes USING (id) ORDER BY at_month, stock",
    )
    frame["month"] = month_end(frame["month"].to_numpy())
    return frame.rename(columns=outside)


def inside(name: str) -> str:
    """Return the name that a column of the rows has in the table `prices`.

    A further one, which may be called like a column of this module's own tables, cannot be mistaken
    for it.
    """
    return name if name in _KNOWN else f"of {name}"


def newest(connection: duckdb.DuckDBPyConnection) -> pd.Timestamp | None:
    """Return the date of the newest row that `load` read."""
    day = connection.execute("SELECT max(date) FROM prices").fetchall()[0][0]
    return None if day is None else pd.Timestamp(day)


def repeated(connection: duckdb.DuckDBPyConnection) -> pd.DataFrame:
    """Return stock and date of the rows that have those of another one, sorted.

    Parameters
    ----------
    connection : DuckDBPyConnection
        After `to_months`.
    """
    return to_frame(
        connection,
        "SELECT stock, day AS date FROM rows JOIN codes USING (id) WHERE gap = 0 "
        "ORDER BY stock, day",
    )


def faults(connection: duckdb.DuckDBPyConnection) -> pd.DataFrame:
    """Return stock, date and return of the row returns above the largest, which count as missing.

    Parameters
    ----------
    connection : DuckDBPyConnection
        After `to_months`.
    """
    return to_frame(
        connection,
        "SELECT stock, day AS date, fault AS return FROM rows JOIN codes USING (id) "
        "WHERE fault IS NOT NULL ORDER BY stock, day",
    )


def revived(connection: duckdb.DuckDBPyConnection) -> pd.DataFrame:
    """Return stock and date of the prices of 0 that a price above 0 follows within a quarter.

    Parameters
    ----------
    connection : DuckDBPyConnection
        After `to_months`.
    """
    return to_frame(
        connection,
        "SELECT stock, day AS date FROM (SELECT id, day, price, lead(price) OVER own AS later, "
        "lead(day) OVER own AS later_day FROM rows WHERE price IS NOT NULL "
        "WINDOW own AS (PARTITION BY id ORDER BY day)) JOIN codes USING (id) "
        "WHERE price = 0 AND later > 0 AND later_day - day <= 92 ORDER BY stock, day",
    )


def incomplete(day: pd.Timestamp) -> str | None:
    """Return the month before that of the newest row, if that row ends no month."""
    end = month_end(ordinal(pd.DatetimeIndex([day])))
    if (end[0] - day).days <= COMPLETE:
        return None
    return label(month_end(ordinal(end) - 1)[0])


def _make_rows(
    connection: duckdb.DuckDBPyConnection, columns: Sequence[str], largest: float
) -> None:
    """Make the table `rows`, one a row of the files with its return, and `means`, one a day."""
    has = set(columns)
    others = [name for name in columns if name not in ("date", "stock", "return")]
    price = next(name for name in ("close_adjusted", "close", "return") if name in has)
    if "return" in has:
        earned = "return"
    else:
        # The row before is the last one with a price.
        before = f"lag({price} IGNORE NULLS) OVER own"
        dated = f"lag(CASE WHEN {price} IS NOT NULL THEN date END IGNORE NULLS) OVER own"
        if not _some(connection, f"{price} IS NULL"):
            before, dated = f"lag({price}) OVER own", "lag(date) OVER own"
        earned = (
            f"CASE WHEN date - ({dated}) <= {SPAN} AND ({before}) > 0 AND isfinite({price}) "
            f"THEN {price} / ({before}) - 1 END"
        )
    traded = "NULL"
    if "dollar_volume" in has:
        traded = "dollar_volume"
    elif {"close", "volume"} <= has:
        traded = "close * volume / 1e3"
    month = "CAST((year(date) - 1970) * 12 + month(date) - 1 AS INTEGER) AS month"
    connection.execute(
        "CREATE TABLE rows AS SELECT "  # nosec B608 # names quoted, numbers by repr
        f"* REPLACE (CASE WHEN isfinite(r) AND r <= {largest!r} THEN r END AS r), "
        f"CASE WHEN r > {largest!r} THEN r END AS fault, "
        f"CAST(round(CASE WHEN isfinite(r) AND r <= {largest!r} THEN r END * {_EXACT}) "
        "AS BIGINT) AS q FROM (SELECT id, date AS day, date - lag(date) OVER own AS gap, "
        f"{month}, {', '.join([quoted(name) for name in others] + [f'{earned} AS r'])}, "
        f"{price} AS price, {traded} AS traded FROM prices JOIN codes USING (stock) "
        "WHERE date IS NOT NULL WINDOW own AS (PARTITION BY id ORDER BY date))"
    )
    connection.execute(
        "CREATE TABLE means AS SELECT day, CAST(round(CAST(sum(q) AS DOUBLE) / count(q)) AS BIGINT)"
        " AS m FROM rows WHERE q IS NOT NULL GROUP BY day"
    )


def _some(connection: duckdb.DuckDBPyConnection, condition: str) -> bool:
    query = f"SELECT count(*) FROM prices WHERE {condition}"  # nosec B608 # names quoted
    return bool(connection.execute(query).fetchall()[0][0])
