"""Conditions on the columns of one row, in SQL: `where` of tables, `eligible` of the stocks."""

import json
import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from konkyo.data.violations import names_of
from konkyo.errors import ParamsError

if TYPE_CHECKING:
    import duckdb


def columns_in(
    connection: "duckdb.DuckDBPyConnection", key: str, condition: str, columns: Sequence[str]
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
    import duckdb

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
    there = {name.lower(): name for name in columns}
    names = list(dict.fromkeys(_references(tree)))
    unknown = [name for name in names if name.lower() not in there]
    if unknown:
        quotes = "; text stands in single quotes, such as 'FY'" if '"' in condition else ""
        raise ParamsError(
            f"{key} = {condition!r} names {names_of(unknown)}, which is no column{quotes}: write "
            f"a condition on the columns of one row, which are {names_of(columns)}"
        )
    return list(dict.fromkeys(there[name.lower()] for name in names))


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


def _parsed(connection: "duckdb.DuckDBPyConnection", condition: str) -> list[dict[str, Any]]:
    """Return the syntax trees of the query with a condition.

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
