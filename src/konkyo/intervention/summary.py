"""The figures that tell two runs of the study apart."""

import math

import pandas as pd

from konkyo.intervention.accuracy import ALL, OPPONENTS

_NUMBERS = ("right", "amount_right", "rmse", "mae", "brier", "auc")


def metrics(scores: pd.DataFrame, tests: pd.DataFrame, thresholds: pd.DataFrame) -> dict:
    """Return the study's metrics, nested: threshold by period, then method, data, model.

    Parameters
    ----------
    scores, tests : pandas.DataFrame
        Of `accuracy.scores` and `accuracy.tests`; the rows of all periods together are taken.
    thresholds : pandas.DataFrame
        Of `surface.thresholds`.

    Returns
    -------
    dict
        Numbers that are not defined are left out.
    """
    nested: dict = {"threshold": _defined(thresholds.set_index("period")["threshold"].to_dict())}
    for row in scores[scores["period"] == ALL].to_dict("records"):
        own = _defined({name: row.get(name, math.nan) for name in _NUMBERS})
        nested.setdefault(row["method"], {}).setdefault(row["data"], {})[row["model"]] = own
    for row in tests[tests["period"] == ALL].to_dict("records"):
        own = _defined({name: row[name] for name in ("dm", "dm_p", "mcnemar_p")})
        nested[row["method"]][row["data"]]["network"] |= own
    return nested


def lines(scores: pd.DataFrame, tests: pd.DataFrame, thresholds: pd.DataFrame) -> str:
    """Return the study's outcome in a few lines for the terminal."""
    said = [
        "threshold by period: "
        + ", ".join(f"{row.threshold:.2f}" for row in thresholds.itertuples())
        + " per cent"
    ]
    whole = scores[scores["period"] == ALL].set_index(["method", "data", "model"])
    for row in tests[tests["period"] == ALL].to_dict("records"):
        method, data, other = row["method"], row["data"], OPPONENTS[row["method"]]
        ours, theirs = whole.loc[(method, data, "network")], whole.loc[(method, data, other)]
        loss = "rmse" if method == "amount" else "brier"
        said.append(
            f"{method}, data {data}: right {100 * ours['right']:.0f} per cent "
            f"({other} {100 * theirs['right']:.0f}), {loss} {ours[loss]:.3f} "
            f"({theirs[loss]:.3f}), Diebold-Mariano p {row['dm_p']:.3f}"
        )
    return "\n".join(said)


def _defined(values: dict[str, float]) -> dict[str, float]:
    return {str(k): float(v) for k, v in values.items() if v is not None and math.isfinite(v)}
