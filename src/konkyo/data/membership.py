"""Which rows of the stocks can be in the universe of their month: members and conditions."""

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa

from konkyo.errors import ParamsError, RecordsError

if TYPE_CHECKING:
    import duckdb


def eligible(
    stocks: pd.DataFrame, members: Sequence[pd.DataFrame], condition: str
) -> np.ndarray | None:
    """Return where a stock can be in the universe of its month, from what was known at its end.

    Parameters
    ----------
    stocks : DataFrame, shape [rows, columns]
        month (period end), stock and columns of numbers.
    members : sequence of DataFrame
        stock, start and optionally end (days): a stock belongs to it while start <= month end and
        (end is missing or month end < end), in any of its stays of any table.
    condition : str
        A condition in SQL over the columns of the row, such as `close >= 1 and days >= 15`; a row
        where it is unknown is not eligible. Empty: all rows.

    Returns
    -------
    ndarray of float64, shape [rows], or None
        1.0 where eligible, else 0.0; None where neither is given.

    Raises
    ------
    ParamsError
        The condition cannot be used on single rows.
    RecordsError
        No row is eligible.
    """
    can = np.ones(len(stocks), dtype=bool)
    if not members and not condition.strip():
        return None
    if members:
        can &= belongs(stocks, pd.concat(members, ignore_index=True))
    if condition.strip():
        can &= holds(stocks, condition)
    if not can.any():
        raise RecordsError(
            "no row of the stocks is eligible for the universe: see ingest.tables.stocks.eligible "
            f"({condition!r}), and that the codes in ingest.tables.members are those of the stocks"
        )
    return can.astype("float64")


def belongs(stocks: pd.DataFrame, members: pd.DataFrame) -> np.ndarray:
    """Return where a stock is a member at the end of the row's month, bool, shape [rows]."""
    keys = pd.DataFrame({"stock": stocks["stock"].astype("str"), "month": stocks["month"]})
    keys["row"] = np.arange(len(keys))
    stays = keys.merge(members.astype({"stock": "str"}), on="stock", how="inner")
    within = stays["start"] <= stays["month"]
    if "end" in stays:
        within &= stays["end"].isna() | (stays["month"] < stays["end"])
    found = np.zeros(len(stocks), dtype=bool)
    found[stays.loc[within, "row"].to_numpy()] = True
    return found


def holds(stocks: pd.DataFrame, condition: str) -> np.ndarray:
    """Return where a condition in SQL holds, bool, shape [rows]; false where it is unknown."""
    # A fifth of a second, which only those pay who have a condition.
    import duckdb

    table = pa.Table.from_pandas(
        stocks.assign(**{"the row": np.arange(len(stocks))}), preserve_index=False
    )
    connection = duckdb.connect(config={"enable_external_access": False, "threads": 2})
    try:
        _check_single_rows(connection, condition)
        connection.register("stocks", table)
        query = f'SELECT "the row" FROM stocks WHERE ({condition}\n)'  # nosec B608 # closed in
        found = connection.execute(query)
        rows = found.fetchnumpy()["the row"]
    except duckdb.Error as error:
        columns = ", ".join(map(str, stocks.columns))
        raise ParamsError(
            f"ingest.tables.stocks.eligible = {condition!r} cannot be used: "
            f"{str(error).splitlines()[0]}. Write a condition on the columns of one row, which are "
            f"{columns}"
        ) from None
    finally:
        connection.close()
    can = np.zeros(len(stocks), dtype=bool)
    can[np.asarray(rows)] = True
    return can


def _check_single_rows(connection: "duckdb.DuckDBPyConnection", condition: str) -> None:
    """See that a condition looks at its own row alone: other rows may be of later months.

    It must be the WHERE of one statement and nothing beside it: a parenthesis that closes early
    could be followed by a UNION, or by another statement.
    """
    plain, found = _parsed(connection, "true"), _parsed(connection, condition)
    if found != plain or '"SUBQUERY"' in json.dumps(_parsed(connection, condition, whole=True)):
        raise ParamsError(
            f"ingest.tables.stocks.eligible = {condition!r} looks at other rows than its own, "
            "which may be of later months: write a condition on the columns of one row"
        )


def _parsed(
    connection: "duckdb.DuckDBPyConnection", condition: str, whole: bool = False
) -> list[dict[str, Any]]:
    """Return the statements that a condition makes, as trees, with it or with all but it.

    Raises
    ------
    duckdb.ParserException
        It makes none, or one that does not select.
    """
    import duckdb

    query = f"SELECT 1 FROM stocks WHERE ({condition}\n)"  # nosec B608 # only parsed
    parsed = connection.execute("SELECT json_serialize_sql(?::VARCHAR)", [query]).fetchall()
    tree: dict[str, Any] = json.loads(parsed[0][0])
    if tree["error"]:
        raise duckdb.ParserException(f"Parser Error: {tree['error_message']}")
    nodes = [statement["node"] for statement in tree["statements"]]
    return nodes if whole else [{**node, "where_clause": None} for node in nodes]
