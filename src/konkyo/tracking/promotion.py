"""Champion against challenger: comparison, promotion, and the reason for it in the registry."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
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
from konkyo.tracking import open_runs, registry, series, store
from konkyo.tracking.client import StoreClient

_MAX_REASON = 1000
"""Characters of a reason; a registry keeps a tag in a column of bounded length."""


@dataclass(frozen=True)
class PromotionResult:
    """The result of `promote`.

    Attributes
    ----------
    summary : str
        The metrics of both versions and the caveats of their comparison.
    promoted : bool
        Whether the aliases moved.
    objections : tuple of str
        Why the candidate may not become champion, overruled or not.
    version, champion : int
        The candidate, and the champion with which it was compared.
    run_id : str
        The run of the comparison.
    """

    summary: str
    promoted: bool
    objections: tuple[str, ...]
    version: int
    champion: int
    run_id: str


@dataclass(frozen=True)
class Decision:
    """A comparison of two versions and what was decided on it.

    Attributes
    ----------
    champion, candidate : ModelVersion
        The versions.
    result : Comparison
        Their metrics over the same months.
    objections : tuple of str
        Why the candidate may not become champion.
    promoted : bool
        Whether it does.
    reason : str
        The user's reason, empty if there is none.
    """

    champion: ModelVersion
    candidate: ModelVersion
    result: Comparison
    objections: tuple[str, ...]
    promoted: bool
    reason: str

    @property
    def sentence(self) -> str:
        """The decision and its reasons, in one paragraph."""
        verb = "took over from" if self.promoted else "did not take over from"
        text = (
            f"Version {self.candidate.version} {verb} version {self.champion.version}: "
            f"{self.result.objective} {self.result.improvement:+.4f} over {self.result.span} "
            f"(required: above {self.result.min_improvement:g})."
        )
        if self.objections:
            label = "Overruled" if self.promoted else "Objections"
            text += f" {label}: {'; '.join(self.objections)}."
        return f"{text} Reason given: {self.reason}" if self.reason else text

    def tags(self, run_id: str) -> dict[str, str]:
        """Return the tags that the run of the comparison and a promoted version carry."""
        return {
            "promotion_version": str(self.candidate.version),
            "promotion_from": str(self.champion.version),
            "promotion_date": f"{datetime.now(UTC):%Y-%m-%d}",
            "promotion_months": self.result.span,
            "promotion_objective": self.result.objective,
            "promotion_forced": str(self.promoted and bool(self.objections)).lower(),
            "promotion_reason": self.sentence,
            "promotion_run": run_id,
            **{
                f"promotion_{row.measure}": f"{row.champion:.6g} -> {row.challenger:.6g}"
                for row in self.result.metrics.itertuples(index=False)
            },
        }


def promote(
    root: Path,
    params: Params,
    *,
    version: int | None = None,
    reason: str = "",
    force: bool = False,
    environment: Mapping[str, str] = os.environ,
) -> PromotionResult:
    """Compare a version with the champion, and make it champion if it is better.

    Every comparison is logged as a run, also of candidates that are not promoted: the best of many
    candidates is better by luck alone, so that their number belongs to the result.

    Parameters
    ----------
    root : pathlib.Path
        The project's folder.
    params : Params
        promote: months, objective and min_improvement; track: store, experiment and model.
    version : int, optional
        The candidate; by default the version with the alias `challenger`.
    reason : str
        The user's reason, kept with the version; required with `force`.
    force : bool
        Promote the candidate in spite of objections.
    environment : mapping of str to str
        Variables of `mlflow run`.

    Returns
    -------
    PromotionResult
        If `promoted`, the alias `champion` points to the version, `previous` to the old champion,
        and tags and description of the version have the reason.

    Raises
    ------
    TrackingError
        There is no champion or no such version, it is champion already, a run has no monthly
        series, or `force` has no reason.
    """
    reason = _checked_reason(reason, force=force)
    target = store.target(params.track, root, environment)
    client = open_runs.connect(target)
    decision = _decide(client, params, version=version, reason=reason, force=force)
    with open_runs.open_run(client, target, f"promote-{decision.candidate.version}") as run:
        summary = _summary(
            decision,
            earlier_comparisons=count_comparisons(client, run.experiment_id),
            configuration=registry.configuration(params),
        )
        _log_comparison(client, run.run_id, decision, summary)
        if decision.promoted:
            _move_aliases(client, params.track.model, decision, run_id=run.run_id, summary=summary)
    return PromotionResult(
        summary=summary,
        promoted=decision.promoted,
        objections=decision.objections,
        version=int(decision.candidate.version),
        champion=int(decision.champion.version),
        run_id=run.run_id,
    )


def _checked_reason(reason: str, *, force: bool) -> str:
    """Return the reason without blanks around it."""
    reason = reason.strip()
    if force and not reason:
        raise TrackingError(
            "--force overrules the comparison, and the registry keeps the reason: add "
            "--reason '...'"
        )
    if len(reason) > _MAX_REASON:
        raise TrackingError(
            f"the reason has {len(reason)} characters, and may have {_MAX_REASON}: shorten it"
        )
    return reason


def _decide(
    client: MlflowClient, params: Params, *, version: int | None, reason: str, force: bool
) -> Decision:
    """Compare champion and candidate."""
    name, config = params.track.model, params.promote
    champion = registry.require_version(client, name, registry.CHAMPION)
    candidate = _candidate(client, name, version)
    if int(candidate.version) == int(champion.version):
        raise TrackingError(
            f"version {champion.version} of {name} is the champion already: give another --version"
        )
    result = comparison.compare(
        monthly_series(client, champion),
        monthly_series(client, candidate),
        n_months=config.months,
        objective=config.objective,
        min_improvement=config.min_improvement,
    )
    objections = result.objections()
    source, champion_source = candidate.tags.get("source"), champion.tags.get("source")
    if source and champion_source and source != champion_source:
        objections.insert(
            0, f"its records are of {source!r}, those of the champion of {champion_source!r}"
        )
    return Decision(
        champion=champion,
        candidate=candidate,
        result=result,
        objections=tuple(objections),
        promoted=force or not objections,
        reason=reason,
    )


def _candidate(client: MlflowClient, name: str, version: int | None) -> ModelVersion:
    if version is None:
        return registry.require_version(client, name, registry.CHALLENGER)
    try:
        return client.get_model_version(name, str(version))
    except MlflowException:
        numbers = sorted(int(v.version) for v in client.search_model_versions(f"name = '{name}'"))
        raise TrackingError(
            f"the model {name} has no version {version}: it has "
            f"{', '.join(map(str, numbers)) or 'none'}"
        ) from None


def monthly_series(client: MlflowClient, version: ModelVersion) -> pd.DataFrame:
    """Return the monthly series of a version's run.

    Returns
    -------
    pandas.DataFrame
        month (decision month t, period end), rank_ic, spread_net, turnover, the results of t in
        t+1: a month without a realised return is absent.

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


def count_comparisons(client: MlflowClient, experiment_id: str) -> int:
    """Return the number of comparisons logged in an experiment so far."""
    query = "tags.kind = 'promotion'"
    return len(open_runs.all_pages(partial(client.search_runs, [experiment_id], query)))


def _summary(decision: Decision, *, earlier_comparisons: int, configuration: str) -> str:
    """Return the table of metrics and the caveats of their comparison, one a line."""
    champion, candidate = decision.champion, decision.candidate
    names = f"champion {champion.version}", f"version {candidate.version}"
    result = decision.result
    lines = [comparison.to_text(result, *names)]
    lines += _search_caveats(result, champion=champion.tags, candidate=candidate.tags)
    if earlier_comparisons:
        lines.append(
            f"Comparisons made before this one: {earlier_comparisons}. The best of many is better "
            "by luck."
        )
    # The annual Sharpe ratio is no mean of months: the test of the mean spread goes with it.
    measure = "mean" if result.objective == "sharpe_ratio" else result.objective
    if not result.metrics.set_index("measure").loc[measure, "p"] < 0.05:
        lines.append("The difference is not significant (p is not below 0.05).")
    last, champion_last = (tags.get("last_month", "") for tags in (candidate.tags, champion.tags))
    if last < champion_last:
        lines.append(
            f"The candidate ends {last}, the champion {champion_last}: `dvc repro` with the "
            "candidate's params brings it up to date."
        )
    if candidate.tags.get("configuration", configuration) != configuration:
        lines.append(
            "params.yaml has another configuration than the candidate: the next months continue "
            "the champion only if it has the champion's."
        )
    return "\n".join(lines)


def _search_caveats(
    result: Comparison, *, champion: Mapping[str, str], candidate: Mapping[str, str]
) -> list[str]:
    """Return how far a search has used the months of the comparison to choose a version."""
    lines = []
    for name, tags in (("candidate", candidate), ("champion", champion)):
        until = tags.get("tuned_until")
        if until is None:
            continue
        n_used = int((result.monthly["month"] <= dates.parse(until)).sum())
        if n_used:
            lines.append(
                f"{n_used} of {len(result.monthly)} months are among those on which the search "
                f"{tags['tuned_study']!r} chose the {name} (up to {until}): in-sample, they "
                "flatter it."
            )
        else:
            lines.append(
                f"The search {tags['tuned_study']!r} chose the {name} on months up to {until}, "
                "before these; they were its holdout, and not unseen if its result was read."
            )
    if "tuned_until" not in candidate:
        lines.append(
            "No finished search is recorded for the candidate; if it was chosen by looking at "
            "these months, they flatter it."
        )
    return lines


def _log_comparison(client: StoreClient, run_id: str, decision: Decision, summary: str) -> None:
    """Log metrics (champion/rank_ic, challenger/rank_ic, difference/rank_ic, ...) and tables."""
    now = series.now()
    metrics = [
        Metric(f"{side}/{row['measure']}", float(row[side]), now, 0)
        for row in decision.result.metrics.to_dict("records")
        for side in ("champion", "challenger", "difference", "t", "p")
        if np.isfinite(row[side])
    ]
    tags = {
        "kind": "promotion",
        "promoted": str(decision.promoted).lower(),
        **decision.tags(run_id),
        MLFLOW_RUN_NOTE: f"{decision.sentence}\n\n```\n{summary}\n```",
    }
    client.log(run_id, metrics=metrics, tags=tags)
    tables = {"comparison": decision.result.monthly, "figures": decision.result.metrics}
    with resilience.temporary_folder() as folder:
        for name, table in tables.items():
            path = folder / f"{name}.csv"
            io.write_csv(table, path)
            client.log_artifact(run_id, str(path))


def _move_aliases(
    client: MlflowClient, name: str, decision: Decision, *, run_id: str, summary: str
) -> None:
    """Record the reason on the version, then move the aliases, `champion` in one step.

    In this order: a kill in between leaves a champion whose reason is recorded, or the old one.
    """
    version = decision.candidate.version
    for key, value in decision.tags(run_id).items():
        client.set_model_version_tag(name, version, key, value)
    description = f"{decision.sentence}\n\n{summary}"
    client.update_model_version(name, version, description=description)
    client.set_registered_model_alias(name, registry.PREVIOUS, decision.champion.version)
    client.set_registered_model_alias(name, registry.CHAMPION, version)
    if str(registry.current_aliases(client, name).get(registry.CHALLENGER)) == str(version):
        client.delete_registered_model_alias(name, registry.CHALLENGER)
