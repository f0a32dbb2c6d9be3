"""A challenger becomes champion where it was better, and the registry says why."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd
from mlflow import MlflowClient
from mlflow.entities import Metric
from mlflow.entities.model_registry import ModelVersion
from mlflow.exceptions import MlflowException
from mlflow.utils.mlflow_tags import MLFLOW_RUN_NOTE

from konkyo import dates, io, resilience
from konkyo.config import Params
from konkyo.errors import TrackingError
from konkyo.monitoring import comparison
from konkyo.monitoring.comparison import Comparison
from konkyo.tracking import registry, runs, store

_LONGEST_REASON = 1000


@dataclass(frozen=True)
class Outcome:
    """What `promote` did.

    Attributes
    ----------
    text : str
        The figures and what is to be known about them.
    promoted : bool
        Whether the aliases moved.
    objections : tuple of str
        Why not, or what was overruled.
    version, champion : int
        The candidate, and the champion that it was compared with.
    run_id : str
        The run that holds the comparison.
    """

    text: str
    promoted: bool
    objections: tuple[str, ...]
    version: int
    champion: int
    run_id: str


def promote(
    root: Path,
    params: Params,
    version: int | None = None,
    reason: str = "",
    force: bool = False,
    environment: Mapping[str, str] = os.environ,
) -> Outcome:
    """Compare a version with the champion, and make it champion if it was better.

    Every comparison is logged as a run of its own, refused ones too, since a candidate that is the
    best of many tries is better by luck alone.

    Parameters
    ----------
    root : pathlib.Path
        The project's folder.
    params : Params
        promote: months, objective and least; track: store, experiment and model.
    version : int, optional
        The candidate; the version with the alias `challenger` if not given.
    reason : str
        In your own words, kept with the version; needed with `force`.
    force : bool
        Promote it whatever the comparison says.
    environment : mapping of str to str
        What `mlflow run` passes.

    Returns
    -------
    Outcome
        With `promoted` the alias `champion` points to the version, `previous` to the old champion,
        and the version's tags and description say why.

    Raises
    ------
    TrackingError
        There is no champion or no such version, it is the champion already, a run has no monthly
        series, or `force` has no reason.
    """
    reason = reason.strip()
    if force and not reason:
        raise TrackingError(
            "--force overrules the comparison, and the registry keeps why: add --reason '...'"
        )
    if len(reason) > _LONGEST_REASON:
        raise TrackingError(
            f"the reason has {len(reason)} characters, and may have {_LONGEST_REASON}: shorten it"
        )
    where = store.target(params.track, root, environment)
    client, name, choice = store.connect(where.uri), params.track.model, params.promote
    champion = registry.needed(client, name, registry.CHAMPION)
    candidate = _candidate(client, name, version)
    if int(candidate.version) == int(champion.version):
        raise TrackingError(
            f"version {champion.version} of {name} is the champion already: give another --version"
        )
    found = comparison.compare(
        monthly(client, champion),
        monthly(client, candidate),
        n_months=choice.months,
        objective=choice.objective,
        min_improvement=choice.min_improvement,
    )
    objections = found.objections()
    sources = [one.tags.get("source") for one in (champion, candidate)]
    if None not in sources and sources[0] != sources[1]:
        objections.insert(0, f"it was made from {sources[1]!r}, the champion from {sources[0]!r}")
    with runs.parent(client, where, f"promote-{candidate.version}") as (run_id, experiment):
        made = comparisons(client, experiment)
        text = "\n".join(
            [
                comparison.to_text(
                    found, f"champion {champion.version}", f"version {candidate.version}"
                ),
                *caveats(
                    found, champion.tags, candidate.tags, made, registry.configuration(params)
                ),
            ]
        )
        promoted = force or not objections
        words = _words(candidate, champion, found, promoted, objections, reason)
        facts = _facts(candidate, champion, found, promoted, bool(objections), words, run_id)
        tags = {"kind": "promotion", "promoted": str(promoted).lower(), **facts}
        runs.log(
            client,
            run_id,
            metrics=_metrics(found),
            tags={**tags, MLFLOW_RUN_NOTE: f"{words}\n\n```\n{text}\n```"},
        )
        _log_tables(client, run_id, found)
        if promoted:
            _move(client, name, champion, candidate, facts, f"{words}\n\n{text}")
    return Outcome(
        text,
        promoted,
        tuple(objections),
        int(candidate.version),
        int(champion.version),
        run_id,
    )


def monthly(client: MlflowClient, version: ModelVersion) -> pd.DataFrame:
    """Return the monthly series of a version's run.

    Returns
    -------
    pandas.DataFrame
        month (decision month t, period end), rank_ic, spread_net, turnover: those of t+1, so that
        a month without a realised return is not there.

    Raises
    ------
    TrackingError
        The run is deleted or has no such series.
    """
    columns = {}
    for name in comparison.SERIES:
        try:
            points = client.get_metric_history(str(version.run_id), f"monthly/{name}")
        except MlflowException:
            points = []
        ends = pd.to_datetime([point.timestamp for point in points], unit="ms")
        values = [point.value for point in points]
        columns[name] = pd.Series(values, dates.month_end(dates.ordinal(ends)), "float64")
    if columns["rank_ic"].empty or columns["spread_net"].empty:
        raise TrackingError(
            f"version {version.version} cannot be compared: its run {version.run_id} has no "
            "monthly/rank_ic and monthly/spread_net; log its results again with `dvc repro track`"
        )
    return pd.DataFrame(columns).rename_axis("month").reset_index()


def comparisons(client: MlflowClient, experiment: str) -> int:
    """Return how many comparisons an experiment holds, this one not counted."""
    found = client.search_runs([experiment], "tags.kind = 'promotion'", max_results=1000)
    return len(found)


def caveats(
    found: Comparison,
    champion: Mapping[str, str],
    candidate: Mapping[str, str],
    made: int,
    configuration: str,
) -> list[str]:
    """Return what must be known beside the figures, one sentence or two a line.

    Parameters
    ----------
    found : Comparison
        The figures.
    champion, candidate : mapping of str to str
        The facts of both versions.
    made : int
        Comparisons made before.
    configuration : str
        Digest of the configuration that params.yaml has now.
    """
    lines = []
    for who, tags in (("candidate", candidate), ("champion", champion)):
        until = tags.get("tuned_until")
        if until is None:
            continue
        seen = int((found.monthly["month"] <= dates.parse(until)).sum())
        if seen:
            lines.append(
                f"{seen} of {len(found.monthly)} months are among those on which the search "
                f"{tags['tuned_study']!r} chose the {who} (up to {until}): they flatter it."
            )
        else:
            lines.append(
                f"The search {tags['tuned_study']!r} chose the {who} on months up to {until}, "
                "before these; they were its holdout, and not unseen if its result was read."
            )
    if "tuned_until" not in candidate:
        lines.append(
            "No finished search is known to have chosen the candidate; if it was chosen by looking "
            "at these months, they flatter it."
        )
    if made:
        lines.append(
            f"Comparisons made before this one: {made}. The best of many is better by luck."
        )
    row = found.metrics.set_index("measure").loc[_tested(found)]
    if not row["p"] < 0.05:
        lines.append("The difference cannot be told from luck (p is not below 0.05).")
    last = candidate.get("last_month", ""), champion.get("last_month", "")
    if last[0] < last[1]:
        lines.append(
            f"The candidate ends {last[0]}, the champion {last[1]}: `dvc repro` with the "
            "candidate's params brings it up to date."
        )
    if candidate.get("configuration", configuration) != configuration:
        lines.append(
            "params.yaml has another configuration than the candidate: the next months continue "
            "the champion only if it has the champion's."
        )
    return lines


def _tested(found: Comparison) -> str:
    """Return the measure whose paired test goes with the objective."""
    return "mean" if found.objective == "sharpe_ratio" else found.objective


def _candidate(client: MlflowClient, name: str, version: int | None) -> ModelVersion:
    if version is None:
        return registry.needed(client, name, registry.CHALLENGER)
    try:
        return client.get_model_version(name, str(version))
    except MlflowException:
        there = sorted(int(v.version) for v in client.search_model_versions(f"name = '{name}'"))
        raise TrackingError(
            f"the model {name} has no version {version}: it has "
            f"{', '.join(map(str, there)) or 'none'}"
        ) from None


def _words(
    candidate: ModelVersion,
    champion: ModelVersion,
    found: Comparison,
    promoted: bool,
    objections: list[str],
    reason: str,
) -> str:
    """Return what was decided and why, in one paragraph."""
    done = "took over from" if promoted else "did not take over from"
    text = (
        f"Version {candidate.version} {done} version {champion.version}: {found.objective} "
        f"{found.improvement:+.4f} over {found.span} (above {found.min_improvement:g} is asked)."
    )
    if objections:
        text += f" {'Overruled' if promoted else 'Objections'}: {'; '.join(objections)}."
    return f"{text} Reason given: {reason}" if reason else text


def _facts(
    candidate: ModelVersion,
    champion: ModelVersion,
    found: Comparison,
    promoted: bool,
    opposed: bool,
    words: str,
    run_id: str,
) -> dict[str, str]:
    """Return the tags that both the run and, once promoted, the version carry."""
    own = {
        f"promotion_{row.measure}": f"{row.champion:.6g} -> {row.challenger:.6g}"
        for row in found.metrics.itertuples(index=False)
    }
    return {
        "promotion_version": str(candidate.version),
        "promotion_from": str(champion.version),
        "promotion_date": f"{datetime.now(UTC):%Y-%m-%d}",
        "promotion_months": found.span,
        "promotion_objective": found.objective,
        "promotion_forced": str(promoted and opposed).lower(),
        "promotion_reason": words,
        "promotion_run": run_id,
        **own,
    }


def _metrics(found: Comparison) -> list[Metric]:
    """Return the figures as metrics: champion/rank_ic, challenger/rank_ic, difference/rank_ic."""
    now = runs.milliseconds()
    return [
        Metric(f"{side}/{row['measure']}", float(row[side]), now, 0)
        for row in found.metrics.to_dict("records")
        for side in ("champion", "challenger", "difference", "t", "p")
        if np.isfinite(row[side])
    ]


def _log_tables(client: MlflowClient, run_id: str, found: Comparison) -> None:
    with resilience.temporary_folder() as folder:
        tables = {"comparison": found.monthly, "figures": found.metrics}
        for name, table in tables.items():
            path = folder / f"{name}.csv"
            io.write_csv(table, path)
            client.log_artifact(run_id, str(path))


def _move(
    client: MlflowClient,
    name: str,
    champion: ModelVersion,
    candidate: ModelVersion,
    facts: Mapping[str, str],
    description: str,
) -> None:
    """Record why on the version, then move the aliases, `champion` in one step."""
    for key, value in facts.items():
        client.set_model_version_tag(name, candidate.version, key, value)
    client.update_model_version(name, candidate.version, description=description)
    client.set_registered_model_alias(name, registry.PREVIOUS, champion.version)
    client.set_registered_model_alias(name, registry.CHAMPION, candidate.version)
    there = registry.existing_aliases(client, name)
    if str(there.get(registry.CHALLENGER)) == str(candidate.version):
        client.delete_registered_model_alias(name, registry.CHALLENGER)
