"""What the tests of the search share."""

from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from konkyo.config import Params
from konkyo.io import write_parquet

HELD = 8


@dataclass(frozen=True)
class Search:
    """What the engine of a search reads.

    Attributes
    ----------
    params : Params
        The whole params.yaml, shrunk.
    records, folder : Path
        All records, and what `panels.bring` made of those before `held`.
    held : str
        First decision month of the holdout.
    """

    params: Params
    records: Path
    folder: Path
    held: str


def tables_at(folder: Path, stocks: pd.DataFrame, market: pd.DataFrame) -> None:
    write_parquet(stocks, folder / "stocks.parquet")
    write_parquet(market, folder / "market.parquet")
