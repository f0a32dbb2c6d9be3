"""The user's own files in an experiment of DVC that runs in a temporary folder."""

import os
import shutil
from pathlib import Path

from konkyo.artifacts import HERE, Artifacts, owning_project


def link_own() -> None:
    """Link the files of data/own that a temporary folder lacks to those of its project.

    `dvc exp run --temp` and `--queue` copy what git has, and git ignores data/own.
    """
    owner = owning_project(Path.cwd())
    if owner == Path.cwd() or not Artifacts(owner).own.is_dir():
        return

    def link(source: str, target: str) -> None:
        if not os.path.lexists(target):
            os.symlink(os.path.abspath(source), target)

    shutil.copytree(Artifacts(owner).own, HERE.own, copy_function=link, dirs_exist_ok=True)
