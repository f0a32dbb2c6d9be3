"""The monitor as one HTML page, in two languages."""

from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt
import numpy as np
import pandas as pd

from konkyo.config import Monitor
from konkyo.dates import label
from konkyo.i18n import Language, Text
from konkyo.monitoring.checks import Check
from konkyo.monitoring.signals import MIN_T
from konkyo.report.pages.html import Page, Table, number_cell, render, sections, shell
from konkyo.report.pages.portfolio import promises

SECTIONS = ("checks", "drift", "market", "skill", "missing", "attribution")
_SHARES = ("drift", "missing", "sign_flips")
_FLAG = "\u25b2"


def page(
    month: pd.Timestamp,
    checks: Sequence[Check],
    *,
    tables: Mapping[str, pd.DataFrame],
    labels: pd.DataFrame,
    limits: Monitor,
    window: int,
    charts: Mapping[str, Mapping[str, alt.TopLevelMixin]],
    language: Language,
) -> str:
    """Return the page.

    Parameters
    ----------
    month : Timestamp
        The newest decision month.
    checks : sequence of Check
        Of `checks.evaluate`.
    tables : mapping
        drift and signs, of which the newest month is shown, and promise.
    labels : DataFrame
        Of `report.tables.labels`.
    limits : Monitor
        The section of params.yaml.
    window : int
        Months of the training window.
    charts : mapping
        For each language, charts by name; the place of a missing one is left out.
    language : str
        The language shown first.

    Returns
    -------
    str
        HTML; whatever comes from data is escaped.
    """
    n_breached = sum(check.breached for check in checks)
    names = {
        row["feature"]: Text(row["en"], row["ja"])
        for row in labels[["feature", "en", "ja"]].to_dict("records")
    }
    drift, signs = (tables[key][tables[key]["month"] == month] for key in ("drift", "signs"))
    verdict = "none" if not n_breached else "one" if n_breached == 1 else "several"
    body = render(
        "monitor.html",
        month=label(month),
        verdict=Text.of(f"monitor.verdict.{verdict}", breached=n_breached, count=len(checks)),
        checks=[_check(check) for check in checks],
        drift=_drift_table(drift, names, limits.max_psi),
        signs=_signs_table(signs, names),
        limits=limits,
        min_t=MIN_T,
        window=window,
        charts=charts["en"],
        promises=promises(tables["promise"], names),
    )
    title = Text.of("monitor.page_title", month=label(month))
    return shell(Page(title, body, sections("monitor", SECTIONS), charts=charts, language=language))


def _check(check: Check) -> dict[str, Any]:
    form = ".1%" if check.name in _SHARES else ".2f"
    return {
        "name": Text.of(f"monitor.check.{check.name}"),
        "key": check.name,
        "month": label(check.month),
        "value": number_cell(check.value, form)[0],
        "limit": number_cell(check.limit, form)[0],
        "breached": check.breached,
        "evaluated": pd.notna(check.value),
        "past": f"{check.past_breaches} / {check.past_months}",
        "detail": check.detail,
        "remedy": check.remedy,
    }


def _drift_table(drift: pd.DataFrame, names: Mapping[str, Text], max_psi: float) -> Table:
    """Return the newest PSI of every characteristic, the largest first."""
    frame = drift.sort_values("psi", ascending=False, kind="stable").assign(
        feature=lambda rows: rows["feature"].map(names),
        drifts=lambda rows: np.where(rows["psi"] > max_psi, _FLAG, ""),
    )
    heads = {
        "feature": Text.of("group.characteristic"),
        "drifts": Text.of("monitor.column.drifts"),
        "psi": Text.same("PSI"),
        "chance": Text.of("monitor.column.psi_by_chance"),
        "stocks": Text.of("monitor.column.stocks"),
    }
    return Table.of(frame, heads, {"psi": ".3f", "chance": ".3f", "stocks": ",.0f"})


def _signs_table(signs: pd.DataFrame, names: Mapping[str, Text]) -> Table:
    """Return the effects before and now, those that changed sign first."""
    forms = {"before": "+.3f", "now": "+.3f", "t_before": "+.1f", "t_now": "+.1f"}
    frame = signs.sort_values("changed", ascending=False, kind="stable").assign(
        feature=lambda rows: rows["feature"].map(names),
        changed=lambda rows: np.where(rows["changed"], _FLAG, ""),
    )
    heads = {
        "feature": Text.of("group.characteristic"),
        "changed": Text.of("monitor.column.changed_sign"),
        **{name: Text.of(f"monitor.column.{name}") for name in forms},
    }
    return Table.of(frame, heads, forms)
