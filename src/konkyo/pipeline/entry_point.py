"""The entry points of MLproject: the stages, in the run and in the store of `mlflow run`."""

import os
import subprocess  # nosec B404 # fixed programs, never a shell
import sys
from collections.abc import Mapping
from functools import reduce
from operator import getitem
from pathlib import Path

from ruamel.yaml import YAML

from konkyo import config
from konkyo.errors import ParamsError
from konkyo.pipeline import stage

_AS_IN_FILE = "params.yaml"
"""The value of a parameter of MLproject that leaves it to params.yaml."""


@stage
def main(name: str, options: Mapping[str, str]) -> None:
    """Run an entry point.

    Without values of its own the main job runs in this folder: what did not change is not computed
    again, and still fills the run that was asked for. With them it runs as a temporary experiment
    of DVC, in a copy that has its own params.yaml.

    Parameters
    ----------
    name : str
        main, intervention or tune.
    options : mapping of str to str
        Of main, values by key of params.yaml, such as train.dropout; of tune, `trials`.

    Raises
    ------
    ParamsError
        A key is unknown or a value not allowed.
    TrackingError
        The run to fill is not in the store: nothing has been computed yet.
    SystemExit
        A command failed: its exit code.
    """
    values = {key: value for key, value in options.items() if value != _AS_IN_FILE}
    params = _with_values(values) if name == "main" else config.load()
    # mlflow takes seconds to import; an error in params.yaml is reported without it.
    from konkyo.tracking import open_runs, store

    target = store.target(params.track, Path.cwd(), os.environ)
    open_runs.require_fillable(target)
    for command in _commands(name, values, target.run_id or ""):
        done = subprocess.run([sys.executable, "-m", *command])  # nosec B603 # a list, no shell
        if done.returncode:
            raise SystemExit(done.returncode)


def _commands(name: str, values: Mapping[str, str], run_id: str) -> list[list[str]]:
    """Return the commands of an entry point, each a module of Python and its arguments."""
    if name == "tune":
        return [["dvc", "repro", "prepare"], ["konkyo", "tune", "--trials", values["trials"]]]
    if name == "intervention":
        until = ["konkyo", "intervention", "--until"]
        return [[*until, "intervention-report"], [*until, "intervention-track", "--force"]]
    if not values:
        track = ["dvc", "repro", "--force", "--single-item", "track"]
        return [["dvc", "repro", "report"], track]
    # A name of its own, so that the stage `track` runs whatever DVC has of these values.
    changes = [f"{key}={value}" for key, value in values.items()]
    changes.append(f"track.run_name=mlflow-run-{run_id[:8]}")
    options = [part for change in changes for part in ("--set-param", change)]
    return [["dvc", "exp", "run", "--temp", *options]]


def _with_values(values: Mapping[str, str]) -> config.Params:
    """Return params.yaml with some values changed, each written as in YAML.

    Raises
    ------
    ParamsError
        A key is unknown or a value not allowed.
    """
    params = config.as_dict(config.load())
    for key, text in values.items():
        if key not in config.flatten(params):
            raise ParamsError(
                f"{key}: unknown key; write one of params.yaml, such as train.dropout"
            )
        *parents, name = key.split(".")
        section = reduce(getitem, parents, params)
        section[name] = YAML(typ="safe").load(text)
    return config.parse(params)


if __name__ == "__main__":
    arguments = sys.argv[2:]
    # As MLflow appends what is no parameter of the entry point: --key value.
    keys = [argument.removeprefix("--") for argument in arguments[::2]]
    main(sys.argv[1], dict(zip(keys, arguments[1::2], strict=True)))
