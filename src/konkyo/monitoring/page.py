"""The monitor as one HTML page, in two languages."""

from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt
import pandas as pd

from konkyo.config import Monitor
from konkyo.dates import label
from konkyo.i18n import Language, Text
from konkyo.monitoring.checks import Check
from konkyo.monitoring.signals import MIN_T
from konkyo.report.pages.html import Page, Table, number_cell, render, sections, shell
from konkyo.report.tables.labels import feature_names

SECTIONS = ("checks", "drift", "market", "skill", "missing", "attribution")
_SHARES = ("drift", "missing", "sign_flips")
_FLAG, _NO_FLAG = Text.same("\u25b2"), Text.same("")


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
        drift and signs, of which the newest month is shown.
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
    names = [feature_names(labels, spoken) for spoken in ("en", "ja")]
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


def _drift_table(drift: pd.DataFrame, names: Sequence[Mapping[str, str]], max_psi: float) -> Table:
    """Return the newest PSI of every characteristic, the largest first."""
    rows = drift.sort_values("psi", ascending=False, kind="stable").to_dict("records")
    heads = [
        (Text.of("group.characteristic"), False),
        (Text.of("monitor.column.drifts"), False),
        (Text.same("PSI"), True),
        (Text.of("monitor.column.psi_by_chance"), True),
        (Text.of("monitor.column.stocks"), True),
    ]
    cells = [
        [
            (Text(*(spoken[row["feature"]] for spoken in names)), None),
            (_FLAG if row["psi"] > max_psi else _NO_FLAG, None),
            number_cell(row["psi"], ".3f"),
            number_cell(row["chance"], ".3f"),
            number_cell(row["stocks"], ",.0f"),
        ]
        for row in rows
    ]
    return Table(heads, cells)


def _signs_table(signs: pd.DataFrame, names: Sequence[Mapping[str, str]]) -> Table:
    """Return the effects before and now, those that changed sign first."""
    columns = {
        "effect_before": "before",
        "effect_now": "now",
        "t_before": "t_before",
        "t_now": "t_now",
    }
    heads = [
        (Text.of("group.characteristic"), False),
        (Text.of("monitor.column.changed_sign"), False),
    ]
    heads += [(Text.of(f"monitor.column.{key}"), True) for key in columns]
    rows = signs.sort_values("changed", ascending=False, kind="stable").to_dict("records")
    cells = [
        [
            (Text(*(spoken[row["feature"]] for spoken in names)), None),
            (_FLAG if row["changed"] else _NO_FLAG, None),
            *(
                number_cell(row[column], "+.1f" if column.startswith("t_") else "+.3f")
                for column in columns.values()
            ),
        ]
        for row in rows
    ]
    return Table(heads, cells)
