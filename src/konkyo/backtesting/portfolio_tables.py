"""Every table about portfolios as they are held, from scores, relevances and returns."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from konkyo import dates
from konkyo.backtesting import costs, holdings, risk
from konkyo.backtesting.holdings import STANDARD, Scheme
from konkyo.backtesting.information_coefficient import (
    information_coefficients,
    newey_west_t,
    t_statistic,
)
from konkyo.backtesting.metrics import finite
from konkyo.backtesting.performance import annual_return, measures
from konkyo.backtesting.portfolios import NoPortfoliosError
from konkyo.backtesting.return_attribution import (
    ABSORBED,
    attribution_summary,
    by_group,
    promise,
    return_attribution,
    shapley_attribution,
)
from konkyo.backtesting.scores import NETWORK
from konkyo.backtesting.turnover import stock_trades
from konkyo.config import Backtest
from konkyo.features.grid import Grid
from konkyo.windows import earned_in

CUSTOM = "custom"
GROUPS = ("sector", "calendar", "market", "characteristic")
HORIZONS = 12
FACTORS = ("MKT", "SMB", "HML", "RMW", "CMA")
"""Names under which records have the five factor returns of Fama and French (2015)."""
AUMS = 10.0 ** np.arange(6.0, 12.5, 0.5)
BUFFERS = (1, 2, 3, 4, 5)
EXPOSURES = ("size", "beta", "momentum", "volatility")


@dataclass(frozen=True)
class Inputs:
    """What the tables are computed from.

    Attributes
    ----------
    rows : DataFrame
        month, stock, model, score, quantile, ret, sector, market_value, and the standardised
        characteristics size, beta, momentum, volatility as far as there are any; sorted by (model,
        month, stock).
    relevance : ndarray
        [rows of the network, features] float32, units of the score.
    catalogue : DataFrame
        name and group of each feature.
    records : DataFrame
        month, stock, return, and spell, dollar_volume, daily_volatility, days as far as there are.
    market : DataFrame
        month and the market series.
    benchmark : Series
        By decision month, fractions.
    skip_months : int
        Months left out between a decision and the month that it earns.
    """

    rows: pd.DataFrame
    relevance: np.ndarray
    catalogue: pd.DataFrame
    records: pd.DataFrame
    market: pd.DataFrame
    benchmark: pd.Series
    skip_months: int


def schemes(config: Backtest) -> dict[str, Scheme]:
    """Return the standard portfolios, and that of params.yaml where it is none of them."""
    chosen = Scheme(config.weights, config.neutral, config.cap, config.buffer)
    same = chosen in STANDARD.values() and not config.lag_months and config.impact is None
    return dict(STANDARD) if same else {**STANDARD, CUSTOM: chosen}


def main_portfolio(config: Backtest) -> str:
    """Return the name of the portfolio that params.yaml describes."""
    chosen = Scheme(config.weights, config.neutral, config.cap, config.buffer)
    standard = (name for name, scheme in STANDARD.items() if scheme == chosen)
    return CUSTOM if CUSTOM in schemes(config) else next(standard)


def later_returns(inputs: Inputs, rows: pd.DataFrame, ahead: Sequence[int]) -> np.ndarray:
    """Return the single month's returns of t + ahead of each row.

    Parameters
    ----------
    inputs : Inputs
        Its records have the returns, also of stocks that have left the universe.
    rows : DataFrame
        month (t), stock.
    ahead : sequence of int
        Months.

    Returns
    -------
    ndarray
        [rows, ahead], NaN where there is no return.
    """
    grid = Grid.of(inputs.records)
    row = dates.ordinal(rows["month"]) - int(dates.ordinal(grid.month[:1])[0])
    column = grid.column_of(rows["stock"], row)
    # A month more, of NaN, for months beyond the records; column -1, of no record, is a stock more.
    values = np.pad(
        grid.to_grid(inputs.records["return"]), ((0, 1), (0, 1)), constant_values=np.nan
    )
    later = np.minimum(row[:, None] + np.asarray(ahead), len(grid.month))
    return values[later, column[:, None]]


def horizon_ic(inputs: Inputs) -> pd.DataFrame:
    """Return the rank IC of the score at t with the return of the single month t + h.

    Returns
    -------
    DataFrame
        horizon (h = 1 .. 12), rank_ic (mean over months), t (months as independent), t_newey_west,
        months.
    """
    network = inputs.rows[inputs.rows["model"] == NETWORK]
    horizons, lines = range(1, HORIZONS + 1), []
    for horizon, ret in zip(horizons, later_returns(inputs, network, horizons).T, strict=True):
        ic = information_coefficients(network.assign(ret=ret))
        values = ic["rank_ic"]
        lines.append(
            {
                "horizon": horizon,
                "rank_ic": float(values.mean()),
                "t": t_statistic(values),
                "t_newey_west": newey_west_t(ic["month"], values),
                "months": int(values.notna().sum()),
            }
        )
    return pd.DataFrame(lines)


def portfolio_tables(
    inputs: Inputs, config: Backtest
) -> tuple[dict[str, pd.DataFrame], dict[str, Any]]:
    """Return all tables by name, and the figures for MLflow.

    Parameters
    ----------
    inputs : Inputs
        Scores, relevances, returns and records.
    config : Backtest
        The section of params.yaml.

    Returns
    -------
    tables : dict
        portfolio_returns, portfolio_performance (all models and portfolios); of the network
        return_attribution (by input), return_attribution_groups, return_attribution_summary,
        promise, horizon_ic, factor_regression, rolling_regression, portfolio_exposures, drawdowns,
        periods, buffer, capacity (with `impact` alone); holdings and trades (of the portfolio of
        params.yaml: that of the rows in portfolio_performance whose `main` is true).
    figures : dict
        Nested: a portfolio of the network, then gross or net, then a measure; those of another
        model under its name.
    """
    rates, main = costs.CostRates.of(config), main_portfolio(config)
    factors = _factors(inputs, config)
    held, returns, tables = {}, [], {}
    for name, scheme in schemes(config).items():
        rows, impact = inputs.rows, None
        if name == CUSTOM and config.lag_months:
            ahead = 1 + inputs.skip_months + config.lag_months
            rows = rows.assign(ret=later_returns(inputs, rows, [ahead])[:, 0])
        try:
            book = holdings.holdings(rows, scheme, config.n_quantiles)
        except NoPortfoliosError:
            if name == CUSTOM:
                raise
            continue
        lag = inputs.skip_months + (config.lag_months if name == CUSTOM else 0)
        if name == main and config.impact is not None:
            unit, _ = costs.impact_per_root_aum(book, inputs.records, config.impact.coefficient)
            before = costs.portfolio_returns(book[book["model"] == NETWORK], rates)
            tables["capacity"] = costs.capacity(before, unit, AUMS)
            impact = unit * np.sqrt(config.impact.aum)
        held[name] = book[book["model"] == NETWORK]
        part = costs.portfolio_returns(book, rates, skip_months=lag, impact=impact)
        returns.append(part.assign(portfolio=name))
    monthly = pd.concat(returns, ignore_index=True)
    performance = _performance(inputs, config, monthly, factors)
    network = monthly[monthly["model"] == NETWORK]
    known = inputs.rows[inputs.rows["model"] == NETWORK]
    characteristics = known[["month", "stock", *known.columns.intersection(EXPOSURES)]]
    main_returns = network[network["portfolio"] == main].set_index("earned")["net"]
    tables |= {
        "portfolio_returns": monthly,
        "portfolio_performance": performance,
        **_attributions(inputs, config.n_quantiles),
        "horizon_ic": horizon_ic(inputs),
        "factor_regression": pd.concat(
            risk.regression(part.set_index("earned")["net"], factors).assign(portfolio=name)
            for name, part in network.groupby("portfolio", sort=False)
        ),
        "rolling_regression": risk.rolling_regression(main_returns, factors),
        "portfolio_exposures": pd.concat(
            risk.exposures(book, characteristics).assign(portfolio=name)
            for name, book in held.items()
        ),
        "drawdowns": risk.drawdowns(main_returns),
        "periods": risk.by_period(
            main_returns,
            {p.name: (dates.parse(p.first), dates.parse(p.last)) for p in config.periods},
        ),
        "buffer": _buffers(inputs, config, rates),
        "holdings": held[main].drop(columns=["model", "ret"]),
        "trades": _trades(held[main]),
    }
    return tables, _figures(tables)


def _factors(inputs: Inputs, config: Backtest) -> pd.DataFrame:
    """Return the factor returns by the month in which they were earned."""
    kinds = dict(config.factors)
    if not kinds:
        kinds = {name: "return" for name in FACTORS if name in inputs.market}
    if kinds:
        return risk.factor_returns(inputs.market, kinds)
    return _benchmark(inputs).to_frame("benchmark")


def _benchmark(inputs: Inputs) -> pd.Series:
    """Return the benchmark's returns by the month in which they were earned."""
    return inputs.benchmark.set_axis(earned_in(inputs.benchmark.index, inputs.skip_months))


def _performance(
    inputs: Inputs, config: Backtest, monthly: pd.DataFrame, factors: pd.DataFrame
) -> pd.DataFrame:
    lines, benchmark = [], _benchmark(inputs)
    for (portfolio, model), part in monthly.groupby(["portfolio", "model"], sort=False):
        part = part.set_index("earned")
        low, high = risk.sharpe_interval(part["net"])
        alpha = risk.regression(part["net"], factors).iloc[0]
        scheme = schemes(config)[str(portfolio)]
        rows = inputs.rows[inputs.rows["model"] == model]
        lines.append(
            {
                "model": model,
                "portfolio": portfolio,
                "main": portfolio == main_portfolio(config),
                "gross_return": annual_return(part["gross"]),
                "gross_arithmetic": float(part["gross"].mean() * 12),
                **measures(part["net"]),
                "sharpe_low": low,
                "sharpe_high": high,
                "alpha": alpha["coefficient"],
                "alpha_t": alpha["t"],
                "turnover": float(part["turnover"].mean()),
                **risk.active_measures(part["long_net"], benchmark.reindex(part.index)),
                "long_stocks": float(part["long_stocks"].mean()),
                "short_stocks": float(part["short_stocks"].mean()),
                "missing": int(part["missing"].sum()),
                "omitted": holdings.omitted(rows, scheme, config.n_quantiles),
                "omitted_months": int(alpha["omitted"]),
            }
        )
    return pd.DataFrame(lines)


def _attributions(inputs: Inputs, n_quantiles: int) -> dict[str, pd.DataFrame]:
    """Return what inputs and groups earned, and what they promised."""
    rows = inputs.rows[inputs.rows["model"] == NETWORK].reset_index(drop=True)
    features, group_of = list(inputs.catalogue["name"]), inputs.catalogue.set_index("name")["group"]
    by_input = return_attribution(rows, inputs.relevance, features)
    present = rows["sector"].notna().to_numpy()
    neutral = return_attribution(
        rows[present].reset_index(drop=True), inputs.relevance[present], features, ("sector",)
    )
    players = np.column_stack(
        [
            inputs.relevance[:, (inputs.catalogue["group"] == group).to_numpy()].sum(
                1, dtype="float64"
            )
            for group in GROUPS
        ]
    )
    players = np.column_stack([players, rows["score"] - inputs.relevance.sum(1, dtype="float64")])
    groups = {
        "score_weighted": by_group(by_input, group_of),
        **({"sector_neutral": by_group(neutral, group_of)} if len(neutral) else {}),
        "equal_weighted": shapley_attribution(rows, players, [*GROUPS, ABSORBED], n_quantiles),
    }
    summaries = [attribution_summary(by_input).assign(portfolio="score_weighted", kind="input")]
    summaries += [
        attribution_summary(table).assign(portfolio=name, kind="group")
        for name, table in groups.items()
    ]
    return {
        "return_attribution": by_input,
        "return_attribution_groups": pd.concat(
            [table.assign(portfolio=name) for name, table in groups.items()], ignore_index=True
        ),
        "return_attribution_summary": pd.concat(summaries, ignore_index=True),
        "promise": promise(rows, inputs.relevance, features, summaries[0], n_quantiles),
    }


def _buffers(inputs: Inputs, config: Backtest, rates: costs.CostRates) -> pd.DataFrame:
    """Return gross and net return a year and turnover of equal weights against the buffer."""
    rows = inputs.rows[inputs.rows["model"] == NETWORK]
    lines = []
    for buffer in (number for number in BUFFERS if number <= config.n_quantiles // 2):
        book = holdings.holdings(rows, Scheme(buffer=buffer), config.n_quantiles)
        part = costs.portfolio_returns(book, rates, skip_months=inputs.skip_months)
        means = part[["gross", "net", "turnover"]].mean() * [12, 12, 1]
        lines.append({"buffer": buffer, **means.to_dict()})
    return pd.DataFrame(lines)


def _trades(book: pd.DataFrame) -> pd.DataFrame:
    change = stock_trades(book).drop(columns="model")
    return change[change["trade"] != 0].reset_index(drop=True)


def _figures(tables: dict[str, pd.DataFrame]) -> dict[str, Any]:
    """Return the figures by portfolio, gross or net, measure; and what earned the network's."""
    figures: dict[str, Any] = {}
    for row in tables["portfolio_performance"].to_dict("records"):
        names = set(row) - {"model", "portfolio", "main", "gross_return", "gross_arithmetic"}
        of_model = figures if row["model"] == NETWORK else figures.setdefault(row["model"], {})
        of_model[row["portfolio"]] = {
            "gross": {
                "annual_return": row["gross_return"],
                "annual_return_arithmetic": row["gross_arithmetic"],
            },
            "net": finite({name: row[name] for name in sorted(names)}),
        }
    summary = tables["return_attribution_summary"]
    for row in summary[summary["kind"] == "group"].to_dict("records"):
        earned = figures.setdefault("return_attribution", {}).setdefault(row["portfolio"], {})
        earned[row["feature"]] = finite({"annual": row["annual"], "t": row["t"]})
    figures["horizon_rank_ic"] = {
        str(row["horizon"]): row["rank_ic"]
        for row in tables["horizon_ic"].dropna(subset="rank_ic").to_dict("records")
    }
    return figures
