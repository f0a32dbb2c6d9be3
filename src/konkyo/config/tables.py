"""The user's own records: which files, and how their rows and columns are to be read."""

from typing import Annotated, Literal

from pydantic import Field
from pydantic.dataclasses import dataclass

from konkyo.config.fields import RULES, Count

Files = Annotated[tuple[Annotated[str, Field(min_length=1)], ...], Field(min_length=1)]
"""Files (.parquet, .csv, .csv.gz) and folders of them."""


@dataclass(frozen=True, config=RULES)
class Table:
    """Files of one kind of rows; `columns` maps the files' names to this project's."""

    files: Files
    columns: dict[str, str]


@dataclass(frozen=True, config=RULES)
class StockRows:
    """The stocks: one row a stock and month, or one a stock and day or week."""

    files: Files
    columns: dict[str, str]
    layout: Literal["long", "wide"]
    rows: Literal["monthly", "dated"]
    return_unit: Literal["fraction", "percent"]
    largest_return: Annotated[float, Field(gt=0, le=1e6)]
    eligible: str


@dataclass(frozen=True, config=RULES)
class Reports:
    """Dated reports: what was published, and from when on it was known."""

    files: Files
    columns: dict[str, str]
    lag: Annotated[int, Field(ge=0, le=1000)]
    carry: Count
    unit: Literal[1, 1000, 1000000]


@dataclass(frozen=True, config=RULES)
class Tables:
    """Every table of the user's own records, and the user's statements about them."""

    stocks: StockRows
    market: Annotated[tuple[Table, ...], Field(min_length=1)]
    reports: tuple[Reports, ...]
    sectors: tuple[Table, ...]
    members: tuple[Table, ...]
    point_in_time: bool
    survivorship_free: bool
