"""The tables of the forecast months, as the paper's figures 7 to 18 print them."""

import pandas as pd

_COLUMNS = {
    ("in-sample", "network"): "in_sample",
    ("I", "network"): "data_I",
    ("II", "network"): "data_II",
}
_BENCHMARKS = {"amount": "linear", "occurrence": "logit"}


def all_tables(predictions: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Return every table by name; periods are numbered from 1 in the order of their months.

    Parameters
    ----------
    predictions : pandas.DataFrame
        Of `scoring.score_predictions`.

    Returns
    -------
    dict
        amounts_<period> (figures 7 to 10), answers_<period> (11 to 14) and occurrence_<period> (15
        to 18).
    """
    forecast_months = predictions[predictions["out_of_sample"]]
    tables = {}
    for place, period in enumerate(sorted(forecast_months["period"].unique()), start=1):
        rows = forecast_months[forecast_months["period"] == period]
        tables[f"amounts_{place}"] = amounts(rows)
        tables[f"answers_{place}"] = yes_and_no(rows)
        tables[f"occurrence_{place}"] = occurrence(rows)
    return tables


def amounts(rows: pd.DataFrame) -> pd.DataFrame:
    """Return a period's amounts, million dollars, positive where yen was sold (figures 7 to 10).

    Parameters
    ----------
    rows : pandas.DataFrame
        The forecast months of one period.

    Returns
    -------
    pandas.DataFrame
        month, actual, in_sample, data_I, data_II, linear (data set I), and <forecast>_right:
        whether the amount is right (missing in months without intervention). The last row has the
        accuracy.
    """
    table = _wide(rows, "amount", "forecast").round(0)
    outcomes = _outcomes(rows, "amount")
    right = _wide(rows, "amount", "amount_right").astype("Float64")
    right.columns = [f"{name}_right" for name in right]
    table = pd.concat([outcomes[["actual"]].round(0), table, right], axis=1)
    shares = right.mean().to_frame().T
    return _with_shares(table, shares)


def yes_and_no(rows: pd.DataFrame) -> pd.DataFrame:
    """Return a period's yes/no predictions of method 1 and their cut (figures 11 to 14).

    Returns
    -------
    pandas.DataFrame
        month, actual (million dollars), cut, actual_yes, and the yes/no of each forecast; the last
        row has the accuracy.
    """
    return _yes_no(rows, "amount")


def occurrence(rows: pd.DataFrame) -> pd.DataFrame:
    """Return a period's probabilities and yes/no of method 2 (figures 15 to 18)."""
    table = _yes_no(rows, "occurrence")
    probabilities = _wide(rows, "occurrence", "forecast").astype(float).round(3)
    probabilities.columns = [f"{name}_probability" for name in probabilities]
    probabilities.index = probabilities.index.strftime("%Y-%m")
    return table.merge(probabilities, left_on="month", right_index=True, how="left")


def _yes_no(rows: pd.DataFrame, method: str) -> pd.DataFrame:
    outcomes = _outcomes(rows, method)
    predicted = _wide(rows, method, "predicted_yes").astype("Float64")
    right = _wide(rows, method, "right").astype(float)
    columns = ["actual", "cut", "actual_yes"] if method == "amount" else ["actual", "actual_yes"]
    table = pd.concat([outcomes[columns].astype({"actual_yes": int}), predicted], axis=1)
    return _with_shares(table.round({"actual": 0, "cut": 1}), right.mean().to_frame().T)


def _wide(rows: pd.DataFrame, method: str, value: str) -> pd.DataFrame:
    """Return a column a forecast: in-sample, data I, data II, and the linear model on data I."""
    benchmark = _BENCHMARKS[method]
    columns = {**_COLUMNS, ("I", benchmark): benchmark}
    of_method = rows[rows["method"] == method]
    parts = {
        name: of_method[(of_method["data"] == data) & (of_method["model"] == model)].set_index(
            "month"
        )[value]
        for (data, model), name in columns.items()
    }
    return pd.DataFrame(parts).sort_index()


def _outcomes(rows: pd.DataFrame, method: str) -> pd.DataFrame:
    network = rows[
        (rows["method"] == method) & (rows["data"] == "I") & (rows["model"] == "network")
    ]
    return network.set_index("month")[["actual", "cut", "actual_yes"]].sort_index()


def _with_shares(table: pd.DataFrame, shares: pd.DataFrame) -> pd.DataFrame:
    table = table.copy()
    table.index = table.index.strftime("%Y-%m")
    shares.index = pd.Index(["right"])
    return pd.concat([table, shares.round(3)]).rename_axis("month").reset_index()
