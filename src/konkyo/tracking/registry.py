"""The registered model: its versions, their tags and their aliases.

newest      the version registered last
champion    the version in use. A new version of the same configuration is the same model with more
            months and takes the alias over; any other needs `konkyo promote`
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
_MODEL_SECTIONS = ("prepare", "train", "attribute", "backtest")
"""Sections of params.yaml that decide the model and its monthly results."""
_EXECUTION_KEYS = (
    *("train.workers", "train.max_networks_per_stack", "train.accelerator"),
    *("train.backend", "train.scheduler_address", "train.panel_cache_url"),
    *("train.placebo_every", "train.ridge_penalty"),
)
"""Keys of these sections that decide how the networks are trained, and the baselines."""


@dataclass(frozen=True)
class RegisteredVersion:
    """A version of the registered model and its aliases."""

    version: int
    aliases: tuple[str, ...]


def configuration(params: Params) -> str:
    """Return the digest of the params that decide the model, the same from month to month.

    It leaves out the files of the records, their column names and their last month, but not the
    source: a network of simulated records is another model.
    """
    values = as_dict(params)
    sections = {name: values[name] for name in _MODEL_SECTIONS}
    sections["ingest"] = {"source": values["ingest"]["source"]}
    if params.ingest.source == "simulated-tse":
        sections["ingest"]["simulated"] = values["ingest"]["simulated"]
    flat = {key: value for key, value in flatten(sections).items() if key not in _EXECUTION_KEYS}
    return cache.digest_of(repr(sorted(flat.items())))


def version_tags(outputs: Results, params: Params, run_tags: Mapping[str, str]) -> dict[str, str]:
    """Return the tags of a version.

    Parameters
    ----------
    outputs : Results
        The results whose model it is.
    params : Params
        Params of these results.
    run_tags : mapping of str to str
        Tags of the run that logs the model: `params_digest` and `source` are taken over.

    Returns
    -------
    dict of str to str
        params_digest, configuration, source, first_month, last_month (decision months), and if a
        search chose this configuration: tuned_study, tuned_until (the last month it used).
    """
    ends = outputs.windows["month"]
    return {
        "params_digest": run_tags["params_digest"],
        "configuration": configuration(params),
        "source": run_tags["source"],
        "first_month": dates.label(ends.iloc[0]),
        "last_month": dates.label(ends.iloc[-1]),
        **tuning_tags(outputs.artifacts.root, params),
    }


def tuning_tags(root: Path, params: Params) -> dict[str, str]:
    """Return the finished search whose best trial has these params, and the last month it used.

    Returns
    -------
    dict of str to str
        tuned_study and tuned_until (YYYY-MM), of the search with the latest month if there are
        several; empty if no search in data/tuning has this configuration as its best trial.
    """
    values = as_dict(params)
    last_months = {}
    for best in sorted(Artifacts(root).tuning.glob("*/best.json")):
        sections = space.settings(io.read_json(best)["params"])
        equal = all(
            _as_list(values[section][key]) == _as_list(value)
            for section, keys in sections.items()
            for key, value in keys.items()
        )
        if equal:
            series = io.read_parquet(
                best.with_name("comparison.parquet"), columns=["month", "part"]
            )
            last = series.loc[series["part"] == "tuning", "month"].max()
            last_months[best.parent.name] = dates.label(last)
    if not last_months:
        return {}
    study = max(last_months, key=lambda name: last_months[name])
    return {"tuned_study": study, "tuned_until": last_months[study]}


def register(
    client: MlflowClient, model: ModelInfo, name: str, tags: Mapping[str, str]
) -> RegisteredVersion:
    """Register a logged model as a version, with the aliases that its tags entitle it to.

    Parameters
    ----------
    client : MlflowClient
        Client of the store.
    model : mlflow.models.model.ModelInfo
        The logged model.
    name : str
        The registered model, created if it does not exist.
    tags : mapping of str to str
        Tags of the version.
    """
    try:
        client.create_registered_model(name)
    except MlflowException as error:
        if error.error_code != "RESOURCE_ALREADY_EXISTS":
            raise
    champion = _champion(client, name)
    aliases = aliases_of(tags, champion.tags if champion else None)
    if champion and CHAMPION in aliases:
        tags = {**tags, "continues": str(champion.version)}
    version = client.create_model_version(
        name,
        source=model.model_uri,
        run_id=model.run_id,
        model_id=model.model_id,
        tags={**tags, "run_id": str(model.run_id)},
    )
    if champion is None:
        # Another user may have registered a first version at the same moment.
        champion = _champion(client, name)
        if champion and champion.version != version.version:
            aliases = aliases_of(tags, champion.tags)
    for alias in aliases:
        client.set_registered_model_alias(name, alias, version.version)
    # One who registered a later version meanwhile may have been faster with the alias.
    latest = client.search_model_versions(f"name = '{name}'", order_by=["version_number DESC"])[0]
    if int(latest.version) > int(version.version):
        client.set_registered_model_alias(name, NEWEST, latest.version)
        aliases = tuple(alias for alias in aliases if alias != NEWEST)
    return RegisteredVersion(int(version.version), aliases)


def version_of_run(client: MlflowClient, name: str, run_id: str) -> RegisteredVersion | None:
    """Return the version of a run's model with its present aliases, None if there is none."""
    versions = client.search_model_versions(f"name = '{name}' and run_id = '{run_id}'")
    if not versions:
        return None
    number = int(versions[0].version)
    current = current_aliases(client, name)
    names = (NEWEST, CHAMPION, CHALLENGER, PREVIOUS)
    aliases = tuple(alias for alias in names if str(current.get(alias)) == str(number))
    return RegisteredVersion(number, aliases)


def _champion(client: MlflowClient, name: str) -> ModelVersion | None:
    """Return the champion; without one, the first version becomes champion, if there is any."""
    champion = version_by_alias(client, name, CHAMPION)
    if champion is None:
        by_number = ["version_number ASC"]
        versions = client.search_model_versions(f"name = '{name}'", order_by=by_number)
        if versions:
            champion = versions[0]
            client.set_registered_model_alias(name, CHAMPION, champion.version)
    return champion


def aliases_of(version: Mapping[str, str], champion: Mapping[str, str] | None) -> tuple[str, ...]:
    """Return the aliases of a new version.

    Parameters
    ----------
    version : mapping of str to str
        Its tags.
    champion : mapping of str to str or None
        Tags of the champion, None if there is none.

    Returns
    -------
    tuple of str
        `newest` always; `champion` if there is none, or if the version has its configuration and at
        least its last month; `challenger` with another configuration. Results of the champion's
        configuration that end earlier, such as those of an old commit, get no other alias.
    """
    if champion is None:
        return NEWEST, CHAMPION
    if champion.get("configuration") != version["configuration"]:
        return NEWEST, CHALLENGER
    if version["last_month"] >= champion.get("last_month", ""):
        return NEWEST, CHAMPION
    return (NEWEST,)


def version_by_alias(client: MlflowClient, name: str, alias: str) -> ModelVersion | None:
    """Return the version that an alias points to, None if there is none."""
    aliases = current_aliases(client, name)
    return client.get_model_version(name, aliases[alias]) if alias in aliases else None


def require_version(client: MlflowClient, name: str, alias: str) -> ModelVersion:
    """Return the version that an alias points to.

    Raises
    ------
    TrackingError
        No version has the alias: the error names the existing aliases.
    """
    version = version_by_alias(client, name, alias)
    if version is not None:
        return version
    aliases = sorted(current_aliases(client, name))
    raise TrackingError(
        f"the model {name} has no version with the alias {alias!r}"
        + (f", only {', '.join(aliases)}" if aliases else "")
        + ": `dvc repro track` registers one (a challenger, if its params differ from the "
        "champion's)"
    )


def current_aliases(client: MlflowClient, name: str) -> dict[str, str]:
    """Return the aliases of a registered model and their versions, empty without a model."""
    try:
        return dict(client.get_registered_model(name).aliases)
    except MlflowException as error:
        if error.error_code != "RESOURCE_DOES_NOT_EXIST":
            raise
        return {}


def _as_list(value: Any) -> Any:
    """Return a tuple as a list: params.yaml has lists where a search has tuples."""
    return list(value) if isinstance(value, tuple) else value
