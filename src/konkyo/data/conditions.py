"""Which rows count: conditions in SQL on one row's columns (`where`, `eligible`), and members."""

import json
import re
from collections.abc import Iterator, Sequence
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa

from konkyo.data.violations import names_of
from konkyo.errors import ParamsError, RecordsError


def columns_in(
    connection: duckdb.DuckDBPyConnection, key: str, condition: str, columns: Sequence[str]
) -> list[str]:
    """Return the columns that a condition names, each once.

    Parameters
    ----------
    connection : DuckDBPyConnection
        Of any database.
    key, condition : str
        The key of params.yaml and its value.
    columns : sequence of str
        What there is, in any capitals.

    Raises
    ------
    ParamsError
        The condition cannot be read, depends on other rows than its own (these may be of later
        months), or names a column that is not there.
    """
    try:
        reference, tree = _parsed(connection, "true"), _parsed(connection, condition)
    except duckdb.Error as error:
        raise refusal(key, condition, columns, error) from None
    # It must be the WHERE of one statement and nothing else: a parenthesis that closes early could
    # be followed by a UNION, or by another statement.
    bare = [[{**node, "where_clause": None} for node in nodes] for nodes in (reference, tree)]
    if bare[0] != bare[1] or '"SUBQUERY"' in json.dumps(tree):
        raise ParamsError(
            f"{key} = {condition!r} looks at other rows than its own, which may be of later "
            "months: write a condition on the columns of one row"
        )
    column_of = {name.lower(): name for name in columns}
    names = list(dict.fromkeys(_references(tree)))
    unknown = [name for name in names if name.lower() not in column_of]
    if unknown:
        quotes = "; text stands in single quotes, such as 'FY'" if '"' in condition else ""
        raise ParamsError(
            f"{key} = {condition!r} names {names_of(unknown)}, which is no column{quotes}: write "
            f"a condition on the columns of one row, which are {names_of(columns)}"
        )
    return list(dict.fromkeys(column_of[name.lower()] for name in names))


def refusal(key: str, condition: str, columns: Sequence[str], error: Exception) -> ParamsError:
    """Return the error on a condition that DuckDB refuses, without DuckDB's words."""
    text = str(error)
    near = re.search(r'syntax error at or near "(.*?)"', text)
    value = re.search(r"Could not convert string '(.*?)'", text)
    if near and not (near[1] == ")" and condition.count("(") >= condition.count(")")):
        reason = f"cannot be read at {near[1]!r}"
    elif near or "Parser Error" in text:
        reason = "is not whole"
    elif value:
        reason = f"compares numbers with the text {value[1]!r}"
    elif re.search(r"aggregate|WINDOW", text, re.I):
        reason = "looks at other rows than its own, which may be of later months"
    elif "Scalar Function" in text or "does not exist" in text:
        reason = "calls a function that there is not"
    else:
        reason = "compares values of different kinds, or is neither true nor false"
    return ParamsError(
        f"{key} = {condition!r} {reason}: write a condition on the columns of one row, such as "
        f"close >= 1 and kind = 'FY'; they are {names_of(columns)}"
    )


def eligible(
    stocks: pd.DataFrame, members: Sequence[pd.DataFrame], condition: str
) -> np.ndarray | None:
    """Return which rows are eligible for the universe of their month, known at its end.

    Parameters
    ----------
    stocks : DataFrame, shape [rows, columns]
        month (period end), stock and columns of numbers.
    members : sequence of DataFrame
        stock, start and optionally end (days): a stock belongs to it while start <= month end and
        (end is missing or month end < end), in any of its spells in any table.
    condition : str
        A condition in SQL over the columns of the row, such as `close >= 1 and days >= 15`; a row
        where it is NULL is not eligible. Empty: all rows.

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
    mask = np.ones(len(stocks), dtype=bool)
    if not members and not condition.strip():
        return None
    if members:
        mask &= belongs(stocks, pd.concat(members, ignore_index=True))
    if condition.strip():
        mask &= holds(stocks, condition)
    if not mask.any():
        raise RecordsError(
            "no row of the stocks is eligible for the universe: see ingest.tables.stocks.eligible "
            f"({condition!r}), and that the codes in ingest.tables.members are those of the stocks"
        )
    return mask.astype("float64")


def belongs(stocks: pd.DataFrame, members: pd.DataFrame) -> np.ndarray:
    """Return which stocks are members at the end of the row's month, bool, shape [rows]."""
    keys = pd.DataFrame({"stock": stocks["stock"].astype("str"), "month": stocks["month"]})
    keys["row"] = np.arange(len(keys))
    spells = keys.merge(members.astype({"stock": "str"}), on="stock", how="inner")
    within = spells["start"] <= spells["month"]
    if "end" in spells:
        within &= spells["end"].isna() | (spells["month"] < spells["end"])
    mask = np.zeros(len(stocks), dtype=bool)
    mask[spells.loc[within, "row"].to_numpy()] = True
    return mask


def holds(stocks: pd.DataFrame, condition: str) -> np.ndarray:
    """Return where a condition in SQL is true, bool, shape [rows]; false where it is NULL."""
    key = "ingest.tables.stocks.eligible"
    numbered = stocks.assign(**{"the row": np.arange(len(stocks))})
    connection = duckdb.connect(config={"enable_external_access": False, "threads": 2})
    try:
        columns_in(connection, key, condition, list(stocks))
        connection.register("stocks", pa.Table.from_pandas(numbered, preserve_index=False))
        # In a WHERE, which refuses windows over other rows.
        query = f'SELECT "the row" FROM stocks WHERE ({condition}\n)'  # nosec B608 # closed in
        rows = np.asarray(connection.execute(query).fetchnumpy()["the row"])
        return np.isin(numbered["the row"], rows)
    except duckdb.Error as error:
        raise refusal(key, condition, list(stocks), error) from None
    finally:
        connection.close()


def _parsed(connection: duckdb.DuckDBPyConnection, condition: str) -> list[dict[str, Any]]:
    """Return the syntax trees of the query with a condition.

    Raises
    ------
    duckdb.ParserException
        It makes none, or one that does not select.
    """
    query = f"SELECT 1 FROM stocks WHERE ({condition}\n)"  # nosec B608 # only parsed
    parsed = connection.execute("SELECT json_serialize_sql(?::VARCHAR)", [query]).fetchall()
    tree: dict[str, Any] = json.loads(parsed[0][0])
    if tree["error"]:
        raise duckdb.ParserException(f"Parser Error: {tree['error_message']}")
    return [statement["node"] for statement in tree["statements"]]


def _references(tree: Any) -> Iterator[str]:
    """Yield the names of the columns in a syntax tree."""
    if isinstance(tree, list):
        for part in tree:
            yield from _references(part)
    elif isinstance(tree, dict):
        if tree.get("class") == "COLUMN_REF":
            yield tree["column_names"][-1]
        for part in tree.values():
            yield from _references(part)
