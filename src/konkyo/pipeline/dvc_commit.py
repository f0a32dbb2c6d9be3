"""Commit of stages to DVC's cache and lock file, in the background."""

import subprocess  # nosec B404 # a fixed program, never a shell
import sys
from collections.abc import Sequence
from dataclasses import dataclass

from konkyo.errors import ArtifactError


@dataclass(frozen=True)
class Commit:
    """A running `dvc commit` and its stages."""

    process: "subprocess.Popen[str]"
    stages: Sequence[str]


def start(stages: Sequence[str]) -> Commit:
    """Start `dvc commit` of the outputs of stages."""
    command = [sys.executable, "-m", "dvc", "commit", "--quiet", "--force", *stages]
    process = subprocess.Popen(  # nosec B603 # a list, never a shell
        command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    )
    return Commit(process, stages)


def finish(commit: Commit) -> None:
    """Wait for a commit.

    Raises
    ------
    ArtifactError
        DVC failed: the error has its message and the command to repeat.
    """
    message = commit.process.communicate()[1].strip()
    if commit.process.returncode:
        raise ArtifactError(
            f"the results are complete, but `dvc commit` failed ({message}): run "
            f"`dvc commit --force {' '.join(commit.stages)}`"
        )
