"""The table of outputs: it agrees with both pipelines, and what is said of one that is missing."""

import subprocess
from pathlib import Path
from types import SimpleNamespace

import pytest
from ruamel.yaml import YAML

from konkyo import project
from konkyo.artifacts import (
    HERE,
    Artifacts,
    Output,
    command_for,
    damaged,
    missing,
    require,
    require_months,
)
from konkyo.errors import ArtifactError
from konkyo.pipeline import intervention

ROOT = Path(__file__).parents[1]
STUDY = "src/konkyo/intervention/stages.yaml"


def stage_outputs(pipeline: str, command: str) -> list[tuple[str, str]]:
    """Return what the stages of a pipeline write, with the command that runs each."""
    stages = YAML(typ="safe", pure=True).load((ROOT / pipeline).read_text())["stages"]
    return [
        (out if isinstance(out, str) else next(iter(out)), f"{command} {name}")
        for name, stage in stages.items()
        for out in [*stage.get("outs", []), *stage.get("metrics", [])]
    ]


OUTPUTS = [
    *stage_outputs("dvc.yaml", "dvc repro"),
    *stage_outputs(STUDY, "konkyo intervention --until"),
]


@pytest.mark.parametrize(("path", "command"), OUTPUTS, ids=[path for path, _ in OUTPUTS])
def test_commands_are_those_of_the_pipelines(path, command):
    assert command_for(Path(path)) == command
    assert command_for(Path("/data/project", path, "any/file.csv")) == command


def test_outputs_below_a_stage_keep_its_command():
    """A file named in the table must not tell of another stage than the folder it lies in."""
    stages = {Path(path): command for path, command in OUTPUTS}
    for name, output in vars(Artifacts).items():
        if isinstance(output, Output) and output.command.startswith("dvc repro"):
            path = getattr(HERE, name)
            above = [stages[parent] for parent in (path, *path.parents) if parent in stages]
            assert above[:1] in ([output.command], []), name


def test_paths_are_below_the_root():
    assert HERE.panel == Path("data/panel")
    assert Artifacts(Path("/p")).weights_of("2020-01") == Path(
        "/p/data/models/weights/2020-01.safetensors"
    )


def test_innermost_data_folder_counts():
    assert command_for(Path("/data/panel/data/records/x")) == "dvc repro ingest"
    assert command_for(Path("/data/models/data/own/labels.csv")) == "dvc repro train"


def test_own_files_are_corrected():
    assert str(damaged(Path("data/own/labels.csv"), "no text")) == (
        "data/own/labels.csv is damaged or cannot be read (no text): remove it and run "
        "`dvc repro`, or correct it where it is your own"
    )
    assert "your own" not in str(damaged(HERE.source, "no text"))


def test_commands_that_are_no_stages():
    assert str(missing(HERE.tuning / "s/trials.csv")) == (
        "data/tuning/s/trials.csv is missing: run `konkyo tune`"
    )


def test_required_files(tmp_path):
    artifacts = Artifacts(tmp_path)
    with pytest.raises(ArtifactError, match=r"windows\.csv is missing: run `dvc repro train`"):
        require(artifacts.windows)
    with pytest.raises(ArtifactError, match=r"YYYY-MM\.parquet is missing: run `dvc repro attri"):
        require_months(artifacts.attributions)
    artifacts.attributions.mkdir(parents=True)
    paths = [artifacts.attributions_of(month) for month in ("2020-02", "2020-01")]
    for path in paths:
        path.touch()
    assert require(paths[0]) == paths[0]
    assert require_months(artifacts.attributions) == paths[::-1]


def test_only_the_main_job_has_a_pipeline_at_first():
    """`dvc status` reads every dvc.yaml of the repository."""
    names = subprocess.run(
        ["git", "ls-files", "*dvc.yaml"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert names.stdout.split() == ["dvc.yaml"]


def test_the_study_puts_its_stages_beside_its_data(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    commands = []
    ended = [0, 0, 5]
    monkeypatch.setattr(
        intervention.subprocess,
        "run",
        lambda command: commands.append(command[3:]) or SimpleNamespace(returncode=ended.pop(0)),
    )
    sources = tmp_path / "src/konkyo"
    sources.mkdir(parents=True)
    intervention.main()
    assert HERE.intervention_stages.read_text() == (ROOT / STUDY).read_text()
    intervention.main(until="intervention-track", force=True)
    assert commands == [
        ["repro", "data/intervention/dvc.yaml"],
        ["repro", "--force", "--single-item", "data/intervention/dvc.yaml:intervention-track"],
    ]
    # A project of one's own has no sources: its stages depend on data/code.json.
    sources.rmdir()
    with pytest.raises(SystemExit) as end:
        intervention.main()
    assert end.value.code == 1
    assert HERE.intervention_stages.read_text() == project.stages((ROOT / STUDY).read_text())
    assert "ended with code 5" in capsys.readouterr().err
