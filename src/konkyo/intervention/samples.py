"""Training windows: the months each network is trained on, and those it is evaluated on.

A forecast of month t uses the period's months before t alone: for inputs, target, scaling and the
level of parity, unless `looks_ahead` asks for the paper's in-sample scaling.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from konkyo import dates
from konkyo.config import Intervention, InterventionPeriod
from konkyo.errors import RecordsError
from konkyo.intervention import indicators
from konkyo.intervention.indicators import DATA, INPUTS, LEAD_MONTHS

IN_SAMPLE = "in-sample"
METHODS = ("amount", "occurrence")
"""What a network is trained on: the amount (method 1 of the paper) or the occurrence (2)."""


@dataclass(frozen=True, eq=False)
class Sample:
    """Training and evaluation months of one window.

    Attributes
    ----------
    period : str
        Name of the period.
    sign : int
        +1 where the period's authority sells yen, -1 where it buys.
    data_set : str
        "in-sample" (realised inputs, the whole period), "I" or "II".
    month : Timestamp or None
        The forecast month; None in-sample.
    train_rows : numpy.ndarray
        Positions of the training months in the records.
    x_train : numpy.ndarray
        [months, 4] inputs of the training months.
    y_train : numpy.ndarray
        [months] intervention in the period's direction, per cent of reserves, at least 0.
    eval_rows : numpy.ndarray
        Positions of the months to predict: the whole period, or the forecast month.
    x_eval : numpy.ndarray
        [eval_rows, 4] their inputs.
    x_min, x_max : numpy.ndarray
        [4] inputs that are scaled to 0 and 1.
    y_max : float
        Target that is scaled to 1; 0 stays 0.
    """

    period: str
    sign: int
    data_set: str
    month: pd.Timestamp | None
    train_rows: np.ndarray
    x_train: np.ndarray
    y_train: np.ndarray
    eval_rows: np.ndarray
    x_eval: np.ndarray
    x_min: np.ndarray
    x_max: np.ndarray
    y_max: float

    @property
    def name(self) -> str:
        """A name unique within the study."""
        when = self.period if self.month is None else dates.label(self.month)
        return f"{self.data_set}/{when}"


def build_samples(records: pd.DataFrame, config: Intervention) -> list[Sample]:
    """Return all windows: one in-sample a period, and data sets I and II of each forecast month.

    Parameters
    ----------
    records : pandas.DataFrame
        The raw series.
    config : Intervention
        Periods, fewest training months, and whether scaling and parity may look ahead.

    Raises
    ------
    RecordsError
        A period is outside the records, has intervention of the wrong sign or none at all, too few
        training months, or a missing or constant input.
    """
    samples = []
    for period in config.periods:
        rows = _period_rows(records, period)
        _check_period(records, period, rows, config.least_months)
        samples.append(_in_sample(records, period, rows))
        first = _row_of(records, period.forecast_from)
        for row in range(first, rows[-1] + 1):
            samples += [
                _one_step_ahead(records, period, rows, row=row, data_set=data_set, config=config)
                for data_set in DATA
            ]
    for sample in samples:
        _check_inputs(sample)
    return samples


def _in_sample(records: pd.DataFrame, period: InterventionPeriod, rows: np.ndarray) -> Sample:
    inputs = indicators.realised(records, indicators.parity(records))
    x, y = _inputs_at(inputs, rows), _target(records, period, rows)
    return Sample(
        period=period.name,
        sign=_sign(period),
        data_set=IN_SAMPLE,
        month=None,
        train_rows=rows,
        x_train=x,
        y_train=y,
        eval_rows=rows,
        x_eval=x,
        x_min=x.min(0),
        x_max=x.max(0),
        y_max=float(y.max()),
    )


def _one_step_ahead(
    records: pd.DataFrame,
    period: InterventionPeriod,
    rows: np.ndarray,
    *,
    row: int,
    data_set: str,
    config: Intervention,
) -> Sample:
    """Return the window whose forecast month is `row`: it trains on the period's rows before it."""
    month, train_rows = records["month"].iloc[row], rows[rows < row]
    until = None if config.looks_ahead else records["month"].iloc[row - 1]
    real_rate = indicators.parity(records, until)
    make_inputs = indicators.realised if data_set == "I" else indicators.published
    # Data set I uses the realised inputs of the forecast month, and nothing after it.
    visible = records if config.looks_ahead else records.iloc[: row + 1]
    inputs = make_inputs(visible, real_rate)
    scale_rows = rows if config.looks_ahead else train_rows
    x_scale = _inputs_at(inputs, scale_rows)
    eval_rows = np.array([row])
    return Sample(
        period=period.name,
        sign=_sign(period),
        data_set=data_set,
        month=month,
        train_rows=train_rows,
        x_train=_inputs_at(inputs, train_rows),
        y_train=_target(records, period, train_rows),
        eval_rows=eval_rows,
        x_eval=_inputs_at(inputs, eval_rows),
        x_min=x_scale.min(0),
        x_max=x_scale.max(0),
        y_max=float(_target(records, period, scale_rows).max()),
    )


def _sign(period: InterventionPeriod) -> int:
    return 1 if period.direction == "sell" else -1


def _inputs_at(inputs: pd.DataFrame, rows: np.ndarray) -> np.ndarray:
    return inputs[list(INPUTS)].to_numpy()[rows]


def _target(records: pd.DataFrame, period: InterventionPeriod, rows: np.ndarray) -> np.ndarray:
    """Return intervention in the period's direction; the other direction counts as 0."""
    return np.clip(_sign(period) * indicators.target(records)[rows], 0, None)


def _row_of(records: pd.DataFrame, month: str) -> int:
    """Return the row of a month YYYY-MM, negative or beyond the end outside the records."""
    first = dates.ordinal(records["month"].iloc[:1])[0]
    return int(dates.ordinal(pd.DatetimeIndex([dates.parse(month)]))[0] - first)


def _period_rows(records: pd.DataFrame, period: InterventionPeriod) -> np.ndarray:
    first, last = _row_of(records, period.first), _row_of(records, period.last)
    available = f"{records['month'].iloc[0]:%Y-%m} to {records['month'].iloc[-1]:%Y-%m}"
    if first < LEAD_MONTHS or last >= len(records):
        raise RecordsError(
            f"intervention.periods: {period.name} needs records from {LEAD_MONTHS} months "
            f"before it to "
            f"its last month, but they run from {available}: bring more months or shorten the "
            f"period"
        )
    return np.arange(first, last + 1)


def _check_period(
    records: pd.DataFrame, period: InterventionPeriod, rows: np.ndarray, least_months: int
) -> None:
    intervention = records["intervention"].iloc[rows]
    if intervention.isna().any():
        missing = records["month"].iloc[rows][intervention.isna().to_numpy()]
        raise RecordsError(
            f"intervention.periods: {period.name} has {len(missing)} months without a record of "
            f"intervention, first {missing.iloc[0]:%Y-%m}, last {missing.iloc[-1]:%Y-%m}: write 0 "
            "where there was none, or move the period to months that the records cover"
        )
    net = _sign(period) * intervention.sum()
    if net < 0:
        raise RecordsError(
            f"intervention.periods: {period.name} has direction {period.direction!r}, but its "
            f"intervention adds up to {intervention.sum():+,.0f}: positive means home currency "
            f"sold "
            "(foreign currency bought); turn the column's sign or the period's direction"
        )
    training = _row_of(records, period.forecast_from) - rows[0]
    if training < least_months:
        raise RecordsError(
            f"intervention.periods: {period.name} has {training} training months before its first "
            f"forecast, {period.forecast_from}, and {least_months} are needed: forecast from a "
            f"later "
            f"month, begin the period earlier, or lower intervention.least_months"
        )
    n_early = (_sign(period) * intervention.iloc[:training] > 0).sum()
    if n_early == 0:
        raise RecordsError(
            f"intervention.periods: {period.name} has no intervention in its direction before its "
            f"first forecast, {period.forecast_from}: there is nothing to learn from; forecast "
            "from a later month or choose another period"
        )


def _check_inputs(sample: Sample) -> None:
    missing = ~np.isfinite(np.concatenate([sample.x_train, sample.x_eval])).all(0)
    if missing.any():
        raise RecordsError(
            f"input {INPUTS[int(missing.argmax())]!r} is missing in period {sample.period}: "
            f"bring the "
            f"records from {LEAD_MONTHS} months before the period on"
        )
    constant = np.ptp(sample.x_train, axis=0) <= 1e-9 * np.abs(sample.x_train).max(0)
    if constant.any():
        raise RecordsError(
            f"input {INPUTS[int(constant.argmax())]!r} is constant over the "
            f"{len(sample.x_train)} training "
            f"months of {sample.name} (period {sample.period}): it cannot be scaled and teaches "
            "nothing; correct the series or choose another period"
        )


def windows_table(samples: Sequence[Sample], records: pd.DataFrame) -> pd.DataFrame:
    """Return the windows as a table: training months and scaling."""
    month = records["month"]
    return pd.DataFrame(
        {
            "name": [s.name for s in samples],
            "period": [s.period for s in samples],
            "data": [s.data_set for s in samples],
            "month": [s.month for s in samples],
            "first_train": [month.iloc[s.train_rows[0]] for s in samples],
            "last_train": [month.iloc[s.train_rows[-1]] for s in samples],
            "train_rows": [len(s.train_rows) for s in samples],
            "target_max": [s.y_max for s in samples],
            **{f"{n}_min": [s.x_min[i] for s in samples] for i, n in enumerate(INPUTS)},
            **{f"{n}_max": [s.x_max[i] for s in samples] for i, n in enumerate(INPUTS)},
        }
    )


def training_points(samples: Sequence[Sample], records: pd.DataFrame) -> pd.DataFrame:
    """Return the training months of the in-sample networks: inputs and actual intervention.

    Returns
    -------
    pandas.DataFrame
        period, sign, month, `INPUTS`, actual_share (per cent of reserves, in the period's
        direction).
    """
    month = records["month"].to_numpy()
    return pd.concat(
        [
            pd.DataFrame(s.x_train, columns=list(INPUTS)).assign(
                period=s.period, sign=s.sign, month=month[s.train_rows], actual_share=s.y_train
            )
            for s in samples
            if s.data_set == IN_SAMPLE
        ],
        ignore_index=True,
    )
