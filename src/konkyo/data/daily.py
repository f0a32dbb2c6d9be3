"""Dated rows of stocks: looked at as a whole, then by row where something is wrong, then months.

The rules of single values (`konkyo.data.schema`) are limits: a column breaks one somewhere if
its least, largest or a missing value does. So clean rows cost one look at these; only where one
of them breaks a rule are all rows checked, chunk by chunk, to say which.
"""

from collections.abc import Iterator

import duckdb
import pandas as pd
import pyarrow as pa

from konkyo.config import StockRows
from konkyo.data import monthly_prices, notes, violations
from konkyo.data.columns import cells_of, table_of
from konkyo.data.files import add_remedy, files_of, header, together
from konkyo.data.parsing import ParsedTable, quoted
from konkyo.data.reader import engine, to_frame, to_pandas
from konkyo.data.rules import broken
from konkyo.data.scan import Scan, check_capitals, scan
from konkyo.data.stocks import violation_of_revived
from konkyo.data.violations import Violation, count_of, few, violation
from konkyo.dates import label
from konkyo.errors import RecordsError

CHUNK = 1_000_000
"""Rows that are checked at a time where something is wrong."""


def monthly(rows: StockRows, last: pd.Timestamp | None) -> ParsedTable:
    """Read dated rows as months.

    Parameters
    ----------
    rows : StockRows
        The section of params.yaml: `rows` is dated.
    last : Timestamp or None
        The end of the last month that is used; None for all.

    Returns
    -------
    ParsedTable
        As `konkyo.data.monthly_prices.to_months`, sorted by month and stock; `return`, where it is
        there, is a fraction. A mapping of a column that only the months have, such as
        `{dollar_volume: size}`, is followed.

    Raises
    ------
    RecordsError
        Every violation: of values, of rows repeated, of a last month that is not complete.
    """
    files = files_of(rows.files)
    columns, late = split_columns(rows)
    percent = rows.return_unit == "percent"
    with engine(together(files)) as connection:
        wide = rows.layout == "wide"
        table = scan(connection, rows, cells_of("prices"), wide=wide, columns=columns)
        violations.raise_if_any(_columns(table))
        further = [name for name in table.columns if monthly_prices.inside(name) != name]
        check_capitals(files[0], further)
        loaded = monthly_prices.load(connection, table, last, rows.bar_date, percent=percent)
        remarks = [*table.notes, *loaded]
        violations.raise_if_any(_values(connection, table, percent))
        frame = monthly_prices.to_months(connection, list(table.columns), rows.largest_return)
        violations.raise_if_any(list(_rows(connection, table, last)))
        remarks += table.note(connection)
        remarks += notes.of_removals(monthly_prices.faults(connection))
    if frame.empty:
        raise RecordsError(f"{table.file} holds no row up to ingest.last_month: add rows")
    names = {here: name for name, here in late.items()}
    file = f"{together(files)} (its months)"
    return ParsedTable(file, frame.rename(columns=late), names, notes=tuple(remarks))


def split_columns(rows: StockRows) -> tuple[dict[str, str], dict[str, str]]:
    """Return the mapping of the files' columns, and of those that only the months will have."""
    names, _ = header(files_of(rows.files)[0], rows.encoding)
    late = {
        name: here
        for name, here in rows.columns.items()
        if name not in names and name in monthly_prices.DERIVED and here
    }
    return {name: here for name, here in rows.columns.items() if name not in late}, late


def _columns(table: Scan) -> list[Violation]:
    """See that there is what months are made of."""
    lacking = [name for name in ("date", "stock") if name not in table.columns]
    if not {"close", "close_adjusted", "return"} & set(table.columns):
        lacking.append("close")
    if not lacking:
        return []
    names = violations.names_of(table.names.get(name, name) for name in table.columns)
    found = f"{', '.join(map(repr, lacking))} missing; the file has [{names}]"
    remedy = (
        f"{add_remedy(table.file, lacking)}, or map your own names to these in "
        "ingest.tables.stocks.columns (of close, close_adjusted and return, one is enough)"
    )
    return [violation(table, [], "columns", found, remedy)]


def _values(connection: duckdb.DuckDBPyConnection, table: Scan, percent: bool) -> list[Violation]:
    """Return every violation of a single value."""
    schema = table_of("prices")
    if not broken(schema, ParsedTable(table.file, _extremes(connection, table), table.names)):
        counts = ", ".join(f"count({table.unread_of(name)})" for name in table.doubtful)
        query = f"SELECT {counts} FROM ({table.typed(marks=True)})"  # nosec B608 # names quoted
        if not counts or not any(connection.execute(query).fetchall()[0]):
            return []
    violated: list[Violation] = []
    # Rows are numbered as they come.
    connection.execute("SET preserve_insertion_order = true; SET threads = 1")
    for file in table.files:
        reader = connection.sql(table.typed([file], marks=True)).to_arrow_reader(CHUNK)
        first = 1
        for batch in reader:
            rows = to_pandas(pa.Table.from_batches([batch]))
            unread = {name: rows[table.unread_of(name)] for name in table.doubtful}
            frame = pd.DataFrame({name: rows[table.value_of(name)] for name in table.columns})
            if percent and "return" in frame:
                frame["return"] /= 100
            chunk = ParsedTable(
                str(file), frame, table.names, unread, table.columns, first_row=first
            )
            violated += broken(schema, chunk)
            first += len(rows)
    return violations.merge(violated)


def _extremes(connection: duckdb.DuckDBPyConnection, table: Scan) -> pd.DataFrame:
    """Return rows that break a rule of single values if any row of the table does.

    Three rows: each column's least and largest value, and a missing one where it has any (else the
    least again).
    """
    parts = [
        f"unnest([min({name}), max({name}), CASE WHEN count({name}) = count(*) THEN min({name}) "
        f"END]) AS {name}"
        for name in (quoted(monthly_prices.inside(name)) for name in table.columns)
    ]
    query = f"SELECT {', '.join(parts)} FROM prices"  # nosec B608 # names quoted
    return to_frame(connection, query).set_axis(list(table.columns), axis=1)


def _rows(
    connection: duckdb.DuckDBPyConnection, table: Scan, last: pd.Timestamp | None
) -> Iterator[Violation]:
    """See that no row is there twice, and that the last month is whole."""
    again = monthly_prices.repeated(connection)
    if len(again):
        shown = few(f"{row.stock} on {row.date:%Y-%m-%d}" for row in again.itertuples())
        found = f"{count_of(len(again), 'row')} with the date and stock of another ({shown})"
        yield violation(table, ["stock"], "unique", found, "keep one row a date and stock")
    price = "close_adjusted" if "close_adjusted" in table.columns else "close"
    if price in table.columns:
        yield from violation_of_revived(table, price, monthly_prices.revived(connection))
    day = monthly_prices.newest(connection)
    before = None if day is None else monthly_prices.incomplete(day)
    # Some months end early, as before the Chinese new year: then params.yaml has the last word.
    stated = last is not None and day is not None and label(day) == label(last)
    if day is not None and before is not None and not stated:
        found = (
            f"the newest row is of {day:%Y-%m-%d}, more than {monthly_prices.COMPLETE} days before "
            "the end of its month, which is not whole"
        )
        remedy = (
            f"set ingest.last_month to {before}, or add the month's other rows; if no "
            f"session followed, set it to {label(day)}"
        )
        yield violation(table, ["date"], "complete", found, remedy)
