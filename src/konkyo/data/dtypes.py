"""The three types of a table's columns, wider than those of pandas: any number is a number."""

from typing import Any, ClassVar

import pandas as pd
from pandera.engines import pandas_engine


class _Kind(pandas_engine.DataType):
    """A type that columns of several dtypes have; it never converts."""

    name: ClassVar[str]

    def __init__(self) -> None:
        object.__setattr__(self, "type", pd.api.types.pandas_dtype(object))

    def coerce(self, data_container: Any) -> Any:
        """Refuse: values become numbers, text and dates in `konkyo.data.parsing` alone."""
        raise TypeError(f"not {self.name}")

    def __str__(self) -> str:
        return self.name


class Number(_Kind):
    """Integers, floating-point numbers and truth values, of any width."""

    name = "number"

    def check(self, pandera_dtype: Any, data_container: Any = None) -> bool:
        """Return whether a column of numbers is there."""
        return bool(pd.api.types.is_numeric_dtype(pandera_dtype.type))


class Date(_Kind):
    """Days without a time zone, of any resolution."""

    name = "date"

    def check(self, pandera_dtype: Any, data_container: Any = None) -> bool:
        """Return whether a column of dates is there."""
        return bool(pd.api.types.is_datetime64_dtype(pandera_dtype.type))


class Text(_Kind):
    """Text as pandas, Arrow or Python objects hold it, or as categories."""

    name = "text"

    def check(self, pandera_dtype: Any, data_container: Any = None) -> bool:
        """Return whether a column of text is there."""
        values = data_container
        if isinstance(values.dtype, pd.CategoricalDtype):
            values = values.cat.categories
        return pd.api.types.infer_dtype(values, skipna=True) in ("string", "empty")
