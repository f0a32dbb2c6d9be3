"""Right and wrong predictions: method 1 (amount) and method 2 (occurrence)."""

import numpy as np
import pandas as pd

from konkyo.config import InterventionScoring


def cut(past: np.ndarray, config: InterventionScoring) -> float:
    """Return the size of an amount above which method 1 says that there was intervention.

    Parameters
    ----------
    past : numpy.ndarray
        Actual amounts of the past twelve months, of either sign; NaN where there is no record.
    config : InterventionScoring
        The share, a tenth in the paper.

    Returns
    -------
    float
        The share of the mean size over all months, those without intervention included; 0 where
        there was none in these months.
    """
    sizes = np.abs(past[np.isfinite(past)])
    return config.cut * float(sizes.mean()) if len(sizes) else 0.0


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


def score_predictions(forecasts: pd.DataFrame, config: InterventionScoring) -> pd.DataFrame:
    """Add the predicted occurrence and whether each prediction is right.

    Parameters
    ----------
    forecasts : pandas.DataFrame
        method, actual and forecast (million dollars, positive where yen was sold; in method 2 the
        forecast is a probability) and cut (million dollars, at least 0).
    config : InterventionScoring
        The probability from which on method 2 predicts intervention, and the bounds of a right
        amount.

    Returns
    -------
    pandas.DataFrame
        With actual_yes (method 1: a size above the cut; method 2: any amount but 0; both in either
        direction), predicted_yes, right (both equal), and amount_right (missing outside method 1
        and in months without intervention).
    """
    table = forecasts.copy()
    amount = (table["method"] == "amount").to_numpy()
    actual, forecast = table["actual"].to_numpy(), table["forecast"].to_numpy()
    least = table["cut"].to_numpy()
    table["actual_yes"] = np.where(amount, np.abs(actual) > least, actual != 0)
    table["predicted_yes"] = np.where(
        amount, np.abs(forecast) > least, forecast >= config.occurrence_cut
    )
    table["right"] = table["actual_yes"] == table["predicted_yes"]
    right = pd.array(amount_right(actual, forecast, config=config), dtype="boolean")
    table["amount_right"] = pd.Series(right, index=table.index).where(amount & table["actual_yes"])
    return table
