"""The metrics of a run of the study."""

import math

import pandas as pd

from konkyo.intervention.accuracy import BENCHMARKS
from konkyo.intervention.samples import ALL_PERIODS

_NUMBERS = ("right", "amount_right", "rmse", "mae", "brier", "auc")


def metrics(scores: pd.DataFrame, tests: pd.DataFrame, *, responses: pd.DataFrame) -> dict:
    """Return the study's metrics, nested: threshold by period, then method, data, model.

    Parameters
    ----------
    scores, tests : pandas.DataFrame
        Of `accuracy.scores` and `accuracy.tests`; the rows of all periods pooled are used.
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


def outcome_text(scores: pd.DataFrame, tests: pd.DataFrame, *, responses: pd.DataFrame) -> str:
    """Return the results of the study in a few lines for the terminal."""
    lines = [
        "threshold by period: "
        + ", ".join(f"{threshold:.2f}" for threshold in _thresholds(responses))
        + " per cent"
    ]
    pooled = scores[scores["period"] == ALL_PERIODS].set_index(["method", "data", "model"])
    for row in tests[tests["period"] == ALL_PERIODS].to_dict("records"):
        method, data, other = row["method"], row["data"], BENCHMARKS[row["method"]]
        network, benchmark = (
            pooled.loc[(method, data, "network")],
            pooled.loc[(method, data, other)],
        )
        loss = "rmse" if method == "amount" else "brier"
        lines.append(
            f"{method}, data {data}: right {100 * network['right']:.0f} per cent "
            f"({other} {100 * benchmark['right']:.0f}), {loss} {network[loss]:.3f} "
            f"({benchmark[loss]:.3f}), Diebold-Mariano p {row['dm_p']:.3f}"
        )
    return "\n".join(lines)


def _thresholds(responses: pd.DataFrame) -> pd.Series:
    return responses[responses["input"] == "change"].set_index("period")["threshold"]


def _defined(values: dict[str, float]) -> dict[str, float]:
    return {str(k): float(v) for k, v in values.items() if v is not None and math.isfinite(v)}
