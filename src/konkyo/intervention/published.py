"""What the paper published: 39 forecast months in four periods, figures 7 to 18.

published_amounts.csv has the amounts (figures 15 to 18), published_marks.csv the right and wrong
answers (7 to 14), published_shares.csv the shares of right answers that stand below them, in per
cent. All were typed from the printed figures of the Bank of Japan paper on neural networks and
foreign exchange intervention. The actual amounts are not the ministry's, which publishes none
before 1991-04.
"""

from collections.abc import Mapping
from importlib.resources import files

import pandas as pd

from konkyo.io import read_csv

PERIODS = (
    "1981-06..1985-08", "1986-04..1989-03", "1989-04..1993-02", "1993-03..1995-12",
)  # fmt: skip
ANSWERS = (
    "in_sample", "data_I", "data_II", "linear",
    "amount_in_sample", "amount_data_I", "amount_data_II",
)  # fmt: skip


def read(name: str) -> pd.DataFrame:
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
    for figure, marks in read("marks").groupby("figure", sort=False):
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
        Of `tables.all_tables`.
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
