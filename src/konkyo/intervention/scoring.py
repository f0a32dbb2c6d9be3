"""Right and wrong answers: method 1 (amount) and method 2 (occurrence).

Amounts here are in the period's own direction: positive is what the authority is there to do.
"""

import numpy as np
import pandas as pd

from konkyo.config import InterventionScoring


def cut(past: np.ndarray, before: np.ndarray, rule: InterventionScoring) -> float:
    """Return the amount above which method 1 says yes.

    Parameters
    ----------
    past : numpy.ndarray
        Actual amounts of the past twelve months.
    before : numpy.ndarray
        Actual amounts of the period's months before, which take their place where the past twelve
        months had no intervention: else any trace of a forecast would say yes.
    rule : InterventionScoring
        The share, a tenth in the paper.

    Returns
    -------
    float
        The share of the mean amount, months without intervention included.
    """
    own = np.clip(past[np.isfinite(past)], 0, None)
    if own.sum() == 0:
        own = np.clip(before[np.isfinite(before)], 0, None)
    return rule.cut * float(own.mean()) if len(own) else 0.0


def amount_right(actual: np.ndarray, forecast: np.ndarray, rule: InterventionScoring) -> np.ndarray:
    """Return whether each forecast is within 0.5 to 3 times (of the rule) the actual amount.

    Returns
    -------
    numpy.ndarray
        bool; False where there was no actual amount or the two differ in sign.
    """
    actual, forecast = np.asarray(actual, dtype=float), np.asarray(forecast, dtype=float)
    ratio = np.divide(forecast, actual, out=np.full(len(actual), -1.0), where=actual != 0)
    return (ratio >= rule.lowest) & (ratio <= rule.highest)


def amount_share(
    actual: np.ndarray, forecast: np.ndarray, yes: np.ndarray, rule: InterventionScoring
) -> float:
    """Return the share of months of intervention whose forecast amount is right (figures 7 to 10).

    Parameters
    ----------
    actual, forecast : numpy.ndarray
        Amounts of one sign convention.
    yes : numpy.ndarray
        Whether the month counts as one of intervention; the share is of these months.
    rule : InterventionScoring
        The bounds.

    Returns
    -------
    float
        NaN where no month counts.
    """
    own = np.asarray(yes, dtype=bool)
    right = amount_right(actual, forecast, rule)
    return float(right[own].mean()) if own.any() else float("nan")


def judge(forecasts: pd.DataFrame, rule: InterventionScoring) -> pd.DataFrame:
    """Add what each forecast says and whether it is right.

    Parameters
    ----------
    forecasts : pandas.DataFrame
        method, sign, actual and forecast (million dollars, positive where yen was sold; in method 2
        the forecast is a probability) and cut (million dollars, at least 0).
    rule : InterventionScoring
        The probability above which method 2 says yes, and the bounds of a right amount.

    Returns
    -------
    pandas.DataFrame
        With actual_yes (method 1: above the cut, like the forecast; method 2: any amount in the
        period's direction), says_yes, right, and amount_right (missing but in method 1 and in
        months of intervention).
    """
    table = forecasts.copy()
    amount = (table["method"] == "amount").to_numpy()
    actual = (table["sign"] * table["actual"]).to_numpy()
    forecast = np.where(amount, table["sign"] * table["forecast"], table["forecast"])
    table["actual_yes"] = np.where(amount, actual > table["cut"], actual > 0)
    table["says_yes"] = np.where(amount, forecast > table["cut"], forecast > rule.occurrence_cut)
    table["right"] = table["actual_yes"] == table["says_yes"]
    right = pd.array(amount_right(actual, forecast, rule), dtype="boolean")
    table["amount_right"] = pd.Series(right, index=table.index).where(amount & table["actual_yes"])
    return table
