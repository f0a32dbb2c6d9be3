"""In-sample fits and one-step-ahead forecasts of every model, in tidy tables.

Amounts in tables are million dollars, positive where yen was sold. `share` columns are per cent of
the reserves at the end of the month before, in the period's own direction.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from konkyo.config import InterventionScoring
from konkyo.intervention import linear, scoring
from konkyo.intervention.networks import METHODS, Task, predict
from konkyo.intervention.samples import IN_SAMPLE, Sample
from konkyo.models.store import Weights

PAST = "past"
"""What baselines look at: the target's own past months."""


def by_seed(
    made: Sequence[Sample], todo: Sequence[Task], networks: Sequence[Weights], records: pd.DataFrame
) -> pd.DataFrame:
    """Return every network's answers, one row a network and month.

    Returns
    -------
    pandas.DataFrame
        period, data, month, method, seed, share (per cent of reserves; in method 2 a probability).
    """
    outputs = predict(networks, [made[t.sample].ask for t in todo])
    month = records["month"].to_numpy()
    parts = []
    for task, output in zip(todo, outputs, strict=True):
        sample = made[task.sample]
        parts.append(
            pd.DataFrame(
                {
                    "period": sample.period,
                    "data": sample.data,
                    "month": month[sample.asked],
                    "method": task.method,
                    "seed": task.seed,
                    "share": output * (sample.top if task.method == "amount" else 1.0),
                }
            )
        )
    return pd.concat(parts, ignore_index=True)


def linear_fits(made: Sequence[Sample]) -> dict[str, list[linear.Fit]]:
    """Return the in-sample fits by period: least squares, Tobit, logit."""
    return {
        s.period: [
            linear.least_squares(s.x, s.y),
            linear.tobit(s.x, s.y),
            linear.logit(s.x, s.y > 0),
        ]
        for s in made
        if s.data == IN_SAMPLE
    }


def answers(
    made: Sequence[Sample], seeds: pd.DataFrame, records: pd.DataFrame, rule: InterventionScoring
) -> pd.DataFrame:
    """Return the answers of every model to every month asked about, with what happened.

    Parameters
    ----------
    made : sequence of Sample
        The windows.
    seeds : pandas.DataFrame
        Of `by_seed`; a network's answer is the mean over its seeds.
    records : pandas.DataFrame
        The raw series.
    rule : InterventionScoring
        The cut of method 1.

    Returns
    -------
    pandas.DataFrame
        period, sign, data (in-sample, I, II, past), month, method, model, share, deviation (between
        seeds, in units of share), actual_share, forecast (million dollars signed, or a
        probability), spread (deviation in units of the forecast), actual (million dollars), cut
        (million dollars, at least 0), out_of_sample (whether the month is a forecast month of its
        period).
    """
    found = [_network(seeds)]
    for sample in made:
        found.append(_models(sample, records))
        if sample.data == "I":
            found.append(_baselines(sample, records))
    table = pd.concat(found, ignore_index=True)
    facts = _facts(made, records, rule)
    table = table.merge(facts, on=["period", "month"], how="left", validate="many_to_one")
    amount = table["method"] == "amount"
    table["forecast"] = table["share"].where(
        ~amount, table["sign"] * table["share"] / 100 * table["reserves"]
    )
    table["spread"] = table["deviation"].where(
        ~amount, table["deviation"] / 100 * table["reserves"]
    )
    order = ["period", "method", "data", "model", "month"]
    return table.drop(columns="reserves").sort_values(order, kind="stable", ignore_index=True)


def _network(seeds: pd.DataFrame) -> pd.DataFrame:
    keys = ["period", "data", "month", "method"]
    mean = seeds.groupby(keys, sort=False)["share"].agg(share="mean", deviation="std").reset_index()
    return mean.assign(model="network")


def _models(sample: Sample, records: pd.DataFrame) -> pd.DataFrame:
    """Return the linear models' answers to a sample's months."""
    amounts = {
        "linear": linear.least_squares(sample.x, sample.y).predict(sample.ask),
        "tobit": linear.tobit(sample.x, sample.y).predict(sample.ask),
    }
    yes = sample.y > 0
    chances = {
        "linear": linear.least_squares(sample.x, yes.astype(float)).predict(sample.ask),
        "logit": linear.logit(sample.x, yes).predict(sample.ask),
    }
    month = records["month"].to_numpy()[sample.asked]
    return pd.concat(
        [
            pd.DataFrame(
                {
                    "period": sample.period,
                    "data": sample.data,
                    "month": month,
                    "method": method,
                    "model": model,
                    "share": share,
                }
            )
            for method, models in zip(METHODS, (amounts, chances), strict=True)
            for model, share in models.items()
        ],
        ignore_index=True,
    )


def _baselines(sample: Sample, records: pd.DataFrame) -> pd.DataFrame:
    """Return what needs no model: last month again; always and never; the share of months so far.

    `always` gives the mean of the months of intervention so far as its amount.
    """
    last, some = float(sample.y[-1]), sample.y[sample.y > 0]
    amounts = {"no_change": last, "always": float(some.mean()) if len(some) else 0.0, "never": 0.0}
    chances = {
        "no_change": float(last > 0), "always": 1.0, "never": 0.0,
        "share_so_far": float((sample.y > 0).mean()),
    }  # fmt: skip
    rows = [
        (method, model, share)
        for method, models in zip(METHODS, (amounts, chances), strict=True)
        for model, share in models.items()
    ]
    frame = pd.DataFrame(rows, columns=["method", "model", "share"])
    return frame.assign(period=sample.period, data=PAST, month=sample.month)


def _facts(
    made: Sequence[Sample], records: pd.DataFrame, rule: InterventionScoring
) -> pd.DataFrame:
    """Return what happened in each month of each period, and the cut that held for it."""
    held = records["reserves"].shift(1).to_numpy()
    actual = records["intervention"].to_numpy()
    month = records["month"].to_numpy()
    forecast_months = {(s.period, s.month) for s in made if s.data == "I"}
    rows = []
    for sample in made:
        if sample.data != IN_SAMPLE:
            continue
        own = sample.sign * actual
        for place, share in zip(sample.asked, sample.y, strict=True):
            past = own[max(place - rule.cut_months, 0) : place]
            rows.append(
                {
                    "period": sample.period,
                    "sign": sample.sign,
                    "month": month[place],
                    "actual": actual[place],
                    "actual_share": share,
                    "reserves": held[place],
                    "cut": scoring.cut(past, own[sample.train[0] : place], rule),
                    "out_of_sample": (sample.period, pd.Timestamp(month[place])) in forecast_months,
                }
            )
    return pd.DataFrame(rows)


def fit_statistics(table: pd.DataFrame, fits: dict[str, list[linear.Fit]]) -> pd.DataFrame:
    """Return how well each model fits each period in-sample.

    Parameters
    ----------
    table : pandas.DataFrame
        Of `answers`.
    fits : dict
        Of `linear_fits`, for the statistics that only they have.

    Returns
    -------
    pandas.DataFrame
        period, method, model, months, r2 (1 less the share of variance left), rmse (per cent of
        reserves; a probability in method 2), and what the model itself reports.
    """
    rows = []
    inside = table[table["data"] == IN_SAMPLE]
    for (period, method, model), own in inside.groupby(["period", "method", "model"], sort=False):
        goal = own["actual_share"]
        if method == "occurrence":
            goal = (goal > 0).astype(float)
        residual = goal - own["share"]
        total = ((goal - goal.mean()) ** 2).sum()
        row = {
            "period": period,
            "method": method,
            "model": model,
            "months": len(own),
            "r2": 1 - (residual**2).sum() / total if total > 0 else np.nan,
            "rmse": float(np.sqrt((residual**2).mean())),
        }
        of_amount = {"linear": "amount", "tobit": "amount", "logit": "occurrence"}
        for fit in fits[str(period)]:
            if fit.model == model and of_amount[fit.model] == method:
                row |= {k: v for k, v in fit.statistics.items() if k != "r2"}
        rows.append(row)
    return pd.DataFrame(rows)
