"""The code inside the servable model: MLflow runs this file when it loads the model."""

from pathlib import Path
from typing import Any

import mlflow
import pandas as pd
from mlflow.pyfunc import PythonModel, PythonModelContext

from konkyo import months
from konkyo.attribution import explain


class Ranker(PythonModel):
    """The networks of all months; each row is scored by the network of its own month.

    The weights are safetensors files and this class is code, so that loading the model runs
    nothing that was pickled.
    """

    def load_context(self, context: PythonModelContext) -> None:
        """Note where the weights are; they are read for the months asked for."""
        self.folder = Path(context.artifacts["weights"])
        self.epsilon = float(context.model_config["attribute.epsilon"])

    def predict(
        self,
        context: PythonModelContext,
        model_input: pd.DataFrame,
        params: dict[str, Any] | None = None,
    ) -> pd.DataFrame:
        """Score stocks and give the grounds of each score.

        Parameters
        ----------
        context : PythonModelContext
            Not used here; MLflow passes it.
        model_input : pandas.DataFrame
            month (decision month t: a date, YYYY-MM or YYYY-MM-DD), stock, and every feature of
            the catalogue as the panel holds it, known at the end of t.
        params : dict, optional
            None are known.

        Returns
        -------
        pandas.DataFrame
            month (period end), stock, score, one relevance column a feature, absorbed; in the
            rows' order, relevances and absorbed adding up to the score.

        Raises
        ------
        ArtifactError
            A month has no network.
        """
        ends = months.month_end(months.ordinal(pd.to_datetime(model_input["month"])))
        return explain(self.folder, model_input.assign(month=ends), self.epsilon)


mlflow.models.set_model(Ranker())
