"""A small set of result files, a store to copy, one logged run to read."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from mlflow import MlflowClient

from isolation import forget_mlflow
from konkyo import config
from konkyo.models import store as weights
from konkyo.tracking import results, runs, store

SOURCE = {
    "source": "us-equities",
    "licence": "MIT",
    "point_in_time": True,
    "survivorship_free": False,
    "files": {"panel_data.csv": "ab" * 32},
    "rows": 36,
    "stocks": 12,
    "first_month": "2020-01",
    "last_month": "2020-03",
}


def write_results(
    root: Path, count: int = 3, stocks: int = 12, features: int = 4, epochs: int = 2
) -> Path:
    """Write result files as the stages do: `count` decision months from 2020-01."""
    generator = np.random.default_rng(1)
    ends = pd.date_range("2020-01-31", periods=count, freq="ME")
    earned = ends + pd.offsets.MonthEnd(1)
    names = [f"feature_{i}" for i in range(features)]
    codes = [f"S{i:04d}" for i in range(stocks)]
    data = root / "data"
    for folder in (
        "records",
        "panel",
        "models/weights",
        "models/weights_halves",
        "errors",
        "attributions",
        "backtest",
        "report",
    ):
        (data / folder).mkdir(parents=True, exist_ok=True)
    panel = pd.MultiIndex.from_product([ends, codes], names=["month", "stock"]).to_frame(False)
    x = generator.standard_normal((len(panel), features)).astype("float32")

    (data / "records/source.json").write_text(json.dumps(SOURCE))
    panel.assign(size=1.0).to_parquet(data / "records/stocks.parquet", index=False)
    pd.DataFrame({"month": ends, "MKT": 0.01}).to_parquet(data / "records/market.parquet")

    np.save(data / "panel/features.npy", x)
    panel.assign(size=1.0, ret=0.0, label=0.0).to_parquet(data / "panel/index.parquet", index=False)
    pd.DataFrame(
        {"name": names, "group": "characteristic", "transform": "rank", "source": "records"}
    ).to_csv(data / "panel/catalogue.csv", index=False)

    for i, end in enumerate(ends):
        network = network_of(end, names, generator)
        weights.write([network], data / f"models/weights/{end:%Y-%m}.safetensors")
        halves = [network_of(end, names, generator) for _ in range(4)]
        weights.write(halves, data / f"models/weights_halves/{end:%Y-%m}.safetensors")
        about = {"threshold": 0.5, "moderation": [0.8] * features}
        (data / f"errors/{end:%Y-%m}.json").write_text(json.dumps(about))
        rows = slice(i * stocks, (i + 1) * stocks)
        grounds = panel.iloc[rows].assign(score=score(network, x[rows]))
        grounds[names] = 0.0
        grounds.assign(absorbed=grounds["score"]).to_parquet(
            data / f"attributions/{end:%Y-%m}.parquet", index=False
        )
    pd.DataFrame(
        {
            "month": ends.strftime("%Y-%m"),
            "first_train": (ends - pd.offsets.MonthEnd(36)).strftime("%Y-%m"),
            "last_train": (ends - pd.offsets.MonthEnd(1)).strftime("%Y-%m"),
            "last_label": ends.strftime("%Y-%m"),
            "train_rows": 432,
            "test_rows": stocks,
        }
    ).to_csv(data / "models/windows.csv", index=False)
    pd.DataFrame(
        {
            "month": np.repeat(ends.strftime("%Y-%m"), epochs),
            "epoch": np.tile(np.arange(epochs), count) + 1,
            "loss": np.repeat(np.arange(count), epochs)
            + 1 / (1 + np.tile(np.arange(epochs), count)),
        }
    ).to_parquet(data / "models/history.parquet", index=False)

    realised = np.arange(count - 1)
    series = pd.DataFrame({"month": ends[:-1], "earned": earned[:-1], "model": "network"}).assign(
        long=0.02 + 0.01 * np.sin(realised),
        short=0.01,
        spread=0.01 + 0.01 * realised,
        spread_net=0.008 + 0.01 * realised,
        market=0.015,
        turnover=0.5,
        ic=0.01,
        rank_ic=0.02 * (-1.0) ** realised,
        stocks=stocks,
        missing=0,
    )
    ridge = series.assign(model="ridge", spread=9.0)
    pd.concat([series, ridge]).to_csv(
        data / "backtest/returns.csv", index=False, date_format="%Y-%m-%d"
    )
    portfolios = ["long", "market", "short", "spread", "spread_net"]
    paths = series.melt(["earned", "model"], portfolios, "portfolio", "cumulative")
    paths["cumulative"] = paths.groupby(["model", "portfolio"])["cumulative"].cumsum()
    paths = paths.rename(columns={"earned": "month"})
    pd.concat([paths, paths.assign(model="ridge", cumulative=9.0)]).to_csv(
        data / "backtest/cumulative.csv", index=False, date_format="%Y-%m-%d"
    )
    performance = pd.DataFrame(
        {"model": "network", "portfolio": portfolios, "annual_return": 0.075, "sharpe_ratio": 0.37}
    )
    performance.to_csv(data / "backtest/performance.csv", index=False)
    pd.DataFrame({"model": "network", "quantile": range(1, 11), "annual_return": 0.1}).to_csv(
        data / "backtest/quantiles.csv", index=False
    )
    (data / "metrics.json").write_text(
        json.dumps(
            {
                "network": {
                    "rank_ic": 0.015,
                    "rank_ic_t": 1.3,
                    "months": count - 1,
                    "spread": {"annual_return": 0.075, "sharpe_ratio": 0.37},
                },
                "ridge": {"spread": {"annual_return": 0.04, "sharpe_ratio": float("nan")}},
            }
        )
    )
    (data / "portfolio.json").write_text(
        json.dumps({"sector_neutral": {"net": {"sharpe_ratio": 0.12}}})
    )
    (data / "verify.json").write_text(json.dumps({"lrp_epsilon": {"ground_truth": {"sign": 0.75}}}))
    lines = (
        {"stage": "train", "folder": str(root), "started": 0.0, "seconds": 90.5},
        {"stage": "train", "folder": "/elsewhere", "started": 5.0, "seconds": 1.0},
        {"keys": ["k"], "started": 1.6e9, "seconds": 30.0, "networks": 3},
    )
    log = "".join(f"{json.dumps(line)}\n" for line in lines)
    (data / ".timings.jsonl").write_text(log + '{"stage": "cut off')
    (data / "report/cumulative.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    performance.to_csv(data / "report/performance.csv", index=False)
    return root


def network_of(
    end: pd.Timestamp, names: list[str], generator: np.random.Generator
) -> weights.Weights:
    """Return a random network of one hidden layer of three units."""
    sizes = ((len(names), 3), (3,), (3, 1), (1,))
    first, first_bias, last, last_bias = (
        generator.standard_normal(size).astype("float32") for size in sizes
    )
    return weights.Weights(
        month=f"{end:%Y-%m}",
        key="k",
        activation="tanh",
        features=tuple(names),
        weights=(first, last),
        biases=(first_bias, last_bias),
        mean=np.full(len(names), 0.5, "float32"),
        std=np.full(len(names), 2.0, "float32"),
    )


def score(network: weights.Weights, x: np.ndarray) -> np.ndarray:
    """Score rows [n, features] by that network, written out."""
    hidden = np.tanh((x - network.mean) / network.std @ network.weights[0] + network.biases[0])
    return (hidden @ network.weights[1] + network.biases[1])[:, 0]


@pytest.fixture(scope="session")
def chosen() -> config.Params:
    """Return the repository's own params."""
    return config.load(Path(__file__).parents[2] / "params.yaml")


@pytest.fixture(scope="session")
def results_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder of result files; not to be written to."""
    return write_results(tmp_path_factory.mktemp("results"))


@pytest.fixture(scope="session")
def empty_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a SQLite store with all its tables, made once since that takes seconds."""
    path = tmp_path_factory.mktemp("store") / "new/mlflow.db"
    with pytest.MonkeyPatch.context() as patch:
        forget_mlflow(patch)
        store.connect(f"sqlite:///{path}")
    return path


@pytest.fixture(scope="session")
def logged(
    tmp_path_factory: pytest.TempPathFactory, empty_store: Path, chosen: config.Params
) -> Iterator[tuple[MlflowClient, runs.TrackedRun, Path]]:
    """Return client, run and project folder of one whole run; only to be read."""
    root = write_results(tmp_path_factory.mktemp("a project"))
    shutil.copy(empty_store, root / "mlflow.db")
    with pytest.MonkeyPatch.context() as patch:
        forget_mlflow(patch)
        tracked = runs.track(results.read(root), chosen, {})
        yield MlflowClient(tracked.uri, tracked.uri), tracked, root


@pytest.fixture
def project(tmp_path: Path, empty_store: Path) -> Path:
    """Return a project folder of one's own, with result files and an empty store."""
    shutil.copy(empty_store, tmp_path / "mlflow.db")
    return write_results(tmp_path)
