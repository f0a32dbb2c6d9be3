"""The benchmark of figures 6 and 7: an index among the records, or the universe by market value."""

import numpy as np
import pandas as pd

from konkyo.config import Benchmark
from konkyo.dates import month_end, ordinal
from konkyo.errors import ParamsError
from konkyo.windows import lead


def benchmark_returns(
    index: pd.DataFrame,
    market: pd.DataFrame | None,
    benchmark: Benchmark | None,
    skip_months: int = 0,
) -> pd.Series:
    """Return the benchmark's monthly returns.

    Parameters
    ----------
    index : DataFrame
        The panel's rows: month, size (known at t), ret (earned in t+1, NaN where not realised).
    market : DataFrame or None
        month and the market series of the records; without an index it is not used.
    benchmark : Benchmark or None
        The index; None for the mean return of the universe weighted by `size`, over the stocks
        whose return was realised.
    skip_months : int
        Months left out between a decision and the month that it earns.

    Returns
    -------
    Series
        benchmark, by decision month t: the return earned in t+1 (later with `skip_months`), a
        fraction. Months without one
        are left out.

    Raises
    ------
    ParamsError
        The records have no such series.
    """
    if benchmark is None:
        realised = index.dropna(subset=["ret", "size"])
        value = (realised["size"] * realised["ret"]).groupby(realised["month"]).sum()
        returns = value / realised["size"].groupby(realised["month"]).sum()
        return returns.dropna().rename("benchmark")
    market = pd.DataFrame({"month": []}) if market is None else market
    if benchmark.series not in market.columns.drop("month"):
        available = ", ".join(market.columns.drop("month")) or "none"
        raise ParamsError(
            f"backtest.benchmark.series = {benchmark.series!r} is not among the records' market "
            f"series, which are {available}: correct the name, or set backtest.benchmark to null"
        )
    series = market.set_index(ordinal(market["month"]))[benchmark.series].astype("float64")
    decisions = series.index.to_numpy()
    earned = decisions + lead(skip_months)
    returns = series.reindex(earned).to_numpy()
    if benchmark.kind == "level":
        returns = returns / series.reindex(earned - 1).to_numpy() - 1.0
    result = pd.Series(returns, month_end(decisions), name="benchmark")
    return result[np.isfinite(result)].rename_axis("month")
