"""The registered model: what each version is, and which aliases it has.

newest      the version registered last
champion    the version in use: a new version takes it over only with the same configuration, which
            is the same model with more months; any other needs `konkyo promote`
challenger  the newest version of another configuration
previous    the champion before the last promotion
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mlflow import MlflowClient
from mlflow.entities.model_registry import ModelVersion
from mlflow.exceptions import MlflowException
from mlflow.models.model import ModelInfo

from konkyo import cache, dates, io
from konkyo.artifacts import Artifacts
from konkyo.config import Params, as_dict, flatten
from konkyo.errors import TrackingError
from konkyo.tracking.results import Results
from konkyo.tuning import space

NEWEST, CHAMPION, CHALLENGER, PREVIOUS = "newest", "champion", "challenger", "previous"
_DECIDE = ("prepare", "train", "attribute", "backtest")
"""Sections that decide what the model is and what its months earned."""
_DECIDE_NOTHING = (
    *("train.workers", "train.max_networks_per_stack", "train.accelerator"),
    *("train.backend", "train.scheduler_address", "train.panel_cache_url"),
    *("train.placebo_every", "train.ridge_penalty"),
)
"""How the networks are trained, and what is trained beside them."""


@dataclass(frozen=True)
class Registered:
    """A version and the aliases that were given to it."""

    version: int
    aliases: tuple[str, ...]


def configuration(params: Params) -> str:
    """Return the digest of what decides the model, the same from month to month.

    Which files hold the records, how their columns are called and how far they go is left out; the
    kind of source is not, since a network of simulated records is another model.
    """
    values = as_dict(params)
    chosen = {name: values[name] for name in _DECIDE}
    chosen["ingest"] = {"source": values["ingest"]["source"]}
    if params.ingest.source == "simulated-tse":
        chosen["ingest"]["simulated"] = values["ingest"]["simulated"]
    flat = {key: value for key, value in flatten(chosen).items() if key not in _DECIDE_NOTHING}
    return cache.digest_of(repr(sorted(flat.items())))


def facts(found: Results, params: Params, run_tags: Mapping[str, str]) -> dict[str, str]:
    """Return the tags of a version.

    Parameters
    ----------
    found : Results
        What the version was made from.
    params : Params
        Of these results.
    run_tags : mapping of str to str
        Of the run that logs the model: `params_digest` and `source` are taken over.

    Returns
    -------
    dict of str to str
        params_digest, configuration, source, first_month, last_month (decision months), and where
        a search chose this configuration: tuned_study, tuned_until (the last month it looked at).
    """
    ends = found.windows["month"]
    return {
        "params_digest": run_tags["params_digest"],
        "configuration": configuration(params),
        "source": run_tags["source"],
        "first_month": dates.label(ends.iloc[0]),
        "last_month": dates.label(ends.iloc[-1]),
        **tuned(found.artifacts.root, params),
    }


def tuned(root: Path, params: Params) -> dict[str, str]:
    """Return which finished search chose these params, and the last month that it looked at.

    Returns
    -------
    dict of str to str
        tuned_study and tuned_until (YYYY-MM) of the search that looked furthest; empty where no
        search in data/tuning has this configuration as its best trial.
    """
    values = as_dict(params)
    found = {}
    for best in sorted(Artifacts(root).tuning.glob("*/best.json")):
        wanted = space.settings(io.read_json(best)["params"])
        agrees = all(
            _plain(values[section][key]) == _plain(value)
            for section, keys in wanted.items()
            for key, value in keys.items()
        )
        if agrees:
            series = io.read_parquet(
                best.with_name("comparison.parquet"), columns=["month", "part"]
            )
            last = series.loc[series["part"] == "tuning", "month"].max()
            found[best.parent.name] = dates.label(last)
    if not found:
        return {}
    study = max(found, key=lambda name: found[name])
    return {"tuned_study": study, "tuned_until": found[study]}


def register(
    client: MlflowClient, model: ModelInfo, name: str, tags: Mapping[str, str]
) -> Registered:
    """Register a logged model as a version, and give it the aliases that it has a right to.

    Parameters
    ----------
    client : MlflowClient
        Of the store.
    model : mlflow.models.model.ModelInfo
        The model logged.
    name : str
        The registered model, made where there is none.
    tags : mapping of str to str
        Its facts.

    Returns
    -------
    Registered
        The version, 1 for the first, and its aliases.
    """
    try:
        client.create_registered_model(name)
    except MlflowException as error:
        if error.error_code != "RESOURCE_ALREADY_EXISTS":
            raise
    champion = _champion(client, name)
    given = aliases(tags, champion.tags if champion else None)
    if champion and CHAMPION in given:
        tags = {**tags, "continues": str(champion.version)}
    made = client.create_model_version(
        name,
        source=model.model_uri,
        run_id=model.run_id,
        model_id=model.model_id,
        tags={**tags, "run_id": str(model.run_id)},
    )
    if champion is None:
        # Another user may have registered a first version at the same moment.
        champion = _champion(client, name)
        if champion and champion.version != made.version:
            given = aliases(tags, champion.tags)
    for alias in given:
        client.set_registered_model_alias(name, alias, made.version)
    return Registered(int(made.version), given)


def registered(client: MlflowClient, name: str, run_id: str) -> Registered | None:
    """Return the version that was made from a run and its aliases now, None where there is none."""
    made = client.search_model_versions(f"name = '{name}' and run_id = '{run_id}'")
    if not made:
        return None
    there = existing_aliases(client, name)
    known = (NEWEST, CHAMPION, CHALLENGER, PREVIOUS)
    own = tuple(alias for alias in known if str(there.get(alias)) == str(made[0].version))
    return Registered(int(made[0].version), own)


def _champion(client: MlflowClient, name: str) -> ModelVersion | None:
    """Return the champion; where there is none the first version becomes it, if there is one."""
    found = version_of(client, name, CHAMPION)
    if found is None:
        there = client.search_model_versions(f"name = '{name}'", order_by=["version_number ASC"])
        if there:
            found = there[0]
            client.set_registered_model_alias(name, CHAMPION, found.version)
    return found


def aliases(new: Mapping[str, str], champion: Mapping[str, str] | None) -> tuple[str, ...]:
    """Return the aliases of a new version.

    Parameters
    ----------
    new : mapping of str to str
        Its facts.
    champion : mapping of str to str or None
        The facts of the champion, None where there is none.

    Returns
    -------
    tuple of str
        `newest` always; `champion` without a champion or with its configuration and no fewer
        months; `challenger` with another configuration. Results of the champion's own configuration
        that end earlier, such as those of an old commit, change nothing else.
    """
    if champion is None:
        return NEWEST, CHAMPION
    if champion.get("configuration") != new["configuration"]:
        return NEWEST, CHALLENGER
    if new["last_month"] >= champion.get("last_month", ""):
        return NEWEST, CHAMPION
    return (NEWEST,)


def version_of(client: MlflowClient, name: str, alias: str) -> ModelVersion | None:
    """Return the version that an alias points to, None where there is none."""
    found = existing_aliases(client, name)
    return client.get_model_version(name, found[alias]) if alias in found else None


def needed(client: MlflowClient, name: str, alias: str) -> ModelVersion:
    """Return the version that an alias points to.

    Raises
    ------
    TrackingError
        There is none: it names those that there are.
    """
    found = version_of(client, name, alias)
    if found is not None:
        return found
    there = sorted(existing_aliases(client, name))
    raise TrackingError(
        f"the model {name} has no version with the alias {alias!r}"
        + (f", only {', '.join(there)}" if there else "")
        + ": `dvc repro track` registers one (a challenger, if its params differ from the "
        "champion's)"
    )


def existing_aliases(client: MlflowClient, name: str) -> dict[str, str]:
    """Return the aliases of a registered model and their versions, empty where it is not there."""
    try:
        return dict(client.get_registered_model(name).aliases)
    except MlflowException as error:
        if error.error_code != "RESOURCE_DOES_NOT_EXIST":
            raise
        return {}


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, list | tuple) else value
