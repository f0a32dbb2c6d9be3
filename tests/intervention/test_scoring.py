import numpy as np
import pandas as pd
import pytest

from konkyo.intervention import scoring


def test_the_cut_is_a_tenth_of_twelve_months_mean(study):
    past = np.array([0.0, 0, 0, 120, 0, 0, 0, 0, 0, 0, 0, 240])
    assert scoring.cut(past, np.array([999.0]), config=study.scoring) == pytest.approx(3.0)


def test_unknown_or_opposite_months_add_nothing(study):
    past = np.array([np.nan, -50.0, 40.0])
    assert scoring.cut(past, past, config=study.scoring) == pytest.approx(0.1 * 40 / 2)


def test_a_year_without_amounts_uses_the_period_before(study):
    assert scoring.cut(np.zeros(12), np.array([0, 60.0, 0]), config=study.scoring) == pytest.approx(
        2.0
    )


def test_an_amount_is_right_from_half_to_three_times(study):
    actual = np.array([100, 100, 100, 100, -100, -100, 0])
    forecast = np.array([49, 50, 300, 301, -60, 60, 5])
    right = [False, True, True, False, True, False, False]
    assert scoring.amount_right(actual, forecast, config=study.scoring).tolist() == right


def test_no_month_of_intervention_has_no_share(study):
    none = np.zeros(2, dtype=bool)
    assert np.isnan(
        scoring.amount_accuracy(np.ones(2), np.ones(2), occurred=none, config=study.scoring)
    )


def test_answers_are_judged_in_the_periods_direction(study):
    table = pd.DataFrame(
        {
            "method": ["amount", "amount", "amount", "occurrence", "occurrence"],
            "sign": [-1, -1, -1, -1, 1],
            "actual": [-100.0, -1.0, -100.0, -1.0, -1.0],
            "forecast": [-40.0, -2.0, 90.0, 0.6, 0.6],
            "cut": [5.0, 5.0, 5.0, 5.0, 5.0],
        }
    )
    scored = scoring.score_predictions(table, study.scoring)
    assert scored["actual_yes"].tolist() == [True, False, True, True, False]
    assert scored["predicted_yes"].tolist() == [True, False, False, True, True]
    assert scored["right"].tolist() == [True, True, False, True, False]
    assert scored["amount_right"].tolist()[0] is False
    assert scored["amount_right"].isna().tolist() == [False, True, False, True, True]
