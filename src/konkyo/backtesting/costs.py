"""What trading costs: by leg, borrowing, market impact; and the capacity of a portfolio."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from konkyo.backtesting.portfolios import mean_returns
from konkyo.backtesting.turnover import stock_trades, trades
from konkyo.config import Backtest
from konkyo.errors import ParamsError
from konkyo.windows import earned_in

BASIS_POINT = 1e-4
MONTHS_A_YEAR = 12
TRADING_DAYS = 21
"""Days of a month over which its traded value is spread where the records do not count them."""
_KEY = ["model", "month"]
_LIQUIDITY = ("dollar_volume", "daily_volatility")


@dataclass(frozen=True)
class CostRates:
    """Costs of a long-short portfolio, in basis points.

    Attributes
    ----------
    long_bps, short_bps : float
        One way, of the amount that each leg trades.
    borrow_bps : float
        A year, of the value of the short leg.
    """

    long_bps: float
    short_bps: float
    borrow_bps: float

    @classmethod
    def of(cls, config: Backtest) -> "CostRates":
        """Return those of params.yaml."""
        short = config.cost_bps if config.short_cost_bps is None else config.short_cost_bps
        return cls(config.cost_bps, short, config.borrow_bps)

    def by_leg(self, traded: pd.DataFrame) -> pd.DataFrame:
        """Return the costs of each (model, month), a column a leg, as fractions of its value.

        Parameters
        ----------
        traded : DataFrame
            What `turnover.trades` returns.
        """
        units = traded.pivot_table(index=_KEY, columns="leg", values="units")
        borrowing = self.borrow_bps / MONTHS_A_YEAR
        return BASIS_POINT * pd.DataFrame(
            {
                "long": self.long_bps * units["long"],
                "short": self.short_bps * units["short"] + borrowing,
            }
        )


def portfolio_returns(
    holdings: pd.DataFrame,
    rates: CostRates,
    *,
    skip_months: int = 0,
    impact: pd.Series | None = None,
) -> pd.DataFrame:
    """Return the monthly returns of portfolios as they are held, before and after costs.

    A stock without a realised return has the weighted mean return of its leg.

    Parameters
    ----------
    holdings : DataFrame
        What `holdings.holdings` returns.
    rates : CostRates
        Basis points.
    skip_months : int
        Months between the decision and the month that it earns, beyond one.
    impact : Series, optional
        By (model, month): what `impact_per_root_aum` returns, times the root of the AUM.

    Returns
    -------
    DataFrame
        model, month (t), earned, long, short, gross (long - short), long_net, net (both after
        costs), turnover (one-way, mean of the legs; NaN where bought from cash), long_stocks,
        short_stocks, missing; fractions. Months in which a leg has no return are left out.
    """
    # As in the quantile portfolios: a month without returns is no book that could be sold.
    returns = _by_leg(mean_returns(holdings, [*_KEY, "leg"], "weight")).dropna()
    kept = pd.MultiIndex.from_frame(holdings[_KEY]).isin(returns.index)
    holdings = holdings[kept]
    traded = trades(holdings)
    cost = rates.by_leg(traded)
    moved = 0.0 if impact is None else impact.reindex(returns.index).fillna(0.0)
    stocks = _by_leg(holdings.groupby([*_KEY, "leg"]).size().rename("stocks"))
    gross = returns["long"] - returns["short"]
    result = pd.DataFrame(
        {
            "long": returns["long"],
            "short": returns["short"],
            "gross": gross,
            "long_net": returns["long"] - cost["long"],
            "net": gross - cost.sum(axis=1) - moved,
            "turnover": traded.groupby(_KEY)["turnover"].mean(),
            "long_stocks": stocks["long"],
            "short_stocks": stocks["short"],
            "missing": holdings["ret"].isna().groupby([holdings[key] for key in _KEY]).sum(),
        }
    ).reset_index()
    result.insert(2, "earned", earned_in(result["month"], skip_months))
    return result


def _by_leg(values: pd.Series) -> pd.DataFrame:
    """Return values of (model, month, leg) as a column a leg."""
    name = str(values.name)
    return values.reset_index().pivot_table(index=_KEY, columns="leg", values=name)


def impact_per_root_aum(
    holdings: pd.DataFrame, records: pd.DataFrame, coefficient: float
) -> tuple[pd.Series, int]:
    """Return the market impact of each month's trades for an AUM of one unit of the currency.

    The square-root law: a trade of |dw| AUM costs c sigma sqrt(AUM |dw| / ADV) of its value
    (Grinold and Kahn, 2000, chapter 16), with the daily volatility sigma and the mean daily traded
    value ADV of month t. The cost of an AUM of A, which either leg holds, is
    sqrt(A) times what is returned.

    Parameters
    ----------
    holdings : DataFrame
        What `holdings.holdings` returns.
    records : DataFrame
        month, stock, dollar_volume (thousands of the currency a month), daily_volatility (a
        fraction) and, where there are, days.
    coefficient : float
        c.

    Returns
    -------
    tuple of Series and int
        By (model, month), a fraction of AUM per root of it; and the number of trades of stocks
        without traded value or volatility, which are given the month's median cost.

    Raises
    ------
    ParamsError
        The records have no traded value or daily volatility.
    """
    absent = [name for name in _LIQUIDITY if name not in records]
    if absent:
        raise ParamsError(
            f"backtest.impact: the records have no {' and no '.join(absent)}, from which market "
            "impact is computed: bring daily rows with close and volume (ingest.tables.stocks), "
            "or set backtest.impact to null"
        )
    daily = records["dollar_volume"] * 1000 / records.get("days", TRADING_DAYS)
    rate = records["daily_volatility"] / np.sqrt(daily.where(daily > 0))
    liquidity = records[["month", "stock"]].assign(rate=rate)
    change = stock_trades(holdings).merge(liquidity, on=["month", "stock"], how="left")
    change = change[change["trade"].abs() > 1e-12]
    without = int(change["rate"].isna().sum())
    median = change.groupby("month")["rate"].transform("median")
    cost = coefficient * change["rate"].fillna(median) * change["trade"].abs() ** 1.5
    return cost.groupby([change[key] for key in _KEY]).sum(), without


def capacity(returns: pd.DataFrame, impact: pd.Series, aums: np.ndarray) -> pd.DataFrame:
    """Return the net return a year against assets under management.

    Parameters
    ----------
    returns : DataFrame
        model, month, net without impact.
    impact : Series
        What `impact_per_root_aum` returns.
    aums : ndarray
        In the currency of the records, of one leg.

    Returns
    -------
    DataFrame
        aum, net (arithmetic, a year, a fraction).
    """
    series = returns.set_index(_KEY)["net"]
    unit = impact.reindex(series.index).fillna(0.0)
    net = [MONTHS_A_YEAR * (series - unit * np.sqrt(aum)).mean() for aum in aums]
    return pd.DataFrame({"aum": aums, "net": net})
