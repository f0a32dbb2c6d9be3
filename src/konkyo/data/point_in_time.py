"""Statements as they were known at the end of a month: which ones count, in SQL.

A statement gives items (sales, assets) of a period of a stock, or forecasts of a year. It is a row
of stock, period (the month in which it ends), months (its length), known (the month at whose end it
is public) and the items. Months are counted from 1970-01. Each rule is one query:

- `events`: nothing changes between two months in which something of the stock became known. At each
  the newest period counts, of two that end together the longer, as of its newest vintage.
- `ahead`: which year's forecast counts.
- `questions`: the twelve months to the end of the newest period; to the end of the last full year,
  for what an interim report lacks; to the year before a forecast's; and for growth one year before
  each of the first two, in the vintage of the newest figures where that states both periods.
- `terms`: which statements add up to twelve months; the first sum whose items are all known counts.
"""

import numpy as np
import pandas as pd
import pyarrow as pa

from konkyo.data.ratios import BALANCES, COMPARED, FLOWS
from konkyo.data.reader import engine, to_frame

NO_YEAR = 10**6
"""The period of a forecast that does not say which year it is about; later than any."""

_KEYS = ["stock", "period", "months", "known"]

_QUERIES = f"""
CREATE TABLE events AS
WITH newest AS (
    SELECT DISTINCT stock, known,
        max({{'period': period, 'months': months}}) OVER so_far AS last,
        max(period) FILTER (months = 12) OVER so_far AS year
    FROM figures WINDOW so_far AS (PARTITION BY stock ORDER BY known)
)
SELECT row_number() OVER (ORDER BY e.stock, e.month) - 1 AS event, e.stock, e.month,
    last.period AS period, last.months AS months, year
FROM (SELECT stock, known AS month FROM figures UNION SELECT stock, known FROM forecasts) e
ASOF LEFT JOIN newest n ON e.stock = n.stock AND e.month >= n.known;

-- The years whose figures are not known yet (without periods: that have not ended): the one that
-- was spoken of last, of several the nearest.
CREATE TABLE ahead AS
SELECT e.event, f.known, f.period AS forecast_year, f.place
FROM (
    SELECT event, e.stock, month, y.period
    FROM events e JOIN (SELECT DISTINCT stock, period FROM forecasts) y ON e.stock = y.stock
    WHERE y.period = {NO_YEAR} OR y.period - if(months > 0, e.period, month - 1) BETWEEN 1 AND 24
) e
ASOF JOIN forecasts f ON e.stock = f.stock AND e.period = f.period AND e.month >= f.known
QUALIFY row_number() OVER (PARTITION BY event ORDER BY f.known DESC, f.period) = 1;

CREATE TABLE questions AS
WITH periods AS (SELECT DISTINCT stock, period, known FROM figures),
asked AS (
    SELECT event, stock, month, 0 AS what, period AS ending, months > 0 AS dated FROM events
    UNION ALL
    SELECT event, stock, month, 2, year, true FROM events
    WHERE months BETWEEN 1 AND 11 AND year > period - 12
    UNION ALL
    SELECT event, stock, month, 4, forecast_year - 12, false FROM ahead JOIN events USING (event)
    WHERE forecast_year <> {NO_YEAR}
),
heard AS (
    SELECT a.*, p.known FROM asked a ASOF LEFT JOIN periods p
    ON a.stock = p.stock AND a.ending = p.period AND a.month >= p.known
)
SELECT * FROM heard
UNION ALL
SELECT event, h.stock, coalesce(p.known, month), what + 1, ending - 12, dated, h.known
FROM heard h LEFT JOIN periods p
ON h.stock = p.stock AND h.ending - 12 = p.period AND h.known = p.known
WHERE dated;

CREATE TABLE terms AS
WITH lengths AS (SELECT DISTINCT stock, period, months FROM figures),
interim AS (SELECT * FROM lengths WHERE months BETWEEN 1 AND 11)
-- A balance is that of the longest period.
SELECT stock, period AS ending, false AS flow, 100 * (60 - months) AS way, 0 AS term,
    period, months, 1.0::DOUBLE AS weight
FROM lengths
UNION ALL
-- A year, or one of more than twelve months by its share; without a length the vendor's own.
SELECT stock, period, true, 100 * (60 - months), 0, period, months, 12 / greatest(months, 12)
FROM lengths WHERE months NOT BETWEEN 1 AND 11
UNION ALL
-- Since the year's beginning, and the year before less the part of it that is too early. That year
-- may have less than twelve months, where the firm has moved its year's end.
SELECT i.stock, i.period, true,
    100 * (60 - i.months) + if(y.months = 12, 1, 62 - y.months), t.term,
    CASE t.term WHEN 0 THEN i.period WHEN 1 THEN y.period ELSE i.period - 12 END,
    CASE t.term WHEN 0 THEN i.months WHEN 1 THEN y.months ELSE i.months + y.months - 12 END,
    CASE t.term WHEN 2 THEN -1 ELSE 1 END
FROM interim i JOIN lengths y
ON i.stock = y.stock AND y.period = i.period - i.months AND i.months + y.months >= 12,
    (VALUES (0), (1), (2)) t(term)
WHERE t.term < 2 OR i.months + y.months > 12
UNION ALL
-- Quarters (halves, months) of which each has its own statement.
SELECT stock, period, true, 100 * (60 - months) + 99, t.term, period - t.term * months, months, 1
FROM interim, range(12) t(term) WHERE 12 % months = 0 AND t.term < 12 // months;
"""  # nosec B608 # of constants of this module

_TERMS = """
SELECT 5 * t.event + t.what AS question, t.flow, t.way, t.term, t.weight, v.place
FROM (
    SELECT event, what, q.stock, q.month, t.* EXCLUDE (stock)
    FROM questions q JOIN terms t ON q.stock = t.stock AND q.ending = t.ending
    WHERE t.months > 0 OR what = 0
) t
ASOF LEFT JOIN figures v ON t.stock = v.stock AND t.period = v.period AND t.months = v.months
    AND t.month >= v.known
ORDER BY question, t.flow, t.way, t.term
"""

_FORECASTS = """
SELECT a.event, a.place, b.place AS before
FROM (
    SELECT event, stock, month - 1 AS month, forecast_year, place
    FROM ahead JOIN events USING (event)
) a
ASOF LEFT JOIN forecasts b
    ON a.stock = b.stock AND a.forecast_year = b.period AND a.month >= b.known
"""

_ROWS = """
SELECT e.event, r.month - e.month AS since, q.known, r.month - q.known AS age,
    r.month - a.known AS age_ahead
FROM rows r
ASOF LEFT JOIN events e ON r.stock = e.stock AND r.month >= e.month
LEFT JOIN ahead a ON e.event = a.event
LEFT JOIN questions q ON e.event = q.event AND q.what = 0
ORDER BY r.row
"""


def as_known(
    figures: pd.DataFrame, forecasts: pd.DataFrame, rows: pd.DataFrame, carry: int
) -> dict[str, np.ndarray]:
    """Return items as known at the end of months.

    Parameters
    ----------
    figures : DataFrame
        stock, period, months, known (int64) and items (float64), in the order of publication.
        Without a period: `period` = `known`, `months` 0.
    forecasts : DataFrame
        The same of forecasts: `months` 0, `period` the last month of their year, or `NO_YEAR`.
    rows : DataFrame, shape [rows, 2]
        stock, month (int64).
    carry : int
        Months for which a period counts after its newest vintage.

    Returns
    -------
    dict of str to ndarray, shape [rows]
        The items; `<item>_before`, of one year before (of forecasts, of the same year as known one
        month before); `<flow>_base`, the year before the forecast's, or the newest figure where
        that is not known; `known`, the month of the newest figures. NaN where nothing is known.
    """
    figures, forecasts = _vintages(figures), _vintages(forecasts)
    with engine("the reports", on_disk=False) as connection:
        keys = {"figures": figures[_KEYS], "forecasts": forecasts[_KEYS]}
        for name, frame in keys.items():
            keys[name] = frame.assign(place=np.arange(len(frame)))
        keys["rows"] = rows.assign(row=np.arange(len(rows)))
        for name, frame in keys.items():
            connection.register(name, pa.Table.from_pandas(frame, preserve_index=False))
        connection.execute(_QUERIES)
        terms, ahead, by_row = (to_frame(connection, q) for q in (_TERMS, _FORECASTS, _ROWS))
        events = connection.sql("SELECT count(*) FROM events").fetchall()[0][0]

    # Rows without an event look at the last place, which holds nothing.
    event = by_row["event"].fillna(events).to_numpy("int64")
    current = (by_row["age"] <= carry).to_numpy()
    current_ahead = (by_row["age_ahead"] <= carry).to_numpy()
    items = {"known": np.where(current, by_row["known"], np.nan)}
    sums = {flow: _Sums(terms[terms["flow"] == flow], events + 1) for flow in (False, True)}
    bases = {}
    for name in figures.columns.difference(_KEYS, sort=False):
        newest, before, year, year_before, base = sums[name in FLOWS].of(figures[name])
        if name in (*FLOWS, *BALANCES):
            lacks = np.isnan(newest) & ~np.isnan(year)
            newest, before = np.where(lacks, (year, year_before), (newest, before))
        items[name] = np.where(current, newest[event], np.nan)
        if name in COMPARED:
            items[f"{name}_before"] = np.where(current, before[event], np.nan)
            bases[name] = np.where(np.isnan(base), newest, base)[event]
    for name in forecasts.columns.difference(_KEYS, sort=False):
        now, before = np.full((2, events + 1), np.nan)
        now[ahead["event"]] = _values_at(forecasts[name], ahead["place"])
        before[ahead["event"]] = _values_at(forecasts[name], ahead["before"])
        # A month ago the last event had already been, where it was not in this month.
        before = np.where(by_row["since"] > 0, now[event], before[event])
        items[name] = np.where(current_ahead, now[event], np.nan)
        items[f"{name}_before"] = np.where(current_ahead, before, np.nan)
        bare = name.removesuffix("_forecast")
        if bare in bases:
            items[f"{bare}_base"] = np.where(current_ahead, bases[bare], np.nan)
    return items


def _vintages(statements: pd.DataFrame) -> pd.DataFrame:
    """Return one row a stock, period, length and month: the last value of each item until then."""
    statements = statements.sort_values(_KEYS, kind="stable", ignore_index=True)
    items = statements.columns.difference(_KEYS, sort=False)
    statements[items] = statements.groupby(_KEYS[:3])[items].ffill()
    return statements.drop_duplicates(_KEYS, keep="last", ignore_index=True)


def _values_at(values: pd.Series, places: pd.Series) -> np.ndarray:
    """Return the values at places, NaN where a place is missing."""
    padded = np.append(values.to_numpy("float64"), np.nan)
    return padded[places.fillna(len(values)).to_numpy("int64")]


class _Sums:
    """The sums that answer the questions of events, for one item after the other."""

    def __init__(self, terms: pd.DataFrame, events: int) -> None:
        begins = (terms[["question", "way"]].diff() != 0).any(axis=1).to_numpy()
        self.starts = np.flatnonzero(begins)
        self.counts = np.diff(self.starts, append=len(terms))
        # The best sum comes last, so that it is the one that stays.
        self.question = terms["question"].to_numpy()[begins][::-1]
        self.weight, self.places = terms["weight"].to_numpy(), terms["place"]
        self.events = events

    def of(self, values: pd.Series) -> np.ndarray:
        """Return the answers, NaN where no sum is known, shape [questions an event, events]."""
        answers = np.full(5 * self.events, np.nan)
        if len(self.starts):
            parts = self.weight * _values_at(values, self.places)
            sums = parts[self.starts]
            # One term after the other, as numpy's own sums add in an order of their own.
            for term in range(1, self.counts.max()):
                more = np.flatnonzero(self.counts > term)
                sums[more] += parts[self.starts[more] + term]
            sums = sums[::-1]
            defined = ~np.isnan(sums)
            answers[self.question[defined]] = sums[defined]
        return answers.reshape(-1, 5).T
