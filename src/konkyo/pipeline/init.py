"""init: a project of one's own, or what a new version of konkyo would change in one."""

import shutil
import subprocess  # nosec B404 # fixed programs, never a shell
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from konkyo import __version__, project
from konkyo.errors import ArtifactError, KonkyoError, StorageError
from konkyo.pipeline import stage


@stage
def main(
    folder: Path = Path(),
    source: Literal["tables", "us-equities", "simulated-tse"] = "tables",
    upgrade: bool = False,
) -> None:
    """Make a project in a new or empty folder, which may be a repository of Git.

    Parameters
    ----------
    folder : Path
        The project's folder.
    source : str
        `ingest.source` of its params.yaml; with tables data/own has an example.
    upgrade : bool
        Write nothing: print as a patch what this version of konkyo has otherwise than the project.

    Raises
    ------
    ArtifactError
        The folder has files, or to upgrade no project.
    StorageError
        Git is not installed.
    """
    if upgrade:
        _show_upgrade(folder)
        return
    if folder.exists() and not folder.is_dir():
        raise ArtifactError(f"{folder} is a file: name a folder that is new or empty")
    before = list(folder.iterdir()) if folder.exists() else None
    names = sorted(path.name for path in before or () if path.name != ".git")
    if names:
        raise ArtifactError(
            f"{folder.absolute()} has {len(names)} files ({', '.join(names[:3])}): name a folder "
            "that is new or empty; in a project, `konkyo init --upgrade` shows what a new version "
            "changes"
        )
    if shutil.which("git") is None:
        raise StorageError("there is no command git, which versions a project: install Git")
    try:
        _write(folder, source)
    except BaseException:
        for path in folder.iterdir() if before is not None else [folder]:
            if path not in (before or ()):
                shutil.rmtree(path) if path.is_dir() else path.unlink()
        raise
    print(f"{folder.absolute()}: a project with source {source}, under Git and DVC")
    if source == "tables":
        print("data/own has an example of stocks and market series, for your own to replace")
    print(f"next: cd {folder} && dvc repro")


def _write(folder: Path, source: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    git = ["git", "-C", str(folder)]
    # Within another repository, such as a team's, the project is a folder of that one.
    inside = _succeeds([*git, "rev-parse"]) and not _succeeds([*git, "check-ignore", "-q", "."])
    if not inside:
        _run([*git, "init", "--quiet"])
    subdir = ["--subdir"] if inside else []
    _run([sys.executable, "-m", "dvc", "--cd", str(folder), "init", "--quiet", *subdir])
    for name, text in project.new_files(source).items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")


def _show_upgrade(folder: Path) -> None:
    patch = "".join(project.upgrade(folder))
    print(patch, end="")
    advice = "the files are those of this version"
    if patch:
        advice = "nothing is written; to take it over: konkyo init --upgrade | git apply"
    print(f"konkyo {__version__}: {advice}", file=sys.stderr)
    defaults = [f"{key}: {value}" for key, value in project.default_params(folder).items()]
    if defaults:
        print(f"params.yaml leaves out, with defaults: {', '.join(defaults)}", file=sys.stderr)


def _succeeds(command: Sequence[str]) -> bool:
    return subprocess.run(command, capture_output=True).returncode == 0  # nosec B603 # a list


def _run(command: Sequence[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True)  # nosec B603 # a list
    if done.returncode:
        raise KonkyoError(
            f"`{' '.join(command)}` ended with code {done.returncode}, and nothing is left of the "
            f"project: {done.stderr.strip()}"
        )
