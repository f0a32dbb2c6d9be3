"""Checks that an update leaves records, weights and attributions of earlier months unchanged."""

from collections.abc import Sequence
from dataclasses import replace

from konkyo import cache, dates
from konkyo.artifacts import HERE
from konkyo.config import Params
from konkyo.data import Records, revisions
from konkyo.errors import ArtifactError, RecordsError
from konkyo.features.store import Panel
from konkyo.io import read_key, read_parquet

_TABLES = {"stocks": ("month", "stock"), "market": ("month",)}
"""The tables of the records and their keys."""


def require_newest(month: str | None, newest: str) -> None:
    """Raise if a month, YYYY-MM, is not the newest one of the records.

    Raises
    ------
    RecordsError
        It is earlier or later.
    """
    if month is None or month == newest:
        return
    remedy = (
        f"set ingest.last_month: {month} in params.yaml"
        if month < newest
        else f"add the rows of {month} (ingest.tables.stocks.files), and set ingest.last_month: "
        "newest"
    )
    raise RecordsError(
        f"--month {month} is not the newest month of the records, which is {newest}: {remedy}"
    )


def append_to_earlier(records: Records) -> Records:
    """Return the records with the rows of earlier months exactly as they were used before.

    Sources recompute values, whose last digits may differ: the rows of data/records stay, so that
    no cache key changes.

    Raises
    ------
    RecordsError
        Earlier months changed by more than rounding, or have more or fewer rows.
    """
    paths = {name: HERE.records / f"{name}.parquet" for name in _TABLES}
    if not all(path.exists() for path in paths.values()):
        return records
    before = {name: read_parquet(path) for name, path in paths.items()}
    last = dates.label(before["stocks"]["month"].max())
    if last > records.facts["last_month"]:
        raise RecordsError(
            f"the records end in {records.facts['last_month']}, but earlier results go to {last}: "
            f"add the rows up to {last}, or compute everything again by `dvc repro`"
        )
    differences = [
        difference
        for name, keys in _TABLES.items()
        for difference in revisions.differences(name, before[name], getattr(records, name), keys)
    ]
    revisions.raise_if_revised(differences)
    return replace(
        records,
        stocks=revisions.append_new_months(before["stocks"], records.stocks),
        market=revisions.append_new_months(before["market"], records.market),
    )


def require_cached(params: Params, panel: Panel, before: cache.Digests) -> None:
    """Raise if results of earlier months would be computed again.

    Parameters
    ----------
    params : Params
        params.yaml.
    panel : Panel
        The panel with the new month.
    before : dict
        Digests of the files of earlier months.

    Raises
    ------
    ArtifactError
        A file differs from the one that was written last, or its cache key changed.
    """
    # torch takes seconds to import: `update` loads it in a thread while the records are checked.
    from konkyo import windows
    from konkyo.models import jobs
    from konkyo.models import store as weights
    from konkyo.models.train import pending_files

    altered = cache.changes(cache.read_digests(HERE.digests), before)
    if altered:
        raise ArtifactError(
            f"{len(altered)} files of earlier months are not as they were written, first "
            f"{altered[0]}: finish the last run with `dvc repro`, or restore them with "
            "`dvc checkout`"
        )
    decisions = windows.rolling(
        windows.MonthSlices.of(panel.index["month"]),
        params.train.window_months,
        params.prepare.skip_months,
    )
    plan = jobs.plan(panel, decisions, params.train)
    due = [
        name
        for name in pending_files(plan.keys, HERE.models)
        if weights.read_key(HERE.models / f"{name}.safetensors") is not None
    ]
    rows = {m: d for m, d in jobs.row_digests(panel, decisions).items() if m in before}
    epsilon, method = params.attribute.epsilon, params.attribute.method
    attribution_keys = cache.attribution_keys(HERE.weights, rows, epsilon, method)
    due += [
        f"attributions/{month}"
        for month, key in attribution_keys.items()
        if HERE.attributions_of(month).exists() and read_key(HERE.attributions_of(month)) != key
    ]
    if due:
        raise ArtifactError(
            f"{len(due)} results of earlier months would be computed again, first {due[0]}: "
            "params.yaml or the code changed since; `dvc repro` and --restated compute them again"
        )


def require_unchanged(changed: Sequence[str]) -> None:
    """Raise if files of earlier months changed during the update.

    Raises
    ------
    ArtifactError
        Another program wrote them.
    """
    if changed:
        raise ArtifactError(
            f"{len(changed)} files of earlier months changed, first {changed[0]}: another program "
            "wrote them during the update; run `dvc checkout` and this command again"
        )
