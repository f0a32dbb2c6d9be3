"""Every figure of the report, drawn by either of the two rooms of figures from the same tables."""

from collections.abc import Mapping
from types import ModuleType
from typing import Any

import pandas as pd

# Figures of one table: their function, their table, and whether they name inputs.
_SINGLE = (
    ("portfolio_growth", "cumulative", False),
    ("model_growth", "cumulative", False),
    ("performance_table", "performance", False),
    ("monthly_rank_ic", "returns", False),
    ("monthly_spread", "returns", False),
    ("quantile_returns", "quantiles", False),
    ("stock_heat", "stocks", True),
    ("factor_bars", "factor_means", True),
    ("market_lines", "market_over_time", True),
    ("group_lines", "groups", True),
    ("effect_map", "effects", True),
    ("exposure_lines", "exposure", True),
    ("exposure_bars", "exposure", True),
    ("relevance_turnover_bars", "relevance_turnover", True),
    ("deletion_curves", "deletion", False),
    ("truth_agreement", "ground_truth", False),
)


def draw(
    room: ModuleType, tables: Mapping[str, pd.DataFrame], labels: pd.DataFrame, language: str
) -> dict[str, Any]:
    """Draw the report's figures.

    Parameters
    ----------
    room : module
        `konkyo.report.figures` or `konkyo.report.interactive`: their functions have the same names.
    tables : mapping
        Those of `reading.tables`, of the backtest (cumulative, performance, returns, quantiles) and
        of the checks (deletion; ground_truth where there is one), by name. A figure whose
        table is not there is left out.
    labels : DataFrame
        What `reading.labels` returns for the features.
    language : str
        en or ja.

    Returns
    -------
    dict
        Figures by their functions' names. Of families there is one an input or stock, named
        family/input: factor_scatter, market_quantile_bars, and change_bars of the first stock of
        each side and of those named in params.yaml.
    """
    drawn: dict[str, Any] = {}
    for name, table, named in _SINGLE:
        if table in tables:
            words = {"labels": labels} if named else {}
            drawn[name] = getattr(room, name)(tables[table], language=language, **words)
    points, shapes = tables["factor_points"], tables["factor_shape"]
    for feature in points["feature"].drop_duplicates():
        drawn[f"factor_scatter/{feature}"] = room.factor_scatter(
            points, shapes, labels, feature, language=language
        )
    if "market_quantiles" in tables:
        for feature, quantiles in tables["market_quantiles"].groupby("feature", sort=False):
            drawn[f"market_quantile_bars/{feature}"] = room.market_quantile_bars(
                quantiles, labels, language=language
            )
    changes, stocks = tables["changes"], tables["stocks"]
    shown = stocks.loc[(stocks["place"] == 1) | (stocks["side"] == "named"), "stock"]
    for stock in shown[shown.isin(changes["stock"])].drop_duplicates():
        drawn[f"change_bars/{stock}"] = room.change_bars(changes, labels, stock, language=language)
    return drawn
