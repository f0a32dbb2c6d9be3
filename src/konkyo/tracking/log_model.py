"""The servable model of all months, logged once a run."""

import shutil
import warnings
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import mlflow
import pandas as pd
from mlflow.models import Model, ModelSignature, infer_signature
from mlflow.models.model import MLMODEL_FILE_NAME, ModelInfo
from mlflow.types import ColSpec, DataType, ParamSchema, ParamSpec, Schema
from mlflow.types.schema import AnyType

import konkyo
from konkyo import cache, date_text
from konkyo.artifacts import require_months
from konkyo.attribution.attributions import INTEGRATED_GRADIENTS, explain
from konkyo.io import write_json
from konkyo.models import store
from konkyo.tracking.client import StoreClient
from konkyo.tracking.lineage import installed

EPSILON = "attribute.epsilon"
METHOD = "attribute.method"
"""The names of the run's own params: MLflow logs a model's config as params of its run."""
REQUIREMENTS = ("mlflow", "numpy", "pandas", "pyarrow", "safetensors", "scipy", "torch")
"""Libraries that prediction imports; konkyo itself travels as code inside the model."""
MODULE_REQUIREMENTS = ("pytorch-lightning", "captum")
"""Those of a user's module beside them; what it imports itself is the server's to install."""
_MONTH, _RUN = "@month", "@run"
"""Stand-ins in the description of a month's model; YAML puts an @ in quotes, as an id of digits."""
_CODE = (
    *("__init__.py", "artifacts.py", "cache.py", "date_text.py", "dates.py"),
    *("errors.py", "io.py"),
    *("random.py", "resilience.py", "attribution", "models"),
)
"""The modules that prediction needs, not the package: each file is a call to the server."""


def log(
    client: StoreClient,
    run_id: str,
    *,
    weights: Path,
    example: pd.DataFrame,
    epsilon: float,
    method: str = INTEGRATED_GRADIENTS,
    halves: Path | None = None,
    errors: Mapping[str, Any] | None = None,
) -> ModelInfo:
    """Log the model in a run.

    Parameters
    ----------
    client : StoreClient
        Client of the store that `store.connect` set for MLflow's own functions.
    run_id : str
        The run.
    weights : pathlib.Path
        Folder with one safetensors file a decision month.
    example : pandas.DataFrame
        month (text), stock and features of a few rows: the input example, whose prediction gives
        the types of the outputs.
    epsilon : float
        Epsilon of the LRP rule, in units of the score.
    method : str
        `attribute.method`, of a user's module; its source travels with the model.
    halves : pathlib.Path, optional
        Folder of the networks of halves; with `errors`.
    errors : mapping, optional
        What `row_errors.of_months` returns: the model then answers with standard errors.
    """
    ends = date_text.period_ends(example["month"])
    prediction = explain(weights, example.assign(month=ends), epsilon, method)
    of_user = store.modules(store.read(require_months(weights, ".safetensors")[0]))
    sources = [str(cache.source_of(of_user[0].module))] if of_user else []
    # By default MLflow files the model under the active experiment, not that of the run.
    experiment = client.get_run(run_id).info.experiment_id
    of_run = f"name = 'ranker' and source_run_id = '{run_id}'"
    with TemporaryDirectory() as folder:
        code = str(_copy_code(Path(folder)))
        artifacts = {"weights": weights.absolute().as_uri()}
        if halves is not None and errors is not None:
            about = Path(folder) / "errors.json"
            write_json(errors, about)
            artifacts |= {"halves": halves.absolute().as_uri(), "errors": about.as_uri()}

        def attempt() -> ModelInfo:
            # An unfinished model of an earlier attempt cannot be completed, since a model is linked
            # to its run only once: it is deleted.
            for unfinished in client.search_logged_models([experiment], of_run):
                client.delete_logged_model(unfinished.model_id)
            model = client.create_logged_model(experiment, name="ranker", source_run_id=run_id)
            return Model.log(
                artifact_path=None,
                model_id=model.model_id,
                flavor=mlflow.pyfunc,
                run_id=run_id,
                python_model=str(Path(__file__).with_name("pyfunc_model.py")),
                artifacts=artifacts,
                code_paths=[code, *sources],
                pip_requirements=requirements(*(MODULE_REQUIREMENTS if of_user else ())),
                signature=signature(example, prediction, explain=True),
                input_example=example,
                model_config={EPSILON: epsilon, METHOD: method},
            )

        return client.retry(attempt)


def _copy_code(folder: Path) -> Path:
    """Copy the modules of `_CODE` into a folder; return the package's copy."""
    package = Path(konkyo.__file__).parent
    for name in _CODE:
        source, copy = package / name, folder / package.name / name
        copy.parent.mkdir(exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, copy, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copyfile(source, copy)
    return folder / package.name


def save_month_model(folder: Path, ranker: ModelInfo) -> str:
    """Write the model of a month into a folder; return its description, for `month_of`."""
    types = ranker.signature
    assert types is not None  # nosec B101 # `log` gave it one
    signature_of_month = ModelSignature(types.inputs, types.outputs, _options(explain=False))
    # MLflow would like an example; that of the run's model is one.
    with warnings.catch_warnings(action="ignore", category=UserWarning):
        mlflow.pyfunc.save_model(
            folder,
            python_model=str(Path(__file__).with_name("month_model.py")),
            pip_requirements=requirements(),
            signature=signature_of_month,
            model_config={"ranker": ranker.model_uri, "month": _MONTH},
        )
    model = Model.load(str(folder))
    model.run_id = _RUN
    return str(model.to_yaml())


def month_of(description: str, folder: Path, *, month: str, run_id: str) -> None:
    """Make the model in a folder that of a month, YYYY-MM, in the run of that month."""
    # As text: the types of all inputs take MLflow longer to write than the rest of a month.
    filled = description.replace(_MONTH, month).replace(_RUN, run_id)
    (folder / MLMODEL_FILE_NAME).write_text(filled, encoding="utf-8")


def _options(*, explain: bool) -> ParamSchema:
    """Return the options of a prediction; `explain` is whether it has relevances by default."""
    return ParamSchema(
        [
            ParamSpec("explain", DataType.boolean, explain),
            ParamSpec("errors", DataType.boolean, False),
        ]
    )


def signature(example: pd.DataFrame, prediction: pd.DataFrame, *, explain: bool) -> ModelSignature:
    """Return the types of the model's inputs and outputs, and its option.

    `month` may be of any type, since callers have dates or text, and so may features, since MLflow
    turns whole numbers away from a column of floats: prediction itself refuses what is no number.
    """
    features = [name for name in example.columns if name not in ("month", "stock")]
    inputs: list[Any] = [ColSpec(AnyType(), "month"), ColSpec(DataType.string, "stock")]
    inputs += [ColSpec(AnyType(), name) for name in features]
    outputs = infer_signature(None, prediction).outputs
    return ModelSignature(Schema(inputs), outputs, _options(explain=explain))


def requirements(*more: str) -> list[str]:
    """Return the model's requirements, each pinned to the installed version.

    Without the local part of a version, such as torch's +cpu, which no package index has.
    """
    return [f"{name}=={installed(name).split('+')[0]}" for name in (*REQUIREMENTS, *more)]
