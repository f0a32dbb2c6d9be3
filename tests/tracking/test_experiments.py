"""Experiments that DVC runs in a temporary folder, which it deletes afterwards."""

import json
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from mlflow import MlflowClient
from ruamel.yaml import YAML

from konkyo import config
from small import make_records, small_params

STAGES = """\
stages:
  ingest:
    cmd: konkyo ingest
    deps: [data/own]
    params: [ingest]
    outs: [data/raw, data/records]
  track:
    cmd: konkyo track
    deps: [data/records, data/panel]
    params: [track, train]
    outs: [data/run.json]
"""
IGNORED = """\
data/own/*.parquet
data/records
data/raw
data/run.json
data/.project-id
*.lock
!dvc.lock
mlflow.db
mlartifacts
"""


@pytest.fixture
def job(tmp_path, results_folder, empty_store):
    """Return a project with results in git, of which DVC runs the first and the last stage."""
    root = shutil.copytree(results_folder, tmp_path / "my project")
    shutil.rmtree(root / "data/records")
    shutil.copy(empty_store, root / "mlflow.db")
    (root / "data/own").mkdir()
    (root / "data/own/README.md").write_text("As in every project.")
    stocks, market = make_records()
    stocks.to_parquet(root / "data/own/stocks.parquet")
    market.to_parquet(root / "data/own/market.parquet")
    chosen = small_params()
    selected = chosen.ingest.tables
    rows = replace(selected.stocks, files=("data/own/stocks.parquet",), return_unit="fraction")
    tables = replace(
        selected, stocks=rows, market=(config.Table(("data/own/market.parquet",), {}),)
    )
    chosen = replace(chosen, ingest=replace(chosen.ingest, source="tables", tables=tables))
    with (root / "params.yaml").open("w") as file:
        YAML().dump(config.as_dict(chosen), file)
    (root / "dvc.yaml").write_text(STAGES)
    (root / ".gitignore").write_text(IGNORED)
    binaries = Path(sys.executable).parent
    environment = os.environ | {
        "PATH": f"{binaries}{os.pathsep}{os.environ['PATH']}",
        "GIT_CONFIG_GLOBAL": "/dev/null",
        **{f"GIT_{who}_{what}": "a@example.org" for who in ("AUTHOR", "COMMITTER")
           for what in ("NAME", "EMAIL")},
    }  # fmt: skip
    for name in ("MLFLOW_RUN_ID", "MLFLOW_TRACKING_URI", "MLFLOW_EXPERIMENT_ID"):
        environment.pop(name, None)

    def call(*command: str) -> str:
        done = subprocess.run(
            command, cwd=root, env=environment, capture_output=True, text=True, timeout=600
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    call("git", "init", "-q")
    call("dvc", "init")
    call("git", "add", "-A")
    call("git", "commit", "-qm", "start")
    call("dvc", "repro", "-q")
    call("git", "add", "-A")
    call("git", "commit", "-qm", "run")
    return root, call


@pytest.mark.long
def test_runs_of_temporary_experiments_are_kept(job):
    root, call = job
    lock = (root / "dvc.lock").read_text()
    ids = [json.loads((root / "data/run.json").read_text())["run_id"]]
    names: set[str] = set()
    for width, kinds in ((0.1, (["--temp"],)), (0.2, (["--queue"], ["--run-all"]))):
        for kind in kinds:
            change = [] if kind == ["--run-all"] else ["-S", f"train.dropout={width}"]
            call("dvc", "exp", "run", *kind, *change)
        # The list is not in the order of time.
        (name,) = set(call("dvc", "exp", "list", "--name-only").split()) - names
        names.add(name)
        call("dvc", "exp", "apply", name)
        run = json.loads((root / "data/run.json").read_text())
        assert run["uri"] == f"sqlite:///{root}/mlflow.db"
        ids.append(run["run_id"])
        # The user's own files were the same ones.
        data_own = YAML().load(lock)["stages"]["ingest"]["deps"]
        assert YAML().load(root / "dvc.lock")["stages"]["ingest"]["deps"] == data_own
    client = MlflowClient(run["uri"], run["uri"])
    result = [client.get_run(one).info for one in dict.fromkeys(ids)]
    assert len(result) == 3 and {one.status for one in result} == {"FINISHED"}
    assert all(Path(one.artifact_uri).is_relative_to(root / "mlartifacts") for one in result)
