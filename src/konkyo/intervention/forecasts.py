"""In-sample fits and one-step-ahead forecasts of every model, in tidy tables.

Amounts are million dollars, positive where yen was sold. `share` columns are per cent of the
reserves at the end of the previous month, positive in the direction of the period's policy.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from konkyo.config import InterventionScoring
from konkyo.intervention import linear, scoring
from konkyo.intervention.networks import NetworkTask, predict
from konkyo.intervention.samples import IN_SAMPLE, METHODS, Sample
from konkyo.models.store import Weights

PAST = "past"
"""Data set of the naive forecasts: the target's past months alone."""


def by_seed(
    samples: Sequence[Sample],
    tasks: Sequence[NetworkTask],
    *,
    networks: Sequence[Weights],
    records: pd.DataFrame,
) -> pd.DataFrame:
    """Return the predictions of every network, one row a network and month.

    Returns
    -------
    pandas.DataFrame
        period, data, month, method, seed, share (per cent of reserves; in method 2 a probability).
    """
    outputs = predict(networks, [samples[t.sample].x_eval for t in tasks])
    month = records["month"].to_numpy()
    parts = []
    for task, output in zip(tasks, outputs, strict=True):
        sample = samples[task.sample]
        parts.append(
            pd.DataFrame(
                {
                    "period": sample.period,
                    "data": sample.data_set,
                    "month": month[sample.eval_rows],
                    "method": task.method,
                    "seed": task.seed,
                    "share": output * (sample.y_max if task.method == "amount" else 1.0),
                }
            )
        )
    return pd.concat(parts, ignore_index=True)


def linear_fits(samples: Sequence[Sample]) -> dict[str, list[linear.Fit]]:
    """Return the in-sample fits of least squares, Tobit and logit by period."""
    return {
        s.period: [
            linear.least_squares(s.x_train, s.y_train),
            linear.tobit(s.x_train, s.y_train),
            linear.logit(s.x_train, s.y_train > 0),
        ]
        for s in samples
        if s.data_set == IN_SAMPLE
    }


def predictions(
    samples: Sequence[Sample],
    seeds: pd.DataFrame,
    *,
    records: pd.DataFrame,
    config: InterventionScoring,
) -> pd.DataFrame:
    """Return the predictions of all models for all evaluation months, with the outcomes.

    Parameters
    ----------
    samples : sequence of Sample
        The windows.
    seeds : pandas.DataFrame
        Of `by_seed`; the network's prediction is the mean over the seeds.
    records : pandas.DataFrame
        The raw series.
    config : InterventionScoring
        The cut of method 1.

    Returns
    -------
    pandas.DataFrame
        period, sign, data (in-sample, I, II, past), month, method, model, share, share_std (across
        seeds), actual_share, forecast (signed million dollars, or a probability), forecast_std
        (across seeds), actual (million dollars), cut (million dollars, at least 0), out_of_sample
        (whether the month is a forecast month of its period).
    """
    parts = [_network_mean(seeds)]
    for sample in samples:
        parts.append(_linear_models(sample, records))
        if sample.data_set == "I":
            parts.append(_baselines(sample, records))
    table = pd.concat(parts, ignore_index=True)
    facts = _outcomes(samples, records, config)
    table = table.merge(facts, on=["period", "month"], how="left", validate="many_to_one")
    amount = table["method"] == "amount"
    table["forecast"] = table["share"].where(
        ~amount, table["sign"] * table["share"] / 100 * table["reserves"]
    )
    table["forecast_std"] = table["share_std"].where(
        ~amount, table["share_std"] / 100 * table["reserves"]
    )
    order = ["period", "method", "data", "model", "month"]
    return table.drop(columns="reserves").sort_values(order, kind="stable", ignore_index=True)


def _network_mean(seeds: pd.DataFrame) -> pd.DataFrame:
    keys = ["period", "data", "month", "method"]
    mean = seeds.groupby(keys, sort=False)["share"].agg(share="mean", share_std="std").reset_index()
    return mean.assign(model="network")


def _linear_models(sample: Sample, records: pd.DataFrame) -> pd.DataFrame:
    """Return the predictions of the linear models for a sample's evaluation months."""
    amounts = {
        "linear": linear.least_squares(sample.x_train, sample.y_train).predict(sample.x_eval),
        "tobit": linear.tobit(sample.x_train, sample.y_train).predict(sample.x_eval),
    }
    occurred = sample.y_train > 0
    probabilities = {
        "linear": linear.least_squares(sample.x_train, occurred.astype(float)).predict(
            sample.x_eval
        ),
        "logit": linear.logit(sample.x_train, occurred).predict(sample.x_eval),
    }
    month = records["month"].to_numpy()[sample.eval_rows]
    return pd.concat(
        [
            pd.DataFrame(
                {
                    "period": sample.period,
                    "data": sample.data_set,
                    "month": month,
                    "method": method,
                    "model": model,
                    "share": share,
                }
            )
            for method, models in zip(METHODS, (amounts, probabilities), strict=True)
            for model, share in models.items()
        ],
        ignore_index=True,
    )


def _baselines(sample: Sample, records: pd.DataFrame) -> pd.DataFrame:
    """Return the naive forecasts: no change, always, never, and the past frequency.

    The amount of `always` is the mean amount of the past months with intervention.
    """
    last, nonzero = float(sample.y_train[-1]), sample.y_train[sample.y_train > 0]
    amounts = {
        "no_change": last,
        "always": float(nonzero.mean()) if len(nonzero) else 0.0,
        "never": 0.0,
    }
    probabilities = {
        "no_change": float(last > 0), "always": 1.0, "never": 0.0,
        "share_so_far": float((sample.y_train > 0).mean()),
    }  # fmt: skip
    rows = [
        (method, model, share)
        for method, models in zip(METHODS, (amounts, probabilities), strict=True)
        for model, share in models.items()
    ]
    frame = pd.DataFrame(rows, columns=["method", "model", "share"])
    return frame.assign(period=sample.period, data=PAST, month=sample.month)


def _outcomes(
    samples: Sequence[Sample], records: pd.DataFrame, config: InterventionScoring
) -> pd.DataFrame:
    """Return the outcome of each month of each period, and the cut of method 1 for it."""
    reserves = records["reserves"].shift(1).to_numpy()
    actual = records["intervention"].to_numpy()
    month = records["month"].to_numpy()
    forecast_months = {(s.period, s.month) for s in samples if s.data_set == "I"}
    rows = []
    for sample in samples:
        if sample.data_set != IN_SAMPLE:
            continue
        in_direction = sample.sign * actual
        for row, share in zip(sample.eval_rows, sample.y_train, strict=True):
            past = in_direction[max(row - config.cut_months, 0) : row]
            rows.append(
                {
                    "period": sample.period,
                    "sign": sample.sign,
                    "month": month[row],
                    "actual": actual[row],
                    "actual_share": share,
                    "reserves": reserves[row],
                    "cut": scoring.cut(
                        past, in_direction[sample.train_rows[0] : row], config=config
                    ),
                    "out_of_sample": (sample.period, pd.Timestamp(month[row])) in forecast_months,
                }
            )
    return pd.DataFrame(rows)


def fit_statistics(table: pd.DataFrame, fits: dict[str, list[linear.Fit]]) -> pd.DataFrame:
    """Return the in-sample goodness of fit by period, method and model.

    Parameters
    ----------
    table : pandas.DataFrame
        Of `predictions`.
    fits : dict
        Of `linear_fits`, for the statistics that a linear model reports itself.

    Returns
    -------
    pandas.DataFrame
        period, method, model, months, r2, rmse (per cent of reserves; a probability in method 2),
        and the statistics of the linear models.
    """
    rows = []
    in_sample = table[table["data"] == IN_SAMPLE]
    for (period, method, model), group in in_sample.groupby(
        ["period", "method", "model"], sort=False
    ):
        actual = group["actual_share"]
        if method == "occurrence":
            actual = (actual > 0).astype(float)
        residual = actual - group["share"]
        total = ((actual - actual.mean()) ** 2).sum()
        row = {
            "period": period,
            "method": method,
            "model": model,
            "months": len(group),
            "r2": 1 - (residual**2).sum() / total if total > 0 else np.nan,
            "rmse": float(np.sqrt((residual**2).mean())),
        }
        method_of = {"linear": "amount", "tobit": "amount", "logit": "occurrence"}
        for fit in fits[str(period)]:
            if fit.model == model and method_of[fit.model] == method:
                row |= {k: v for k, v in fit.statistics.items() if k != "r2"}
        rows.append(row)
    return pd.DataFrame(rows)
