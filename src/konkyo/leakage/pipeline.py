"""Records through the pipeline's own functions: what each stage makes of one decision month."""

import io
from contextlib import redirect_stderr
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd

from konkyo import backtest, config, dates, windows
from konkyo.attribution import attributions
from konkyo.features import build
from konkyo.features.store import Panel
from konkyo.leakage import perturb
from konkyo.models import baselines, jobs, store
from konkyo.models.train import train

BEFORE, AFTER = 3, 3
"""Decision months up to t whose portfolios are formed, and those after it that are planned too."""


@dataclass(frozen=True, eq=False)
class PipelineOutputs:
    """What the stages make of the records, up to a decision month.

    Attributes
    ----------
    stocks, market : DataFrame
        The records (stage ingest).
    panel, missing : Panel, DataFrame
        Stage prepare.
    scale : dict of str to tuple of ndarray
        By decision month up to t: mean and deviation of the inputs in the window's months.
    key : str
        What the weights of t are said to depend on.
    weights : tuple of Weights
        The networks of t (stage train).
    ridge : DataFrame
        month, stock, ridge: scores of the linear baseline up to t.
    grounds : DataFrame
        month, stock, score, relevances, absorbed of t (stage attribute).
    ranked, returns : DataFrame
        Portfolios up to t, and what they earned (stage backtest).
    """

    stocks: pd.DataFrame
    market: pd.DataFrame
    panel: Panel
    missing: pd.DataFrame
    scale: dict[str, tuple[np.ndarray, np.ndarray]]
    key: str
    weights: tuple[store.Weights, ...]
    ridge: pd.DataFrame
    grounds: pd.DataFrame
    ranked: pd.DataFrame
    returns: pd.DataFrame


@dataclass(frozen=True, eq=False)
class Prepared:
    """Records and the panel made of them."""

    stocks: pd.DataFrame
    market: pd.DataFrame
    panel: Panel
    missing: pd.DataFrame


def prepare(
    stocks: pd.DataFrame,
    market: pd.DataFrame,
    chosen: config.Params,
    t: int | None = None,
    rng: np.random.Generator | None = None,
) -> Prepared:
    """Build the panel, in another world from rows that lie in another order after month t."""
    given = stocks
    if t is not None and rng is not None:
        past = int((dates.ordinal(stocks["month"]) <= t).sum())
        order = perturb.interleaved(past, len(stocks) - past, rng)
        given = stocks.iloc[order].reset_index(drop=True)
    # Extreme numbers may overflow after t, which is no news.
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        panel, missing = build.build(given, market, chosen.prepare)
    return Prepared(stocks, market, panel, missing)


def run(made: Prepared, chosen: config.Params, month: str, epochs: int) -> PipelineOutputs:
    """Train the network of a decision month, explain its scores and form its portfolios.

    Parameters
    ----------
    made : Prepared
        Records and panel.
    chosen : Params
        params.yaml.
    month : str
        The decision month t, YYYY-MM.
    epochs : int
        Of the training; what a network reads in one, it reads in all.
    """
    panel = made.panel
    fitted = replace(chosen.train, epochs=epochs, placebo_every=0, workers=1)
    decisions = windows.rolling(windows.MonthSlices.of(panel.index["month"]), fitted.window_months)
    at = [w.month for w in decisions].index(month)
    near = decisions[max(0, at - BEFORE + 1) : at + 1 + AFTER]
    window = decisions[at]
    with np.errstate(over="ignore", invalid="ignore"):
        planned = jobs.network_specs(panel, near, fitted)
    own = {entry.month: entry for entry in reversed(planned)}
    key = jobs.keys(panel, [window], [e for e in planned if e.month == month], fitted)
    # The bar of progress of one network says nothing about the audit.
    with TemporaryDirectory() as folder, redirect_stderr(io.StringIO()):
        train(panel, [window], fitted, Path(folder))
        networks = store.read(Path(folder) / "weights" / f"{month}.safetensors")
    rows = slice(window.test_start, window.test_stop)
    explained = next(
        attributions.explain_months([networks], [panel.features[rows]], chosen.attribute.epsilon)
    )
    table = attributions.as_frame(panel.index.iloc[rows], panel.names, explained)
    upto = [w for w in near if w.month <= month]
    labels = panel.index["label"].to_numpy(dtype=np.float32)
    scores = [
        baselines.ridge_scores(panel, w, own[w.month], labels, fitted.ridge_penalty) for w in upto
    ]
    linear = baselines.table(panel, upto, {"ridge": list(scores)})
    index = panel.index[["month", "stock", "ret"]]
    gathered = backtest.join_scores(index, table[["month", "stock", "score"]], linear)
    ranked = backtest.assign_quantiles(gathered, chosen.backtest.n_quantiles)
    return PipelineOutputs(
        made.stocks,
        made.market,
        panel,
        made.missing,
        {w.month: (own[w.month].mean, own[w.month].std) for w in upto},
        key[f"weights/{month}"],
        networks,
        linear,
        table,
        ranked,
        _earned(ranked, month, chosen),
    )


def _earned(ranked: pd.DataFrame, month: str, chosen: config.Params) -> pd.DataFrame:
    """Return the portfolios' returns, none where no month with portfolios is realised."""
    newest = ranked["month"] == dates.parse(month)
    known = ranked["ret"].notna()
    if (known & newest).any():
        # Where a world leaves a leg without returns the backtest refuses it: what is gone lost all.
        ranked = ranked.assign(ret=ranked["ret"].mask(newest & ~known, -1.0))
    if not (known & ranked["quantile"].notna()).any():
        return pd.DataFrame({"month": pd.Series(dtype="datetime64[s]"), "model": []})
    return backtest.monthly_returns(ranked, chosen.backtest.n_quantiles, chosen.backtest.cost_bps)
