"""Scores of the models beside the realised returns."""

import numpy as np
import pandas as pd
import pytest

from konkyo.backtesting.scores import join_scores
from konkyo.errors import ArtifactError

_MONTHS = pd.to_datetime(["2020-01-31", "2020-01-31", "2020-02-29"])


@pytest.fixture
def index() -> pd.DataFrame:
    return pd.DataFrame({"month": _MONTHS, "stock": ["A", "B", "A"], "ret": [0.1, -0.2, np.nan]})


@pytest.fixture
def network() -> pd.DataFrame:
    return pd.DataFrame({"month": _MONTHS, "stock": ["A", "B", "A"], "score": [1.0, 2.0, 3.0]})


@pytest.fixture
def baselines() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "month": _MONTHS,
            "stock": ["A", "B", "A"],
            "ridge": [4.0, 5.0, 6.0],
            "placebo": [7.0, 8.0, np.nan],
        }
    )


def test_one_row_a_model_month_and_stock(
    index: pd.DataFrame, network: pd.DataFrame, baselines: pd.DataFrame
) -> None:
    found = join_scores(index, network.iloc[::-1], baselines).sort_values(["model", "score"])
    assert found["model"].tolist() == ["network"] * 3 + ["placebo"] * 2 + ["ridge"] * 3
    assert found["score"].tolist() == [1.0, 2.0, 3.0, 7.0, 8.0, 4.0, 5.0, 6.0]
    returns = [0.1, -0.2, np.nan, 0.1, -0.2, 0.1, -0.2, np.nan]
    np.testing.assert_array_equal(found["ret"], returns)


def test_rows_without_a_score_are_left_out(
    index: pd.DataFrame, network: pd.DataFrame, baselines: pd.DataFrame
) -> None:
    found = join_scores(index, network[:1], baselines.assign(placebo=np.nan))
    assert found.groupby("model").size().to_dict() == {"network": 1, "ridge": 3}


def test_unfit_scores_are_refused(
    index: pd.DataFrame, network: pd.DataFrame, baselines: pd.DataFrame
) -> None:
    with pytest.raises(ArtifactError, match=r"network: .* stock A in 2020-02 has no row .*1 of 3"):
        join_scores(index[:2], network, baselines)
    with pytest.raises(ArtifactError, match=r"ridge: .* stock B in 2020-01 is infinite"):
        join_scores(index, network, baselines.replace({"ridge": {5.0: np.inf}}))
    with pytest.raises(ArtifactError, match=r"network: .* stock A in 2020-01 is duplicated"):
        join_scores(index, pd.concat([network, network[:1]]), baselines)
    with pytest.raises(ArtifactError, match=r"network: .* stock B in 2020-01 is NaN"):
        join_scores(index, network.replace({"score": {2.0: np.nan}}), baselines)
