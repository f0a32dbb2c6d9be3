"""Every figure of the monitor, by the names of its places in the page."""

from collections.abc import Mapping

import altair as alt
import pandas as pd

from konkyo.config import Monitor
from konkyo.i18n import Language
from konkyo.monitoring.checks import CHECKS, LIMIT_KEYS, breaches
from konkyo.report.charts.history import effect_map
from konkyo.report.charts.monitoring import check_line, input_map
from konkyo.report.charts.performance import monthly_rank_ic

FORMATS = {
    "drift": ".0%", "market_z": ".1f", "rank_ic": ".1f", "missing": ".0%", "sign_flips": ".0%"
}  # fmt: skip
"""Number format of each check's statistic."""


def charts(
    tables: Mapping[str, pd.DataFrame], labels: pd.DataFrame, limits: Monitor, language: Language
) -> dict[str, alt.TopLevelMixin]:
    """Draw every figure that has data.

    Parameters
    ----------
    tables : mapping
        history (of `checks.check_values`), drift, market, missing, effects and returns, by name.
    labels : DataFrame
        Of `report.tables.labels`.
    limits : Monitor
        The section of params.yaml.
    language : str
        en or ja.

    Returns
    -------
    dict
        One line a check under its name; psi_map, market_z_map, missing_map, monthly_rank_ic and
        effect_map.
    """
    drawn: dict[str, alt.TopLevelMixin] = {}
    for name in CHECKS:
        history = tables["history"][tables["history"]["check"] == name].dropna(subset="value")
        limit = float(getattr(limits, LIMIT_KEYS[name]))
        if len(history):
            drawn[name] = check_line(
                history.assign(breached=breaches(history["value"], limit, name)),
                name,
                limit=limit,
                form=FORMATS[name],
                language=language,
            )
    maps = (
        ("psi_map", "drift", "psi", 2 * limits.max_psi, ".2f"),
        ("market_z_map", "market", "z", limits.max_abs_z, "+.1f"),
        ("missing_map", "missing", "share", max(2 * limits.max_missing, 0.1), ".0%"),
    )
    for name, table, column, limit, form in maps:
        if tables[table].get(column, pd.Series(dtype=float)).notna().any():
            drawn[name] = input_map(
                tables[table],
                column,
                labels=labels,
                name=name,
                limit=limit,
                form=form,
                language=language,
            )
    if tables["returns"]["rank_ic"].notna().any():
        drawn["monthly_rank_ic"] = monthly_rank_ic(tables["returns"], language=language)
    if tables["effects"]["effect"].notna().any():
        drawn["effect_map"] = effect_map(tables["effects"], labels, language)
    return drawn
