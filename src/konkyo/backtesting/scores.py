"""Scores of every model joined to the realised returns."""

import numpy as np
import pandas as pd

from konkyo.dates import label
from konkyo.errors import ArtifactError

NETWORK = "network"


def join_scores(
    index: pd.DataFrame, network: pd.DataFrame, baselines: pd.DataFrame
) -> pd.DataFrame:
    """Join the models' scores to the panel's realised returns, one row a (model, month, stock).

    Parameters
    ----------
    index : DataFrame
        The panel's rows: month, stock, ret. `ret` is the return from t to t+1, a fraction, NaN
        where it was not realised.
    network : DataFrame
        month, stock, score: the network's out-of-sample scores, known at t.
    baselines : DataFrame
        month, stock and one column of scores a baseline (ridge, placebo), NaN in months that the
        baseline does not score.

    Returns
    -------
    DataFrame
        month, stock, model, score, ret; a baseline has rows only in the months that it scores.

    Raises
    ------
    ArtifactError
        A score is not finite, is duplicated, or has no row in the panel.
    """
    _check(network, network["score"].isna(), NETWORK, "is NaN")
    models = {NETWORK: network[["month", "stock", "score"]]}
    for model in baselines.columns.drop(["month", "stock"]):
        scored = baselines[["month", "stock", model]].rename(columns={model: "score"})
        models[model] = scored.dropna(subset="score")

    returns = index[["month", "stock", "ret"]]
    frames = []
    for model, scored in models.items():
        _check(scored, scored.duplicated(["month", "stock"]), model, "is duplicated")
        _check(scored, np.isinf(scored["score"].astype("float64")), model, "is infinite")
        joined = scored.merge(returns, on=["month", "stock"], how="left", indicator=True)
        _check(joined, joined["_merge"] == "left_only", model, "has no row in the panel")
        frames.append(joined.drop(columns="_merge").assign(model=model))
    return pd.concat(frames, ignore_index=True)[["month", "stock", "model", "score", "ret"]]


def _check(frame: pd.DataFrame, bad: pd.Series, model: str, fault: str) -> None:
    """Raise on the first row that `bad` marks."""
    if not bad.any():
        return
    first = frame[bad].iloc[0]
    raise ArtifactError(
        f"{model}: the score of stock {first['stock']} in {label(first['month'])} {fault} "
        f"({int(bad.sum())} of {len(frame)} rows): the panel, the models and the attributions are "
        "not of one run; repeat it from the stage train with `dvc repro --force-downstream train`"
    )
