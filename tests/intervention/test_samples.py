from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from konkyo import config as whole
from konkyo.errors import ParamsError, RecordsError
from konkyo.intervention.samples import build_samples
from small import PARAMS


def changed(records: pd.DataFrame, first: str, **columns) -> pd.DataFrame:
    later = records.copy()
    rows = later["month"] >= first
    for name, factor in columns.items():
        later.loc[rows, name] *= factor
    return later


def test_windows_grow_monthly_and_scale_on_own_rows(records, quick):
    windows = build_samples(records, quick)
    assert [s.name for s in windows][:3] == [
        "in-sample/1981-06..1985-08",
        "I/1985-05",
        "II/1985-05",
    ]
    assert [len(s.train_rows) for s in windows if s.data_set == "I"] == [47, 48, 49, 50]
    for sample in windows:
        assert sample.x_min.tolist() == sample.x_train.min(0).tolist()
        assert sample.y_max == sample.y_train.max()
        assert sample.month is None or (sample.eval_rows == sample.train_rows[-1] + 1).all()


def test_the_future_never_changes_the_past(records, quick):
    """Everything from the forecast month on (data II), or after it (data I), may change."""
    later = changed(
        records, "1985-06-30", rate=2.0, price_home=3.0, trade_balance=-1.0, intervention=9.0
    )
    later.loc[later["month"] >= "1985-06-30", "gdp"] *= 5
    for before, after in zip(
        build_samples(records, quick)[1:5], build_samples(later, quick)[1:5], strict=True
    ):
        if before.month == pd.Timestamp("1985-05-31") or before.data_set == "II":
            assert before.x_train.tobytes() == after.x_train.tobytes()
            assert before.x_eval.tobytes() == after.x_eval.tobytes()
            assert (
                before.y_max == after.y_max and before.y_train.tobytes() == after.y_train.tobytes()
            )


def test_looking_ahead_is_only_done_when_asked_for(records, quick):
    ahead = build_samples(records, replace(quick, looks_ahead=True))
    first = next(s for s in ahead if s.data_set == "I")
    assert (first.x_min <= first.x_train.min(0)).all() and (
        first.x_max >= first.x_train.max(0)
    ).all()
    assert {tuple(s.x_min) for s in ahead if s.data_set == "I"} == {tuple(first.x_min)}
    assert not np.array_equal(first.x_train, build_samples(records, quick)[1].x_train)


def test_too_few_training_months_is_an_error(records, quick):
    period = replace(quick.periods[0], forecast_from="1983-11")
    with pytest.raises(RecordsError, match=r"29 training months .* 30 are needed"):
        build_samples(records, replace(quick, periods=(period,)))


def test_a_wrong_sign_is_an_error(records, quick):
    with pytest.raises(RecordsError, match="positive means home currency sold"):
        build_samples(records.assign(intervention=-records["intervention"]), quick)


def test_a_constant_input_is_an_error(records, quick):
    still = records.assign(rate=150.0)
    with pytest.raises(RecordsError, match="input 'change' is constant"):
        build_samples(still, quick)


def test_a_period_without_records_is_an_error(records, quick):
    with pytest.raises(RecordsError, match="needs records from 6 months before"):
        build_samples(records[records["month"] >= "1981-03-31"], quick)
    unknown = records.copy()
    unknown.loc[20:25, "intervention"] = np.nan
    with pytest.raises(RecordsError, match="6 months without a record of intervention"):
        build_samples(unknown.reset_index(drop=True), quick)


def test_a_period_that_never_intervenes_is_an_error(records, quick):
    with pytest.raises(RecordsError, match="nothing to learn from"):
        build_samples(records.assign(intervention=0.0), quick)


def test_overlapping_periods_are_an_error():
    values = whole.as_dict(whole.load(PARAMS))
    values["intervention"]["periods"][1]["first"] = "1985-08"
    with pytest.raises(ParamsError, match="overlap or are out of order"):
        whole.parse(values)
    values["intervention"]["periods"][1]["first"] = "1989-01"
    with pytest.raises(ParamsError, match="first < forecast_from <= last"):
        whole.parse(values)
