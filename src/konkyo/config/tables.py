"""ingest.tables: the files of the user's own records, and how their rows and columns are read."""

import codecs
from dataclasses import field
from typing import Annotated, Literal

from pydantic import AfterValidator, Field
from pydantic.dataclasses import dataclass

from konkyo.config.fields import RULES, Count


def _encoding(name: str) -> str:
    try:
        "".encode(codecs.lookup(name).name)
    except (LookupError, ValueError):
        raise ValueError("no encoding of text: utf-8, shift_jis, cp932, latin-1, ...") from None
    return name


def _date_format(form: str) -> str:
    if form and not ({"%Y", "%y"} & set(_directives(form)) and _MONTHLY & set(_directives(form))):
        raise ValueError("needs a year (%Y) and a month (%m, %b or %B), such as %d.%m.%Y")
    return form


def _directives(form: str) -> list[str]:
    return [form[at : at + 2] for at in range(len(form)) if form[at] == "%"]


_MONTHLY = {"%m", "%b", "%B", "%j"}

BarDate = Literal["", "first_day", "last_day"]
"""What the date of a bar is; empty: recognised."""

Month = Annotated[str, Field(pattern=r"^\d{4}-(0[1-9]|1[0-2])$")]

Files = Annotated[tuple[Annotated[str, Field(min_length=1)], ...], Field(min_length=1)]
"""Files (.parquet, .csv, .csv.gz) and folders of them."""


@dataclass(frozen=True, config=RULES)
class TextFormat:
    """How files write their values, and which rows count; every key is optional.

    Attributes
    ----------
    encoding : str
        Of text files, a Python codec.
    decimal : {'', '.', ','}
        Empty: 1234.5 only; a point: 1,234.5 as well; a comma: 1234,5 and 1.234,5.
    date_format : str
        A `strftime` format such as %d.%m.%Y; empty: the formats of `konkyo.date_text`.
    missing_values : tuple of float or str
        Numbers and words that mean a missing value, in every column but the codes.
    values : dict of str to dict
        Of a column, by the file's name: what its values stand for, such as {Q1: 3, FY: 12}.
    where : str
        A condition in SQL on the columns of a row, by the file's names and as they are written
        there; rows for which it is not true are left out. Empty: all rows.
    """

    encoding: Annotated[str, AfterValidator(_encoding)] = field(default="utf-8", kw_only=True)
    decimal: Literal["", ".", ","] = field(default="", kw_only=True)
    date_format: Annotated[str, AfterValidator(_date_format)] = field(default="", kw_only=True)
    missing_values: tuple[float | str, ...] = field(default=(), kw_only=True)
    values: dict[str, dict[str | int | float, float | str]] = field(
        default_factory=dict, kw_only=True
    )
    where: str = field(default="", kw_only=True)


@dataclass(frozen=True, config=RULES)
class Table(TextFormat):
    """Files with rows of one kind; `columns` maps their column names to this project's names.

    Of market series alone, `bar_date` says which day of its week or month the date of a value is,
    and `lag_months` how many months after the month of its date a value is known.
    """

    files: Files
    columns: dict[str, str]
    bar_date: BarDate = field(default="", kw_only=True)
    lag_months: Annotated[int, Field(ge=0, le=24)] = field(default=0, kw_only=True)


@dataclass(frozen=True, config=RULES)
class StockRows(TextFormat):
    """Prices and attributes: one row a stock and month, or a stock and day or week.

    `bar_date` says which day of its week or month the date of a row is; `closed_months` are those
    in which the market was shut and no stock has a row.
    """

    files: Files
    columns: dict[str, str]
    layout: Literal["long", "wide"]
    rows: Literal["monthly", "dated"]
    return_unit: Literal["fraction", "percent"]
    largest_return: Annotated[float, Field(gt=0, le=1e6)]
    eligible: str
    smallest_return: Annotated[float, Field(ge=-1, lt=0)] = field(default=-1.0, kw_only=True)
    bar_date: BarDate = field(default="", kw_only=True)
    closed_months: tuple[Month, ...] = field(default=(), kw_only=True)
    size: Literal["market_value", "none"] = field(default="market_value", kw_only=True)


@dataclass(frozen=True, config=RULES)
class Reports(TextFormat):
    """Dated fundamentals: point in time by the date of publication, or by a lag in days."""

    files: Files
    columns: dict[str, str]
    lag: Annotated[int, Field(ge=0, le=1000)]
    carry: Count
    unit: Literal[1, 1000, 1000000]


@dataclass(frozen=True, config=RULES)
class Tables:
    """All tables of the user's own records, and two statements about them for every run."""

    stocks: StockRows
    market: tuple[Table, ...]
    reports: tuple[Reports, ...]
    sectors: tuple[Table, ...]
    members: tuple[Table, ...]
    point_in_time: bool
    survivorship_free: bool

    def __post_init__(self) -> None:
        """Refuse keys of market series in other tables, where they would be passed over."""
        for kind in ("sectors", "members"):
            if any(table.bar_date or table.lag_months for table in getattr(self, kind)):
                raise ValueError(f"bar_date and lag_months are keys of market, not of {kind}")
