"""Accuracy of the predictions: method 1 (amount) and method 2 (occurrence).

Amounts here are positive in the direction of the period's policy.
"""

import numpy as np
import pandas as pd

from konkyo.config import InterventionScoring


def cut(past: np.ndarray, before: np.ndarray, *, config: InterventionScoring) -> float:
    """Return the amount above which method 1 predicts intervention.

    Parameters
    ----------
    past : numpy.ndarray
        Actual amounts of the past twelve months.
    before : numpy.ndarray
        Actual amounts of all earlier months of the period, used where the past twelve had no
        intervention: a cut of 0 would turn any positive forecast into a yes.
    config : InterventionScoring
        The share, a tenth in the paper.

    Returns
    -------
    float
        The share of the mean amount over all months, those without intervention included.
    """
    amounts = np.clip(past[np.isfinite(past)], 0, None)
    if amounts.sum() == 0:
        amounts = np.clip(before[np.isfinite(before)], 0, None)
    return config.cut * float(amounts.mean()) if len(amounts) else 0.0


def amount_right(
    actual: np.ndarray, forecast: np.ndarray, *, config: InterventionScoring
) -> np.ndarray:
    """Return whether each forecast is within 0.5 to 3 times (of the rule) the actual amount.

    Returns
    -------
    numpy.ndarray
        bool; False where there was no actual amount or the two differ in sign.
    """
    actual, forecast = np.asarray(actual, dtype=float), np.asarray(forecast, dtype=float)
    ratio = np.divide(forecast, actual, out=np.full(len(actual), -1.0), where=actual != 0)
    return (ratio >= config.lowest) & (ratio <= config.highest)


def amount_accuracy(
    actual: np.ndarray,
    forecast: np.ndarray,
    *,
    occurred: np.ndarray,
    config: InterventionScoring,
) -> float:
    """Return the share of months of intervention whose forecast amount is right (figures 7 to 10).

    Parameters
    ----------
    actual, forecast : numpy.ndarray
        Amounts of one sign convention.
    occurred : numpy.ndarray
        Whether the month counts as one of intervention.
    config : InterventionScoring
        The bounds.

    Returns
    -------
    float
        NaN without a month of intervention.
    """
    counted = np.asarray(occurred, dtype=bool)
    right = amount_right(actual, forecast, config=config)
    return float(right[counted].mean()) if counted.any() else float("nan")


def score_predictions(forecasts: pd.DataFrame, config: InterventionScoring) -> pd.DataFrame:
    """Add the predicted occurrence and whether each prediction is right.

    Parameters
    ----------
    forecasts : pandas.DataFrame
        method, sign, actual and forecast (million dollars, positive where yen was sold; in method 2
        the forecast is a probability) and cut (million dollars, at least 0).
    config : InterventionScoring
        The probability above which method 2 predicts intervention, and the bounds of a right
        amount.

    Returns
    -------
    pandas.DataFrame
        With actual_yes (method 1: above the cut; method 2: any amount in the period's direction),
        predicted_yes, right (both equal), and amount_right (missing outside method 1 and in
        months without intervention).
    """
    table = forecasts.copy()
    amount = (table["method"] == "amount").to_numpy()
    actual = (table["sign"] * table["actual"]).to_numpy()
    forecast = np.where(amount, table["sign"] * table["forecast"], table["forecast"])
    table["actual_yes"] = np.where(amount, actual > table["cut"], actual > 0)
    table["predicted_yes"] = np.where(
        amount, forecast > table["cut"], forecast > config.occurrence_cut
    )
    table["right"] = table["actual_yes"] == table["predicted_yes"]
    right = pd.array(amount_right(actual, forecast, config=config), dtype="boolean")
    table["amount_right"] = pd.Series(right, index=table.index).where(amount & table["actual_yes"])
    return table
