"""Periods to training windows: which months each network learns from, and what it is asked.

A forecast for month t learns from the period's months before t alone: inputs, target, their scale
and the level of parity, unless `looks_ahead` asks for the paper's way.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from konkyo import dates
from konkyo.config import Intervention, InterventionPeriod
from konkyo.errors import RecordsError
from konkyo.intervention import indicators
from konkyo.intervention.indicators import DATA, EARLIER, INPUTS

IN_SAMPLE = "in-sample"


@dataclass(frozen=True, eq=False)
class Sample:
    """What one network learns from and what it is asked.

    Attributes
    ----------
    period : str
        Name of the period.
    sign : int
        +1 where the period's authority sells yen, -1 where it buys.
    data : str
        "in-sample" (realised inputs, the whole period), "I" or "II".
    month : Timestamp or None
        The forecast month; None in-sample.
    train : numpy.ndarray
        Positions of the training months in the records.
    x : numpy.ndarray
        [months, 4] their inputs.
    y : numpy.ndarray
        [months] their intervention in the period's direction, per cent of reserves, at least 0.
    asked : numpy.ndarray
        Positions of the months to be answered for: the whole period, or the forecast month.
    ask : numpy.ndarray
        [asked, 4] their inputs.
    low, high : numpy.ndarray
        [4] inputs that become 0 and 1.
    top : float
        Target that becomes 1; 0 stays 0.
    """

    period: str
    sign: int
    data: str
    month: pd.Timestamp | None
    train: np.ndarray
    x: np.ndarray
    y: np.ndarray
    asked: np.ndarray
    ask: np.ndarray
    low: np.ndarray
    high: np.ndarray
    top: float

    @property
    def name(self) -> str:
        """A name unique within the study."""
        when = self.period if self.month is None else dates.label(self.month)
        return f"{self.data}/{when}"


def samples(records: pd.DataFrame, params: Intervention) -> list[Sample]:
    """Return every window of the study: one in-sample a period, two data sets a forecast month.

    Parameters
    ----------
    records : pandas.DataFrame
        The raw series.
    params : Intervention
        Periods, fewest training months, and whether scale and parity may look ahead.

    Raises
    ------
    RecordsError
        A period is not in the records, has intervention of the wrong sign, none at all, too few
        months, or an input that stands still.
    """
    made = []
    for period in params.periods:
        span = _span(records, period)
        _check(records, period, span, params.least_months)
        made.append(_in_sample(records, period, span))
        first = _position(records, period.forecast_from)
        for place in range(first, span[-1] + 1):
            made += [_forecast(records, period, span, place, data, params) for data in DATA]
    for sample in made:
        _check_inputs(sample)
    return made


def _in_sample(records: pd.DataFrame, period: InterventionPeriod, span: np.ndarray) -> Sample:
    inputs = indicators.realised(records, indicators.parity(records))
    x, y = _rows(inputs, span), _target(records, period, span)
    return Sample(
        period.name, _sign(period), IN_SAMPLE, None, span, x, y, span, x, x.min(0), x.max(0),
        float(y.max()),
    )  # fmt: skip


def _forecast(
    records: pd.DataFrame,
    period: InterventionPeriod,
    span: np.ndarray,
    place: int,
    data: str,
    params: Intervention,
) -> Sample:
    train = span[span < place]
    month = records["month"].iloc[place]
    until = None if params.looks_ahead else records["month"].iloc[place - 1]
    real_rate = indicators.parity(records, until)
    make = indicators.realised if data == "I" else indicators.published
    # Data set I asks about the realised month; nothing after it is there to be seen.
    seen = records if params.looks_ahead else records.iloc[: place + 1]
    inputs = make(seen, real_rate)
    x, y = _rows(inputs, train), _target(records, period, train)
    scale, heights = x, y
    if params.looks_ahead:
        scale, heights = _rows(inputs, span), _target(records, period, span)
    asked = np.array([place])
    return Sample(
        period.name, _sign(period), data, month, train, x, y, asked, _rows(inputs, asked),
        scale.min(0), scale.max(0), float(heights.max()),
    )  # fmt: skip


def _sign(period: InterventionPeriod) -> int:
    return 1 if period.direction == "sell" else -1


def _rows(inputs: pd.DataFrame, places: np.ndarray) -> np.ndarray:
    return inputs[list(INPUTS)].to_numpy()[places]


def _target(records: pd.DataFrame, period: InterventionPeriod, places: np.ndarray) -> np.ndarray:
    """Return intervention in the period's direction; months of the other direction count as 0."""
    return np.clip(_sign(period) * indicators.target(records)[places], 0, None)


def _position(records: pd.DataFrame, name: str) -> int:
    """Return the place of a month, which may lie outside the records."""
    first = dates.ordinal(records["month"].iloc[:1])[0]
    return int(dates.ordinal(pd.DatetimeIndex([dates.parse(name)]))[0] - first)


def _span(records: pd.DataFrame, period: InterventionPeriod) -> np.ndarray:
    first, last = _position(records, period.first), _position(records, period.last)
    there = f"{records['month'].iloc[0]:%Y-%m} to {records['month'].iloc[-1]:%Y-%m}"
    if first < EARLIER or last >= len(records):
        raise RecordsError(
            f"intervention.periods: {period.name} needs records from {EARLIER} months before it to "
            f"its last month, but they run from {there}: bring more months or shorten the period"
        )
    return np.arange(first, last + 1)


def _check(records: pd.DataFrame, period: InterventionPeriod, span: np.ndarray, least: int) -> None:
    own = records["intervention"].iloc[span]
    if own.isna().any():
        unknown = records["month"].iloc[span][own.isna().to_numpy()]
        raise RecordsError(
            f"intervention.periods: {period.name} has {len(unknown)} months without a record of "
            f"intervention, first {unknown.iloc[0]:%Y-%m}, last {unknown.iloc[-1]:%Y-%m}: write 0 "
            "where there was none, or move the period to months that the records cover"
        )
    net = _sign(period) * own.sum()
    if net < 0:
        raise RecordsError(
            f"intervention.periods: {period.name} has direction {period.direction!r}, but its "
            f"intervention adds up to {own.sum():+,.0f}: positive means home currency sold "
            "(foreign currency bought); turn the column's sign or the period's direction"
        )
    training = _position(records, period.forecast_from) - span[0]
    if training < least:
        raise RecordsError(
            f"intervention.periods: {period.name} has {training} training months before its first "
            f"forecast, {period.forecast_from}, and {least} are needed: forecast from a later "
            f"month, begin the period earlier, or lower intervention.least_months"
        )
    early = (_sign(period) * own.iloc[:training] > 0).sum()
    if early == 0:
        raise RecordsError(
            f"intervention.periods: {period.name} has no intervention in its direction before its "
            f"first forecast, {period.forecast_from}: there is nothing to learn from; forecast "
            "from a later month or choose another period"
        )


def _check_inputs(sample: Sample) -> None:
    bad = ~np.isfinite(np.concatenate([sample.x, sample.ask])).all(0)
    if bad.any():
        raise RecordsError(
            f"input {INPUTS[int(bad.argmax())]!r} is missing in period {sample.period}: bring the "
            f"records from {EARLIER} months before the period on"
        )
    still = np.ptp(sample.x, axis=0) <= 1e-9 * np.abs(sample.x).max(0)
    if still.any():
        raise RecordsError(
            f"input {INPUTS[int(still.argmax())]!r} is constant over the {len(sample.x)} training "
            f"months of {sample.name} (period {sample.period}): it cannot be scaled and teaches "
            "nothing; correct the series or choose another period"
        )


def table(made: Sequence[Sample], records: pd.DataFrame) -> pd.DataFrame:
    """Return the windows as a table: what each learned from and how it was scaled."""
    month = records["month"]
    return pd.DataFrame(
        {
            "name": [s.name for s in made],
            "period": [s.period for s in made],
            "data": [s.data for s in made],
            "month": [s.month for s in made],
            "first_train": [month.iloc[s.train[0]] for s in made],
            "last_train": [month.iloc[s.train[-1]] for s in made],
            "rows": [len(s.train) for s in made],
            "top": [s.top for s in made],
            **{f"low_{n}": [s.low[i] for s in made] for i, n in enumerate(INPUTS)},
            **{f"high_{n}": [s.high[i] for s in made] for i, n in enumerate(INPUTS)},
        }
    )


def points(made: Sequence[Sample], records: pd.DataFrame) -> pd.DataFrame:
    """Return the months that the in-sample networks learned from: inputs and what happened.

    Returns
    -------
    pandas.DataFrame
        period, sign, month, `INPUTS`, actual_share (per cent of reserves, in the period's
        direction).
    """
    month = records["month"].to_numpy()
    return pd.concat(
        [
            pd.DataFrame(s.x, columns=list(INPUTS)).assign(
                period=s.period, sign=s.sign, month=month[s.train], actual_share=s.y
            )
            for s in made
            if s.data == IN_SAMPLE
        ],
        ignore_index=True,
    )
