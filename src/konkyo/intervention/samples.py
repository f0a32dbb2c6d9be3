"""Training windows: the months each network is trained on, and those it is evaluated on.

A forecast of month t is trained on the realised values of the period's months before t, whichever
data set it is asked with: both ask one network. Inputs, target, scaling and the level of parity use
nothing from t on, unless `inputs.looks_ahead` asks for the paper's setting.
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

IN_SAMPLE, LAGGED, POOLED = "in-sample", "lagged", "pooled"
"""Data sets of the in-sample fits: realised inputs; the price indices of the month before and the
trade balance of two months before (footnote 12); one network of all periods, whose target is the
signed amount (footnote 29)."""
ALL_PERIODS = "all"
"""Name of the periods pooled."""
METHODS = ("amount", "occurrence")
"""What a network is trained on: the amount (method 1 of the paper) or the occurrence (2)."""


@dataclass(frozen=True, eq=False)
class Sample:
    """Training and evaluation months of one window.

    Attributes
    ----------
    period : str
        Name of the period, or `ALL_PERIODS`.
    fit : str
        `IN_SAMPLE`, `LAGGED` or `POOLED`; "ahead" for one-step-ahead forecasts.
    month : Timestamp or None
        The forecast month; None in-sample.
    sign : int
        Direction in which `y_train` is positive: +1 yen sold, -1 yen bought.
    train_rows : numpy.ndarray
        Positions of the training months in the records.
    x_train : numpy.ndarray
        [months, 4] inputs of the training months.
    y_train : numpy.ndarray
        [months] intervention in per cent of reserves: in the period's direction, the other one
        counting as 0; of `POOLED` signed.
    occurred : numpy.ndarray
        [months] bool, whether there was any intervention, in either direction.
    evaluation : pandas.DataFrame
        The months to predict, of `x_eval`: row (position in the records), data ("I" and "II" of
        the forecast month, otherwise `fit`), period and sign (of the month).
    x_eval : numpy.ndarray
        [rows of evaluation, 4] their inputs.
    x_min, x_max : numpy.ndarray
        [4] inputs that are scaled to 0 and 1.
    y_min, y_max : float
        Target that is scaled to 0 and 1; the lower one is 0 but of `POOLED`.
    """

    period: str
    fit: str
    month: pd.Timestamp | None
    sign: int
    train_rows: np.ndarray
    x_train: np.ndarray
    y_train: np.ndarray
    occurred: np.ndarray
    evaluation: pd.DataFrame
    x_eval: np.ndarray
    x_min: np.ndarray
    x_max: np.ndarray
    y_min: float
    y_max: float

    @property
    def name(self) -> str:
        """A name unique within the study."""
        when = self.period if self.month is None else dates.label(self.month)
        return f"{self.fit}/{when}"

    @property
    def ahead(self) -> bool:
        """Whether the sample forecasts a month after its training months."""
        return self.month is not None

    def target(self, method: str) -> np.ndarray:
        """Return the training target in [0, 1]: the scaled amount, or the occurrence."""
        if method == "occurrence":
            return self.occurred.astype(float)
        return (self.y_train - self.y_min) / (self.y_max - self.y_min)

    def in_direction(self, y: np.ndarray) -> np.ndarray:
        """Return predictions of `y_train` in the direction of each evaluation month's period."""
        return self.sign * self.evaluation["sign"].to_numpy() * y

    def share(self, output: np.ndarray) -> np.ndarray:
        """Return outputs of the amount, [0, 1], in the units of `y_train`."""
        return self.y_min + output * (self.y_max - self.y_min)


def build_samples(records: pd.DataFrame, config: Intervention) -> list[Sample]:
    """Return all windows: those in-sample, and one for each forecast month.

    Parameters
    ----------
    records : pandas.DataFrame
        The raw series.
    config : Intervention
        Periods, fewest training months, inputs and variants.

    Raises
    ------
    RecordsError
        A period is outside the records, has intervention of the wrong sign or none at all, too few
        training months, or a missing or constant input.
    """
    seasonal = config.inputs.seasonal_adjustment
    rows_of = {period: _period_rows(records, period) for period in config.periods}
    for period, rows in rows_of.items():
        _check_period(records, period, rows, config.least_months)
    real_rate = indicators.mean_real_rate(records, config.inputs.parity_base)
    inputs = indicators.realised(records, real_rate, seasonal=seasonal)
    of_fit = {IN_SAMPLE: inputs, LAGGED: indicators.lagged(inputs, records["rate"])}
    samples = []
    for period, rows in rows_of.items():
        for fit in (IN_SAMPLE, LAGGED):
            if fit == IN_SAMPLE or fit in config.variants:
                samples.append(_in_sample(of_fit[fit], {period: rows}, fit, records, config))
        for row in rows[rows >= _row_of(records, period.forecast_from)]:
            samples.append(_one_step_ahead(records, period, rows, row=int(row), config=config))
    if POOLED in config.variants:
        samples.append(_in_sample(inputs, rows_of, POOLED, records, config))
    for sample in samples:
        _check_inputs(sample)
    return samples


def _in_sample(
    inputs: pd.DataFrame,
    rows_of: dict[InterventionPeriod, np.ndarray],
    fit: str,
    records: pd.DataFrame,
    config: Intervention,
) -> Sample:
    """Return the window that trains on all months of its periods and fits them."""
    evaluation = pd.concat(
        [
            pd.DataFrame({"row": rows, "data": fit, "period": period.name, "sign": _sign(period)})
            for period, rows in rows_of.items()
        ],
        ignore_index=True,
    )
    rows, sign = evaluation["row"].to_numpy(), int(evaluation["sign"].iloc[0])
    x, y = _inputs_at(inputs, rows), _shares(records, config)[rows]
    if fit == POOLED:
        period, sign, low = ALL_PERIODS, 1, float(y.min())
    else:
        period, y, low = evaluation["period"].iloc[0], np.clip(sign * y, 0, None), 0.0
    return Sample(
        period=period,
        fit=fit,
        month=None,
        sign=sign,
        train_rows=rows,
        x_train=x,
        y_train=y,
        occurred=records["intervention"].to_numpy()[rows] != 0,
        evaluation=evaluation,
        x_eval=x,
        x_min=x.min(0),
        x_max=x.max(0),
        y_min=low,
        y_max=float(y.max()),
    )


def _one_step_ahead(
    records: pd.DataFrame,
    period: InterventionPeriod,
    rows: np.ndarray,
    *,
    row: int,
    config: Intervention,
) -> Sample:
    """Return the window whose forecast month is `row`: it trains on the period's rows before it."""
    options, sign = config.inputs, _sign(period)
    past = records if options.looks_ahead else records.iloc[:row]
    real_rate = indicators.mean_real_rate(past, options.parity_base)

    def realised(until: int) -> pd.DataFrame:
        visible = records if options.looks_ahead else records.iloc[:until]
        return indicators.realised(visible, real_rate, seasonal=options.seasonal_adjustment)

    train_rows = rows[rows < row]
    inputs = realised(row)
    x_eval = [
        _inputs_at(realised(row + 1), np.array([row]))[0],
        indicators.published(records, row, real_rate=real_rate, config=options),
    ]
    scale_rows = rows if options.looks_ahead else train_rows
    x_scale = _inputs_at(inputs, scale_rows)
    y = np.clip(sign * _shares(records, config), 0, None)
    return Sample(
        period=period.name,
        fit="ahead",
        month=records["month"].iloc[row],
        sign=sign,
        train_rows=train_rows,
        x_train=_inputs_at(inputs, train_rows),
        y_train=y[train_rows],
        occurred=records["intervention"].to_numpy()[train_rows] != 0,
        evaluation=pd.DataFrame(
            {"row": row, "data": list(DATA), "period": period.name, "sign": sign}
        ),
        x_eval=np.array(x_eval),
        x_min=x_scale.min(0),
        x_max=x_scale.max(0),
        y_min=0.0,
        y_max=float(y[scale_rows].max()),
    )


def _shares(records: pd.DataFrame, config: Intervention) -> np.ndarray:
    """Return signed intervention of all months in per cent of reserves."""
    divisor = indicators.reserves(records, config.inputs)
    return (100 * records["intervention"] / divisor).to_numpy()


def _sign(period: InterventionPeriod) -> int:
    return 1 if period.direction == "sell" else -1


def _inputs_at(inputs: pd.DataFrame, rows: np.ndarray) -> np.ndarray:
    return inputs[list(INPUTS)].to_numpy()[rows]


def _row_of(records: pd.DataFrame, month: str) -> int:
    """Return the row of a month YYYY-MM, negative or beyond the end outside the records."""
    first = dates.ordinal(records["month"].iloc[:1])[0]
    return int(dates.ordinal(pd.DatetimeIndex([dates.parse(month)]))[0] - first)


def _period_rows(records: pd.DataFrame, period: InterventionPeriod) -> np.ndarray:
    first, last = _row_of(records, period.first), _row_of(records, period.last)
    available = f"{records['month'].iloc[0]:%Y-%m} to {records['month'].iloc[-1]:%Y-%m}"
    if first < LEAD_MONTHS or last >= len(records):
        raise RecordsError(
            f"intervention.periods: {period.name} needs records from {LEAD_MONTHS} months before "
            f"it to its last month, but they run from {available}: bring more months or shorten "
            "the period"
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
            "sold (foreign currency bought); turn the column's sign or the period's direction"
        )
    training = _row_of(records, period.forecast_from) - rows[0]
    if training < least_months:
        raise RecordsError(
            f"intervention.periods: {period.name} has {training} training months before its first "
            f"forecast, {period.forecast_from}, and {least_months} are needed: forecast from a "
            "later month, begin the period earlier, or lower intervention.least_months"
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
            f"input {INPUTS[int(missing.argmax())]!r} is missing in period {sample.period}: bring "
            f"the records from {LEAD_MONTHS} months before the period on"
        )
    constant = np.ptp(sample.x_train, axis=0) <= 1e-9 * np.abs(sample.x_train).max(0)
    if constant.any():
        raise RecordsError(
            f"input {INPUTS[int(constant.argmax())]!r} is constant over the "
            f"{len(sample.x_train)} training months of {sample.name} (period {sample.period}): it "
            "cannot be scaled and teaches nothing; correct the series or choose another period"
        )


def windows_table(samples: Sequence[Sample], records: pd.DataFrame) -> pd.DataFrame:
    """Return the windows as a table: training months and scaling."""
    month = records["month"]
    return pd.DataFrame(
        {
            "name": [s.name for s in samples],
            "period": [s.period for s in samples],
            "month": [s.month for s in samples],
            "first_train": [month.iloc[s.train_rows[0]] for s in samples],
            "last_train": [month.iloc[s.train_rows[-1]] for s in samples],
            "train_rows": [len(s.train_rows) for s in samples],
            "target_min": [s.y_min for s in samples],
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
            if s.fit == IN_SAMPLE
        ],
        ignore_index=True,
    )
