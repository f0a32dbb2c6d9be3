"""Makes src/konkyo/data/us_market_series.csv from the public series beside the project.

    python tests/support/us_market_series.py ../shared/data/macro_series

A month's value was known at its end: a close of its last day, or an average of its days.
"""

import sys
from pathlib import Path

import pandas as pd

MONTHS = pd.period_range("2000-01", "2021-12", freq="M")
CSV = Path(__file__).parents[2] / "src/konkyo/data/us_market_series.csv"


def series(folder: Path) -> pd.DataFrame:
    """Return month (YYYY-MM) and one column a series."""

    def table(name: str, value: str, day: str = "Date") -> pd.Series:
        frame = pd.read_csv(folder / name)
        return frame.set_index(pd.PeriodIndex(frame[day], freq="M"))[value]

    rates = pd.read_csv(folder / "exchange_rates_monthly.csv.gz")
    rates["month"] = pd.PeriodIndex(rates["Date"], freq="M")
    per_dollar = rates.pivot_table("Exchange rate", "month", "Country")
    daily = {
        "vix": table("finance_vix_vix_daily.csv.gz", "CLOSE", "DATE"),
        "wti": table("oil_prices_wti_daily.csv.gz", "Price"),
    }
    columns = {name: days.dropna().groupby(level=0).last() for name, days in daily.items()}
    columns |= {
        "sp_500": table("s_and_p_500_data.csv", "SP500"),
        "usd_jpy": per_dollar["Japan"],
        # Euros a dollar in the file.
        "eur_usd": 1.0 / per_dollar["Euro"],
        "ust_10": table("bond_yields_us_10y_monthly.csv", "Rate"),
        "gold": table("gold_prices_monthly.csv", "Price"),
    }
    result = pd.DataFrame(columns).reindex(MONTHS).round(4)
    return result.rename_axis("month").reset_index().astype({"month": str})


if __name__ == "__main__":
    series(Path(sys.argv[1])).to_csv(CSV, index=False, lineterminator="\n")
