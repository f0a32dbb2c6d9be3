"""The code inside the servable model: MLflow runs this file when it loads the model."""

from pathlib import Path
from typing import Any

import mlflow
import pandas as pd
from mlflow.exceptions import MlflowException
from mlflow.protos.databricks_pb2 import INVALID_PARAMETER_VALUE
from mlflow.pyfunc import PythonModel, PythonModelContext

from konkyo import dates
from konkyo.attribution import explain
from konkyo.errors import KonkyoError


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
        mlflow.exceptions.MlflowException
            The rows cannot be scored: a month that is no month or has no network, a value that is
            missing or infinite, no rows. A server answers it with status 400 and the reason; any
            other error would lose the reason on the way.
        """
        try:
            ends = _period_ends(model_input["month"])
            return explain(self.folder, model_input.assign(month=ends), self.epsilon)
        except KonkyoError as error:
            raise MlflowException(str(error), INVALID_PARAMETER_VALUE) from None


def _period_ends(month: pd.Series) -> pd.DatetimeIndex:
    """Return the ends of the months, read as strictly as tables are.

    Numbers are refused: pandas would take 202112 for nanoseconds after 1970.
    """
    remedy = "write the decision month as YYYY-MM or YYYY-MM-DD"
    odd = [value for value in month if isinstance(value, bool | int | float)]
    if odd:
        raise KonkyoError(f"{len(odd)} months are numbers or missing, first {odd[0]}: {remedy}")
    if month.isna().any():
        raise KonkyoError(f"{int(month.isna().sum())} months are missing: {remedy}")
    try:
        ends = {value: dates.period_end(value) for value in month.unique()}
    except ValueError as error:
        raise KonkyoError(f"a month is no date ({error}): {remedy}") from None
    return pd.DatetimeIndex([ends[value] for value in month])


mlflow.models.set_model(Ranker())
