"""The figures of verify.json: what the checks of the grounds found, by method."""

import math
from collections.abc import Mapping
from typing import Any

import pandas as pd


def findings(tables: Mapping[str, pd.DataFrame]) -> dict[str, Any]:
    """Return the final figures by method.

    Parameters
    ----------
    tables : mapping of str to pandas.DataFrame
        Those of `examination.summarise`, and `agreement` where the truth is known.

    Returns
    -------
    dict
        A method: deletion_area (above 0: better than chance), randomised (rank correlation of
        the grounds with those of a network whose layers were all drawn anew: near 0 is right),
        seeds (rank correlation between members of an ensemble), and the measures of
        `konkyo.attribution.ground_truth` under `truth`. What is not defined is absent.
    """
    found: dict[str, dict[str, Any]] = {}

    def keep(method: str, name: str, value: float) -> None:
        if math.isfinite(value):
            found.setdefault(method, {})[name] = float(value)

    for row in tables["deletion"].drop_duplicates("method").itertuples():
        keep(row.method, "deletion_area", row.area)
    randomised = tables["randomised"]
    for row in randomised[randomised["layers"] == randomised["layers"].max()].itertuples():
        keep(row.method, "randomised", row.rank_correlation)
    for row in tables["seeds"].itertuples():
        keep(row.method, "seeds", row.rank_correlation)
    if "agreement" in tables:
        for row in tables["agreement"].itertuples():
            if math.isfinite(row.mean):
                truth = found.setdefault(row.method, {}).setdefault("truth", {})
                truth[row.measure] = float(row.mean)
    return found
