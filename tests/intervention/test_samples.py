from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from konkyo import config as whole
from konkyo.errors import ParamsError, RecordsError
from konkyo.intervention import indicators
from konkyo.intervention.indicators import INPUTS
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
    assert [s.name for s in windows][:2] == ["in-sample/1981-06..1985-08", "ahead/1985-05"]
    assert [len(s.train_rows) for s in windows if s.ahead] == [47, 48, 49, 50]
    for sample in windows:
        assert sample.x_min.tolist() == sample.x_train.min(0).tolist()
        assert sample.y_max == sample.y_train.max() and sample.y_min == 0
        if sample.ahead:
            rows = sample.evaluation
            assert (rows["row"] == sample.train_rows[-1] + 1).all()
            assert rows["data"].tolist() == ["I", "II"]


def test_both_data_sets_ask_one_network(records, quick):
    """They differ in the inputs of the forecast month alone, and II has those of before."""
    for sample in build_samples(records, quick)[1:]:
        row, data_i, data_ii = sample.evaluation["row"][0], *sample.x_eval
        real_rate = indicators.mean_real_rate(records.iloc[:row], "all")
        of_month = indicators.realised(records.iloc[: row + 1], real_rate, seasonal=True)
        assert data_i.tolist() == of_month[list(INPUTS)].iloc[row].tolist()
        assert data_ii[0] == data_ii[1] == pytest.approx(of_month["change"][row - 1])
        of_two_before = indicators.realised(records.iloc[: row - 1], real_rate, seasonal=True)
        assert data_ii[2:].tolist() == of_two_before[["deviation", "balance"]].iloc[-1].tolist()
        # Training months have their realised inputs, whichever data set is asked.
        realised = indicators.realised(records.iloc[:row], real_rate, seasonal=True)
        assert (
            sample.x_train.tolist()
            == realised[list(INPUTS)].iloc[sample.train_rows].to_numpy().tolist()
        )


def test_the_future_never_changes_the_past(records, quick):
    """What comes from the forecast month on may change: data I alone sees the month itself."""
    factors = {
        "rate": 2.0,
        "price_home": 3.0,
        "trade_balance": -1.0,
        "intervention": 9.0,
        "gdp": 5.0,
    }
    later = changed(records, "1985-06-30", **factors)
    before, after = build_samples(records, quick)[1:3], build_samples(later, quick)[1:3]
    assert [s.month.month for s in before] == [5, 6]
    for one, other in zip(before, after, strict=True):
        for name in ("x_train", "y_train", "occurred", "x_min", "x_max"):
            assert getattr(one, name).tobytes() == getattr(other, name).tobytes()
        assert one.y_max == other.y_max
        assert one.x_eval[1].tolist() == other.x_eval[1].tolist()
        own_month = one.month >= pd.Timestamp("1985-06-30")
        assert (one.x_eval[0].tolist() != other.x_eval[0].tolist()) == own_month


def test_the_papers_setting_looks_ahead(records, quick):
    """Scaling, seasonal adjustment and GDP by month are two-sided there, and only there."""
    inputs = replace(quick.inputs, looks_ahead=True, parity_base="1981-06..1995-12")
    config = replace(quick, inputs=inputs)
    first, second = build_samples(records, config)[1:3]
    assert (
        first.x_min.tolist()
        == second.x_min.tolist()
        == build_samples(records, config)[0].x_min.tolist()
    )
    later = changed(records, "1990-01-31", trade_balance=-1.0, price_home=3.0)
    assert build_samples(later, config)[1].x_train.tolist() != first.x_train.tolist()
    plain = build_samples(records, quick)[1]
    assert build_samples(later, quick)[1].x_train.tolist() == plain.x_train.tolist()
    base = replace(quick, inputs=replace(inputs, looks_ahead=False))
    with pytest.raises(RecordsError, match=r"parity_base .* months that may be used .* 1985-04"):
        build_samples(records, base)


def test_reserves_of_the_same_month_divide_the_amount(records, quick):
    same = replace(quick, inputs=replace(quick.inputs, reserves="same"))
    rows = build_samples(records, same)[0].train_rows
    expected = -100 * records["intervention"][rows] / records["reserves"][rows]
    assert build_samples(records, same)[0].y_train.tolist() == np.clip(expected, 0, None).tolist()


def test_occurrence_is_any_intervention(records, quick):
    """Yes is not zero, in either direction, as in 1992-12 of the paper; the amount is 0 then."""
    other = records.copy()
    row = int(np.flatnonzero(other["month"] == "1983-02-28")[0])
    other.loc[row, "intervention"] = 1.0
    sample = build_samples(other, quick)[0]
    place = int(np.flatnonzero(sample.train_rows == row)[0])
    assert sample.target("occurrence")[place] == 1
    assert sample.target("amount")[place] == 0
    none = records["intervention"][sample.train_rows] == 0
    assert (sample.target("occurrence")[none.to_numpy() & (sample.train_rows != row)] == 0).all()


def test_variants_of_the_paper_are_in_sample_fits(records, study):
    config = replace(study, variants=("lagged", "pooled"))
    windows = build_samples(records, config)
    plain = {s.period: s for s in windows if s.fit == "in-sample"}
    (pooled,) = (s for s in windows if s.fit == "pooled")
    assert len(windows) == len(build_samples(records, study)) + 4 + 1
    for sample in (s for s in windows if s.fit == "lagged"):
        selected = plain[sample.period]
        assert sample.x_train[:, :2].tolist() == selected.x_train[:, :2].tolist()
        np.testing.assert_allclose(sample.x_train[2:, 3], selected.x_train[:-2, 3])
        assert sample.y_train.tolist() == selected.y_train.tolist()
    # One network of all periods: signed amounts, scaled to 0 and 1 by the largest of either sign.
    assert len(pooled.train_rows) == sum(len(s.train_rows) for s in plain.values())
    target = pooled.target("amount")
    assert pooled.y_min < 0 < pooled.y_max and target.min() == 0 and target.max() == 1
    np.testing.assert_allclose(pooled.share(target), pooled.y_train)
    for period, sample in plain.items():
        rows = (pooled.evaluation["period"] == period).to_numpy()
        shares = pooled.in_direction(pooled.y_train)[rows]
        np.testing.assert_allclose(np.clip(shares, 0, None), sample.y_train)


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
