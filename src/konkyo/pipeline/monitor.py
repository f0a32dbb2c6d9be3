"""Monitor inputs, skill and attributions of the newest month; exit code 1 on a breach."""

import sys
from pathlib import Path
from typing import Any

import altair as alt
import numpy as np
import pandas as pd

from konkyo import config, dates, io
from konkyo.artifacts import HERE
from konkyo.backtesting.return_attribution import (
    attribution_summary,
    promise,
    return_attribution,
)
from konkyo.errors import ArtifactError
from konkyo.features import store
from konkyo.features.characteristics import raw_values
from konkyo.i18n import LANGUAGES
from konkyo.monitoring import checks, drift, figures, signals
from konkyo.monitoring.page import page
from konkyo.pipeline import locking, report_inputs, stage
from konkyo.report import tables as report_tables
from konkyo.report.pages.portfolio import group_names, promises

HISTORY = 36
"""Months that the page shows; of rank IC all months."""


@stage
@locking.reading
def main() -> None:
    """Write data/monitor and data/monitor.json.

    Raises
    ------
    SystemExit
        With code 1, where a limit is breached; a line for each is on standard error.
    """
    params = config.load()
    panel = store.read(HERE.panel)
    month = panel.index["month"].iloc[-1]
    files = report_inputs.files()
    if files[-1].stem != dates.label(month):
        raise ArtifactError(
            f"the panel ends in {dates.label(month)}, but the newest attributions are of "
            f"{files[-1].stem}: run `konkyo update` or `dvc repro`"
        )
    tables = measure(panel, files, params)
    tables["history"] = checks.check_values(tables, params.monitor)
    results = checks.evaluate(tables["history"], tables, params.monitor, month)
    tables["checks"] = checks.to_table(results)
    for name, table in tables.items():
        io.write_csv(table, HERE.monitor / f"{name}.csv")
    labels = report_inputs.read_labels(panel.catalogue)
    charts: dict[str, dict[str, alt.TopLevelMixin]] = {
        language: figures.charts(tables, labels, params.monitor, language) for language in LANGUAGES
    }
    text = page(
        month,
        results,
        tables=tables,
        labels=labels,
        limits=params.monitor,
        window=params.train.window_months,
        charts=charts,
        language=params.report.language,
    )
    with io.atomic_write(HERE.monitor / "monitor.html") as scratch:
        scratch.write_text(text, encoding="utf-8")
    breached = [check for check in results if check.breached]
    io.write_json(summary(results, dates.label(month)), HERE.monitor_result)
    print(
        f"{dates.label(month)}: {len(breached)} of {len(results)} limits breached, "
        f"see {HERE.monitor}"
    )
    for sentence in promises(tables["promise"], group_names(labels)):
        print(sentence.en)
    for check in breached:
        print(f"monitor: {checks.log_line(check)}", file=sys.stderr)
    if breached:
        raise SystemExit(1)


def measure(
    panel: store.Panel, files: list[Path], params: config.Params
) -> dict[str, pd.DataFrame]:
    """Return the tables of the monitor, the newest months of each.

    Parameters
    ----------
    panel : Panel
        The panel; its last month is the newest.
    files : list of Path
        Attribution files by month, ascending.
    params : Params
        params.yaml, by which the panel was built.

    Returns
    -------
    dict
        drift, market, rank_ic, missing, signs, effects, promise, returns.
    """
    month, window = panel.index["month"], params.train.window_months
    skip_months = params.prepare.skip_months
    stocks = io.read_parquet(HERE.stocks)
    named = [panel.names[column] for column in panel.columns("characteristic")]
    raw = raw_values(stocks, panel.index, named)
    series = panel.columns("market")
    returns = report_inputs.read_table(HERE.returns)
    returns = returns[returns["model"] == "network"].reset_index(drop=True)
    newest = files[-(HISTORY + 2 * signals.MONTHS_PER_YEAR - 1) :]
    explained = report_inputs.explained_panel(panel, newest, params.backtest.n_quantiles)
    effects = report_tables.effects(explained)
    earned = return_attribution(explained.index, explained.relevance, explained.names)
    return {
        "drift": drift.characteristic_drift(raw, month, window, HISTORY, skip_months=skip_months),
        "market": drift.market_z_scores(
            panel.features[:, series],
            month,
            [panel.names[c] for c in series],
            window,
            HISTORY,
            skip_months=skip_months,
        ),
        "rank_ic": signals.rank_ic_against_history(returns, params.monitor.months),
        "missing": signals.missing_shares(report_inputs.read_table(HERE.panel_missing), HISTORY),
        "signs": signals.sign_changes(effects),
        "effects": effects,
        "promise": promise(
            explained.index,
            explained.relevance,
            explained.names,
            attribution_summary(earned),
            params.backtest.n_quantiles,
        ),
        "returns": returns[["month", "model", "rank_ic"]],
    }


def summary(results: list[checks.Check], month: str) -> dict[str, Any]:
    """Return the checks for data/monitor.json; a value that cannot be evaluated is null."""
    return {
        "month": month,
        "breached": any(check.breached for check in results),
        "checks": {
            check.name: {
                "month": dates.label(check.month),
                "value": check.value if np.isfinite(check.value) else None,
                "limit": check.limit,
                "breached": check.breached,
                "detail": check.detail.en,
            }
            for check in results
        },
    }
