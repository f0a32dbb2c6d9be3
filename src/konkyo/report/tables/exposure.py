"""What the two portfolios hold."""

import numpy as np
import pandas as pd

from konkyo.report.tables.explained_panel import ExplainedPanel
from konkyo.report.tables.factors import SIDES


def exposure(panel: ExplainedPanel) -> pd.DataFrame:
    """Return the sectors and the size of the two portfolios, month by month.

    Parameters
    ----------
    panel : ExplainedPanel
        Scores, features and attributions; a stock without a sector is in the sector "".

    Returns
    -------
    DataFrame
        month, kind (sector, size), name, long, short, difference, known at t. For a sector the
        share of the portfolio's stocks; all sectors ever held are there in every month, none
        where no stock has one. For size, where the records have it,
        with the name "size", the portfolio's mean percentile of size among the month's ranked
        stocks: (rank - 1/2) / stocks, 0 to 1, so that a portfolio like the market is at 0.5.
    """
    codes, sectors = pd.factorize(panel.index["sector"].fillna(""), sort=True)
    by_month = panel.index.groupby("month", sort=False)["size"]
    percentile = ((by_month.rank() - 0.5) / by_month.transform("count")).to_numpy()
    legs = {}
    for side in SIDES:
        rows = panel.side(side)
        held = np.zeros((len(rows), len(sectors) + 1))
        held[np.arange(len(rows)), codes[rows]] = 1
        held[:, -1] = percentile[rows]
        legs[side] = panel.monthly_mean(held, rows)
    table = panel.by_month(
        "name", [*sectors, "size"], **legs, difference=legs["long"] - legs["short"]
    )
    kinds = [*["sector"] * len(sectors), "size"]
    table.insert(1, "kind", np.tile(kinds, len(table) // len(kinds)))
    if list(sectors) == [""]:
        table = table[table["kind"] != "sector"]
    if np.isnan(percentile).all():
        table = table[table["kind"] != "size"]
    return table.reset_index(drop=True)
