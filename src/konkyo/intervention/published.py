"""The forecasts that the paper published: 39 months of the four periods."""

from importlib.resources import files

import pandas as pd

from konkyo import dates
from konkyo.config import InterventionScoring
from konkyo.intervention.scoring import amount_accuracy
from konkyo.io import read_csv

PERIODS = (
    ("1981-06..1985-08", "buy"), ("1986-04..1989-03", "sell"),
    ("1989-04..1993-02", "buy"), ("1993-03..1995-12", "sell"),
)  # fmt: skip
FORECASTS = ("in_sample", "data_I", "data_II", "linear")
AMOUNT_ACCURACY = {
    "1981-06..1985-08": (4 / 7, 1 / 7, 3 / 7),
    "1986-04..1989-03": (1 / 2, 0.0, 0.0),
    "1989-04..1993-02": (4 / 7, 1 / 7, 1 / 7),
    "1993-03..1995-12": (1.0, 1 / 2, 1 / 2),
}
"""Accuracy of the amount over months with intervention: in-sample, data I, data II (figures 7 to
10 print 57/14/43, 50/0/0, 57/14/14 and 100/50/50 per cent)."""
ANSWER_ACCURACY = {
    "1981-06..1985-08": (0.80, 0.80, 0.67, 0.47),
    "1986-04..1989-03": (0.67, 0.67, 0.83, 0.33),
    "1989-04..1993-02": (0.54, 0.46, 0.38, 0.54),
    "1993-03..1995-12": (0.80, 0.40, 0.60, 0.40),
}
"""Accuracy of yes/no: in-sample, data I, data II, linear."""


def read_published() -> pd.DataFrame:
    """Return the published table.

    Returns
    -------
    pandas.DataFrame
        month (period ends), period, sign (+1 where yen was sold), actual, in_sample, data_I,
        data_II, linear (million dollars, positive where yen was sold) and yes (whether the paper
        counts the month as one of intervention). The actual amounts are not the ministry's, which
        publishes none before 1991-04.
    """
    frame = read_csv(files("konkyo.intervention") / "published.csv")
    frame["month"] = [dates.parse(name) for name in frame["month"]]
    frame["yes"] = frame["yes"].astype(bool)
    label = frame["month"].dt.strftime("%Y-%m")
    for name, direction in PERIODS:
        first, last = name.split("..")
        within = (label >= first) & (label <= last)
        frame.loc[within, "period"] = name
        frame.loc[within, "sign"] = 1 if direction == "sell" else -1
    return frame.astype({"sign": int})


def published_accuracy(config: InterventionScoring) -> pd.DataFrame:
    """Return the accuracy of the published forecasts, recomputed and as published.

    Parameters
    ----------
    config : InterventionScoring
        The bounds of a right amount.

    Returns
    -------
    pandas.DataFrame
        period, interventions; for in_sample, data_I and data_II the accuracy of the amount over
        months with intervention, by `scoring.amount_accuracy` and as published; and the published
        accuracy of yes/no, answers_<forecast>.
    """
    rows = []
    for period, months in read_published().groupby("period", sort=False):
        occurred = months["yes"]
        row = {"period": period, "interventions": int(occurred.sum())}
        for name, published in zip(FORECASTS, AMOUNT_ACCURACY[str(period)], strict=False):
            row[name] = amount_accuracy(
                months["actual"], months[name], occurred=occurred, config=config
            )
            row[f"{name}_published"] = published
        for name, published in zip(FORECASTS, ANSWER_ACCURACY[str(period)], strict=True):
            row[f"answers_{name}"] = published
        rows.append(row)
    return pd.DataFrame(rows)
