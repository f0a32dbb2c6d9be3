"""The tables of the forecast months, as the paper's figures 7 to 18 print them, and its own.

published_amounts.csv has the paper's amounts (figures 15 to 18), published_marks.csv its right and
wrong answers (7 to 14), published_shares.csv the shares of right answers below them, in per cent,
all typed from the printed figures: 39 forecast months in four periods. The actual amounts are not
the ministry's, which publishes none before 1991-04.
"""

from collections.abc import Mapping
from importlib.resources import files

import pandas as pd

from konkyo.dates import label
from konkyo.io import read_csv

_PAPER = {
    "in_sample": ("in-sample", "network"),
    "data_I": ("I", "network"),
    "data_II": ("II", "network"),
    "linear": ("in-sample", "linear"),
}
"""The paper's columns: data set and model. Its linear model is an in-sample fit (footnotes 21, 30);
its method 2 has none."""
_AHEAD = {
    "amount": {"linear_data_I": ("I", "linear"), "linear_data_II": ("II", "linear")},
    "occurrence": {"logit_data_I": ("I", "logit"), "logit_data_II": ("II", "logit")},
}
"""One-step-ahead forecasts of the linear models, which the paper does not have."""
FAMILIES = {"method_1": 7, "method_2": 11, "amounts": 15}
"""The kinds of table, and the number of the paper's figure of the first period."""
PERIODS = (
    "1981-06..1985-08", "1986-04..1989-03", "1989-04..1993-02", "1993-03..1995-12",
)  # fmt: skip
ANSWERS = (
    "in_sample", "data_I", "data_II", "linear",
    "amount_in_sample", "amount_data_I", "amount_data_II",
)  # fmt: skip


def all_tables(predictions: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Return every table by name; periods are numbered from 1 in the order of their months.

    Parameters
    ----------
    predictions : pandas.DataFrame
        Of `scoring.score_predictions`.

    Returns
    -------
    dict
        method_1_<period> (figures 7 to 10), method_2_<period> (11 to 14) and amounts_<period> (15
        to 18).
    """
    forecast_months = predictions[predictions["out_of_sample"]]
    tables = {}
    for i, period in enumerate(sorted(forecast_months["period"].unique()), start=1):
        rows = forecast_months[forecast_months["period"] == period]
        tables[f"method_1_{i}"] = method_1(rows)
        tables[f"method_2_{i}"] = method_2(rows)
        tables[f"amounts_{i}"] = amounts(rows)
    return tables


def method_1(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the right answers of method 1 in a period's forecast months (figures 7 to 10).

    Parameters
    ----------
    rows : pandas.DataFrame
        The forecast months of one period.

    Returns
    -------
    pandas.DataFrame
        month, intervention (1 or 0), cut (million dollars; 0 where the past twelve months had no
        intervention), then 1 where the answer is right and 0 where it is wrong: in_sample, data_I,
        data_II, linear (in-sample), linear_data_I, linear_data_II (one step ahead), and
        amount_in_sample, amount_data_I, amount_data_II (missing in months without intervention).
        The last row has the shares of right answers.
    """
    right = _wide(rows, "amount", "right")
    amount = _wide(rows, "amount", "amount_right")[["in_sample", "data_I", "data_II"]]
    right = pd.concat([right, amount.add_prefix("amount_")], axis=1).astype("Float64").astype(float)
    return _with_shares(_outcomes(rows, "amount")[["intervention", "cut"]], right)


def method_2(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the right answers of method 2 in a period's forecast months (figures 11 to 14).

    Returns
    -------
    pandas.DataFrame
        month, intervention, in_sample, data_I, data_II, logit_data_I and logit_data_II (one step
        ahead) as of `method_1`; probability_<forecast>, the forecasts. The last row has the shares
        of right answers.
    """
    right = _wide(rows, "occurrence", "right").astype("Float64").astype(float)
    probability = _wide(rows, "occurrence", "forecast").add_prefix("probability_").round(3)
    table = _with_shares(_outcomes(rows, "occurrence")[["intervention"]], right)
    return table.join(probability.set_index(probability.index.map(label)), on="month")


def amounts(rows: pd.DataFrame) -> pd.DataFrame:
    """Return amounts of a period's forecast months (figures 15 to 18).

    Returns
    -------
    pandas.DataFrame
        month, actual, in_sample, data_I, data_II, linear (in-sample), linear_data_I,
        linear_data_II (one step ahead): million dollars, positive where home currency was sold.
    """
    table = _wide(rows, "amount", "forecast")
    table.insert(0, "actual", _outcomes(rows, "amount")["actual"])
    return table.round(0).set_axis(table.index.map(label)).rename_axis("month").reset_index()


def _wide(rows: pd.DataFrame, method: str, value: str) -> pd.DataFrame:
    """Return one column a forecast, by month."""
    paper = {n: c for n, c in _PAPER.items() if method == "amount" or n != "linear"}
    of_method = rows[rows["method"] == method].set_index(["data", "model"])
    parts = {
        name: of_method.loc[[column]].set_index("month")[value]
        for name, column in {**paper, **_AHEAD[method]}.items()
    }
    return pd.DataFrame(parts).sort_index()


def _outcomes(rows: pd.DataFrame, method: str) -> pd.DataFrame:
    chosen = (rows["method"] == method) & (rows["data"] == "I") & (rows["model"] == "network")
    table = rows[chosen].set_index("month").sort_index()
    return table.assign(intervention=table["actual_yes"].astype(int), cut=table["cut"].round(1))


def _with_shares(outcomes: pd.DataFrame, right: pd.DataFrame) -> pd.DataFrame:
    """Return outcomes and right answers by month, with the shares of the latter in a last row."""
    table = pd.concat([outcomes, right], axis=1)
    table.index = table.index.map(label)
    shares = right.mean().round(3).to_frame().T.set_axis(["right"])
    return pd.concat([table, shares]).rename_axis("month").reset_index()


def published(name: str) -> pd.DataFrame:
    """Return a published table: "amounts", "marks" or "shares".

    Returns
    -------
    pandas.DataFrame
        amounts: month (YYYY-MM), actual, in_sample, data_I, data_II, linear, million dollars,
        positive where yen was sold. marks: figure, method, month, intervention (yes or no of the
        paper) and `ANSWERS` (right, wrong, or missing where the figure has none). shares: figure
        and `ANSWERS`, per cent.
    """
    return read_csv(files("konkyo.intervention") / f"published_{name}.csv")


def shares_of_right() -> pd.DataFrame:
    """Return the share of right answers in each figure, from the published marks.

    Returns
    -------
    pandas.DataFrame
        figure, months, interventions, and `ANSWERS` as fractions of the months that have a mark.
    """
    rows = []
    for figure, marks in published("marks").groupby("figure", sort=False):
        row = {
            "figure": figure,
            "months": len(marks),
            "interventions": int((marks["intervention"] == "yes").sum()),
        }
        for name in ANSWERS:
            answers = marks[name].dropna()
            row[name] = float((answers == "right").mean()) if len(answers) else float("nan")
        rows.append(row)
    return pd.DataFrame(rows)


def beside_the_paper(tables: Mapping[str, pd.DataFrame], names: tuple[str, ...]) -> pd.DataFrame:
    """Return the published shares of right answers, and those of this study below them.

    Parameters
    ----------
    tables : mapping
        Of `all_tables`.
    names : tuple of str
        Names of the periods; those of the paper's months are compared.

    Returns
    -------
    pandas.DataFrame
        The columns of `shares_of_right` and source: "paper" or "study".
    """
    paper = shares_of_right()
    rows = [paper.assign(source="paper")]
    for i, name in enumerate(names, start=1):
        for family, first in (("method_1", 7), ("method_2", 11)):
            if name in PERIODS:
                table = tables[f"{family}_{i}"]
                row = table.iloc[-1].reindex(ANSWERS).astype(float).to_frame().T
                row["figure"] = first + PERIODS.index(name)
                row["months"] = len(table) - 1
                row["interventions"] = int(table["intervention"].sum())
                rows.append(row.assign(source="study"))
    columns = ["figure", "source", *paper.columns[1:]]
    return pd.concat(rows).sort_values(["figure", "source"], ignore_index=True)[columns]
