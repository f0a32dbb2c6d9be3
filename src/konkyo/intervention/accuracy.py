"""How good the answers are, and whether one model's are better than another's."""

import numpy as np
import pandas as pd
from scipy import stats
from sklearn.metrics import roc_auc_score
from statsmodels.stats.contingency_tables import mcnemar

ALL = "all"
"""The name of all periods together."""
OPPONENTS = {"amount": "linear", "occurrence": "logit"}
"""The linear model that the network is tested against, by method."""
_BINS = 5


def scores(judged: pd.DataFrame) -> pd.DataFrame:
    """Return shares of right answers and errors by period, method, data and model.

    Parameters
    ----------
    judged : pandas.DataFrame
        Forecast months only, of `scoring.judge`.

    Returns
    -------
    pandas.DataFrame
        months, interventions (months that count as such), right (share of right yes and no),
        amount_right (share of months of intervention), rmse and mae (per cent of reserves; method
        1), brier and auc (method 2; auc is missing where all months are alike).
    """
    whole = judged.assign(period=ALL)
    keys = ["period", "method", "data", "model"]
    rows = []
    for key, own in pd.concat([judged, whole]).groupby(keys, sort=False):
        row = dict(zip(keys, key, strict=True)) | {
            "months": len(own),
            "interventions": int(own["actual_yes"].sum()),
            "right": float(own["right"].mean()),
        }
        if row["method"] == "amount":
            error = own["share"] - own["actual_share"]
            row["amount_right"] = _mean(own["amount_right"].dropna())
            row["rmse"] = float(np.sqrt((error**2).mean()))
            row["mae"] = float(error.abs().mean())
        else:
            yes, chance = own["actual_yes"].to_numpy(), own["forecast"].to_numpy()
            row["brier"] = brier(yes, chance)
            row["auc"] = area(yes, chance)
        rows.append(row)
    return pd.DataFrame(rows)


def over_seeds(seeds: pd.DataFrame, judged: pd.DataFrame) -> pd.DataFrame:
    """Return how far the seeds are apart, and whether their mean is better than one of them.

    Parameters
    ----------
    seeds : pandas.DataFrame
        Every network's answers, of `forecasts.by_seed`.
    judged : pandas.DataFrame
        Forecast months only, of `scoring.judge`.

    Returns
    -------
    pandas.DataFrame
        period, method, data, seeds, deviation (between seeds, mean over months: per cent of
        reserves, or a probability), loss_mean (of the seeds' mean answer: root mean squared error
        in per cent of reserves, or Brier score), loss_lowest, loss_middle and loss_highest (of
        single seeds).
    """
    keys = ["period", "method", "data", "month"]
    facts = judged.loc[judged["model"] == "network", [*keys, "actual_share", "actual_yes"]]
    table = seeds.merge(facts, on=keys, validate="many_to_one")
    rows = []
    both = pd.concat([table, table.assign(period=ALL)])
    for (period, method, data), own in both.groupby(keys[:3], sort=False):
        amount = method == "amount"
        goal = own.groupby("month")["actual_share" if amount else "actual_yes"].first()
        wide = own.pivot_table(index="month", columns="seed", values="share")
        each = (wide.sub(goal.astype(float), axis=0) ** 2).mean()
        mean = float(((wide.mean(axis=1) - goal.astype(float)) ** 2).mean())
        losses = np.sqrt(each) if amount else each
        rows.append(
            {
                "period": period,
                "method": method,
                "data": data,
                "seeds": wide.shape[1],
                "deviation": float(wide.std(axis=1).mean()),
                "loss_mean": float(np.sqrt(mean)) if amount else mean,
                "loss_lowest": float(losses.min()),
                "loss_middle": float(losses.median()),
                "loss_highest": float(losses.max()),
            }
        )
    return pd.DataFrame(rows)


def brier(yes: np.ndarray, chance: np.ndarray) -> float:
    """Return the mean squared distance of probability and answer, 0 at best.

    A least squares line may leave [0, 1]; it is cut off there.
    """
    return float(((np.clip(chance, 0, 1) - yes) ** 2).mean())


def area(yes: np.ndarray, chance: np.ndarray) -> float:
    """Return the area under the receiver operating characteristic, NaN where all are alike."""
    return float(roc_auc_score(yes, chance)) if 0 < yes.sum() < len(yes) else float("nan")


def calibration(judged: pd.DataFrame) -> pd.DataFrame:
    """Return how often intervention came where its probability was said to be such and such.

    Parameters
    ----------
    judged : pandas.DataFrame
        Forecast months of all periods.

    Returns
    -------
    pandas.DataFrame
        data, model, bin (from 1), low, high, months, forecast (mean probability), frequency; bins
        of one fifth, those without a month left out.
    """
    chances = judged[
        (judged["method"] == "occurrence") & judged["model"].isin(["network", "logit"])
    ]
    place = np.clip((chances["forecast"] * _BINS).astype(int), 0, _BINS - 1)
    table = (
        chances.assign(bin=place + 1)
        .groupby(["data", "model", "bin"])
        .agg(
            months=("forecast", "size"),
            forecast=("forecast", "mean"),
            frequency=("actual_yes", "mean"),
        )
        .reset_index()
    )
    table.insert(3, "low", (table["bin"] - 1) / _BINS)
    table.insert(4, "high", table["bin"] / _BINS)
    return table


def diebold_mariano(loss: np.ndarray, other: np.ndarray) -> tuple[float, float]:
    """Test whether two one-step forecasts lose equally much.

    Diebold and Mariano (1995) with the small-sample factor of Harvey, Leybourne and Newbold (1997)
    for one step: the t-test of the mean difference.

    Parameters
    ----------
    loss, other : numpy.ndarray
        Losses of the same months.

    Returns
    -------
    statistic, p : float
        Negative where `loss` is smaller; two-sided, Student's t with months - 1 degrees of freedom.
        NaN with fewer than three months or equal losses.
    """
    difference = np.asarray(loss) - np.asarray(other)
    if len(difference) < 3 or np.ptp(difference) == 0:
        return float("nan"), float("nan")
    found = stats.ttest_1samp(difference, 0.0)
    return float(found.statistic), float(found.pvalue)


def mcnemar_test(right: np.ndarray, other: np.ndarray) -> tuple[int, int, float]:
    """Test whether two models are right equally often, exactly.

    Returns
    -------
    only, only_other : int
        Months in which one alone was right.
    p : float
        Two-sided, of the binomial distribution.
    """
    table = pd.crosstab(
        pd.Categorical(right, categories=[True, False]),
        pd.Categorical(other, categories=[True, False]),
        dropna=False,
    ).to_numpy()
    only, only_other = int(table[0, 1]), int(table[1, 0])
    if only + only_other == 0:
        return 0, 0, 1.0
    return only, only_other, float(mcnemar(table, exact=True).pvalue)


def tests(judged: pd.DataFrame) -> pd.DataFrame:
    """Hold the network against the linear model, by period and over all forecast months.

    Parameters
    ----------
    judged : pandas.DataFrame
        Forecast months only.

    Returns
    -------
    pandas.DataFrame
        period, method, data, against, months, loss_network, loss_other (mean squared error in per
        cent of reserves, or Brier score), dm and dm_p, only_network and only_other (months in which
        one alone was right) and mcnemar_p.
    """
    rows = []
    both = pd.concat([judged, judged.assign(period=ALL)])
    for (period, method, data), own in both.groupby(["period", "method", "data"], sort=False):
        against = OPPONENTS[str(method)]
        wide = {m: g.sort_values("month") for m, g in own.groupby("model")}
        if not {"network", against} <= set(wide):
            continue
        loss = _amount_loss if method == "amount" else _chance_loss
        ours, other = loss(wide["network"]), loss(wide[against])
        statistic, p = diebold_mariano(ours, other)
        right = [wide[m]["right"].to_numpy() for m in ("network", against)]
        only, only_other, mcnemar_p = mcnemar_test(*right)
        rows.append(
            {
                "period": period,
                "method": method,
                "data": data,
                "against": against,
                "months": len(ours),
                "loss_network": float(ours.mean()),
                "loss_other": float(other.mean()),
                "dm": statistic,
                "dm_p": p,
                "only_network": only,
                "only_other": only_other,
                "mcnemar_p": mcnemar_p,
            }
        )
    return pd.DataFrame(rows)


def _amount_loss(own: pd.DataFrame) -> np.ndarray:
    return ((own["share"] - own["actual_share"]) ** 2).to_numpy()


def _chance_loss(own: pd.DataFrame) -> np.ndarray:
    return ((own["forecast"].clip(0, 1) - own["actual_yes"]) ** 2).to_numpy(dtype=float)


def _mean(values: pd.Series) -> float:
    return float(values.to_numpy(dtype=float).mean()) if len(values) else float("nan")
