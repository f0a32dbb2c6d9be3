"""The whole job as a user runs it: dvc repro on own records, with params.yaml shrunk."""

import json
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from chain import write_params
from konkyo import config
from small import make_records, small_params

pytestmark = [pytest.mark.slow, pytest.mark.cluster]

ROOT = Path(__file__).parents[1]


class Project:
    """A copy of this project in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for name in ("src", ".dvc", "dvc.yaml", "MLproject", ".gitignore", "data/own"):
            source = ROOT / name
            target = folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            if source.is_dir():
                ignored = shutil.ignore_patterns("__pycache__", "cache", "tmp", "*.egg-info")
                shutil.copytree(source, target, ignore=ignored)
            else:
                shutil.copyfile(source, target)
        for command in (["init", "-q"], ["add", "-A"], ["commit", "-qm", "start"]):
            identity = ["-c", "user.name=a", "-c", "user.email=a@example.org"]
            subprocess.run(["git", *identity, *command], cwd=folder, check=True)

    def run(self, *command: str) -> subprocess.CompletedProcess:
        binaries = Path(sys.executable).parent
        environment = os.environ | {
            "PATH": f"{binaries}{os.pathsep}{os.environ['PATH']}",
            "PYTHONPATH": str(self.folder / "src"),
            "OMP_NUM_THREADS": "1",
        }
        for name in ("MLFLOW_RUN_ID", "MLFLOW_TRACKING_URI", "MLFLOW_EXPERIMENT_ID"):
            environment.pop(name, None)
        return subprocess.run(
            command, cwd=self.folder, env=environment, capture_output=True, text=True, timeout=1200
        )

    def metrics(self) -> dict:
        return json.loads((self.folder / "data/metrics.json").read_text())


def shrunk() -> config.Params:
    small = small_params()
    own = small.ingest.tables
    rows = replace(
        own.stocks, files=("data/own/stocks.csv",), columns={"date": "month", "code": "stock"},
        return_unit="percent",
    )  # fmt: skip
    market = config.Table(("data/own/market.csv",), {"date": "month"})
    tables = replace(own, stocks=rows, market=(market,))
    return replace(
        small,
        ingest=replace(small.ingest, source="tables", tables=tables),
        train=replace(small.train, epochs=2, workers=2),
        report=replace(small.report, dpi=50),
    )


def write_records(project: Project, count: int) -> None:
    stocks, market = make_records(count=count)
    stocks["return"] *= 100
    stocks = stocks.rename(columns={"month": "date", "stock": "code"})
    stocks["date"] = stocks["date"].dt.strftime("%Y-%m")
    stocks.to_csv(project.folder / "data/own/stocks.csv", index=False)
    market = market.rename(columns={"month": "date"})
    market.to_csv(project.folder / "data/own/market.csv", index=False)


@pytest.fixture(scope="module")
def project(tmp_path_factory) -> Project:
    project = Project(tmp_path_factory.mktemp("project"))
    write_params(project.folder, shrunk())
    write_records(project, 30)
    done = project.run("dvc", "repro")
    assert done.returncode == 0, done.stdout + done.stderr
    return project


def test_every_row_of_grounds_adds_up(project):
    files = sorted((project.folder / "data/attributions").glob("*.parquet"))
    assert [f.stem for f in files][:2] == ["2001-01", "2001-02"] and len(files) == 18
    for file in files:
        table = pd.read_parquet(file)
        relevance = table.drop(columns=["month", "stock", "score", "absorbed"])
        total = relevance.astype(float).sum(axis=1) + table["absorbed"]
        np.testing.assert_allclose(total, table["score"], atol=1e-5)
        assert table["score"].std() > 0


def test_metrics_have_the_network_and_its_baselines(project):
    metrics = project.metrics()
    assert set(metrics) == {"network", "ridge", "placebo"}
    assert metrics["network"]["months"] == 17
    assert metrics["placebo"]["months"] == 6
    shown = project.run("dvc", "metrics", "show")
    assert "network.rank_ic_t" in shown.stdout


def test_the_run_is_tracked_with_a_child_a_month(project):
    run = json.loads((project.folder / "data/run.json").read_text())
    code = (
        "import sys, mlflow\n"
        "client = mlflow.MlflowClient(sys.argv[1])\n"
        "runs = client.search_runs([sys.argv[2]], max_results=1000)\n"
        "parent = client.get_run(sys.argv[3])\n"
        "children = [r for r in runs\n"
        "            if r.data.tags.get('mlflow.parentRunId') == parent.info.run_id]\n"
        "print(parent.info.status, len(children), {r.info.status for r in runs})\n"
    )
    told = project.run(
        sys.executable, "-c", code, run["uri"], str(run["experiment_id"]), run["run_id"]
    )
    assert told.stdout.split("\n")[0] == "FINISHED 18 {'FINISHED'}", told.stdout + told.stderr


def test_nothing_changed(project):
    again = project.run("dvc", "repro")
    assert again.returncode == 0
    assert "Data and pipelines are up to date." in again.stdout


def test_bad_records_overwrite_nothing(project):
    own = project.folder / "data/own/stocks.csv"
    good = own.read_bytes()
    kept = (project.folder / "data/records/stocks.parquet").read_bytes()
    own.write_bytes(good + good.splitlines()[1] + b"\n")
    try:
        refused = project.run("dvc", "repro")
        assert refused.returncode != 0
        assert "ingest" in refused.stderr and "repeated" in refused.stderr
        assert "Traceback" not in refused.stderr
        assert (project.folder / "data/records/stocks.parquet").read_bytes() == kept
    finally:
        own.write_bytes(good)


def test_a_new_month_trains_its_window_alone(project):
    old = {p.name: p.read_bytes() for p in (project.folder / "data/models/weights").glob("*")}
    write_records(project, 31)
    done = project.run("dvc", "repro", "backtest")
    assert done.returncode == 0, done.stderr
    assert len(list((project.folder / "data/attributions").glob("*"))) == 19
    assert project.metrics()["network"]["months"] == 18
    # The month's network and its placebo; every other file is as it was.
    assert "networks: 2 trained, 24 kept, 0 dropped" in done.stdout
    new = {p.name: p.read_bytes() for p in (project.folder / "data/models/weights").glob("*")}
    assert set(new) - set(old) == {"2002-07.safetensors"}
    assert {name: new[name] for name in old} == old
