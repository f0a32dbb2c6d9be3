"""Commits, locks and digests, on small repositories and files."""

import json
import subprocess
from pathlib import Path

import pytest

from konkyo.tracking import lineage, results

LOCK = """
stages:
  backtest: {outs: [{path: 'data/metrics.json'}, {path: 'data/plots[1].csv'}]}
"""
REWRITTEN = ("data/metrics.json", "data/plots[1].csv", "data/intervention/dvc.yaml")


@pytest.fixture
def repository(tmp_path, monkeypatch):
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", "/dev/null")
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    for variable in ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"):
        monkeypatch.delenv(variable, raising=False)
    (tmp_path / "code.py").write_text("1")
    (tmp_path / "dvc.lock").write_text(LOCK)
    (tmp_path / "data/intervention").mkdir(parents=True)
    for name in REWRITTEN:
        (tmp_path / name).write_text("1")
    (tmp_path / "data/other.json").write_text("1")
    for command in (
        "init -q",
        "add .",
        "-c user.name=n -c user.email=e@example.org commit -q -m first",
    ):
        subprocess.run(["git", *command.split()], cwd=tmp_path, check=True)
    return tmp_path


def test_git_of_a_clean_tree(repository):
    commit = subprocess.check_output(["git", "rev-parse", "HEAD"], cwd=repository, text=True)
    assert lineage.git(repository) == {
        "mlflow.source.git.commit": commit.strip(),
        "git_commit": commit.strip(),
        "git_dirty": "false",
    }


def test_rewritten_results_make_no_tree_dirty(repository):
    (repository / "dvc.lock").write_text(LOCK.replace("backtest", "other"))
    for name in REWRITTEN:
        (repository / name).write_text("2")
    assert lineage.git(repository)["git_dirty"] == "false"


@pytest.mark.parametrize("name", ["code.py", "new.py", "data/other.json", "data/plots1.csv"])
def test_a_changed_or_new_file_makes_a_tree_dirty(repository, name):
    (repository / name).write_text("2")
    assert lineage.git(repository)["git_dirty"] == "true"


def test_git_of_no_repository(tmp_path, monkeypatch):
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert lineage.git(tmp_path) == {"git_dirty": "unknown"}


def test_the_lock_leaves_out_the_stage_that_logs(tmp_path):
    assert lineage.dvc_lock(tmp_path) == {}
    lock = "schema: '2.0'\nstages:\n  train:\n    cmd: a\n  track:\n    cmd: b\n"
    (tmp_path / "dvc.lock").write_text(lock)
    assert lineage.dvc_lock(tmp_path) == {"schema": "2.0", "stages": {"train": {"cmd": "a"}}}


def digests(root: Path) -> dict[str, str]:
    return {
        entry.dataset.name: entry.dataset.digest for entry in lineage.datasets(results.read(root))
    }


def test_a_data_set_has_a_digest_of_all_its_bytes(project):
    before = digests(project)
    assert set(before) == {"records", "panel"}
    assert digests(project) == before

    path = project / "data/panel/features.npy"
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    after = digests(project)
    assert after["records"] == before["records"]
    assert after["panel"] != before["panel"]


def test_a_data_set_has_no_path_of_this_machine(results_folder):
    records, panel = (e.dataset for e in lineage.datasets(results.read(results_folder)))
    assert json.loads(records.source) == {"uri": "data/records"}
    assert json.loads(records.profile)["survivorship_free"] is False
    assert json.loads(panel.profile) == {"rows": 36, "features": 4}


def test_tags_follow_params_and_data(results_folder):
    result = results.read(results_folder)
    inputs = lineage.datasets(result)
    first = lineage.tags(result, {"train": {"seed": 1}}, inputs)
    second = lineage.tags(result, {"train": {"seed": 2}}, inputs)
    assert first["source"] == "us-equities"
    assert first["point_in_time"] == "true"
    assert first["survivorship_free"] == "false"
    assert first["dvc_lock_digest"] == "none"
    assert first["version_pandas"].startswith("3.")
    assert {name for name in first if first[name] != second[name]} == {"params_digest"}
    assert (
        lineage.tags(result, {"train": {"seed": 1}}, inputs[:1])["data_digest"]
        != (first["data_digest"])
    )


def test_a_package_that_is_not_installed_is_absent():
    assert lineage.installed("no-such-package") == "absent"
