"""Accuracy by period and model, tests of the network against a benchmark, the tracked metrics."""

import math

import numpy as np
import pandas as pd
from scipy import stats
from sklearn.metrics import roc_auc_score
from statsmodels.stats.contingency_tables import mcnemar

from konkyo.intervention.samples import ALL_PERIODS

BENCHMARKS = {"amount": "linear", "occurrence": "logit"}
"""The linear model that the network is tested against, by method."""
_NUMBERS = ("right", "amount_right", "rmse", "mae", "brier", "auc")


def scores(predictions: pd.DataFrame) -> pd.DataFrame:
    """Return accuracy and errors by period, method, data set and model.

    Parameters
    ----------
    predictions : pandas.DataFrame
        Forecast months only, of `scoring.judge`.

    Returns
    -------
    pandas.DataFrame
        months, interventions (number of months with intervention), right (accuracy of yes/no),
        amount_right (share of the months of intervention), rmse and mae (per cent of reserves;
        method 1), brier and auc (method 2; auc is missing where all outcomes are equal).
    """
    pooled = predictions.assign(period=ALL_PERIODS)
    keys = ["period", "method", "data", "model"]
    rows = []
    for key, group in pd.concat([predictions, pooled]).groupby(keys, sort=False):
        row = dict(zip(keys, key, strict=True)) | {
            "months": len(group),
            "interventions": int(group["actual_yes"].sum()),
            "right": float(group["right"].mean()),
        }
        if row["method"] == "amount":
            error = group["share"] - group["actual_share"]
            row["amount_right"] = _mean(group["amount_right"].dropna())
            row["rmse"] = float(np.sqrt((error**2).mean()))
            row["mae"] = float(error.abs().mean())
        else:
            yes, probability = group["actual_yes"].to_numpy(), group["forecast"].to_numpy()
            row["brier"] = brier(yes, probability)
            row["auc"] = roc_auc(yes, probability)
        rows.append(row)
    return pd.DataFrame(rows)


def brier(occurred: np.ndarray, probability: np.ndarray) -> float:
    """Return the Brier score; predictions of least squares are clipped to [0, 1]."""
    return float(((np.clip(probability, 0, 1) - occurred) ** 2).mean())


def roc_auc(occurred: np.ndarray, probability: np.ndarray) -> float:
    """Return the area under the ROC curve, NaN where all outcomes are equal."""
    return (
        float(roc_auc_score(occurred, probability))
        if 0 < occurred.sum() < len(occurred)
        else float("nan")
    )


def diebold_mariano(loss: np.ndarray, other: np.ndarray) -> tuple[float, float]:
    """Test equal predictive accuracy of two one-step forecasts.

    Diebold and Mariano (1995) with the small-sample correction of Harvey, Leybourne and Newbold
    (1997), which at a horizon of one step is the t-test of the mean loss difference.

    Parameters
    ----------
    loss, other : numpy.ndarray
        Losses in the same months.

    Returns
    -------
    statistic, p : float
        Negative where `loss` is smaller; two-sided, Student's t with months - 1 degrees of freedom.
        NaN with fewer than three months or equal losses.
    """
    difference = np.asarray(loss) - np.asarray(other)
    if len(difference) < 3 or np.ptp(difference) == 0:
        return float("nan"), float("nan")
    result = stats.ttest_1samp(difference, 0.0)
    return float(result.statistic), float(result.pvalue)


def mcnemar_test(right: np.ndarray, other: np.ndarray) -> tuple[int, int, float]:
    """Return McNemar's exact test of equal accuracy.

    Returns
    -------
    only, only_benchmark : int
        Months in which one model alone was right.
    p : float
        Two-sided, of the binomial distribution.
    """
    only, only_benchmark = int((right & ~other).sum()), int((other & ~right).sum())
    if only + only_benchmark == 0:
        return 0, 0, 1.0
    return only, only_benchmark, float(mcnemar([[0, only], [only_benchmark, 0]], exact=True).pvalue)


def tests(predictions: pd.DataFrame) -> pd.DataFrame:
    """Test the network against the linear benchmark, by period and over all forecast months.

    Parameters
    ----------
    predictions : pandas.DataFrame
        Forecast months only.

    Returns
    -------
    pandas.DataFrame
        period, method, data, benchmark, months, loss_network, loss_benchmark (mean squared error
        in per cent of reserves, or Brier score), dm and dm_p, only_network and only_benchmark
        (months in which one model alone was right) and mcnemar_p.
    """
    rows = []
    with_pooled = pd.concat([predictions, predictions.assign(period=ALL_PERIODS)])
    for (period, method, data), group in with_pooled.groupby(
        ["period", "method", "data"], sort=False
    ):
        benchmark_model = BENCHMARKS[str(method)]
        wide = {m: g.sort_values("month") for m, g in group.groupby("model")}
        if not {"network", benchmark_model} <= set(wide):
            continue
        loss = _amount_loss if method == "amount" else _brier_loss
        network, benchmark = loss(wide["network"]), loss(wide[benchmark_model])
        statistic, p = diebold_mariano(network, benchmark)
        right = [wide[m]["right"].to_numpy() for m in ("network", benchmark_model)]
        only, only_benchmark, mcnemar_p = mcnemar_test(*right)
        rows.append(
            {
                "period": period,
                "method": method,
                "data": data,
                "benchmark": benchmark_model,
                "months": len(network),
                "loss_network": float(network.mean()),
                "loss_benchmark": float(benchmark.mean()),
                "dm": statistic,
                "dm_p": p,
                "only_network": only,
                "only_benchmark": only_benchmark,
                "mcnemar_p": mcnemar_p,
            }
        )
    return pd.DataFrame(rows)


def _amount_loss(rows: pd.DataFrame) -> np.ndarray:
    return ((rows["share"] - rows["actual_share"]) ** 2).to_numpy()


def _brier_loss(rows: pd.DataFrame) -> np.ndarray:
    return ((rows["forecast"].clip(0, 1) - rows["actual_yes"]) ** 2).to_numpy(dtype=float)


def _mean(values: pd.Series) -> float:
    return float(values.to_numpy(dtype=float).mean()) if len(values) else float("nan")


def metrics(scores: pd.DataFrame, tests: pd.DataFrame, *, responses: pd.DataFrame) -> dict:
    """Return the study's metrics, nested: threshold by period, then method, data, model.

    Parameters
    ----------
    scores, tests : pandas.DataFrame
        Of `scores` and `tests`; the rows of all periods pooled are used.
    responses : pandas.DataFrame
        Of `surface.responses`; the thresholds along the month's change of the rate are used.

    Returns
    -------
    dict
        Undefined numbers are left out.
    """
    nested: dict = {"threshold": _defined(_thresholds(responses).to_dict())}
    for row in scores[scores["period"] == ALL_PERIODS].to_dict("records"):
        by_model = nested.setdefault(row["method"], {}).setdefault(row["data"], {})
        by_model[row["model"]] = _defined({name: row.get(name, math.nan) for name in _NUMBERS})
    for row in tests[tests["period"] == ALL_PERIODS].to_dict("records"):
        p_values = _defined({name: row[name] for name in ("dm", "dm_p", "mcnemar_p")})
        nested[row["method"]][row["data"]]["network"] |= p_values
    return nested


def outcome_text(scores: pd.DataFrame, responses: pd.DataFrame) -> str:
    """Return the results of the study in a few lines for the terminal."""
    thresholds = ", ".join(f"{threshold:.2f}" for threshold in _thresholds(responses))
    pooled = scores[scores["period"] == ALL_PERIODS].drop(columns="period")
    table = pooled.to_string(index=False, float_format="{:.3f}".format, na_rep="")
    return f"threshold by period: {thresholds} per cent\n{table}"


def _thresholds(responses: pd.DataFrame) -> pd.Series:
    return responses[responses["input"] == "change"].set_index("period")["threshold"]


def _defined(values: dict[str, float]) -> dict[str, float]:
    return {str(k): float(v) for k, v in values.items() if v is not None and math.isfinite(v)}
