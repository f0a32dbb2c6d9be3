"""The monitor as one HTML page, in two languages."""

from collections.abc import Mapping, Sequence

import altair as alt
import pandas as pd

from konkyo.config import Monitor
from konkyo.dates import label
from konkyo.i18n import Language, Text
from konkyo.monitoring.checks import CHECKS, Check
from konkyo.monitoring.signals import MIN_T
from konkyo.report.pages.html import Page, Table, number_cell, render, sections, shell

_COLUMNS = ("check", "result", "month", "value", "limit", "past_breaches")
_SHARES = ("drift", "missing", "sign_flips")


def page(
    month: pd.Timestamp,
    checks: Sequence[Check],
    *,
    promises: Sequence[Text],
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
    promises : sequence of Text
        Of `report.pages.portfolio.promises`.
    limits : Monitor
        The section of params.yaml.
    window : int
        Months of the training window.
    charts : mapping
        For each language, charts by check; the place of a missing one is left out.
    language : str
        The language shown first.

    Returns
    -------
    str
        HTML; whatever comes from data is escaped.
    """
    breached = sum(check.breached for check in checks)
    verdict = "none" if not breached else "one" if breached == 1 else "several"
    heads = {name: Text.of_name("monitor.column", name) for name in _COLUMNS}
    body = render(
        "monitor.html",
        month=label(month),
        verdict=Text.of(f"monitor.verdict.{verdict}", breached=breached, count=len(checks)),
        decisions=Table.of(pd.DataFrame([_decision(check) for check in checks]), heads, {}),
        checks=checks,
        limits=limits,
        min_t=MIN_T,
        window=window,
        charts=charts["en"],
        promises=promises,
    )
    title = Text.of("monitor.page_title", month=label(month))
    names = sections("monitor", ("checks", *CHECKS))
    return shell(Page(title, body, names, charts=charts, language=language))


def _decision(check: Check) -> dict[str, object]:
    """Return the row of a check."""
    form = ".1%" if check.name in _SHARES else ".2f"
    state = "breached" if check.breached else "not_judged" if pd.isna(check.value) else "within"
    return {
        "check": Text.of(f"monitor.check.{check.name}"),
        "result": Text.of(f"monitor.result.{state}"),
        "month": label(check.month),
        "value": number_cell(check.value, form),
        "limit": number_cell(check.limit, form),
        "past_breaches": f"{check.past_breaches} / {check.past_months}",
    }
