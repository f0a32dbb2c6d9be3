"""The tables of the forecast months, as the paper's figures 7 to 18 print them."""

import pandas as pd

_COLUMNS = {
    ("in-sample", "network"): "in_sample",
    ("I", "network"): "data_I",
    ("II", "network"): "data_II",
}
_BESIDE = {"amount": "linear", "occurrence": "logit"}


def all_tables(answers: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Return every table by name; periods count from 1 in the order of their months.

    Parameters
    ----------
    answers : pandas.DataFrame
        Of `scoring.judge`.

    Returns
    -------
    dict
        amounts_<period> (figures 7 to 10), answers_<period> (11 to 14) and occurrence_<period> (15
        to 18).
    """
    ahead = answers[answers["out_of_sample"]]
    made = {}
    for place, period in enumerate(sorted(ahead["period"].unique()), start=1):
        own = ahead[ahead["period"] == period]
        made[f"amounts_{place}"] = amounts(own)
        made[f"answers_{place}"] = yes_and_no(own)
        made[f"occurrence_{place}"] = occurrence(own)
    return made


def amounts(own: pd.DataFrame) -> pd.DataFrame:
    """Return a period's amounts, million dollars, positive where yen was sold (figures 7 to 10).

    Parameters
    ----------
    own : pandas.DataFrame
        The forecast months of one period.

    Returns
    -------
    pandas.DataFrame
        month, actual, in_sample, data_I, data_II, linear (data set I); and for each of them whether
        the amount is right (missing in months that do not count as intervention). The last row has
        the shares that are right.
    """
    table = _wide(own, "amount", "forecast").round(0)
    facts = _facts(own, "amount")
    right = _wide(own, "amount", "amount_right").astype("Float64")
    right.columns = [f"{name}_right" for name in right]
    whole = pd.concat([facts[["actual"]].round(0), table, right], axis=1)
    shares = right.mean().to_frame().T
    return _with_shares(whole, shares)


def yes_and_no(own: pd.DataFrame) -> pd.DataFrame:
    """Return a period's yes and no of method 1 with the cut behind them (figures 11 to 14).

    Returns
    -------
    pandas.DataFrame
        month, actual (million dollars), cut, actual_yes, what each forecast says, and in the last
        row the shares that are right.
    """
    return _said(own, "amount")


def occurrence(own: pd.DataFrame) -> pd.DataFrame:
    """Return a period's probabilities of method 2 and what they say (figures 15 to 18)."""
    said = _said(own, "occurrence")
    chances = _wide(own, "occurrence", "forecast").astype(float).round(3)
    chances.columns = [f"{name}_probability" for name in chances]
    chances.index = chances.index.strftime("%Y-%m")
    return said.merge(chances, left_on="month", right_index=True, how="left")


def _said(own: pd.DataFrame, method: str) -> pd.DataFrame:
    facts = _facts(own, method)
    said = _wide(own, method, "says_yes").astype("Float64")
    right = _wide(own, method, "right").astype(float)
    kept = ["actual", "cut", "actual_yes"] if method == "amount" else ["actual", "actual_yes"]
    whole = pd.concat([facts[kept].astype({"actual_yes": int}), said], axis=1)
    return _with_shares(whole.round({"actual": 0, "cut": 1}), right.mean().to_frame().T)


def _wide(own: pd.DataFrame, method: str, value: str) -> pd.DataFrame:
    """Return one column a forecast: in-sample, data I, data II, and the linear model on data I."""
    beside = _BESIDE[method]
    columns = {**_COLUMNS, ("I", beside): beside}
    chosen = own[own["method"] == method]
    parts = {
        name: chosen[(chosen["data"] == data) & (chosen["model"] == model)].set_index("month")[
            value
        ]
        for (data, model), name in columns.items()
    }
    return pd.DataFrame(parts).sort_index()


def _facts(own: pd.DataFrame, method: str) -> pd.DataFrame:
    chosen = own[(own["method"] == method) & (own["data"] == "I") & (own["model"] == "network")]
    return chosen.set_index("month")[["actual", "cut", "actual_yes"]].sort_index()


def _with_shares(whole: pd.DataFrame, shares: pd.DataFrame) -> pd.DataFrame:
    table = whole.copy()
    table.index = whole.index.strftime("%Y-%m")
    shares.index = pd.Index(["right"])
    return pd.concat([table, shares.round(3)]).rename_axis("month").reset_index()
