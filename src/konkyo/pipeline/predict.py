"""predict: the ranking of a decision month with its attributions, as CSV and Excel."""

import json
from pathlib import Path

import pandas as pd

from konkyo import __version__, cache, config, dates, io
from konkyo.artifacts import HERE, require
from konkyo.errors import ParamsError
from konkyo.features import store
from konkyo.i18n import Language
from konkyo.monitoring import workbook
from konkyo.monitoring.ranking import month_ranking
from konkyo.pipeline import locking, report_inputs, stage
from konkyo.windows import earned_in


@stage
@locking.reading
def main(month: str = "newest", language: str | None = None, out: Path | None = None) -> None:
    """Write the ranking of a month.

    Parameters
    ----------
    month : str
        "newest" or a decision month YYYY-MM that has attributions.
    language : str, optional
        "en" or "ja"; by default report.language.
    out : Path, optional
        The folder of YYYY-MM.csv and YYYY-MM.xlsx; by default data/predictions.
    """
    params = config.load()
    code = language or params.report.language
    if code not in ("en", "ja"):
        raise ParamsError(f"--language {code}: write en or ja")
    text_language: Language = "ja" if code == "ja" else "en"
    path = report_inputs.file_of(month)
    panel = store.read(HERE.panel)
    explained = report_inputs.explained_panel(panel, [path], params.backtest.n_quantiles)
    labels = report_inputs.read_labels(panel.catalogue)
    table = month_ranking(explained, dates.parse(path.stem), labels, text_language)
    folder = HERE.predictions if out is None else out
    provenance = facts(path.stem, params, len(table))
    workbook.write(
        folder / f"{path.stem}.xlsx", table, catalogue=panel.catalogue, labels=labels,
        language=text_language, facts=provenance,
    )  # fmt: skip
    io.write_csv(table, folder / f"{path.stem}.csv")
    print(f"{path.stem}: {len(table):,} stocks ranked, {folder / path.stem}.csv and .xlsx")


def facts(month: str, params: config.Params, n_stocks: int) -> dict[str, str]:
    """Return the provenance of a ranking, by the names in "workbook.fact" of the texts."""
    source = io.read_json(HERE.source)
    windows = io.read_csv(HERE.windows, dtype=str).set_index("month")
    skip_months = params.prepare.skip_months
    window = windows.loc[month]
    return {
        "month": month,
        "earned": dates.label(earned_in(pd.DatetimeIndex([dates.parse(month)]), skip_months)[0]),
        "stocks": f"{n_stocks:,}",
        "portfolios": str(params.backtest.n_quantiles),
        "trained_on": f"{window['first_train']} - {window['last_train']}",
        "network": io.sha256_of(require(HERE.weights_of(month))),
        "params": cache.digest_of(json.dumps(config.as_dict(params), sort_keys=True)),
        "source": f"{source['source']}, {source['first_month']} - {source['last_month']}",
        "point_in_time": str(source["point_in_time"]).lower(),
        "survivorship_free": str(source["survivorship_free"]).lower(),
        "version": __version__,
    }
