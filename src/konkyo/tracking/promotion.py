"""Champion against challenger: comparison, promotion, and the reason for it in the registry."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
from mlflow import MlflowClient
from mlflow.entities import Metric
from mlflow.entities.model_registry import ModelVersion
from mlflow.exceptions import MlflowException
from mlflow.utils.mlflow_tags import MLFLOW_RUN_NOTE

from konkyo import dates
from konkyo.config import Params
from konkyo.errors import TrackingError
from konkyo.monitoring import comparison
from konkyo.monitoring.comparison import Comparison
from konkyo.tracking import open_runs, registry, series, store

_MAX_REASON = 1000
"""Characters of a reason; a registry keeps a tag in a column of bounded length."""


@dataclass(frozen=True)
class Decision:
    """The comparison of a version with the champion, and what follows from it.

    Attributes
    ----------
    champion, candidate : ModelVersion
        The versions compared.
    result : Comparison
        Of their monthly series.
    objections : tuple of str
        What speaks against the candidate; empty if it is better.
    promoted : bool
        Whether it becomes champion: without objections, or in spite of them.
    reason : str
        Given by the user.
    """

    champion: ModelVersion
    candidate: ModelVersion
    result: Comparison
    objections: tuple[str, ...]
    promoted: bool
    reason: str

    @property
    def sentence(self) -> str:
        """The decision with its figures, for the registry and the run."""
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

    @property
    def summary(self) -> str:
        """The figures of both, and what flatters either."""
        names = f"champion {self.champion.version}", f"version {self.candidate.version}"
        lines = [comparison.to_text(self.result, *names)]
        for name, version in (("candidate", self.candidate), ("champion", self.champion)):
            until = version.tags.get("tuned_until")
            months = self.result.monthly["month"]
            if until and (searched := int((months <= dates.parse(until)).sum())):
                lines.append(
                    f"{searched} of {len(months)} months are among those on which the search "
                    f"{version.tags['tuned_study']!r} chose the {name} (up to {until}): in-sample, "
                    "they flatter it."
                )
        return "\n".join(lines)

    def tags(self, run_id: str) -> dict[str, str]:
        """Return the decision as tags of the version and of the run."""
        return {
            "promotion_from": str(self.champion.version),
            "promotion_months": self.result.span,
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
) -> Decision:
    """Compare a version with the champion, log the comparison as a run, and promote the better.

    Parameters
    ----------
    root : Path
        The project's folder.
    params : Params
        Sections promote and track.
    version : int, optional
        By default the one with the alias `challenger`.
    reason : str
        Logged with the decision; required to overrule objections.
    force : bool
        Promote in spite of objections.
    environment : mapping
        May set MLFLOW_TRACKING_URI and MLFLOW_RUN_ID.

    Raises
    ------
    TrackingError
        There is no such version, it is the champion already, its run lacks the monthly series,
        `force` came without a reason, or the reason is too long. Nothing is logged then.
    """
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
    target = store.target(params.track, root, environment)
    client = open_runs.connect(target)
    decision = _decide(client, params, version=version, reason=reason, force=force)
    with open_runs.open_run(client, target, f"promote-{decision.candidate.version}") as run:
        query = "tags.kind = 'promotion'"
        earlier = open_runs.all_pages(partial(client.search_runs, [run.experiment_id], query))
        tags = decision.tags(run.run_id)
        note = (
            f"{decision.sentence}\n\n```\n{decision.summary}\n```\nComparisons made before this "
            f"one: {len(earlier)}. The best of many is better by luck."
        )
        metrics = [
            Metric(f"{side}/{row['measure']}", float(row[side]), series.now(), 0)
            for row in decision.result.metrics.to_dict("records")
            for side in ("champion", "challenger", "difference", "t", "p")
            if np.isfinite(row[side])
        ]
        of_run = {"kind": "promotion", "promoted": str(decision.promoted).lower()}
        client.log(run.run_id, metrics=metrics, tags={**of_run, **tags, MLFLOW_RUN_NOTE: note})
        table = decision.result.monthly.assign(
            month=decision.result.monthly["month"].map(dates.label)
        )
        client.log_table(run.run_id, table, "comparison.json")
        if decision.promoted:
            _move_aliases(client, params.track.model, decision, tags=tags, description=note)
    return decision


def _decide(
    client: MlflowClient, params: Params, *, version: int | None, reason: str, force: bool
) -> Decision:
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
    """Return month and the series of `comparison.SERIES` from the run of a version.

    Raises
    ------
    TrackingError
        The run was deleted or has no monthly series.
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


def _move_aliases(
    client: MlflowClient,
    name: str,
    decision: Decision,
    *,
    tags: Mapping[str, str],
    description: str,
) -> None:
    version = decision.candidate.version
    for key, value in tags.items():
        client.set_model_version_tag(name, version, key, value)
    client.update_model_version(name, version, description=description)
    client.set_registered_model_alias(name, registry.PREVIOUS, decision.champion.version)
    client.set_registered_model_alias(name, registry.CHAMPION, version)
    if str(registry.current_aliases(client, name).get(registry.CHALLENGER)) == str(version):
        client.delete_registered_model_alias(name, registry.CHALLENGER)
