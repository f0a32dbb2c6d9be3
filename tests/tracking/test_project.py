"""The MLproject's main command, on a pipeline of two small stages."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from ruamel.yaml import YAML

ROOT = Path(__file__).parents[2]
STAGES = """\
stages:
  report:
    cmd: echo computed >> computed.txt
    deps: [data.txt]
    outs:
      - report.txt:
          persist: true
  track:
    cmd: python track.py
    deps: [data.txt]
    outs:
      - run.txt:
          cache: false
"""
TRACK = """\
import os
names = ("MLFLOW_RUN_ID", "MLFLOW_EXPERIMENT_ID", "MLFLOW_TRACKING_URI")
print(*(os.environ[name] for name in names), file=open("run.txt", "w"))
"""


@pytest.mark.slow
def test_main_fills_the_run_of_mlflow_run(tmp_path):
    command = YAML(typ="safe").load(ROOT / "MLproject")["entry_points"]["main"]["command"]
    (tmp_path / "dvc.yaml").write_text(
        STAGES.replace("computed >>", "computed | tee report.txt >>")
    )
    (tmp_path / "track.py").write_text(TRACK)
    (tmp_path / "data.txt").write_text("1")
    environment = {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "DVC_NO_ANALYTICS": "1",
        "MLFLOW_EXPERIMENT_ID": "7",
        "MLFLOW_TRACKING_URI": "sqlite:///of-the-caller.db",
    }
    if shutil.which("dvc", path=environment["PATH"]) is None:
        pytest.fail("dvc is not installed beside python: pip install -r requirements.txt")
    subprocess.run(["dvc", "init", "-q", "--no-scm"], cwd=tmp_path, env=environment, check=True)
    for run in ("first", "second"):
        subprocess.run(
            command,
            shell=True,
            cwd=tmp_path,
            env={**environment, "MLFLOW_RUN_ID": run},
            check=True,
            capture_output=True,
        )
        logged = (tmp_path / "run.txt").read_text()
        assert logged == f"{run} 7 sqlite:///of-the-caller.db\n"
    assert (tmp_path / "computed.txt").read_text() == "computed\n"


def test_entry_points_are_those_of_the_readme():
    project = YAML(typ="safe").load(ROOT / "MLproject")
    assert project["name"] == "konkyo"
    assert {name: entry["command"] for name, entry in project["entry_points"].items()} == {
        "main": "dvc repro report && dvc repro --force --single-item track",
        "intervention": "konkyo intervention --until intervention-report"
        " && konkyo intervention --until intervention-track --force",
        "tune": "dvc repro prepare && konkyo tune --trials {trials}",
        "test": "pytest -n auto --dist loadfile",
    }
