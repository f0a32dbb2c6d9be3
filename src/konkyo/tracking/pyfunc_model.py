"""The code inside the servable model: MLflow runs this file when it loads the model."""

import json
from pathlib import Path
from typing import Any

import mlflow
import pandas as pd
from mlflow.exceptions import MlflowException
from mlflow.protos.databricks_pb2 import INVALID_PARAMETER_VALUE
from mlflow.pyfunc import PythonModel, PythonModelContext

from konkyo import date_text
from konkyo.attribution.attributions import explain
from konkyo.attribution.row_errors import with_errors
from konkyo.errors import KonkyoError


class Ranker(PythonModel):
    """The networks of all months; each row is scored by the network of its own month.

    The weights are safetensors files and this class is code, so that loading the model runs
    nothing that was pickled.
    """

    def load_context(self, context: PythonModelContext) -> None:
        """Set the folder of the weights, which are read when their months are predicted."""
        self.folder = Path(context.artifacts["weights"])
        self.epsilon = float(context.model_config["attribute.epsilon"])
        self.method = str(context.model_config["attribute.method"])
        self.halves = context.artifacts.get("halves")
        if self.halves is not None:
            self.errors = json.loads(Path(context.artifacts["errors"]).read_text(encoding="utf-8"))

    def predict(
        self,
        context: PythonModelContext,
        model_input: pd.DataFrame,
        params: dict[str, Any] | None = None,
    ) -> pd.DataFrame:
        """Return the score of each stock and its attribution.

        Parameters
        ----------
        context : PythonModelContext
            Not used here; MLflow passes it.
        model_input : pandas.DataFrame
            month (decision month t: a date, YYYY-MM or YYYY-MM-DD), stock, and every feature of
            the catalogue as in the panel: standardised, available at the end of t.
        params : dict, optional
            explain: whether the answer has relevances; errors: whether it has them with their
            standard errors.

        Returns
        -------
        pandas.DataFrame
            month (period end), stock, score and, if they are asked for, one relevance column a
            feature and absorbed, in the order of the input, and error_<feature> and
            reliable_<feature>. Relevances and absorbed add up to the score.

        Raises
        ------
        mlflow.exceptions.MlflowException
            The rows cannot be scored: an invalid month or one without a network, a missing or
            infinite value, no rows. A server answers with status 400 and the reason, which it would
            not pass on for any other type of error.
        """
        options = params or {}
        try:
            rows = model_input.assign(month=_period_ends(model_input["month"]))
            answer = explain(self.folder, rows, self.epsilon, self.method)
            if options.get("errors"):
                if self.halves is None:
                    raise KonkyoError(
                        "errors: this model has no networks of halves: set train.resamples (6), "
                        "run `dvc repro` and ask the new model"
                    )
                return with_errors(
                    answer,
                    rows,
                    Path(self.halves),
                    self.errors,
                    epsilon=self.epsilon,
                    method=self.method,
                )
        except KonkyoError as error:
            raise MlflowException(str(error), INVALID_PARAMETER_VALUE) from None
        return answer if options.get("explain") else answer[["month", "stock", "score"]]


def _period_ends(month: pd.Series) -> pd.DatetimeIndex:
    """Return the ends of the months, read as strictly as tables are.

    Numbers are an error: pandas would read 202112 as nanoseconds since 1970.
    """
    remedy = "write the decision month as YYYY-MM or YYYY-MM-DD"
    numbers = [value for value in month if isinstance(value, bool | int | float)]
    if numbers:
        raise KonkyoError(
            f"{len(numbers)} months are numbers or missing, first {numbers[0]}: {remedy}"
        )
    if month.isna().any():
        raise KonkyoError(f"{int(month.isna().sum())} months are missing: {remedy}")
    try:
        return date_text.period_ends(month)
    except ValueError as error:
        raise KonkyoError(f"a month is no date: {error}") from None


mlflow.models.set_model(Ranker())
