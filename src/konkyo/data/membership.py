"""Eligibility for the universe: index membership and conditions on the columns of a row."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
import pyarrow as pa

from konkyo.data.conditions import columns_in, refusal
from konkyo.errors import RecordsError


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
    # The import takes 0.2 seconds and is needed with a condition alone.
    import duckdb

    table = pa.Table.from_pandas(
        stocks.assign(**{"the row": np.arange(len(stocks))}), preserve_index=False
    )
    connection = duckdb.connect(config={"enable_external_access": False, "threads": 2})
    try:
        columns_in(connection, "ingest.tables.stocks.eligible", condition, list(stocks))
        connection.register("stocks", table)
        query = f'SELECT "the row" FROM stocks WHERE ({condition}\n)'  # nosec B608 # closed in
        result = connection.execute(query)
        rows = result.fetchnumpy()["the row"]
    except duckdb.Error as error:
        raise refusal("ingest.tables.stocks.eligible", condition, list(stocks), error) from None
    finally:
        connection.close()
    mask = np.zeros(len(stocks), dtype=bool)
    mask[np.asarray(rows)] = True
    return mask
