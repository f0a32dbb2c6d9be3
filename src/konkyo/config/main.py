"""Sections of the main pipeline, one a stage, and of the month-end routine."""

import re
from dataclasses import field
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator
from pydantic.dataclasses import dataclass

from konkyo.config.fields import (
    RULES,
    Address,
    Count,
    MonthName,
    NotNegative,
    Positive,
    PublicAddress,
    month_or,
)
from konkyo.config.tables import Tables

MarketTransform = Literal["level", "change", "difference"]
"""A market series as it is, its relative change, or its absolute change over a month."""
LARGEST_AUTOCORRELATION = 0.10
"""Mean rank correlation of returns with those of the month before, in size, above which a reader is
warned that prices may be averages: of monthly averages it is 0.21, of month-ends below 0.04."""
LARGEST_EPSILON_SHARE = 0.1
"""Share of the scores taken by LRP's epsilon above which a reader is warned."""
Precision = Literal["32-true", "bf16-mixed"]
"""Lightning's names: float32; or hidden layers in bfloat16 beside weights in float32."""
_MODULE = re.compile(r"stacked|lightning|[A-Za-z_]\w*(\.[A-Za-z_]\w*)+")
"""An engine, or the dotted name of a class."""
Share = Annotated[float, Field(ge=0, le=1)]
Number = Annotated[float, Field(allow_inf_nan=False)]
SkipMonths = Annotated[int, Field(ge=0, le=11)]


@dataclass(frozen=True, config=RULES)
class Simulated:
    """The simulated market: its size, its noise and the return of each planted effect.

    Effects are expected monthly returns (fractions) of a stock at the effect's extreme.
    """

    seed: Annotated[int, Field(ge=0, lt=2**31)]
    stocks: Annotated[int, Field(ge=40, le=8000)]
    noise: Positive
    reversal: NotNegative
    quality: NotNegative
    value: NotNegative
    interaction: NotNegative
    regime: NotNegative


@dataclass(frozen=True, config=RULES)
class Ingest:
    """The source of the records, their first month and their last."""

    source: Literal["us-equities", "tables", "simulated-tse"]
    last_month: Annotated[str, month_or("newest")]
    tables: Tables
    simulated: Simulated
    first_month: Annotated[str, month_or("oldest")] = field(default="oldest", kw_only=True)


@dataclass(frozen=True, config=RULES)
class Prepare:
    """The feature panel: first decision month, universe, features, label, market series.

    `skip_months` months are left out between a decision and the month that it earns; see
    `konkyo.windows`. `missing` says what becomes of a missing characteristic: the centre of its
    month (0), or no row of the panel.
    """

    first_month: MonthName
    universe_size: Annotated[int, Field(ge=2)]
    characteristics: Literal["available"] | tuple[str, ...]
    standardise: Literal["rank", "zscore"]
    clip: Positive
    label: Literal["zscore", "rank", "raw"]
    sectors: Literal["known"] | tuple[str, ...]
    market: dict[str, tuple[MarketTransform, ...]]
    skip_months: SkipMonths = field(default=0, kw_only=True)
    missing: Literal["centre", "drop"] = field(default="centre", kw_only=True)
    label_neutral: Literal["none", "sector"] = field(default="none", kw_only=True)


@dataclass(frozen=True, config=RULES)
class Train:
    """The network, its rolling windows, the baselines, and where the networks are trained.

    The keys from `max_networks_per_stack` to `panel_cache_url` change the speed of training and not
    its results; those from `module_params` to `patience` are of networks that train
    month by month.
    """

    window_months: Count
    hidden_sizes: Annotated[tuple[Count, ...], Field(min_length=1)]
    activation: Literal["tanh", "relu"]
    initial: Literal["torch", "lecun_normal"]
    dropout: Annotated[float, Field(ge=0, lt=1)]
    learning_rate: Positive
    weight_decay: NotNegative
    batch_size: Annotated[int, Field(ge=2)]
    epochs: Count
    seed: Annotated[int, Field(ge=0, lt=2**31)]
    ensemble: Annotated[int, Field(ge=1, le=100)]
    placebo_every: Annotated[int, Field(ge=0)]
    resamples: Annotated[int, Field(ge=0, le=100)]
    resample_epochs: Count
    ridge_penalty: Positive
    max_networks_per_stack: Count
    workers: Count
    accelerator: Literal["auto", "cpu", "gpu"]
    backend: Literal["loky", "dask"]
    scheduler_address: PublicAddress
    panel_cache_url: PublicAddress
    module: str = field(default="stacked", kw_only=True)
    module_params: dict[str, Any] = field(default_factory=dict, kw_only=True)
    validation_months: Annotated[int, Field(ge=0)] = field(default=0, kw_only=True)
    patience: Count = field(default=3, kw_only=True)
    precision: Precision = field(default="32-true", kw_only=True)
    resample_precision: Precision = field(default="32-true", kw_only=True)

    @model_validator(mode="after")
    def _module_has_its_params(self) -> "Train":
        if not _MODULE.fullmatch(self.module):
            raise ValueError(
                f"train.module = {self.module!r}: set it to stacked, lightning or a class of your "
                "own with its file, such as my_file.MyModule"
            )
        months = self.validation_months
        if months and self.module == "stacked":
            raise ValueError(
                f"train.validation_months = {months}: the stack trains all its networks for "
                "train.epochs; set it to 0, or train.module to lightning"
            )
        if months >= self.window_months:
            raise ValueError(
                f"train.validation_months = {months} leaves no month of train.window_months = "
                f"{self.window_months} to train on: set it below that"
            )
        if self.module_params and "." not in self.module:
            raise ValueError(
                f"train.module_params = {self.module_params}: train.module = {self.module} takes "
                "none; set it to {}, or name a class of your own"
            )
        return self


@dataclass(frozen=True, config=RULES)
class Attribute:
    """Epsilon of LRP's rule, what is called reliable, and the method of a user's module.

    `epsilon` (paper, equation 10) is in units of the score; `false_share` is the largest ratio of
    the shares of reliable relevances under shuffled labels and under true ones. The built-in
    networks are always explained by LRP.
    """

    epsilon: Positive
    false_share: Annotated[float, Field(gt=0, lt=1)]
    method: Literal["integrated_gradients", "deep_lift", "lrp_epsilon"] = field(
        default="integrated_gradients", kw_only=True
    )


@dataclass(frozen=True, config=RULES)
class Verify:
    """Evaluation of the attribution methods: which months, stocks and permutations are sampled."""

    every_n_months: Count
    n_stocks: Annotated[int, Field(ge=2)]
    n_permutations: Count


@dataclass(frozen=True, config=RULES)
class Benchmark:
    """An index among the records' market series: its level, or its monthly return (a fraction)."""

    series: str
    kind: Literal["level", "return"]
    total_return: bool


@dataclass(frozen=True, config=RULES)
class Impact:
    """Market impact by the square-root law, for an AUM of either leg in the records' currency."""

    coefficient: Positive
    aum: Positive
    currency: Annotated[str, Field(min_length=1)]


@dataclass(frozen=True, config=RULES)
class Period:
    """A period of which the performance is reported, both months included."""

    name: Annotated[str, Field(min_length=1)]
    first: MonthName
    last: MonthName


@dataclass(frozen=True, config=RULES)
class Backtest:
    """Quantile portfolios, the portfolio as it is held, costs, the benchmark and risk factors."""

    n_quantiles: Annotated[int, Field(ge=2)]
    cost_bps: NotNegative
    benchmark: Benchmark | None
    weights: Literal["equal", "value", "score", "rank"] = field(default="equal", kw_only=True)
    neutral: tuple[Literal["sector", "size", "beta"], ...] = field(default=(), kw_only=True)
    cap: Annotated[float, Field(gt=0, le=1)] = field(default=1.0, kw_only=True)
    buffer: Count = field(default=1, kw_only=True)
    lag_months: Literal[0, 1] = field(default=0, kw_only=True)
    short_cost_bps: NotNegative | None = field(default=None, kw_only=True)
    borrow_bps: NotNegative = field(default=0.0, kw_only=True)
    impact: Impact | None = field(default=None, kw_only=True)
    factors: dict[str, Literal["return", "level"]] = field(default_factory=dict, kw_only=True)
    periods: tuple[Period, ...] = field(default=(), kw_only=True)


@dataclass(frozen=True, config=RULES)
class Report:
    """Months, stocks and features of the figures; language and resolution."""

    month: Annotated[str, month_or("newest")]
    n_extremes: Annotated[int, Field(ge=1, le=100)]
    watchlist: tuple[str, ...]
    columns: tuple[str, ...]
    values: Literal["standardised", "raw"]
    stars: Literal["resampled", "paper"]
    factors: tuple[str, ...]
    market: tuple[str, ...]
    market_month: Annotated[str, month_or("largest")]
    language: Literal["en", "ja"]
    dpi: Annotated[int, Field(ge=50, le=600)]


@dataclass(frozen=True, config=RULES)
class Track:
    """The MLflow store, experiment and registered model, and how runs are named."""

    uri: Address
    experiment: Annotated[str, Field(min_length=1)]
    model: Annotated[str, Field(min_length=1)]
    run_name: Annotated[str, Field(min_length=1)]


@dataclass(frozen=True, config=RULES)
class Monitor:
    """Limits of the monitor: beyond any of them `konkyo monitor` ends with exit code 1."""

    max_psi: Positive
    max_drifting: Share
    max_abs_z: Positive
    max_missing: Share
    months: Annotated[int, Field(ge=2)]
    min_rank_ic_t: Number
    max_sign_flips: Share


@dataclass(frozen=True, config=RULES)
class Promote:
    """Comparison of a challenger with the champion: months, measure, required improvement."""

    months: Annotated[int, Field(ge=2)]
    objective: Literal["rank_ic", "sharpe_ratio", "mean"]
    min_improvement: Number
