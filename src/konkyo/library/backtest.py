"""The backtest of scores: quantile portfolios, what they earned, and which inputs earned it."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import altair as alt
import numpy as np
import pandas as pd

from konkyo import config, dates
from konkyo.attribution.row_errors import ERROR
from konkyo.backtesting import benchmark_returns, join_scores
from konkyo.backtesting.portfolio_tables import Inputs, portfolio_tables
from konkyo.backtesting.results import BacktestResult, compute, portfolio_rows, summary
from konkyo.backtesting.return_attribution import attribution_summary, return_attribution
from konkyo.backtesting.scores import NETWORK
from konkyo.errors import KonkyoError
from konkyo.features.build import catalogue_table
from konkyo.features.store import Panel
from konkyo.library import checks
from konkyo.library.frames import to_kind, to_pandas
from konkyo.report.charts.performance import (
    monthly_rank_ic,
    monthly_spread,
    portfolio_growth,
    quantile_returns,
)
from konkyo.report.charts.portfolio import portfolio_charts
from konkyo.report.tables.labels import labels
from konkyo.windows import earned_in

_KEYS = ["month", "stock", "score"]
_FURTHER = ("absorbed", "score_error", "rank_low", "rank_high")
"""Numbers of `RollingRanker.explain` that are no relevances; error_NAME are others."""


@dataclass(frozen=True, eq=False)
class Backtest:
    """What the portfolios of scores earned; frames are of the caller's kind.

    The scores of month t form portfolios at its end, which earn the returns of t+1.
    """

    _result: BacktestResult
    _inputs: Inputs
    _config: config.Backtest
    _kind: str

    @property
    def returns(self) -> Any:
        """Monthly returns of long, short, spread, market and benchmark; see `monthly_returns`."""
        return to_kind(self._result.returns.drop(columns="model"), self._kind)

    @property
    def performance(self) -> Any:
        """Return a year, volatility, Sharpe ratio and drawdown of each portfolio."""
        return to_kind(self._result.performance.drop(columns="model"), self._kind)

    @property
    def quantiles(self) -> Any:
        """Mean return of each quantile, 1 of the lowest scores."""
        return to_kind(self._result.quantiles.drop(columns="model"), self._kind)

    @property
    def portfolios(self) -> Any:
        """Performance of the portfolios as they are held: equal, value, score, sector-neutral.

        `main` marks that of the arguments of `backtest`.
        """
        table = self._tables["portfolio_performance"].drop(columns="model")
        return to_kind(table, self._kind)

    def summary(self) -> dict[str, float]:
        """Return a dozen figures: those of the pipeline's data/summary.json.

        Returns
        -------
        dict of str to float
            rank_ic, rank_ic_t, turnover (one-way, a month), spread.annual_return (a fraction),
            spread.sharpe_ratio, spread_net.annual_return (after costs) and others.
        """
        return summary(self._result.metrics)[NETWORK]

    def return_attribution(self) -> Any:
        """Return what each input earned in the score-weighted portfolio.

        Returns
        -------
        frame
            feature (and "absorbed"), annual (arithmetic, a fraction), t (Newey-West), positive
            (share of months above 0), months.

        Raises
        ------
        KonkyoError
            The scores came without relevances.
        """
        if self._inputs.catalogue.empty:
            raise KonkyoError(
                "the scores have no relevances: give backtest the frame of RollingRanker.explain()"
            )
        contributions = return_attribution(
            self._inputs.rows, self._inputs.relevance, self._inputs.catalogue["name"].tolist()
        )
        return to_kind(attribution_summary(contributions), self._kind)

    @cached_property
    def charts(self) -> dict[str, alt.TopLevelMixin]:
        """The report's charts by name; without relevances those of quantile portfolios alone."""
        result, catalogue = self._result, self._inputs.catalogue
        charts: dict[str, alt.TopLevelMixin] = {
            "portfolio_growth": portfolio_growth(result.cumulative),
            "monthly_rank_ic": monthly_rank_ic(result.returns),
            "monthly_spread": monthly_spread(result.returns),
            "quantile_returns": quantile_returns(result.quantiles),
        }
        if len(catalogue):
            names = dict.fromkeys([*catalogue["name"], *catalogue["group"], "absorbed"])
            charts |= portfolio_charts(self._tables, labels(names, catalogue))
        return charts

    @cached_property
    def _tables(self) -> dict[str, pd.DataFrame]:
        return portfolio_tables(self._inputs, self._config)[0]


def backtest(
    scores: Any,
    returns: Any,
    *,
    n_quantiles: int = 10,
    cost_bps: float = 10.0,
    weights: Literal["equal", "value", "score", "rank"] = "equal",
    neutral: Sequence[Literal["sector", "size", "beta"]] = (),
    cap: float = 1.0,
    buffer: int = 1,
    lag_months: int = 0,
    short_cost_bps: float | None = None,
    borrow_bps: float = 0.0,
    skip_months: int = 0,
) -> Backtest:
    """Form portfolios of scores month by month, and return what they earned.

    Parameters
    ----------
    scores : frame
        month, stock, score (known at t, of any model), and relevances as of
        `RollingRanker.explain`: every further column of numbers but the standard errors is one.
    returns : Panel or frame
        The panel of the scores; or month t, stock, forward_return (earned in t+1, a fraction,
        missing where not realised), and sector and market_value (at t) as far as there are.
    n_quantiles, cost_bps, weights, neutral, cap, buffer, lag_months, short_cost_bps, borrow_bps
        As in the section backtest of params.yaml.
    skip_months : int
        Months left out between a decision and the month that it earns: forward_return is that of
        t + 1 + skip_months.

    Raises
    ------
    RecordsError
        A frame breaks a rule: repeated (month, stock), months left out, columns without numbers.
    ParamsError
        An argument has a value that is not allowed.
    KonkyoError
        A score has no row in `returns`, or no month forms portfolios with a realised return.

    Examples
    --------
    >>> import konkyo
    >>> market = konkyo.simulate_market(stocks=40, last="2003-12")
    >>> scores = market.truth.rename(columns={"expected": "score"})[["month", "stock", "score"]]
    >>> result = konkyo.backtest(scores, market.frame, n_quantiles=4)
    >>> round(result.summary()["rank_ic"], 2)
    0.08
    >>> result.returns.columns[:3].tolist()
    ['month', 'earned', 'long']
    """
    values = {
        "n_quantiles": n_quantiles, "cost_bps": cost_bps, "benchmark": None, "weights": weights,
        "neutral": list(neutral), "cap": cap, "buffer": buffer, "lag_months": lag_months,
        "short_cost_bps": short_cost_bps, "borrow_bps": borrow_bps,
    }  # fmt: skip
    params = config.section(config.Backtest, values, "backtest")
    config.section(config.SkipMonths, skip_months, "skip_months")
    panel = returns if isinstance(returns, Panel) else _panel_of(returns)
    table, kind = to_pandas(scores)
    numbers = [name for name in table.select_dtypes("number") if name not in _KEYS]
    further = {ERROR + str(name) for name in numbers} | {*_FURTHER}
    names = [name for name in numbers if name not in further]
    columns = checks.Columns(
        month="month", stock="stock", features=("score", *names), results=True, filled=True
    )
    rows = checks.rows(table, columns)
    absent = ~pd.MultiIndex.from_frame(rows[_KEYS[:2]]).isin(
        pd.MultiIndex.from_frame(panel.index[_KEYS[:2]])
    )
    if absent.any():
        first = rows[absent].iloc[0]
        raise KonkyoError(
            f"{absent.sum():,} scores have no row in returns, first that of stock {first['stock']} "
            f"in {dates.label(first['month'])}: give returns of the same months and stocks"
        )
    joined = join_scores(panel.index, rows[_KEYS], rows[["month", "stock"]])
    benchmark = benchmark_returns(panel.index, None, None, skip_months)
    result = compute(joined, params, benchmark, skip_months)
    inputs = Inputs(
        rows=portfolio_rows(result.ranked, panel),
        relevance=rows[names].to_numpy("float32"),
        catalogue=_catalogue(panel, names),
        records=_records(panel, skip_months),
        market=pd.DataFrame({"month": []}),
        benchmark=benchmark,
        skip_months=skip_months,
    )
    return Backtest(result, inputs, params, kind)


def _panel_of(returns: Any) -> Panel:
    """Return a panel without features of a frame of returns."""
    table, _ = to_pandas(returns)
    columns = checks.Columns(
        month="month",
        stock="stock",
        label="forward_return",
        size="market_value" if "market_value" in table else None,
        texts=("sector",) if "sector" in table else (),
    )
    index = checks.index_of(checks.rows(table, columns), columns)
    return Panel(np.empty((len(index), 0), np.float32), index, _catalogue(None, []))


def _catalogue(panel: Panel | None, names: list[str]) -> pd.DataFrame:
    """Return the catalogue of relevances: that of the panel, or all of them characteristics."""
    if panel is not None and panel.names == names:
        return panel.catalogue
    return catalogue_table(names, [], [], standardise="none", calendar=False)


def _records(panel: Panel, skip_months: int) -> pd.DataFrame:
    """Return month, stock, return: the realised returns in the month that earned them."""
    index = panel.index
    earned = index.assign(month=earned_in(index["month"], skip_months), **{"return": index["ret"]})
    # The first decision month is a month of the records, which has no return here.
    first = index[index["month"] == index["month"].min()].assign(**{"return": np.nan})
    return pd.concat([first, earned])[["month", "stock", "return"]].reset_index(drop=True)
