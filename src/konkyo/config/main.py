"""The sections of the main job, one a stage."""

from typing import Annotated, Literal

from pydantic import Field
from pydantic.dataclasses import dataclass

from konkyo.config.fields import RULES, Address, Count, MonthName, NotNegative, Place, Positive
from konkyo.config.tables import Tables

MarketTransform = Literal["level", "change", "difference"]


@dataclass(frozen=True, config=RULES)
class Simulated:
    """The simulated market: its size, its noise and the strength of each planted effect."""

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
    """Which source brings the records."""

    source: Literal["us-equities", "tables", "simulated-tse"]
    last_month: Literal["newest"] | MonthName
    tables: Tables
    simulated: Simulated


@dataclass(frozen=True, config=RULES)
class Prepare:
    """How records become the feature panel."""

    first_month: MonthName
    universe_size: Annotated[int, Field(ge=2)]
    characteristics: tuple[str, ...]
    standardise: Literal["rank", "zscore"]
    clip: Positive
    label: Literal["zscore", "rank", "raw"]
    sectors: Literal["known"] | tuple[str, ...]
    market: dict[str, tuple[MarketTransform, ...]]


@dataclass(frozen=True, config=RULES)
class Train:
    """The network, its windows and how they are spread over stacks and processes."""

    window_months: Count
    hidden_sizes: Annotated[tuple[Count, ...], Field(min_length=1)]
    activation: Literal["tanh", "relu"]
    dropout: Annotated[float, Field(ge=0, lt=1)]
    learning_rate: Positive
    weight_decay: NotNegative
    batch_size: Annotated[int, Field(ge=2)]
    epochs: Count
    seed: Annotated[int, Field(ge=0, lt=2**31)]
    ensemble: Annotated[int, Field(ge=1, le=100)]
    placebo_every: Annotated[int, Field(ge=0)]
    ridge_penalty: Positive
    max_networks_per_stack: Count
    workers: Count
    accelerator: Literal["auto", "cpu", "gpu"]
    backend: Literal["loky", "dask"]
    scheduler_address: Place
    panel_cache_url: Place


@dataclass(frozen=True, config=RULES)
class Attribute:
    """The relevance rule."""

    epsilon: Positive


@dataclass(frozen=True, config=RULES)
class Verify:
    """How the grounds are checked against the truth and the networks."""

    every_n_months: Count
    n_stocks: Annotated[int, Field(ge=2)]
    n_permutations: Count


@dataclass(frozen=True, config=RULES)
class Backtest:
    """The portfolios and what trading costs."""

    n_quantiles: Annotated[int, Field(ge=2)]
    cost_bps: NotNegative


@dataclass(frozen=True, config=RULES)
class Report:
    """Which months, stocks and inputs the figures show, and how they are drawn."""

    month: Literal["newest"] | MonthName
    n_extremes: Annotated[int, Field(ge=1, le=100)]
    watchlist: tuple[str, ...]
    factors: tuple[str, ...]
    market: tuple[str, ...]
    market_month: Literal["largest"] | MonthName
    language: Literal["en", "ja"]
    dpi: Annotated[int, Field(ge=50, le=600)]


@dataclass(frozen=True, config=RULES)
class Track:
    """Where the run is logged."""

    uri: Address
    experiment: Annotated[str, Field(min_length=1)]
    model: Annotated[str, Field(min_length=1)]
    run_name: Annotated[str, Field(min_length=1)]
