"""Projects in folders of their own, and the stages run in them."""

import json
from collections.abc import Iterable
from importlib import import_module
from pathlib import Path
from typing import Any

import pandas as pd
from ruamel.yaml import YAML

from konkyo import config
from konkyo.cache import digest_of
from small import PARAMS, make_records, small_params

STAGES = ("prepare", "train", "attribute", "verify", "backtest", "report", "monitor")
RESULTS = ("panel", "models", "attributions", "errors", "verify", "backtest", "plots")
"""Folders of data/ whose bytes are the results; pages and pictures are drawn from them."""


def write_params(folder: Path, values: config.Params | dict[str, Any]) -> None:
    """Write params.yaml."""
    values = config.as_dict(values) if isinstance(values, config.Params) else values
    with (folder / "params.yaml").open("w", encoding="utf-8") as file:
        YAML(typ="safe", pure=True).dump(values, file)


def lay_tables(folder: Path, stocks: str, market: str) -> None:
    """Write two CSV files from 2001-01 with a size and MKT, and params.yaml for them."""
    values = config.as_dict(config.load(PARAMS))
    values["ingest"]["source"] = "tables"
    tables = values["ingest"]["tables"]
    tables["stocks"]["files"] = ["data/own/stocks.csv"]
    tables["market"] = [{"files": ["data/own/market.csv"], "columns": {}}]
    values["prepare"] |= {
        "first_month": "2001-01", "characteristics": ["size"], "market": {"MKT": ["level"]},
    }  # fmt: skip
    values["train"] |= {"window_months": 1, "resamples": 0}
    values["backtest"]["n_quantiles"] = 2
    write_params(folder, values)
    own = folder / "data/own"
    own.mkdir(parents=True)
    (own / "stocks.csv").write_text(stocks)
    (own / "market.csv").write_text(market)


def lay(
    folder: Path,
    chosen: config.Params | None = None,
    records: tuple[pd.DataFrame, pd.DataFrame] | None = None,
) -> None:
    """Write params.yaml and data/records as `ingest` leaves them."""
    stocks, market = records or make_records()
    own = folder / "data/records"
    own.mkdir(parents=True)
    stocks.to_parquet(own / "stocks.parquet")
    market.to_parquet(own / "market.parquet")
    first, last = stocks["month"].min(), stocks["month"].max()
    facts = {
        "source": "tables", "files": {}, "point_in_time": True, "survivorship_free": True,
        "first_month": f"{first:%Y-%m}", "last_month": f"{last:%Y-%m}",
        "rows": len(stocks), "stocks": int(stocks["stock"].nunique()),
    }  # fmt: skip
    (own / "source.json").write_text(json.dumps(facts), encoding="utf-8")
    write_params(folder, chosen or small_params())


def run(stages: Iterable[str]) -> None:
    """Run stages in the working folder, in this process."""
    for stage in stages:
        import_module(f"konkyo.pipeline.{stage}").main()


def results(folder: Path) -> dict[str, str]:
    """Return a digest of every file of results, by its path below data/."""
    data = folder / "data"
    found = [path for name in RESULTS for path in (data / name).rglob("*") if path.is_file()]
    found += [data / "metrics.json", data / "verify.json", data / "digests.json"]
    return {
        path.relative_to(data).as_posix(): digest_of(path.read_bytes())
        for path in found
        if path.exists()
    }
