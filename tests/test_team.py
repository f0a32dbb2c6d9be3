"""Two users, one database, one store, one MLflow server: docs/team.md, as it stands there.

The long form runs the whole dvc.yaml, each stage in a process, and a search of both, interrupted
and to its end. Otherwise one stage does the work of all, in one process.
"""

import json
import os
import signal
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import optuna
import pandas as pd
import pytest
import sqlalchemy
from mlflow import MlflowClient
from optuna.trial import TrialState
from ruamel.yaml import YAML

import team as servers
from chain import results
from konkyo import config
from processes import answers, until
from small import make_records, small_params
from team import Team, end

pytestmark = [pytest.mark.slow, pytest.mark.server]
LANGUAGES = ["sh", "yaml", "sh", "sh", "sh", "sh", "python", "sh", "sh"]
_, STORES, CONNECT, TRAIN, PUSH, PULL, LOAD, SEARCH, JOIN = (text for _, text in servers.blocks())
STAGES = ("ingest", "prepare", "train", "attribute", "verify", "backtest", "track")
ONE_STAGE = """\
stages:
  whole:
    cmd: python stages.py
    deps: [data/own]
    params: [ingest, prepare, train, attribute, verify, backtest, track]
    outs:
      - data/raw: {persist: true}
      - data/records: {persist: true}
      - data/panel
      - data/models: {persist: true}
      - data/attributions: {persist: true}
      - data/digests.json: {cache: false}
      - data/verify: {persist: true}
      - data/backtest
      - data/plots: {cache: false}
      - data/portfolio.json: {cache: false}
      - data/run.json
    metrics:
      - data/verify.json: {cache: false}
      - data/metrics.json: {cache: false}
"""
SCRIPT = f"""\
from importlib import import_module
for stage in {STAGES}:
    import_module("konkyo.pipeline." + stage).main()
"""


def own_records() -> tuple[pd.DataFrame, ...]:
    """Return records long enough for a search with the paper's window."""
    parts = make_records("2000-01", 36), make_records("2003-01", 30, seed=8)
    return tuple(pd.concat(tables) for tables in zip(*parts, strict=True))


def own_params() -> config.Params:
    small = small_params()
    space = replace(
        small.tune.space, n_hidden_layers=(3,), width=(64,), activation=("tanh",),
        batch_size=(300,), epochs=(20,), window_months=(36,), label=(small.prepare.label,),
        standardise=(small.prepare.standardise,),
    )  # fmt: skip
    tables = small.ingest.tables
    rows = replace(tables.stocks, files=("data/own/stocks.csv",))
    market = config.Table(("data/own/market.csv",), {})
    return replace(
        small,
        ingest=replace(
            small.ingest,
            source="tables",
            tables=replace(tables, stocks=rows, market=(market,)),
        ),
        train=replace(small.train, window_months=54, epochs=2, placebo_every=0),
        report=replace(small.report, dpi=50),
        tune=replace(
            small.tune,
            trials=500,
            workers=1,
            trials_per_stack=1,
            holdout=4,
            refit_every=6,
            space=space,
        ),
    )


def create_project(folder: Path, pipeline: str) -> None:
    """Make the project as the first user has it: own records, the params of docs/team.md."""
    servers.copy_project(folder)
    if pipeline == "one stage":
        (folder / "dvc.yaml").write_text(ONE_STAGE, encoding="utf-8")
        (folder / "stages.py").write_text(SCRIPT, encoding="utf-8")
    for table, name in zip(own_records(), ("stocks", "market"), strict=True):
        if "month" in table:
            table = table.assign(month=table["month"].dt.strftime("%Y-%m"))
        table.to_csv(folder / f"data/own/{name}.csv", index=False)


def write_params(team: Team, folder: Path, seed: int) -> None:
    """Write params.yaml with what docs/team.md tells to put there."""
    yaml = YAML(typ="safe", pure=True)
    values = config.as_dict(own_params())
    for section, keys in yaml.load(team.here(STORES)).items():
        values[section].update(keys)
    values["train"]["seed"] = seed
    with (folder / "params.yaml").open("w", encoding="utf-8") as file:
        yaml.dump(values, file)


@dataclass(frozen=True)
class Users:
    """The team with both users' folders, and what each run wrote about itself."""

    team: Team
    client: MlflowClient
    one: Path
    other: Path
    runs: dict[Path, dict]


@pytest.fixture(scope="module", params=["one stage", pytest.param("whole", marks=pytest.mark.long)])
def users(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Users]:
    folder = tmp_path_factory.mktemp("team")
    one, other = folder / "one", folder / "other"
    with servers.servers(folder) as team:
        create_project(one, request.param)
        write_params(team, one, seed=1)
        team.run("git init -q -b main && git init -q --bare -b main ../shared.git", one, "init")
        team.run("git add -A && git commit -qm start", one, "init")
        team.run("git remote add origin ../shared.git && git push -qu origin main", one, "init")
        team.run(CONNECT, one, "one")
        team.run("git clone -q shared.git other", folder, "init")
        write_params(team, other, seed=2)
        url = f"http://{team.places[servers.TRACKING]}"
        until(lambda: answers(f"{url}/health"), (folder / "tracking.log").read_text)
        both = [team.start(TRAIN, of, of.name) for of in (one, other)]
        try:
            for process, of in zip(both, (one, other), strict=True):
                team.done(process, of.name)
        finally:
            for process in both:
                end(process)
        runs = {of: json.loads((of / "data/run.json").read_text()) for of in (one, other)}
        yield Users(team, MlflowClient(url, url), one, other, runs)


def test_the_page_has_the_blocks_that_are_run_here():
    assert [language for language, _ in servers.blocks()] == LANGUAGES
    text = "".join(text for _, text in servers.blocks())
    for address in (servers.DATABASE, servers.STORE, servers.TRACKING, "--port 5000"):
        assert address in text


def test_both_see_all_runs_and_they_overlapped(users: Users):
    (experiment,) = {run["experiment_id"] for run in users.runs.values()}
    found = users.client.search_runs([experiment], "tags.kind = 'experiment'")
    assert {run.info.run_id for run in found} == {run["run_id"] for run in users.runs.values()}
    assert {run.info.status for run in found} == {"FINISHED"}
    children = users.client.search_runs([experiment], "tags.kind = 'month'", max_results=100)
    assert len(children) == 2 * users.runs[users.one]["months"] == 12
    # The database is that of docs/team.md, and the artifacts are in the store alone.
    kept = users.client.list_artifacts(children[0].info.run_id, "weights")
    assert len(kept) == 1
    assert children[0].info.artifact_uri.startswith("mlflow-artifacts:/")


def test_one_is_champion_the_other_challenger(users: Users):
    by_version = sorted(users.runs.values(), key=lambda run: run["model_version"])
    assert [run["model_version"] for run in by_version] == [1, 2]
    model = users.client.get_registered_model(by_version[0]["model"])
    assert {name: int(version) for name, version in model.aliases.items()} == {
        "champion": 1, "newest": 2, "challenger": 2,
    }  # fmt: skip


def test_a_model_registered_by_one_loads_for_the_other(users: Users):
    (champion,) = (of for of, run in users.runs.items() if run["model_version"] == 1)
    (another,) = set(users.runs) - {champion}
    asked = """
import numpy as np, pandas as pd
index = pd.read_parquet("data/panel/index.parquet", columns=["month", "stock"])
names = pd.read_csv("data/panel/catalogue.csv")["name"].to_list()
index[names] = np.load("data/panel/features.npy").astype("float64")
rows = index[index["month"] == index["month"].max()]
ranker.predict(rows).to_parquet("../scores.parquet")
"""
    (another / "load.py").write_text(users.team.here(LOAD) + asked, encoding="utf-8")
    users.team.run(
        "env -u AWS_ACCESS_KEY_ID -u AWS_SECRET_ACCESS_KEY python load.py && rm load.py",
        another,
        "load",
    )
    found = pd.read_parquet(users.team.folder / "scores.parquet")
    newest = max((champion / "data/attributions").glob("*.parquet"))
    expected = pd.read_parquet(newest)
    assert found["stock"].tolist() == expected["stock"].tolist()
    np.testing.assert_allclose(found["score"], expected["score"], rtol=0, atol=1e-5)
    assert found["score"].std() > 0


@pytest.mark.long
@pytest.mark.parametrize("users", ["whole"], indirect=True)
def test_a_shared_search_resumes_after_interrupts(users: Users):
    address = users.team.places[servers.DATABASE]
    url = f"postgresql+psycopg://konkyo:{servers.PASSWORD}@{address}/tuning"
    both = [
        users.team.start(command, of, f"tune-{of.name}")
        for command, of in ((SEARCH, users.one), (JOIN, users.other))
    ]

    def counted() -> list[optuna.trial.FrozenTrial]:
        with suppress(KeyError, sqlalchemy.exc.SQLAlchemyError):
            study = optuna.load_study(study_name="main", storage=url)
            states = (TrialState.COMPLETE, TrialState.PRUNED)
            return study.get_trials(deepcopy=False, states=states)
        return []

    def workers() -> set[str]:
        return {trial.user_attrs["worker"] for trial in counted()}

    try:
        until(
            lambda: len(workers()) == 2 or any(process.poll() is not None for process in both),
            "one of both did no trial",
            seconds=400,
        )
        assert [process.poll() for process in both] == [None, None]
        for process in both:
            os.killpg(process.pid, signal.SIGINT)
        assert [process.wait(timeout=300) for process in both] == [130, 130]
    finally:
        for process in both:
            end(process)
    assert len(workers()) == 2
    done = len(counted())
    over = users.team.run(f"konkyo tune --trials {done}", users.one, "tune-one")
    assert "the search is over" in over
    experiment = users.client.get_experiment_by_name("konkyo-tuning")
    # Trials that the interrupt ended are logged as failed.
    asked = "tags.kind = 'trial' and attributes.status != 'FAILED'"
    logged = users.client.search_runs([experiment.experiment_id], asked, max_results=1000)
    assert len(logged) == done


def test_a_pull_brings_the_other_members_results(users: Users):
    before = results(users.one)
    assert results(users.other) != before
    # The second user's own results stay in the history of a branch.
    users.team.run("git switch -qc own && git add -A && git commit -qm own", users.other, "init")
    users.team.run("git switch -q main", users.other, "init")
    users.team.run(PUSH, users.one, "one")
    users.team.run(PULL, users.other, "other")
    assert results(users.other) == before
    said = users.team.run("dvc repro", users.other, "again")
    assert "Data and pipelines are up to date." in said
    # One's own state comes back from one's own cache.
    users.team.run("git switch -q own && dvc checkout -q", users.other, "init")
    assert results(users.other) != before


def test_no_file_has_a_password_or_a_key(users: Users):
    """In folders of both, in git, in every log, in the store's copies of what DVC pushed."""
    found = [
        path
        for path in users.team.folder.rglob("*")
        if path.is_file() and any(secret in path.read_bytes() for secret in users.team.secrets)
    ]
    assert found == []
