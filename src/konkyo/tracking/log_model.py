"""The model of all months, logged once a run."""

import shutil
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import mlflow
import pandas as pd
from mlflow.models import Model, ModelSignature, infer_signature
from mlflow.models.model import ModelInfo
from mlflow.types import ColSpec, DataType, Schema
from mlflow.types.schema import AnyType

import konkyo
from konkyo.attribution import explain
from konkyo.tracking.client import StoreClient
from konkyo.tracking.lineage import installed

EPSILON = "attribute.epsilon"
"""Named as the run's param: MLflow logs a model's settings as params of its run."""
REQUIREMENTS = ("mlflow", "numpy", "pandas", "pyarrow", "safetensors", "torch")
"""What predicting imports; konkyo itself travels as code inside the model."""
_CODE = (
    *("__init__.py", "artifacts.py", "cache.py", "dates.py", "errors.py", "io.py"),
    *("random.py", "resilience.py", "attribution", "models"),
)
"""The rooms that predicting needs: on a server each file is a call of its own."""


def log(
    client: StoreClient, run_id: str, weights: Path, example: pd.DataFrame, epsilon: float
) -> ModelInfo:
    """Log the model in a run.

    Parameters
    ----------
    client : StoreClient
        Of the store that MLflow's own functions were told to use.
    run_id : str
        The run.
    weights : pathlib.Path
        Folder with one safetensors file a decision month.
    example : pandas.DataFrame
        month (text), stock and features of a few rows: the input example, whose prediction gives
        the outputs' types.
    epsilon : float
        Of the relevance rule, in units of the score.

    Returns
    -------
    mlflow.models.model.ModelInfo
        With the address of the logged model.
    """
    ends = pd.to_datetime(example["month"])
    answer = explain(weights, example.assign(month=ends), epsilon)
    # Left to itself MLflow would file the model under the experiment that is active, not the run's.
    experiment = client.get_run(run_id).info.experiment_id
    of_run = f"name = 'ranker' and source_run_id = '{run_id}'"
    with TemporaryDirectory() as folder:
        code = str(_code(Path(folder)))

        def attempt() -> ModelInfo:
            # A model is linked to its run only once, so that one that an earlier attempt left
            # unfinished cannot be filled: it makes way for another.
            for unfinished in client.search_logged_models([experiment], of_run):
                client.delete_logged_model(unfinished.model_id)
            model = client.create_logged_model(experiment, name="ranker", source_run_id=run_id)
            return Model.log(
                artifact_path=None,
                model_id=model.model_id,
                flavor=mlflow.pyfunc,
                run_id=run_id,
                python_model=str(Path(__file__).with_name("pyfunc_model.py")),
                artifacts={"weights": str(weights)},
                code_paths=[code],
                pip_requirements=requirements(),
                signature=signature(example, answer),
                input_example=example,
                model_config={EPSILON: epsilon},
            )

        return client.retried(attempt)


def _code(folder: Path) -> Path:
    """Copy the package into a folder, as far as predicting needs it."""
    package = Path(konkyo.__file__).parent
    for name in _CODE:
        source, copy = package / name, folder / package.name / name
        copy.parent.mkdir(exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, copy, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copyfile(source, copy)
    return folder / package.name


def signature(example: pd.DataFrame, answer: pd.DataFrame) -> ModelSignature:
    """Return the types that the model takes and gives.

    `month` takes any type, since a caller may have dates or text; features take every float.
    """
    features = [name for name in example.columns if name not in ("month", "stock")]
    inputs: list[Any] = [ColSpec(AnyType(), "month"), ColSpec(DataType.string, "stock")]
    inputs += [ColSpec(DataType.double, name) for name in features]
    return ModelSignature(inputs=Schema(inputs), outputs=infer_signature(None, answer).outputs)


def requirements() -> list[str]:
    """Return the model's requirements, each pinned to the installed version.

    A local part of a version, as in torch's +cpu, is no registry's version and is left out.
    """
    return [f"{name}=={installed(name).split('+')[0]}" for name in REQUIREMENTS]
