from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from konkyo import config as whole
from konkyo.errors import ParamsError, RecordsError
from konkyo.intervention.samples import samples
from small import PARAMS


def changed(records: pd.DataFrame, first: str, **columns) -> pd.DataFrame:
    later = records.copy()
    rows = later["month"] >= first
    for name, factor in columns.items():
        later.loc[rows, name] *= factor
    return later


def test_windows_grow_by_a_month_and_scale_on_their_own_rows(records, quick):
    made = samples(records, quick)
    assert [s.name for s in made][:3] == ["in-sample/1981-06..1985-08", "I/1985-05", "II/1985-05"]
    assert [len(s.train) for s in made if s.data == "I"] == [47, 48, 49, 50]
    for sample in made:
        assert sample.low.tolist() == sample.x.min(0).tolist()
        assert sample.top == sample.y.max()
        assert sample.month is None or (sample.asked == sample.train[-1] + 1).all()


def test_the_future_never_changes_the_past(records, quick):
    """Everything from the forecast month on (data II), or after it (data I), may change."""
    later = changed(
        records, "1985-06-30", rate=2.0, price_home=3.0, trade_balance=-1.0, intervention=9.0
    )
    later.loc[later["month"] >= "1985-06-30", "gdp"] *= 5
    for before, after in zip(samples(records, quick)[1:5], samples(later, quick)[1:5], strict=True):
        if before.month == pd.Timestamp("1985-05-31") or before.data == "II":
            assert before.x.tobytes() == after.x.tobytes()
            assert before.ask.tobytes() == after.ask.tobytes()
            assert before.top == after.top and before.y.tobytes() == after.y.tobytes()


def test_looking_ahead_is_only_done_when_asked_for(records, quick):
    ahead = samples(records, replace(quick, looks_ahead=True))
    first = next(s for s in ahead if s.data == "I")
    assert (first.low <= first.x.min(0)).all() and (first.high >= first.x.max(0)).all()
    assert {tuple(s.low) for s in ahead if s.data == "I"} == {tuple(first.low)}
    assert not np.array_equal(first.x, samples(records, quick)[1].x)


def test_too_few_training_months_is_an_error(records, quick):
    period = replace(quick.periods[0], forecast_from="1983-11")
    with pytest.raises(RecordsError, match=r"29 training months .* 30 are needed"):
        samples(records, replace(quick, periods=(period,)))


def test_a_wrong_sign_is_an_error(records, quick):
    with pytest.raises(RecordsError, match="positive means home currency sold"):
        samples(records.assign(intervention=-records["intervention"]), quick)


def test_an_input_that_stands_still_is_an_error(records, quick):
    still = records.assign(rate=150.0)
    with pytest.raises(RecordsError, match="input 'change' is constant"):
        samples(still, quick)


def test_a_period_outside_the_records_or_without_known_intervention_is_an_error(records, quick):
    with pytest.raises(RecordsError, match="needs records from 6 months before"):
        samples(records[records["month"] >= "1981-03-31"], quick)
    unknown = records.copy()
    unknown.loc[20:25, "intervention"] = np.nan
    with pytest.raises(RecordsError, match="6 months without a record of intervention"):
        samples(unknown.reset_index(drop=True), quick)


def test_a_period_that_never_intervenes_is_an_error(records, quick):
    with pytest.raises(RecordsError, match="nothing to learn from"):
        samples(records.assign(intervention=0.0), quick)


def test_overlapping_periods_are_an_error():
    values = whole.as_dict(whole.load(PARAMS))
    values["intervention"]["periods"][1]["first"] = "1985-08"
    with pytest.raises(ParamsError, match="overlap or are out of order"):
        whole.parse(values)
    values["intervention"]["periods"][1]["first"] = "1989-01"
    with pytest.raises(ParamsError, match="first < forecast_from <= last"):
        whole.parse(values)
