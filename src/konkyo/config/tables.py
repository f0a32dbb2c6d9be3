"""ingest.tables: the files of the user's own records, and how their rows and columns are read."""

from typing import Annotated, Literal

from pydantic import Field
from pydantic.dataclasses import dataclass

from konkyo.config.fields import RULES, Count

Files = Annotated[tuple[Annotated[str, Field(min_length=1)], ...], Field(min_length=1)]
"""Files (.parquet, .csv, .csv.gz) and folders of them."""


@dataclass(frozen=True, config=RULES)
class Table:
    """Files with rows of one kind; `columns` maps their column names to this project's names."""

    files: Files
    columns: dict[str, str]


@dataclass(frozen=True, config=RULES)
class StockRows:
    """Prices and attributes: one row a stock and month, or a stock and day or week."""

    files: Files
    columns: dict[str, str]
    layout: Literal["long", "wide"]
    rows: Literal["monthly", "dated"]
    return_unit: Literal["fraction", "percent"]
    largest_return: Annotated[float, Field(gt=0, le=1e6)]
    eligible: str


@dataclass(frozen=True, config=RULES)
class Reports:
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
    market: Annotated[tuple[Table, ...], Field(min_length=1)]
    reports: tuple[Reports, ...]
    sectors: tuple[Table, ...]
    members: tuple[Table, ...]
    point_in_time: bool
    survivorship_free: bool
