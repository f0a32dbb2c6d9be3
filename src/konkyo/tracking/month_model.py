"""The code inside a month's model, which hands rows to the model of the run."""

from typing import Any

import mlflow
import pandas as pd
from mlflow.exceptions import MlflowException
from mlflow.protos.databricks_pb2 import INVALID_PARAMETER_VALUE
from mlflow.pyfunc import PythonModel, PythonModelContext


class Month(PythonModel):
    """The network, or the ensemble, of one decision month."""

    def load_context(self, context: PythonModelContext) -> None:
        """Load the model of the run."""
        self.month = context.model_config["month"]
        self.uri = context.model_config["ranker"]
        self.ranker = mlflow.pyfunc.load_model(self.uri)

    def predict(
        self,
        context: PythonModelContext,
        model_input: pd.DataFrame,
        params: dict[str, Any] | None = None,
    ) -> pd.DataFrame:
        """Return the score of each stock, and its relevances if `params` has `explain` or `errors`.

        Raises
        ------
        mlflow.exceptions.MlflowException
            The rows cannot be scored, or are of another month.
        """
        scores = self.ranker.predict(model_input, params)
        others = sorted({f"{month:%Y-%m}" for month in scores["month"]} - {self.month})
        if others:
            raise MlflowException(
                f"this is the model of {self.month}, and there are rows of {', '.join(others)}: "
                f"leave them out, or load the model of all months, {self.uri}",
                INVALID_PARAMETER_VALUE,
            )
        return scores


mlflow.models.set_model(Month())
