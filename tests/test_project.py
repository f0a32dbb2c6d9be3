"""A project of one's own: what `konkyo init` makes, what its stages depend on, and the wheel."""

import json
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from importlib import metadata
from pathlib import Path

import pytest
from ruamel.yaml import YAML
from typer.testing import CliRunner

from chain import write_params
from konkyo import __version__, cli, config, errors, project
from konkyo.pipeline import check, code, init
from small import SIMULATED, small_params

ROOT = Path(__file__).parents[1]
TEMPLATES = {
    "stages": "dvc.yaml",
    "MLproject": "MLproject",
    "gitignore": ".gitignore",
    "dvcignore": ".dvcignore",
    "dvc_config": ".dvc/config",
    "monthly.json": ".dvc/plots/monthly.json",
    "own_README.md": "data/own/README.md",
    "data.md": "docs/data.md",
    "model.md": "docs/model.md",
    "us-equities": "params.yaml",
    "simulated-tse": "data/examples/simulated-tse/params.yaml",
}
PIPELINES = ("dvc.yaml", "src/konkyo/intervention/stages.yaml")


def parsed(text: str) -> dict:
    return YAML(typ="safe", pure=True).load(text)


def stages_of(text: str) -> dict:
    return parsed(text)["stages"]


def files_of(folder: Path) -> dict[str, bytes]:
    """Return every file of a folder but those of Git and DVC themselves."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and not {".git", "tmp"} & set(path.relative_to(folder).parts)
    }


@pytest.fixture
def made(tmp_path, monkeypatch) -> Path:
    """Return a project in which the test runs."""
    init.main(tmp_path / "study", "us-equities")
    monkeypatch.chdir(tmp_path / "study")
    return tmp_path / "study"


def refused(capsys, *arguments, **options) -> str:
    """Return what `konkyo init` says when it ends with an error."""
    with pytest.raises(SystemExit) as ended:
        init.main(*arguments, **options)
    assert ended.value.code == 1
    return capsys.readouterr().err


def test_templates_are_the_files_of_the_repository():
    folder = ROOT / "src/konkyo/project/templates"
    assert {path.name for path in folder.iterdir()} == set(TEMPLATES)
    for name, original in TEMPLATES.items():
        assert (folder / name).samefile(ROOT / original), name


@pytest.mark.parametrize("name", PIPELINES)
def test_stages_depend_on_code_instead_of_sources(name):
    text = (ROOT / name).read_text(encoding="utf-8")
    of_project = stages_of(project.stages(text))
    assert list(of_project) == list(stages_of(text))
    for stage, original in stages_of(text).items():
        deps = [dep for dep in original["deps"] if not dep.startswith("src/")]
        params = [{"data/code.json": [stage]}, *original["params"]]
        assert of_project[stage] == original | {"deps": deps, "params": params}
        assert set(deps) < set(original["deps"]) and deps


def test_dvc_yaml_begins_with_code():
    text = project.files()["dvc.yaml"]
    first, *others = stages_of(text).items()
    assert first == (
        "code",
        {
            "desc": "Digests of konkyo's code, on which the other stages depend.",
            "cmd": "konkyo code",
            "always_changed": True,
            "outs": [{"data/code.json": {"cache": False}}],
        },
    )
    assert dict(others) == stages_of(project.stages((ROOT / "dvc.yaml").read_text()))
    assert parsed(text)["plots"] == parsed((ROOT / "dvc.yaml").read_text())["plots"]


def test_mlproject_needs_no_sources():
    of_project = parsed(project.files()["MLproject"])
    original = parsed((ROOT / "MLproject").read_text(encoding="utf-8"))
    del original["entry_points"]["test"]
    for entry in original["entry_points"].values():
        entry["command"] = entry["command"].removeprefix("PYTHONPATH=src ")
    assert of_project == original
    assert "src" not in project.files()["MLproject"]


@pytest.mark.parametrize(
    ("file", "package"),
    [
        ("models/train.py", "src/konkyo/models"),
        ("i18n/texts.toml", "src/konkyo/i18n"),
        ("pipeline/prepare.py", "src/konkyo/pipeline/prepare.py"),
        ("cli.py", None),
    ],
)
def test_a_change_of_code_touches_its_stages_alone(file, package, tmp_path, monkeypatch):
    sources = tmp_path / "site-packages"
    shutil.copytree(ROOT / "src/konkyo", sources / "konkyo")
    monkeypatch.setattr(project, "SOURCES", sources)
    before = project.code_digests()
    (sources / "konkyo/models/__pycache__").mkdir(exist_ok=True)
    (sources / "konkyo/models/__pycache__/train.pyc").write_bytes(b"compiled")
    with (sources / "konkyo" / file).open("a") as text:
        text.write("# changed\n")
    after = project.code_digests()
    stages = {}
    for name in PIPELINES:
        stages |= stages_of((ROOT / name).read_text(encoding="utf-8"))
    assert list(after) == ["konkyo", *stages]
    assert {name for name in before if before[name] != after[name]} == {
        name for name, stage in stages.items() if package in stage["deps"]
    }


@pytest.mark.parametrize("source", ["us-equities", "simulated-tse"])
def test_params_are_those_of_the_source(source, tmp_path):
    made = project.new_files(source)
    (tmp_path / "params.yaml").write_text(made["params.yaml"], encoding="utf-8")
    assert config.load(tmp_path / "params.yaml").ingest.source == source
    assert not [name for name in made if name.endswith(".csv")]


@pytest.mark.slow
def test_the_example_has_no_violation(tmp_path, monkeypatch, capsys):
    init.main(tmp_path / "study")
    monkeypatch.chdir(tmp_path / "study")
    check.main()
    shown = capsys.readouterr().out
    assert "tables: no violation" in shown and "look at" not in shown
    params = config.load()
    main_job = config.load(ROOT / "params.yaml")
    others = replace(params, ingest=main_job.ingest, prepare=main_job.prepare)
    assert params.ingest.source == "tables" and others == main_job
    assert params.prepare.market == dict.fromkeys(("topix", "usd_jpy", "vix"), ("level", "change"))
    assert params.prepare.characteristics[-3:] == ("size", "book_to_price", "earnings_yield")


def test_a_project_is_under_git_and_dvc(made, capsys):
    assert (made / ".git").is_dir() and (made / ".dvc").is_dir()
    assert "analytics = false" in (made / ".dvc/config").read_text()
    code.main()
    assert json.loads((made / "data/code.json").read_text()) == project.code_digests()
    ignored = subprocess.run(["git", "check-ignore", "data/code.json"], cwd=made)
    assert ignored.returncode == 1


def test_what_is_there_is_not_touched(made, capsys):
    before = files_of(made)
    said = refused(capsys, made, "tables")
    assert (
        f"konkyo: {made} has 9 files (.dvc, .dvcignore, .gitignore): " in said
        and "konkyo init --upgrade" in said
    )
    assert files_of(made) == before
    said = refused(capsys, made / "params.yaml")
    assert "params.yaml is a file: name a folder that is new or empty" in said
    assert files_of(made) == before


def test_nothing_is_left_of_a_project_that_fails(tmp_path, monkeypatch, capsys):
    (tmp_path / "empty/.git").mkdir(parents=True)
    monkeypatch.setattr(project, "new_files", lambda source: {"a/b": "", "a": ""})
    for name in ("empty", "new"):
        with pytest.raises(IsADirectoryError):
            init.main(tmp_path / name)
    assert [path.name for path in tmp_path.iterdir()] == ["empty"]
    assert [path.name for path in (tmp_path / "empty").iterdir()] == [".git"]
    monkeypatch.setattr(init.sys, "executable", "/bin/false")
    said = refused(capsys, tmp_path / "new")
    assert "init --quiet` ended with code 1, and nothing is left" in said
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "install Git" in refused(capsys, tmp_path / "new")
    assert [path.name for path in tmp_path.iterdir()] == ["empty"]


def test_within_a_repository_it_is_a_folder_of_it(tmp_path):
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    (tmp_path / ".gitignore").write_text("scratch/\n")
    for name in ("studies/one", "scratch/two"):
        init.main(tmp_path / name, "us-equities")
        assert (tmp_path / name / ".dvc/config").exists()
    assert not (tmp_path / "studies/one/.git").exists()
    # DVC refuses to run in a folder that Git ignores.
    assert (tmp_path / "scratch/two/.git").exists()


def test_upgrade_shows_and_writes_nothing(made, capsys):
    capsys.readouterr()
    init.main(upgrade=True)
    assert capsys.readouterr() == (
        "", f"konkyo {__version__}: the files are those of this version\n"
    )  # fmt: skip
    whole = files_of(made)
    (made / "dvc.yaml").write_text(
        (made / "dvc.yaml").read_text().replace("konkyo verify", "sleep")
    )
    (made / ".dvcignore").write_text("none\nno end of line")
    (made / "docs/data.md").unlink()
    text = (made / "params.yaml").read_text()
    (made / "params.yaml").write_text(text.replace("  lag_months: 0", "  #"))
    changed = files_of(made)
    init.main(upgrade=True)
    patch, said = capsys.readouterr()
    assert files_of(made) == changed
    assert "-    cmd: sleep\n+    cmd: konkyo verify\n" in patch
    assert "konkyo init --upgrade | git apply\n" in said
    assert "params.yaml leaves out, with defaults: backtest.lag_months: 0\n" in said
    subprocess.run(["git", "apply"], input=patch, text=True, cwd=made, check=True)
    assert files_of(made) == whole | {"params.yaml": changed["params.yaml"]}


def test_only_a_project_can_be_upgraded(tmp_path, capsys):
    assert "this is no project of" in refused(capsys, tmp_path, upgrade=True)
    assert "this is no project of" in refused(capsys, ROOT, upgrade=True)


def test_version():
    shown = CliRunner().invoke(cli.app, ["--version"])
    assert shown.stdout == f"konkyo {metadata.version('konkyo')}\n"


@pytest.mark.parametrize("room", ["tracking", "tuning", "monitoring", "report.pages", "__main__"])
def test_a_missing_extra_is_named_with_its_remedy(room, tmp_path):
    """An installation of konkyo whose metadata list a package that is nowhere."""
    info = tmp_path / "konkyo-9.dist-info"
    info.mkdir()
    lines = ['Requires-Dist: numpy>=2; extra == "pipeline"']
    lines += ['Requires-Dist: nowhere-1[a]<2,>=1; extra == "pipeline"']
    lines += ['Requires-Dist: elsewhere; extra == "dask"']
    (info / "METADATA").write_text("\n".join(["Metadata-Version: 2.1", "Name: konkyo", *lines]))
    paths = f"{tmp_path}{os.pathsep}{ROOT / 'src'}"
    ended = subprocess.run(
        [sys.executable, "-c", f"import konkyo.{room}; konkyo.{room}.main()"],
        env=os.environ | {"PYTHONPATH": paths}, capture_output=True, text=True,
    )  # fmt: skip
    said = (
        "1 of 2 packages of this part are not installed (nowhere-1): pip install 'konkyo[pipeline]'"
    )
    assert ended.returncode == 1 and ended.stderr.strip().endswith(said)
    assert ("Traceback" in ended.stderr) == (room != "__main__")


def test_without_an_installation_nothing_is_required(monkeypatch):
    def absent(name):
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(errors.metadata, "requires", absent)
    errors.require_extra.cache_clear()
    errors.require_extra("pipeline")
    errors.require_extra.cache_clear()


@pytest.mark.long
def test_a_project_runs_from_the_wheel(tmp_path):
    """The wheel, outside of the repository: makes a project, which runs to its backtest."""
    sources, wheels, site = (tmp_path / name for name in ("sources", "wheels", "site"))
    shutil.copytree(ROOT, sources, symlinks=True, ignore=shutil.ignore_patterns(".git", "build"))
    pip = [sys.executable, "-m", "pip", "--quiet"]
    options = ["--no-deps", "--no-build-isolation", "--no-index", "--wheel-dir", str(wheels)]
    subprocess.run([*pip, "wheel", *options, str(sources)], check=True)
    (wheel,) = wheels.iterdir()
    assert wheel.stat().st_size < 6_000_000
    options = ["--no-deps", "--no-index", "--target", str(site)]
    subprocess.run([*pip, "install", *options, str(wheel)], check=True)
    shutil.rmtree(sources)
    assert {path.name.split("-")[0] for path in site.iterdir()} == {"bin", "konkyo"}

    folder = tmp_path / "study"
    path = os.pathsep.join(
        [str(site / "bin"), str(Path(sys.executable).parent), os.environ["PATH"]]
    )
    environment = os.environ | {"PYTHONPATH": str(site), "PATH": path, "OMP_NUM_THREADS": "1"}

    def run(*command: str, cwd: Path = folder) -> str:
        done = subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    run("konkyo", "init", "study", "--source", "simulated-tse", cwd=tmp_path)
    write_params(folder, shortened(config.load(folder / "params.yaml")))
    run("dvc", "repro", "backtest")
    metrics = json.loads((folder / "data/metrics.json").read_text())
    assert metrics["network"]["months"] == 12
    digests = json.loads((folder / "data/code.json").read_text())
    assert digests["konkyo"] == wheel.name.split("-")[1]
    again = run("dvc", "repro", "backtest")
    assert again.count("didn't change, skipping") == 5 and again.count("Running stage") == 1
    # Another konkyo, in which one script differs: its stage alone runs again.
    with (site / "konkyo/pipeline/backtest.py").open("a") as script:
        script.write("# changed\n")
    again = run("dvc", "repro", "backtest")
    assert again.count("didn't change, skipping") == 4
    assert "Running stage 'backtest'" in again


def shortened(whole: config.Params) -> config.Params:
    """Return the params of the simulated market with few stocks and small networks."""
    values, small = config.as_dict(whole), config.as_dict(small_params())
    values["ingest"]["simulated"] |= {"stocks": SIMULATED.stocks}
    values["prepare"]["first_month"] = "2016-01"
    values["train"] |= {
        name: small["train"][name] for name in ("hidden_sizes", "epochs", "batch_size", "resamples")
    }
    values["verify"] |= {"n_stocks": 20, "n_permutations": 2}
    values["report"]["market_month"] = "largest"
    values["backtest"]["n_quantiles"] = 5
    return config.parse(values)
