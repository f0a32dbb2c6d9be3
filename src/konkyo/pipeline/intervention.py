"""intervention: the stages of the second study by DVC, as `dvc repro` runs the main job.

Their dvc.yaml stands in data/intervention from the first run on, not before: `dvc status` of the
main job would list every output of a study that nobody has asked for.
"""

import subprocess  # nosec B404 # a fixed program, never a shell
import sys
from importlib.resources import files

from konkyo import project
from konkyo.artifacts import HERE
from konkyo.errors import KonkyoError
from konkyo.io import atomic_write
from konkyo.pipeline import stage

# No lock: the stages, which are processes of their own, take the study's lock one by one.


@stage
def main(until: str | None = None, force: bool = False) -> None:
    """Run the stages whose code, params or data changed.

    Parameters
    ----------
    until : str, optional
        The last stage to run; by default all.
    force : bool
        Run `until` itself anew, and no other stage.

    Raises
    ------
    KonkyoError
        A stage failed, or DVC did, which says why.
    """
    text = files("konkyo.intervention").joinpath("stages.yaml").read_text(encoding="utf-8")
    if not project.is_repository():
        text = project.stages(text)
    path = HERE.intervention_stages
    if not path.exists() or path.read_text(encoding="utf-8") != text:
        with atomic_write(path) as temporary:
            temporary.write_text(text, encoding="utf-8")
    target = str(path) if until is None else f"{path}:{until}"
    options = ["--force", "--single-item"] if force else []
    command = [sys.executable, "-m", "dvc", "repro", *options, target]
    done = subprocess.run(command)  # nosec B603 # a list, never a shell
    if done.returncode:
        # Not DVC's own code, 251 to 255: those of konkyo are 0, 1 and 2.
        raise KonkyoError(f"`dvc repro {target}` ended with code {done.returncode}: see above")
