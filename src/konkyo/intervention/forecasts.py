"""In-sample fits and one-step-ahead forecasts of every model, in tidy tables.

Amounts are million dollars, positive where yen was sold. `share` columns are per cent of reserves,
positive in the direction of the period's policy.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from konkyo.config import Intervention
from konkyo.intervention import indicators, linear, scoring
from konkyo.intervention.networks import NetworkTask, predict
from konkyo.intervention.samples import ALL_PERIODS, IN_SAMPLE, LAGGED, METHODS, POOLED, Sample
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
    parts = []
    for task, output in zip(tasks, outputs, strict=True):
        sample = samples[task.sample]
        amount = task.method == "amount"
        share = sample.in_direction(sample.share(output)) if amount else output
        parts.append(
            _months(sample, records).assign(method=task.method, seed=task.seed, share=share)
        )
    return pd.concat(parts, ignore_index=True)


def _months(sample: Sample, records: pd.DataFrame) -> pd.DataFrame:
    """Return period, data and month of the sample's evaluation months."""
    months = sample.evaluation[["period", "data"]]
    return months.assign(month=records["month"].to_numpy()[sample.evaluation["row"]])


def linear_fits(samples: Sequence[Sample]) -> dict[str, list[linear.Fit]]:
    """Return the in-sample fits of least squares, Tobit and logit by period."""
    return {
        s.period: [
            linear.least_squares(s.x_train, s.y_train),
            linear.tobit(s.x_train, s.y_train),
            linear.logit(s.x_train, s.occurred),
        ]
        for s in samples
        if s.fit == IN_SAMPLE
    }


def predictions(
    samples: Sequence[Sample],
    seeds: pd.DataFrame,
    *,
    records: pd.DataFrame,
    config: Intervention,
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
    config : Intervention
        The cut of method 1, and the reserves that divide the intervention.

    Returns
    -------
    pandas.DataFrame
        period, sign, data (in-sample, lagged, pooled, I, II, past), month, method, model, share,
        share_std (across seeds), actual_share, forecast (signed million dollars, or a
        probability), forecast_std (across seeds), actual (million dollars), cut (million dollars,
        at least 0), out_of_sample (whether the month is a forecast month of its period).
    """
    parts = [_network_mean(seeds)]
    for sample in samples:
        parts.append(_linear_models(sample, records))
        if sample.ahead:
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
    x, y, occurred = sample.x_train, sample.y_train, sample.occurred
    fits = [
        ("amount", linear.least_squares(x, y)),
        ("occurrence", linear.least_squares(x, occurred.astype(float))),
        ("occurrence", linear.logit(x, occurred)),
    ]
    # Signed amounts are not censored at 0.
    if sample.fit != POOLED:
        fits.append(("amount", linear.tobit(x, y)))
    rows, parts = _months(sample, records), []
    for method, fit in fits:
        share = fit.predict(sample.x_eval)
        share = sample.in_direction(share) if method == "amount" else share
        parts.append(rows.assign(method=method, model=fit.model, share=share))
    return pd.concat(parts, ignore_index=True)


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
        "no_change": float(sample.occurred[-1]), "always": 1.0, "never": 0.0,
        "share_so_far": float(sample.occurred.mean()),
    }  # fmt: skip
    rows = [
        (method, model, share)
        for method, models in zip(METHODS, (amounts, probabilities), strict=True)
        for model, share in models.items()
    ]
    frame = pd.DataFrame(rows, columns=["method", "model", "share"])
    return frame.assign(period=sample.period, data=PAST, month=sample.month)


def _outcomes(
    samples: Sequence[Sample], records: pd.DataFrame, config: Intervention
) -> pd.DataFrame:
    """Return the outcome of each month of each period, and the cut of method 1 for it."""
    actual = records["intervention"].to_numpy()
    before = config.scoring.cut_months
    cuts = np.array(
        [
            scoring.cut(actual[max(row - before, 0) : row], config.scoring)
            for row in range(len(actual))
        ]
    )
    forecast_months = {s.month for s in samples if s.ahead}
    divisor = indicators.reserves(records, config.inputs)
    parts = []
    for sample in samples:
        if sample.fit == IN_SAMPLE:
            rows = sample.train_rows
            outcomes = (
                _months(sample, records)
                .drop(columns="data")
                .assign(
                    sign=sample.sign,
                    actual=actual[rows],
                    actual_share=sample.y_train,
                    reserves=divisor[rows],
                    cut=cuts[rows],
                )
            )
            parts.append(outcomes)
    table = pd.concat(parts, ignore_index=True)
    return table.assign(out_of_sample=table["month"].isin(forecast_months))


def fit_statistics(table: pd.DataFrame, fits: dict[str, list[linear.Fit]]) -> pd.DataFrame:
    """Return the in-sample goodness of fit by period, inputs, method and model.

    Parameters
    ----------
    table : pandas.DataFrame
        Of `predictions`.
    fits : dict
        Of `linear_fits`, for the statistics that a linear model reports itself.

    Returns
    -------
    pandas.DataFrame
        period, data (in-sample, lagged, pooled), method, model, months, r2 (of signed amounts),
        rmse (per cent of reserves; a probability in method 2), and the statistics of the linear
        models.
    """
    rows = []
    in_sample = table[table["data"].isin([IN_SAMPLE, LAGGED, POOLED])]
    pooled = pd.concat([in_sample, in_sample.assign(period=ALL_PERIODS)])
    for (period, data, method, model), group in pooled.groupby(
        ["period", "data", "method", "model"], sort=False
    ):
        if method == "amount":
            actual, fitted = (group["sign"] * group[name] for name in ("actual_share", "share"))
        else:
            actual, fitted = (group["actual"] != 0).astype(float), group["share"]
        residual = actual - fitted
        total = ((actual - actual.mean()) ** 2).sum()
        row = {
            "period": period,
            "data": data,
            "method": method,
            "model": model,
            "months": len(group),
            "r2": 1 - (residual**2).sum() / total if total > 0 else np.nan,
            "rmse": float(np.sqrt((residual**2).mean())),
        }
        method_of = {"linear": "amount", "tobit": "amount", "logit": "occurrence"}
        for fit in fits.get(str(period), []) if data == IN_SAMPLE else []:
            if fit.model == model and method_of[fit.model] == method:
                row |= {k: v for k, v in fit.statistics.items() if k != "r2"}
        rows.append(row)
    return pd.DataFrame(rows)
