"""The pipeline in memory, from records to portfolios, for one decision month."""

import io
from contextlib import redirect_stderr
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd

from konkyo import backtesting, dates, windows
from konkyo.attribution import attributions
from konkyo.config import Params
from konkyo.errors import KonkyoError
from konkyo.features import build
from konkyo.features.store import Panel
from konkyo.leakage import perturb
from konkyo.models import baselines, jobs, store
from konkyo.models.train import train

N_MONTHS_BEFORE, N_MONTHS_AFTER = 3, 3
"""Decision months up to t whose portfolios are formed, and later ones whose networks are planned
with it: these must not change its network."""


@dataclass(frozen=True, eq=False)
class PreparedRecords:
    """Records (stage ingest) and their panel (stage prepare)."""

    stocks: pd.DataFrame
    market: pd.DataFrame
    panel: Panel
    missing: pd.DataFrame


@dataclass(frozen=True, eq=False)
class PipelineOutputs:
    """Outputs of the stages up to a decision month t.

    Attributes
    ----------
    scalers : dict of str to tuple of ndarray
        By decision month up to t: mean and standard deviation of the features in its window.
    key : str
        The cache key of the weights of t.
    weights : tuple of Weights
        The networks of t (stage train).
    ridge : DataFrame
        month, stock, ridge: scores of the ridge baseline up to t.
    attributions : DataFrame
        month, stock, score, relevances, absorbed of t (stage attribute).
    ranked, returns : DataFrame
        Quantile portfolios up to t, and their returns (stage backtest).
    """

    scalers: dict[str, tuple[np.ndarray, np.ndarray]]
    key: str
    weights: tuple[store.Network, ...]
    ridge: pd.DataFrame
    attributions: pd.DataFrame
    ranked: pd.DataFrame
    returns: pd.DataFrame

    @property
    def features(self) -> list[str]:
        """Names of the features, in the order of the scalers."""
        return list(self.weights[0].features)


def prepare(
    stocks: pd.DataFrame,
    market: pd.DataFrame,
    config: Params,
    *,
    shuffle_after: int | None = None,
    rng: np.random.Generator | None = None,
) -> PreparedRecords:
    """Build the panel of records.

    Parameters
    ----------
    stocks, market : DataFrame
        The records.
    config : Params
        params.yaml.
    shuffle_after : int, optional
        A month, counted from 1970-01: later rows are put anywhere between those up to it, since
        the order of future rows must not matter.
    rng : Generator, optional
        Draws that order.
    """
    rows = stocks
    if shuffle_after is not None and rng is not None:
        n_past = int((dates.ordinal(stocks["month"]) <= shuffle_after).sum())
        order = perturb.row_order(n_past, len(stocks) - n_past, rng)
        rows = stocks.iloc[order].reset_index(drop=True)
    # The extreme numbers of a perturbed future may overflow, which is of no interest.
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        panel, missing = build.build(rows, market, config.prepare)
    return PreparedRecords(stocks=stocks, market=market, panel=panel, missing=missing)


def run(records: PreparedRecords, config: Params, *, month: str, epochs: int) -> PipelineOutputs:
    """Train the network of a decision month, explain its scores and form its portfolios.

    Parameters
    ----------
    records : PreparedRecords
        Records and panel.
    config : Params
        params.yaml.
    month : str
        The decision month t, YYYY-MM.
    epochs : int
        Epochs of the training. One is enough: a network reads all its rows in every epoch.
    """
    panel = records.panel
    params = replace(config.train, epochs=epochs, placebo_every=0, workers=1)
    decisions = windows.rolling(
        windows.MonthSlices.of(panel.index["month"]),
        params.window_months,
        config.prepare.skip_months,
    )
    at = [w.month for w in decisions].index(month)
    window = decisions[at]
    near = decisions[max(0, at - N_MONTHS_BEFORE + 1) : at + 1 + N_MONTHS_AFTER]
    with np.errstate(over="ignore", invalid="ignore"):
        specs = jobs.network_specs(panel, near, params)
    # Reversed, so that of an ensemble's networks the first stands for its month.
    spec_of = {spec.month: spec for spec in reversed(specs)}
    keys = jobs.keys(panel, [window], [spec for spec in specs if spec.month == month], params)
    # The progress bar of a single network would only be noise.
    with TemporaryDirectory() as folder, redirect_stderr(io.StringIO()):
        train(panel, [window], params, Path(folder))
        networks = store.read(Path(folder) / "weights" / f"{month}.safetensors")
    rows = slice(window.test_start, window.test_stop)
    attribution = next(
        attributions.explain_months(
            [networks], [panel.features[rows]], config.attribute.epsilon, config.attribute.method
        )
    )
    table = attributions.as_frame(panel.index.iloc[rows], panel.names, attribution)
    until_t = [w for w in near if w.month <= month]
    labels = panel.index["label"].to_numpy(dtype=np.float32)
    ridge_scores = [
        baselines.ridge_scores(panel, w, spec_of[w.month], labels, params.ridge_penalty)
        for w in until_t
    ]
    ridge = baselines.table(panel, until_t, {"ridge": list(ridge_scores)})
    index = panel.index[["month", "stock", "ret"]]
    scores = backtesting.join_scores(index, table[["month", "stock", "score"]], ridge)
    ranked = backtesting.assign_quantiles(scores, config.backtest.n_quantiles)
    return PipelineOutputs(
        scalers={w.month: (spec_of[w.month].mean, spec_of[w.month].std) for w in until_t},
        key=keys[f"weights/{month}"],
        weights=networks,
        ridge=ridge,
        attributions=table,
        ranked=ranked,
        returns=_realised_returns(ranked, config),
    )


def _realised_returns(ranked: pd.DataFrame, config: Params) -> pd.DataFrame:
    """Return the returns of the portfolios, empty if no month with portfolios is realised."""
    try:
        return backtesting.monthly_returns(
            ranked,
            config.backtest.n_quantiles,
            config.backtest.cost_bps,
            skip_months=config.prepare.skip_months,
        )
    except KonkyoError:
        empty = {"month": pd.Series(dtype="datetime64[s]"), "model": pd.Series(dtype="str")}
        return pd.DataFrame(empty)
