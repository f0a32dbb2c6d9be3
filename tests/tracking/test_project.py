"""The entry points of MLproject, as `mlflow run` calls them, on a pipeline of two small stages."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from mlflow import MlflowClient
from ruamel.yaml import YAML

from konkyo.pipeline import entry_point
from konkyo.tracking import open_runs, store

ROOT = Path(__file__).parents[2]
PROJECT = YAML(typ="safe").load(ROOT / "MLproject")
STAGES = """\
stages:
  report:
    cmd: echo computed | tee report.txt >> "$COMPUTED"
    deps: [data.txt]
    params: [train.dropout]
    outs:
      - report.txt:
          persist: true
  track:
    cmd: python track.py
    deps: [report.txt]
    params: [track]
    outs: [run.txt]
"""
TRACK = """\
import os
from konkyo import config
line = os.environ["MLFLOW_RUN_ID"], config.load().train.dropout
print(*line, file=open(os.environ["TRACKED"], "a"))
open("run.txt", "w").write("1")
"""


@pytest.fixture
def entry(tmp_path, empty_store):
    """Return a project and a function that runs an entry point in a run of `mlflow run`."""
    root = tmp_path / "project"
    root.mkdir()
    shutil.copy(empty_store, root / "mlflow.db")
    shutil.copy(ROOT / "params.yaml", root)
    for name, text in (
        ("dvc.yaml", STAGES), ("track.py", TRACK), ("data.txt", "1"),
        (".gitignore", "mlflow.db\nreport.txt\nrun.txt\n"),
    ):  # fmt: skip
        (root / name).write_text(text)
    client = MlflowClient(f"sqlite:///{root}/mlflow.db", f"sqlite:///{root}/mlflow.db")
    environment = os.environ | {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "COMPUTED": str(tmp_path / "computed.txt"),
        "TRACKED": str(tmp_path / "tracked.txt"),
        "MLFLOW_TRACKING_URI": "sqlite:///mlflow.db",
        "PYTHONPATH": str(ROOT / "src"),
        "GIT_CONFIG_GLOBAL": "/dev/null",
        **{f"GIT_{who}_{what}": "a@example.org" for who in ("AUTHOR", "COMMITTER")
           for what in ("NAME", "EMAIL")},
    }  # fmt: skip
    for command in ("git init -q", "dvc init -q", "git add -A", "git commit -qm start"):
        subprocess.run(command.split(), cwd=root, env=environment, check=True)

    def run(name: str, options: str = "", **values: str) -> tuple[str, subprocess.CompletedProcess]:
        parameters = PROJECT["entry_points"][name]["parameters"]
        chosen = {key: values.get(key, entry["default"]) for key, entry in parameters.items()}
        # In place of the path that is relative to the project's folder.
        command = PROJECT["entry_points"][name]["command"].removeprefix("PYTHONPATH=src ")
        given = client.create_run("0").info.run_id
        done = subprocess.run(
            f"{command.format(**chosen)} {options}", shell=True, cwd=root, capture_output=True,
            text=True, env=environment | {"MLFLOW_RUN_ID": given},
        )  # fmt: skip
        return given, done

    return root, run


@pytest.mark.long
def test_values_of_a_run_are_in_no_params_file(entry, tmp_path):
    root, run = entry
    before = (root / "params.yaml").read_bytes()
    called = [run("main"), run("main"), run("main", "--train.seed 2", dropout="0.2")]
    assert [done.returncode for _, done in called] == [0, 0, 0], called
    ids = [given for given, _ in called]
    tracked = (tmp_path / "tracked.txt").read_text().splitlines()
    assert tracked == [f"{ids[0]} 0.4", f"{ids[1]} 0.4", f"{ids[2]} 0.2"]
    # What did not change was not computed again, and still filled its run.
    assert (tmp_path / "computed.txt").read_text() == "computed\n" * 2
    assert (root / "params.yaml").read_bytes() == before
    _, done = run("main", dropout="2")
    assert done.returncode == 1 and "train.dropout = 2" in done.stderr
    _, done = run("main", "--train.drop 2")
    assert done.returncode == 1 and "train.drop: unknown key" in done.stderr


def test_a_relative_store_of_elsewhere_is_refused(project, chosen):
    (project / "mlflow.db").unlink()
    environment = {"MLFLOW_RUN_ID": "abc", "MLFLOW_TRACKING_URI": "sqlite:///mlflow.db"}
    with pytest.raises(open_runs.TrackingError, match="one that is not relative"):
        open_runs.require_fillable(store.target(chosen.track, project, environment))
    assert not (project / "mlflow.db").exists()


def test_each_entry_point_has_its_commands():
    assert set(PROJECT["entry_points"]) == {"main", "intervention", "tune", "test"}
    assert (ROOT / PROJECT["python_env"]).is_file()
    commands = [" ".join(c) for n in ("intervention", "tune")
                for c in entry_point._commands(n, {"trials": "3"}, "")]  # fmt: skip
    assert commands == [
        "konkyo intervention --until intervention-report",
        "konkyo intervention --until intervention-track --force",
        "dvc repro prepare",
        "konkyo tune --trials 3",
    ]
