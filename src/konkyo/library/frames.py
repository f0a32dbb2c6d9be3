"""Frames of pandas, polars or Arrow: read through narwhals, returned in the caller's kind."""

from typing import Any

import narwhals.stable.v2 as nw
import pandas as pd
import pyarrow as pa

from konkyo.errors import KonkyoError

PANDAS = "pandas"


def to_pandas(frame: Any) -> tuple[pd.DataFrame, str]:
    """Return a frame as pandas with rows counted from 0, and its kind; the caller's is left as is.

    Raises
    ------
    KonkyoError
        It is no frame in memory of pandas, polars or Arrow.
    """
    if isinstance(frame, pd.DataFrame):
        return frame.reset_index(drop=True), PANDAS
    try:
        table = nw.from_native(frame, eager_only=True)
    except TypeError:
        raise KonkyoError(
            f"{type(frame).__name__} is no frame: give a pandas or polars DataFrame or a pyarrow "
            "Table (of a polars LazyFrame its .collect())"
        ) from None
    # pandas would make Python objects of days without a time.
    days = [name for name, dtype in table.schema.items() if dtype == nw.Date]
    if days:
        table = table.with_columns(nw.col(*days).cast(nw.Datetime("ms")))
    return table.to_pandas().reset_index(drop=True), str(table.implementation)


def to_kind(frame: pd.DataFrame, kind: str) -> Any:
    """Return a pandas frame as one of the caller's kind."""
    if kind == PANDAS:
        return frame
    table = pa.Table.from_pandas(frame, preserve_index=False)
    backend: Any = kind
    return nw.from_arrow(table, backend=backend).to_native()
