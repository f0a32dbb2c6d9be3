import numpy as np
import pandas as pd
import pytest

from konkyo.intervention import scoring


def test_the_cut_is_a_tenth_of_the_mean_size(study):
    past = np.array([0.0, 0, 0, 120, 0, 0, 0, 0, 0, 0, 0, -240])
    assert scoring.cut(past, study.scoring) == pytest.approx(3.0)
    assert scoring.cut(np.array([np.nan, -50.0, 40.0]), study.scoring) == pytest.approx(4.5)


def test_a_year_without_intervention_has_a_cut_of_0(study):
    assert scoring.cut(np.zeros(12), study.scoring) == 0
    assert scoring.cut(np.full(12, np.nan), study.scoring) == 0


def test_an_amount_is_right_from_half_to_three_times(study):
    actual = np.array([100, 100, 100, 100, -100, -100, 0])
    forecast = np.array([49, 50, 300, 301, -60, 60, 5])
    right = [False, True, True, False, True, False, False]
    assert scoring.amount_right(actual, forecast, config=study.scoring).tolist() == right


def test_answers_compare_sizes_in_either_direction(study):
    table = pd.DataFrame(
        {
            "method": ["amount"] * 4 + ["occurrence"] * 3,
            "actual": [-100.0, -1.0, -100.0, 0.0, -1.0, 1.0, 0.0],
            "forecast": [-60.0, 9.0, 90.0, 0.5, 0.5, 0.49, 0.1],
            "cut": [5.0, 5.0, 5.0, 0.0, 5.0, 5.0, 5.0],
        }
    )
    scored = scoring.score_predictions(table, study.scoring)
    assert scored["actual_yes"].tolist() == [True, False, True, False, True, True, False]
    # A forecast of the wrong sign is a yes too, and with a cut of 0 any forecast is one.
    assert scored["predicted_yes"].tolist() == [True, True, True, True, True, False, False]
    assert scored["right"].tolist() == [True, False, True, False, True, False, True]
    # Its amount is wrong.
    assert scored["amount_right"].tolist()[::2][:2] == [True, False]
    assert scored["amount_right"].isna().tolist() == [False, True, False, True, True, True, True]
