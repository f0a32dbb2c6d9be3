"""Params against records: everything that a later stage would refuse, before anything is trained.

`konkyo check` and the stage ingest look at the records, the stage train at the panel, since params
may have changed after ingest. Every fault is a violation of params.yaml, and all come at once.
"""

import os
import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from konkyo import dates
from konkyo.artifacts import HERE
from konkyo.config import Params
from konkyo.data.parsing import ParsedTable
from konkyo.data.records import Records
from konkyo.data.violations import IN_MESSAGE, Violation, few, raise_if_any, violation
from konkyo.errors import KonkyoError, RecordsError, TrackingError
from konkyo.features import available, build, market
from konkyo.features.grid import Grid

_SQLITE = "sqlite:///"
_LONGEST_EXPERIMENT = 500
"""Letters of an experiment's name that the MLflow store takes."""


def of_records(params: Params, records: Records) -> list[Violation]:
    """Return what the later stages would refuse in these params with these records.

    Parameters
    ----------
    params : Params
        All sections of params.yaml.
    records : Records
        Checked and normalised.
    """
    prepare, stocks = params.prepare, records.stocks
    faults = [_fault(*fault) for fault in available.unmet(prepare, stocks, records.market)]
    first, month = dates.parse(prepare.first_month), stocks["month"]
    index = stocks[["month", "stock"]]
    if month.min() <= first <= month.max():
        months = dates.month_end(np.unique(dates.ordinal(month[month >= first])))
        # Series by series, as the first fault would hide the others.
        for name, kinds in prepare.market.items():
            for kind in kinds if name in records.market else ():
                try:
                    market.features(records.market, {name: (kind,)}, months)
                except KonkyoError as error:
                    text = str(error).removeprefix("prepare.market ")
                    faults.append(_fault("prepare.market", text))
        index = _universe(params, records)
        files = params.ingest.tables.stocks.files if params.ingest.source == "tables" else ()
        table = ParsedTable(", ".join(files) or records.facts["source"], stocks)
        column = next(n for n in ("eligible", "size", "close", "return") if n in stocks)
        faults += _thin_months(params, table, column, index, months)
    names = pd.DataFrame({"name": [], "group": []})
    try:
        names = build.catalogue_of(prepare, stocks)
    except KonkyoError as error:
        faults.append(_fault("prepare", str(error)))
    return faults + of_panel(params, index, names)


def of_panel(params: Params, index: pd.DataFrame, catalogue: pd.DataFrame) -> list[Violation]:
    """Return what the stages from train on would refuse in these params with this panel.

    Parameters
    ----------
    params : Params
        All sections of params.yaml.
    index : DataFrame
        month and stock of the universe, of all months of the panel.
    catalogue : DataFrame
        name and group of the features.
    """
    report = params.report
    faults: list[Violation] = []
    months = [dates.label(month) for month in sorted(index["month"].unique())]
    decisions = months[params.train.window_months + params.prepare.skip_months :]
    if decisions:
        faults += _months_of_report(params, index, decisions)
    else:
        faults.append(
            _fault(
                "train.window_months",
                f"a window of {params.train.window_months} months needs one month more, and the "
                f"panel has {len(months)}",
                "shorten the window, begin earlier (prepare.first_month) or add months",
            )
        )
    names = catalogue["name"].tolist()
    series = catalogue.loc[catalogue["group"] == "market", "name"].tolist()
    faults += _unknown("factors", report.factors, names, "feature")
    faults += _unknown("market", report.market, series, "market series of prepare.market")
    return [*faults, *without_records(params)]


def require_panel(params: Params, index: pd.DataFrame, catalogue: pd.DataFrame) -> None:
    """See that no stage from train on would refuse these params with this panel.

    Raises
    ------
    RecordsError
        Everything that one would refuse, as `of_panel` lists it.
    """
    panel, months = ParsedTable(str(HERE.panel), index), pd.DatetimeIndex(index["month"].unique())
    thin = _thin_months(params, panel, "stock", index, months)
    raise_if_any([*of_panel(params, index, catalogue), *thin])


def without_records(params: Params) -> list[Violation]:
    """Return what can be refused whatever the records are: labels, and the MLflow store."""
    track, faults = params.track, []
    if set(track.model) & set("/:"):
        faults.append(_fault("track.model", f"{track.model!r} has / or :", "leave them out"))
    if len(track.experiment) > _LONGEST_EXPERIMENT:
        found = f"{len(track.experiment)} letters, and {_LONGEST_EXPERIMENT} are the most"
        faults.append(_fault("track.experiment", found, "shorten it"))
    return [*faults, *_labels(), *_store(params)]


def remarks(params: Params, records: Records) -> Iterator[str]:
    """Yield what commands outside of `dvc repro` would refuse, none of which stops the main job."""
    month = records.stocks["month"]
    if not month.min() <= dates.parse(params.prepare.first_month) <= month.max():
        return
    months = int(month[month >= dates.parse(params.prepare.first_month)].nunique())
    # The newest month's return is not realised.
    decisions = months - params.train.window_months - 1 - 2 * params.prepare.skip_months
    tune = params.tune
    # The last returns are not realised, and those just before the holdout are of neither side.
    skip_months = params.prepare.skip_months
    longest = max(tune.space.window_months) + skip_months
    searched = months - 2 * (1 + skip_months) - longest - tune.holdout
    if searched < 1:
        yield (
            f"`konkyo tune` would have no month to search in: tune.holdout = {tune.holdout} and "
            f"windows of {max(tune.space.window_months)} months leave none of {months}"
        )
    if decisions < params.monitor.months + 2:
        yield (
            f"`konkyo monitor` cannot test the rank IC: monitor.months = {params.monitor.months}, "
            f"and {max(decisions, 0)} decision months have a realised return"
        )
    if decisions < params.promote.months:
        yield (
            f"`konkyo promote` compares {max(decisions, 0)} months: promote.months = "
            f"{params.promote.months} are not there"
        )


def _months_of_report(
    params: Params, index: pd.DataFrame, decisions: Sequence[str]
) -> Iterator[Violation]:
    """See that the report's months have a network, and that its stocks are ranked in its month."""
    report = params.report
    month = decisions[-1] if report.month == "newest" else report.month
    for key, value in (("month", month), ("market_month", report.market_month)):
        if value not in decisions and value != "largest":
            yield _fault(
                f"report.{key}",
                f"no stock is ranked in {value}",
                f"choose a month from {decisions[0]} to {decisions[-1]}",
            )
    month = month if month in decisions else decisions[-1]
    ranked = index.loc[index["month"] == dates.parse(month), "stock"].astype(str).tolist()
    yield from _unknown("watchlist", report.watchlist, ranked, f"stock ranked in {month}")


def _unknown(
    key: str, names: Sequence[str], allowed: Sequence[str], noun: str
) -> Iterator[Violation]:
    absent = [name for name in names if name not in set(allowed)]
    if absent:
        choice = few(allowed) or "none, as there is none"
        found = f"{few(map(repr, absent))}: no {noun}"
        yield _fault(f"report.{key}", found, f"choose from {choice}")


def _universe(params: Params, records: Records) -> pd.DataFrame:
    """Return month and stock of the rows that the panel would have."""
    prepare, stocks = params.prepare, records.stocks
    names: tuple[str, ...] = ()
    if prepare.missing == "drop" and not any(available.unmet(prepare, stocks, records.market)):
        names = available.resolve(prepare, stocks)
    else:
        stocks = stocks[stocks.columns.intersection(build.OF_UNIVERSE)]
    grid = Grid.of(stocks)
    row, column, _, _ = build.rows_of(grid, grid.numbers(stocks), prepare, names)
    return pd.DataFrame({"month": grid.month[row], "stock": grid.stock[column]})


def _thin_months(
    params: Params, table: ParsedTable, column: str, index: pd.DataFrame, months: pd.DatetimeIndex
) -> Iterator[Violation]:
    """See that every month of the panel has at least one stock a quantile."""
    least = params.backtest.n_quantiles
    counts = index.groupby("month").size().reindex(months, fill_value=0)
    thin = [f"{dates.label(month)}: {n}" for month, n in counts[counts < least].items()]
    if thin:
        known = " and every characteristic" if params.prepare.missing == "drop" else ""
        found = (
            f"fewer than {least} stocks that are eligible and have a size{known}, one a quantile,"
        )
        remedy = (
            "loosen ingest.tables.stocks.eligible, add stocks or sizes, begin later "
            "(prepare.first_month) or lower backtest.n_quantiles"
        )
        yield violation(table, [column], "thin month", found, remedy, months=thin)


def _labels() -> Iterator[Violation]:
    """See that the user's names of features can be read."""
    if HERE.labels.exists():
        # Tables of the report take a second to import, which most projects need not wait for.
        from konkyo.report.tables.labels import read_labels

        try:
            read_labels(HERE.labels)
        except RecordsError as error:
            yield Violation(str(HERE.labels), "", "file", str(error), (), 0, IN_MESSAGE)


def _store(params: Params) -> Iterator[Violation]:
    """See that the runs can be logged."""
    uri = os.environ.get("MLFLOW_TRACKING_URI") or params.track.uri
    experiments = (params.track.experiment, params.intervention.track.experiment)
    if not uri.startswith(_SQLITE):
        # MLflow takes seconds to import, which a local database does not need.
        from konkyo.tracking import store

        try:
            client = store.connect(store.target(params.track, Path.cwd(), os.environ).uri)
            for name in experiments:
                experiment = client.get_experiment_by_name(name)
                if experiment is not None and experiment.lifecycle_stage != "active":
                    yield _deleted(name)
        except TrackingError as error:
            yield _fault("track.uri", str(error))
        return
    path = Path(uri.removeprefix(_SQLITE))
    folder = next(parent for parent in path.absolute().parents if parent.exists())
    if not (os.access(path if path.exists() else folder, os.W_OK) and folder.is_dir()):
        found = f"{path} cannot be written"
        yield _fault("track.uri", found, "name a database in a folder that can")
    elif path.exists():
        try:
            connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)
            rows = connection.execute("SELECT name, lifecycle_stage FROM experiments").fetchall()
            connection.close()
        except sqlite3.OperationalError as error:
            # One that is locked is in use, and one without tables is yet to be made.
            if "locked" not in str(error) and "no such table" not in str(error):
                yield _fault("track.uri", f"{path} cannot be opened", "name another database")
        except sqlite3.DatabaseError:
            yield _fault("track.uri", f"{path} is no database", "name another file")
        else:
            states = dict(rows)
            yield from (
                _deleted(name) for name in experiments if states.get(name, "active") != "active"
            )


def _deleted(name: str) -> Violation:
    return _fault(
        "track.experiment",
        f"{name!r} was deleted in the MLflow store",
        "restore it with `mlflow experiments restore`, or set another name",
    )


def _fault(key: str, found: str, remedy: str = IN_MESSAGE) -> Violation:
    """Return the violation of a key; the message of an error has its remedy within."""
    return Violation("params.yaml", key, "params", found, (), 0, remedy)
